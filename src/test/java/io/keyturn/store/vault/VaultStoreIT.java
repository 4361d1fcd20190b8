package io.keyturn.store.vault;

import static io.keyturn.store.vault.VaultWorld.failure;
import static io.keyturn.store.vault.VaultWorld.kv;
import static io.keyturn.store.vault.VaultWorld.lease;
import static io.keyturn.store.vault.VaultWorld.order;
import static io.keyturn.store.vault.VaultWorld.pki;
import static io.keyturn.store.vault.VaultWorld.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.Provider.KeyRef;
import io.keyturn.api.v1alpha1.Provider.VaultAuth;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.VaultPki;
import io.keyturn.contract.TestTenant;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.Store.Refusal;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.store.spi.Tenant;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.VaultServer.Tokens;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What a real Vault does with leases, tokens and its own troubles, and what comes of it. */
class VaultStoreIT {

  private static final Duration HOUR = Duration.ofHours(1);
  private static final Source USERS = lease("database/creds/payments");

  private static RealVault vault;

  private final VaultStore type = new VaultStore(Clock.systemUTC());

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

  private Store open(String role, Tokens tokens) {
    return type.open(vault.tenant(vault.role(role, tokens)));
  }

  private static boolean works(Reading.Value value) {
    return vault.letsIn(text(value.data(), "username"), text(value.data(), "password"));
  }

  @Test
  void keepsALeaseAliveBeyondTheTokenThatItWasIssuedTo() {
    try (Store store = open("brief", Tokens.service(Duration.ofSeconds(4), "payments"))) {
      Reading.Value kept = store.issue(USERS, order());
      Reading.Value left = store.issue(USERS, order());
      AtomicReference<Credential> credential =
          new AtomicReference<>(kept.credential().orElseThrow());
      assertThat(credential.get().ttl().orElseThrow()).isLessThanOrEqualTo(Duration.ofSeconds(4));
      Instant later = Instant.now().plusSeconds(8);

      await()
          .pollInterval(Duration.ofSeconds(1))
          .atMost(Duration.ofSeconds(30))
          .until(() -> {
            credential.set(store.renew(credential.get()));
            return Instant.now().isAfter(later) && !works(left);
          });

      assertThat(works(kept)).isTrue();
      assertThat(credential.get().hardExpiry()).isEmpty();
    }
  }

  @Test
  void knowsWhenALeaseEndsWhoseTokenNobodyMayRenew() {
    vault.server.policy("no-owner", RealVault.POLICY.replaceAll("(?m)^.*renew-accessor.*$", ""));
    try (Store store = open("no-owner", Tokens.service(HOUR, "no-owner"))) {
      Credential credential = store.issue(USERS, order()).credential().orElseThrow();
      assertThat(credential.hardExpiry()).isEmpty();

      Credential renewed = store.renew(credential);

      assertThat(renewed.hardExpiry().orElseThrow())
          .isBetween(credential.issuedAt().plusSeconds(3590), Instant.now().plusSeconds(3601));
      assertThat(renewed.expiresAt().orElseThrow()).isBefore(Instant.now().plusSeconds(601));
    }
  }

  @Test
  void knowsThatALeaseEndsWithABatchToken() {
    try (Store store = open("batch", Tokens.batch(Duration.ofMinutes(5), "payments"))) {
      store.check();
      Reading.Value value = store.issue(USERS, order());

      Credential credential = value.credential().orElseThrow();
      assertThat(credential.owner()).isEmpty();
      assertThat(credential.hardExpiry().orElseThrow())
          .isBefore(Instant.now().plusSeconds(301))
          .isAfter(Instant.now().plusSeconds(280));
      assertThat(works(value)).isTrue();
      assertThat(store.renew(credential).hardExpiry()).isPresent();
    }
  }

  @Test
  void learnsTheHardExpiryFromARenewalThatWasCut() {
    try (Store store = type.open(vault.tenant())) {
      Credential issued =
          store.issue(lease("database/creds/short"), order()).credential().orElseThrow();
      Credential longer =
          new Credential(
              issued.id(),
              issued.owner(),
              issued.issuedAt(),
              Optional.of(Duration.ofSeconds(60)),
              issued.expiresAt(),
              true,
              Optional.empty());

      Credential renewed = store.renew(longer);

      assertThat(renewed.hardExpiry()).isPresent().isEqualTo(renewed.expiresAt());
      assertThat(renewed.hardExpiry().orElseThrow()).isBefore(Instant.now().plusSeconds(26));
    }
  }

