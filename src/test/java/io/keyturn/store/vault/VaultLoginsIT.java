package io.keyturn.store.vault;

import static io.keyturn.store.vault.VaultWorld.failure;
import static io.keyturn.store.vault.VaultWorld.kv;
import static io.keyturn.store.vault.VaultWorld.provider;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.Provider.ServiceAccountLogin;
import io.keyturn.api.v1alpha1.Provider.VaultAuth;
import io.keyturn.contract.TestTenant;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.SharedControlPlane;
import io.keyturn.testing.VaultServer;
import io.keyturn.testing.VaultServer.Tokens;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** ServiceAccounts of a real control plane log in to a real Vault. */
class VaultLoginsIT {

  private static final Tokens TOKENS = Tokens.service(Duration.ofHours(1), "payments");

  private static VaultServer vault;
  private static ControlPlane plane;
  private static String namespace;

  private final VaultStore type = new VaultStore(Clock.systemUTC());

  @BeforeAll
  static void start() {
    plane = SharedControlPlane.get();
    namespace = SharedControlPlane.newNamespace("payments");
    vault = VaultServer.start();
    vault.enableKv("kv");
    vault.write("kv/data/payments/db", Map.of("data", Map.of("password", "correct-horse")));
    vault.policy("payments", RealVault.POLICY);
    vault.enableKubernetesAuth("kubernetes", plane);
    vault.kubernetesRole("kubernetes", "payments", namespace, "default", "vault", TOKENS);
    vault.enableJwtAuth("jwt", plane);
    vault.jwtRole("jwt", "payments", namespace, "default", "https://vault.example", TOKENS);
  }

  @AfterAll
  static void stop() {
    if (vault != null) {
      vault.close();
    }
  }

  private static TestTenant tenant(VaultAuth auth, String of) {
    Provider provider = provider(vault.address(), vault.caBundle(), auth);
    return new TestTenant(
        of, provider, Map.of(), (account, audience) -> plane.token(of, account, audience));
  }

  private static VaultAuth kubernetes(String role, String audience) {
    return new VaultAuth(
        new ServiceAccountLogin(null, role, "default", audience), null, null, null, null);
  }

  private static VaultAuth jwt(String audience) {
    return new VaultAuth(
        null, new ServiceAccountLogin(null, "payments", "default", audience), null, null, null);
  }

  @Test
  void letsInAServiceAccountThatTheClusterVouchesFor() {
    assertLetIn(tenant(kubernetes("payments", null), namespace));
  }

  @Test
  void letsInAServiceAccountWhoseTokenVaultVerifies() {
    assertLetIn(tenant(jwt("https://vault.example"), namespace));
  }

  private void assertLetIn(TestTenant tenant) {
    try (Store store = type.open(tenant)) {
      store.check();
      assertThat(store.read(kv("payments/db"))).isInstanceOf(Reading.Value.class);
    }
  }

  @Test
  void letsInNobodyOfAnotherNamespace() {
    String other = SharedControlPlane.newNamespace("other");
    assertDenied(tenant(kubernetes("payments", null), other), "kubernetes", other);
    assertDenied(tenant(jwt("https://vault.example"), other), "jwt", other);
  }

  @Test
  void letsInNobodyWithATokenForSomethingElse() {
    assertDenied(tenant(kubernetes("payments", "another"), namespace), "audience another", "role");
    assertDenied(tenant(jwt("another"), namespace), "audience another", "role");
  }

  @Test
  void knowsNoOtherRole() {
    assertDenied(tenant(kubernetes("nobody", null), namespace), "role nobody", "kubernetes");
  }

  private void assertDenied(TestTenant tenant, String... words) {
    try (Store store = type.open(tenant)) {
      StoreException e = failure(store::check);
      assertThat(e.kind()).isEqualTo(Kind.DENIED);
      assertThat(e).hasMessageContainingAll(words).hasMessageNotContaining("eyJ");
    }
  }
}
