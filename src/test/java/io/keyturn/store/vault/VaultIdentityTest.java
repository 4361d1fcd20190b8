package io.keyturn.store.vault;

import static io.keyturn.store.vault.VaultWorld.provider;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Provider.AppRole;
import io.keyturn.api.v1alpha1.Provider.KeyRef;
import io.keyturn.api.v1alpha1.Provider.ServiceAccountLogin;
import io.keyturn.api.v1alpha1.Provider.Token;
import io.keyturn.api.v1alpha1.Provider.Userpass;
import io.keyturn.api.v1alpha1.Provider.VaultAuth;
import java.time.Clock;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** As whom the audit says that Vault was asked. */
class VaultIdentityTest {

  private static final KeyRef KEY = new KeyRef("login", "value");

  static Stream<Arguments> logins() {
    ServiceAccountLogin account = new ServiceAccountLogin(null, "role", "payments", null);
    return Stream.of(
        Arguments.of(new VaultAuth(account, null, null, null, null), "ServiceAccount payments"),
        Arguments.of(new VaultAuth(null, account, null, null, null), "ServiceAccount payments"),
        Arguments.of(
            new VaultAuth(null, null, new AppRole(null, "role-id", KEY), null, null),
            "Secret login"),
        Arguments.of(new VaultAuth(null, null, null, new Token(KEY), null), "Secret login"),
        Arguments.of(
            new VaultAuth(null, null, null, null, new Userpass(null, "app", KEY)), "Secret login"));
  }

  @ParameterizedTest
  @MethodSource("logins")
  void itIsTheServiceAccountOrTheSecretWithTheLogin(VaultAuth auth, String identity) {
    assertThat(
            new VaultStore(Clock.systemUTC()).identity(provider("https://vault:8200", null, auth)))
        .hasValue(identity);
  }
}
