package io.keyturn.store;

import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreKind;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.api.v1alpha1.SecretStoreSpec;
import java.time.Duration;
import java.util.Optional;
import java.util.stream.Stream;

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

  /** As whom it is asked, without anything that is secret. */
  Optional<String> identity() {
    Provider provider = spec.provider();
    return provider.vault() != null
        ? identity(provider.vault().auth())
        : Optional.ofNullable(provider.postgresql())
            .map(p -> "Secret " + p.adminSecretRef().name());
  }

  private static Optional<String> identity(Provider.VaultAuth auth) {
    return Stream.of(
            account(auth.kubernetes()),
            account(auth.jwt()),
            Optional.ofNullable(auth.appRole()).map(a -> secret(a.secretIdRef())),
            Optional.ofNullable(auth.token()).map(t -> secret(t.secretRef())),
            Optional.ofNullable(auth.userpass()).map(u -> secret(u.passwordRef())))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static Optional<String> account(Provider.ServiceAccountLogin login) {
    return Optional.ofNullable(login).map(l -> "ServiceAccount " + l.serviceAccountName());
  }

  private static String secret(Provider.KeyRef key) {
    return "Secret " + key.name();
  }
}
