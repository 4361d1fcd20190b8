package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.CustomResource;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.api.v1alpha1.SecretStoreSpec;
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

  /** No namespace has this name. */
  private static final String ANYWHERE = "";

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
            r.getStatus().stage().terminal()
                ? List.of()
                : List.of(r.getMetadata().getNamespace(), ANYWHERE));
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

  /** The rotations of all namespaces that have not ended; none before the controller runs. */
  public Stream<SecretRotation> underWay() {
    return underWay(ANYWHERE);
  }

  /** A binding; empty if there is none, or before the controller runs. */
  public Optional<SecretBinding> binding(String namespace, String name) {
    return object(bindings, new ResourceID(name, namespace));
  }

  /** The status of a store; empty if there is none, or before the controller runs. */
  public Optional<SecretStoreStatus> status(String namespace, StoreRef store) {
    return switch (store.kind()) {
      case SecretStore ->
          object(stores, new ResourceID(store.name(), namespace)).map(CustomResource::getStatus);
      case ClusterSecretStore ->
          object(clusterStores, new ResourceID(store.name())).map(CustomResource::getStatus);
    };
  }

  /** The limits of a store; empty if there is none, or before the controller runs. */
  public Optional<SecretStoreSpec.Limits> limits(String namespace, StoreRef store) {
    return switch (store.kind()) {
      case SecretStore ->
          object(stores, new ResourceID(store.name(), namespace)).map(s -> s.getSpec().limits());
      case ClusterSecretStore ->
          object(clusterStores, new ResourceID(store.name())).map(s -> s.getSpec().limits());
    };
  }

  private static <T extends HasMetadata> Optional<T> object(
      IndexerResourceCache<T> cache, ResourceID id) {
    return cache == null ? Optional.empty() : cache.get(id);
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
