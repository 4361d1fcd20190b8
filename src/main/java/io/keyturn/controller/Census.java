package io.keyturn.controller;

import io.fabric8.kubernetes.client.CustomResource;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.api.v1alpha1.SecretStoreStatus;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The objects in the caches of the controllers: for counting, and for what may be decided by a copy
 * that is old.
 */
@ApplicationScoped
public class Census {

  private static final String UNDER_WAY = "under-way";

  private volatile IndexerResourceCache<SecretBinding> bindings;
  private volatile IndexerResourceCache<SecretRotation> rotations;
  private volatile IndexerResourceCache<SecretStore> stores;
  private volatile IndexerResourceCache<ClusterSecretStore> clusterStores;

  /** Told by the controller of bindings, once it has a cache. */
  public void ofBindings(IndexerResourceCache<SecretBinding> cache) {
    bindings = cache;
  }

  /** Told by the controller of rotations, once it has a cache. */
  public void ofRotations(IndexerResourceCache<SecretRotation> cache) {
    cache.addIndexer(
        UNDER_WAY,
        r ->
            r.getStatus().stage().terminal() ? List.of() : List.of(r.getMetadata().getNamespace()));
    rotations = cache;
  }

  /** Told by the controller of stores, once it has a cache. */
  public void ofStores(IndexerResourceCache<SecretStore> cache) {
    stores = cache;
  }

  /** Told by the controller of stores of the cluster, once it has a cache. */
  public void ofClusterStores(IndexerResourceCache<ClusterSecretStore> cache) {
    clusterStores = cache;
  }

  /** All bindings; none before the controller runs. */
  public Stream<SecretBinding> bindings() {
    return bindings == null ? Stream.empty() : bindings.list();
  }

  /** All rotations; none before the controller runs. */
  public Stream<SecretRotation> rotations() {
    return rotations == null ? Stream.empty() : rotations.list();
  }

  /** The rotations of a namespace that have not ended; none before the controller runs. */
  public Stream<SecretRotation> underWay(String namespace) {
    return rotations == null ? Stream.empty() : rotations.byIndex(UNDER_WAY, namespace).stream();
  }

  /** A binding; empty if there is none, or before the controller runs. */
  public Optional<SecretBinding> binding(String namespace, String name) {
    return bindings == null ? Optional.empty() : bindings.get(new ResourceID(name, namespace));
  }

  /**
   * The status of a store that something refers to; empty if there is none, or it has not started.
   */
  public Optional<SecretStoreStatus> store(String namespace, StoreRef store) {
    return switch (store.kind()) {
      case SecretStore -> status(stores, new ResourceID(store.name(), namespace));
      case ClusterSecretStore -> status(clusterStores, new ResourceID(store.name()));
    };
  }

  private static <S extends CustomResource<?, SecretStoreStatus>>
      Optional<SecretStoreStatus> status(IndexerResourceCache<S> cache, ResourceID id) {
    return cache == null ? Optional.empty() : cache.get(id).map(CustomResource::getStatus);
  }

  /** The statuses of all stores, those of the cluster included; none before the controllers run. */
  public Stream<SecretStoreStatus> stores() {
    return Stream.concat(statuses(stores), statuses(clusterStores));
  }

  private static <S extends CustomResource<?, SecretStoreStatus>>
      Stream<SecretStoreStatus> statuses(IndexerResourceCache<S> cache) {
    return cache == null ? Stream.empty() : cache.list().map(CustomResource::getStatus);
  }
}