  @Test
  void noticesThatALeaseWasRevokedUnderneath() {
    try (Store store = type.open(vault.tenant())) {
      Credential credential = store.issue(USERS, order()).credential().orElseThrow();
      String id = credential.id().substring("lease:".length());
      assertThat(store.refusal(credential, order())).isEqualTo(Refusal.STILL_TAKEN);
      vault.server.write("sys/leases/revoke", Map.of("lease_id", id, "sync", true));

      StoreException e = failure(() -> store.renew(credential));

      assertThat(e.reason()).isEqualTo(Reasons.LEASE_LOST);
      assertThat(store.refusal(credential, order())).isEqualTo(Refusal.PROVEN);
      store.revoke(credential, true);
    }
  }

  @Test
  void doesNotSayThatIsRevokedWhatStillIsThere() {
    vault.server.policy("other", "path \"other/creds/app\" { capabilities = [\"read\"] }");
    PostgresServer other = PostgresServer.start();
    try (Store store = open("other", Tokens.service(HOUR, "payments", "other"))) {
      vault.server.enableDatabase("other", other);
      vault.server.databaseRole("other", "app", Duration.ofMinutes(5), HOUR);
      Credential credential =
          store.issue(lease("other/creds/app"), order()).credential().orElseThrow();
      other.close();

      assertThat(failure(() -> store.revoke(credential, true)).kind()).isEqualTo(Kind.TRANSIENT);
      assertThat(store.refusal(credential, order())).isEqualTo(Refusal.STILL_TAKEN);
      assertThat(failure(() -> store.renew(credential)).kind()).isEqualTo(Kind.TRANSIENT);
    } finally {
      other.close();
    }
  }

  @Test
  void logsInAnewWhenItsTokenWasRevoked() {
    try (Store store = type.open(vault.tenant())) {
      store.check();
      vault.server.write("sys/leases/revoke-prefix/auth/approle/login", Map.of("sync", true));

      assertThat(store.read(kv("payments/db"))).isInstanceOf(Reading.Value.class);
      store.check();
    }
  }

  @Test
  void mayReadNothingElse() {
    vault.server.write("kv/data/others/db", Map.of("data", Map.of("password", "not-yours")));
    try (Store store = type.open(vault.tenant())) {
      StoreException e = failure(() -> store.read(kv("others/db")));
      assertThat(e.kind()).isEqualTo(Kind.DENIED);
      assertThat(e).hasMessageContaining("kv/data/others/db");
    }
  }

  @Test
  void followsTheVersionsOfAValue() {
    Source source = kv("payments/versions");
    vault.server.write("kv/data/payments/versions", Map.of("data", Map.of("password", "one")));
    try (Store store = type.open(vault.tenant())) {
      assertThat(((Reading.Value) store.read(source)).revision()).hasValue(1);
      vault.server.write("kv/data/payments/versions", Map.of("data", Map.of("password", "two")));
      assertThat(((Reading.Value) store.read(source)).revision()).hasValue(2);

      vault.server.delete("kv/data/payments/versions");
      assertMissing(store.read(source), Reasons.SOURCE_NOT_FOUND, "Version 2", "deleted");
      vault.server.write("kv/destroy/payments/versions", Map.of("versions", List.of(2)));
      assertMissing(store.read(source), Reasons.SOURCE_NOT_FOUND, "Version 2", "destroyed");
      vault.server.write("kv/data/payments/versions", Map.of("data", Map.of()));
      assertMissing(store.read(source), Reasons.SOURCE_EMPTY, "Version 3");
    }
  }

  private static void assertMissing(Reading reading, String reason, String... words) {
    assertThat(reading)
        .isInstanceOfSatisfying(
            Reading.Missing.class,
            missing -> {
              assertThat(missing.reason()).isEqualTo(reason);
              assertThat(missing.message()).contains(words);
            });
  }

