package io.keyturn.store;

import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreKind;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.api.v1alpha1.SecretStoreSpec;
import java.time.Duration;

/**
 * A store as its SecretStore or ClusterSecretStore describes it.
 *
 * @param ref how it is referred to
 * @param name of the ClusterSecretStore, or namespace and name of the SecretStore
 */
record Description(StoreRef ref, String name, String uid, long generation, SecretStoreSpec spec) {

  static Description of(SecretStore store) {
    var meta = store.getMetadata();
    return new Description(
        new StoreRef(StoreKind.SecretStore, meta.getName()),
        meta.getNamespace() + "/" + meta.getName(),
        meta.getUid(),
        meta.getGeneration(),
        store.getSpec());
  }

  static Description of(ClusterSecretStore store) {
    var meta = store.getMetadata();
    return new Description(
        new StoreRef(StoreKind.ClusterSecretStore, meta.getName()),
        meta.getName(),
        meta.getUid(),
        meta.getGeneration(),
        store.getSpec().store());
  }

  /** As people call it. */
  String words() {
    return words(ref);
  }

  static String words(StoreRef ref) {
    return ref.kind() + " " + ref.name();
  }

  Duration refreshInterval() {
    return Durations.parse(spec.refreshInterval());
  }
}
