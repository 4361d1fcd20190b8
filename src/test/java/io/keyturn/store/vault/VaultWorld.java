package io.keyturn.store.vault;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Method;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretBindingSpec.VaultKv;
import io.keyturn.api.v1alpha1.SecretBindingSpec.VaultLease;
import io.keyturn.api.v1alpha1.SecretBindingSpec.VaultPki;
import io.keyturn.contract.TestTenant;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.StoreException;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/** What tests of this package have in common: tenants, sources, and how operations fail. */
final class VaultWorld {

  private static final StoreRef STORE = new StoreRef(null, "vault");

  private VaultWorld() {}

  /** How a ServiceAccount logs in. */
  static Provider.VaultAuth serviceAccount() {
    return new Provider.VaultAuth(
        new Provider.ServiceAccountLogin(null, "payments-role", "payments-sa", null),
        null,
        null,
        null,
        null);
  }

  static Provider provider(String address, String caBundle, Provider.VaultAuth auth) {
    return new Provider(new Provider.Vault(address, null, caBundle, auth), null);
  }

  static TestTenant tenant(String address) {
    return tenant(address, null);
  }

  static TestTenant tenant(String address, String caBundle) {
    return TestTenant.of(provider(address, caBundle, serviceAccount()))
        .withTokens((account, audience) -> "jwt-of-%s-for-%s".formatted(account, audience));
  }

  /** A value of a KV engine. */
  static Source kv(String path) {
    return new Source(STORE, null, null, new VaultKv("kv", path), null, null, null, Overlap.Auto);
  }

  /** A leased credential. */
  static Source lease(String path) {
    return lease(path, null, Map.of());
  }

  static Source lease(String path, Method method, Map<String, String> parameters) {
    return new Source(
        STORE,
        null,
        null,
        null,
        new VaultLease(path, method, parameters),
        null,
        null,
        Overlap.Auto);
  }

  /** A certificate. */
  static Source pki(VaultPki pki) {
    return new Source(STORE, null, null, null, null, pki, null, Overlap.Auto);
  }

  static Order order() {
    return new Order("uid", 1, "token-of-1", Optional.empty(), () -> new byte[32]);
  }

  static String text(SecretData data, String key) {
    return new String(data.get(key), StandardCharsets.UTF_8);
  }

  static StoreException failure(Runnable operation) {
    Throwable thrown = catchThrowable(operation::run);
    assertThat(thrown).isInstanceOf(StoreException.class).hasNoCause();
    assertThat(thrown.getMessage()).matches("[A-Z].*[.]");
    return (StoreException) thrown;
  }
}
