package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.processing.event.Event;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.AbstractEventSource;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.domain.binding.BindingObservation;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Set;

/**
 * Lets rotations under way look again when something has happened to their binding: its source, its
 * alias, its policy or itself; bindings when something has happened to their store; and stores when
 * those who use them find that they are not as they were.
 */
@ApplicationScoped
public class Nudge {

  private final Source<SecretRotation> rotations = new Source<>();
  private final Source<SecretBinding> bindings = new Source<>();
  private final Source<SecretStore> stores = new Source<>();
  private final Source<ClusterSecretStore> clusterStores = new Source<>();

  /** The event source of the rotations' controller. */
  public Source<SecretRotation> source() {
    return rotations;
  }

  /** The event source of the bindings' controller. */
  public Source<SecretBinding> ofBindings() {
    return bindings;
  }

  /** The event source of the stores' controller. */
  public Source<SecretStore> ofStores() {
    return stores;
  }

  /** The event source of the controller of stores of the cluster. */
  public Source<ClusterSecretStore> ofClusterStores() {
    return clusterStores;
  }

  /** Lets a store that something in a namespace refers to be looked at again. */
  public void send(String namespace, StoreRef store) {
    switch (store.kind()) {
      case SecretStore -> stores.send(new ResourceID(store.name(), namespace));
      case ClusterSecretStore -> clusterStores.send(new ResourceID(store.name()));
    }
  }

  /** Lets a binding look again. */
  public void send(SecretBinding binding) {
    bindings.send(ResourceID.fromResource(binding));
  }

  /** Lets a rotation look again. */
  public void send(String namespace, String rotation) {
    rotations.send(new ResourceID(rotation, namespace));
  }

  /** Lets a rotation look again, unless it has ended. */
  public void send(String namespace, BindingObservation.Rotation rotation) {
    if (!rotation.stage().terminal()) {
      rotations.send(new ResourceID(rotation.name(), namespace));
    }
  }

  /** Hands events on to a controller once it runs. */
  public static final class Source<P extends HasMetadata> extends AbstractEventSource<Void, P> {

    private Source() {
      super(Void.class, "nudge");
    }

    private void send(ResourceID primary) {
      if (isRunning()) {
        getEventHandler().handleEvent(new Event(primary));
      }
    }

    @Override
    public Set<Void> getSecondaryResources(P primary) {
      return Set.of();
    }
  }
}
