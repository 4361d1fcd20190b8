package io.keyturn.store.vault;

import static io.keyturn.store.vault.VaultWorld.kv;
import static io.keyturn.store.vault.VaultWorld.lease;
import static io.keyturn.store.vault.VaultWorld.pki;
import static io.keyturn.store.vault.VaultWorld.text;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.VaultPki;
import io.keyturn.contract.StoreContract;
import io.keyturn.contract.StoreFixture;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Credential;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Nested;

/** The contract of stores, against a real Vault with a real PostgreSQL behind it. */
class VaultStoreContractIT {

  private static RealVault vault;

  @BeforeAll
  static void start() {
    vault = RealVault.start();
  }

  @AfterAll
  static void stop() {
    if (vault != null) {
      vault.close();
    }
  }

  /** Values of a KV engine. */
  @Nested
  class Values extends StoreContract {

    @Override
    protected StoreFixture fixture() {
      return new RealVaultFixture(vault, kv("payments/db"), kv("payments/nobody"));
    }
  }

  /** Users of a PostgreSQL. */
  @Nested
  class Users extends StoreContract {

    @Override
    protected StoreFixture fixture() {
      Source missing = lease("database/creds/nobody");
      return new RealVaultFixture(vault, lease("database/creds/payments"), missing) {
        @Override
        public boolean accepts(Credential credential, SecretData data) {
          return vault.letsIn(text(data, "username"), text(data, "password"));
        }
      };
    }
  }

  /** Certificates. */
  @Nested
  class Certificates extends StoreContract {

    @Override
    protected StoreFixture fixture() {
      return new RealVaultFixture(vault, certificate("payments"), certificate("nobody")) {
        @Override
        public boolean accepts(Credential credential, SecretData data) {
          String serial = credential.id().substring("cert:pki:".length());
          return vault.server.read("pki/cert/" + serial).at("/data/revocation_time").asLong() == 0;
        }
      };
    }

    private static Source certificate(String role) {
      return pki(new VaultPki("pki", role, "api.payments.svc", List.of("b.payments.svc"), "1h"));
    }
  }
}