  @Test
  void refusesCertificatesThatEndWithTheLogin() {
    vault.server.write(
        "pki/roles/leased",
        Map.of(
            "allowed_domains",
            "payments.svc",
            "allow_subdomains",
            true,
            "key_type",
            "rsa",
            "generate_lease",
            true));
    vault.server.policy("leased", "path \"pki/issue/leased\" { capabilities = [\"update\"] }");
    try (Store store = open("leased", Tokens.service(HOUR, "leased"))) {
      Source source = pki(new VaultPki("pki", "leased", "a.payments.svc", null, "1h"));
      assertThat(failure(() -> store.issue(source, order())))
          .hasMessageContaining("generate_lease");
    }
  }

  @Test
  void deliversRsaAndEdwardsKeys() {
    for (String type : List.of("rsa", "ed25519")) {
      vault.server.write(
          "pki/roles/" + type,
          Map.of("allowed_domains", "payments.svc", "allow_subdomains", true, "key_type", type));
    }
    vault.server.policy("pki-any", "path \"pki/issue/*\" { capabilities = [\"update\"] }");
    try (Store store = open("pki-any", Tokens.service(HOUR, "pki-any"))) {
      for (String type : List.of("rsa", "ed25519")) {
        Source source = pki(new VaultPki("pki", type, "a.payments.svc", null, "1h"));
        SecretData data = store.issue(source, order()).data();
        assertThat(text(data, "tls.key")).startsWith("-----BEGIN PRIVATE KEY-----\n");
      }
    }
  }

  @Test
  void saysThatVaultIsSealedAndGoesOnWhenItIsNot() {
    Tenant tenant = vault.tenant();
    try (Store store = type.open(tenant)) {
      store.check();
      vault.server.seal();
      try {
        StoreException e = failure(() -> store.read(kv("payments/db")));
        assertThat(e.kind()).isEqualTo(Kind.TRANSIENT);
        assertThat(e).hasMessageContaining("sealed");
        assertThat(failure(() -> type.reach(tenant.provider()))).hasMessageContaining("sealed");
      } finally {
        vault.server.unseal();
      }
      type.reach(tenant.provider());
      assertThat(store.read(kv("payments/db"))).isInstanceOf(Reading.Value.class);
    }
  }

  @Test
  void saysThatVaultIsGoneAndGoesOnWhenItIsBack() {
    try (Store store = type.open(vault.tenant())) {
      Credential credential = store.issue(USERS, order()).credential().orElseThrow();
      vault.server.stop();
      try {
        assertThat(failure(() -> store.renew(credential)).kind()).isEqualTo(Kind.TRANSIENT);
        assertThat(failure(() -> store.read(kv("payments/db"))).kind()).isEqualTo(Kind.TRANSIENT);
      } finally {
        vault.server.restart();
      }
      assertThat(store.renew(credential).renewable()).isTrue();
      assertThat(store.read(kv("payments/db"))).isInstanceOf(Reading.Value.class);
    }
  }

  @Test
  void takesATokenOfATenant() {
    VaultAuth auth =
        new VaultAuth(null, null, null, new Provider.Token(new KeyRef("login", "id")), null);
    String token = vault.server.token(Tokens.service(Duration.ofMinutes(5), "payments"));
    TestTenant tenant =
        vault.tenant(vault.server.address(), auth).withSecret("login", Map.of("id", token + "\n"));
    try (Store store = type.open(tenant)) {
      store.check();
      Reading.Value value = store.issue(USERS, order());
      Credential renewed = store.renew(value.credential().orElseThrow());
      assertThat(renewed.hardExpiry()).isEmpty();
      assertThat(works(value)).isTrue();
    }
  }

  @Test
  void takesAUserOfATenant() {
    vault.server.enableUserpassAuth("userpass");
    vault.server.user("userpass", "anna", "anna's password", Tokens.service(HOUR, "payments"));
    VaultAuth auth =
        new VaultAuth(
            null, null, null, null, new Provider.Userpass(null, "anna", new KeyRef("login", "id")));
    TestTenant anna = vault.tenant(vault.server.address(), auth);
    try (Store store = type.open(anna.withSecret("login", Map.of("id", "anna's password\n")))) {
      assertThat(store.read(kv("payments/db"))).isInstanceOf(Reading.Value.class);
    }
    try (Store store = type.open(anna.withSecret("login", Map.of("id", "guessed")))) {
      StoreException e = failure(store::check);
      assertThat(e.kind()).isEqualTo(Kind.DENIED);
      assertThat(e).hasMessageContainingAll("anna", "auth/userpass", "login");
    }
  }
}
