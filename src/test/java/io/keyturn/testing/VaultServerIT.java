package io.keyturn.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayInputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VaultServerIT {
  private static final Duration TTL = Duration.ofMinutes(5);
  private static final Duration MAX_TTL = Duration.ofHours(1);

  private static VaultServer vault;

  @BeforeAll
  static void start() {
    vault = VaultServer.start();
    vault.enableKv("kv");
  }

  @AfterAll
  static void stop() {
    if (vault != null) {
      vault.close();
    }
  }

  @Test
  void keepsVersionsOfSecrets() {
    vault.write("kv/data/app", Map.of("data", Map.of("password", "one")));
    vault.write("kv/data/app", Map.of("data", Map.of("password", "two")));

    assertThat(vault.read("kv/data/app").at("/data/data/password").asText()).isEqualTo("two");
    assertThat(vault.read("kv/data/app?version=1").at("/data/data/password").asText())
        .isEqualTo("one");
    assertThat(vault.list("kv/metadata")).contains("app");
    vault.delete("kv/metadata/app");
    assertRefused(404, () -> vault.read("kv/data/app"));
  }

  @Test
  void leasesUsersOfADatabase() throws SQLException {
    try (PostgresServer postgres = PostgresServer.start()) {
      vault.enableDatabase("database", postgres);
      vault.databaseRole("database", "app", TTL, MAX_TTL);

      JsonNode issued = vault.read("database/creds/app");
      String lease = issued.get("lease_id").asText();
      String user = issued.at("/data/username").asText();
      String password = issued.at("/data/password").asText();
      assertThat(issued.get("lease_duration").asLong()).isEqualTo(TTL.toSeconds());
      assertThat(postgres.tryLogin(user, password)).isEqualTo(LoginOutcome.ACCEPTED);

      JsonNode renewed =
          vault.write("sys/leases/renew", Map.of("lease_id", lease, "increment", 1200));
      assertThat(renewed.get("lease_duration").asLong()).isBetween(1190L, 1200L);

      try (Connection session =
          DriverManager.getConnection(
              "jdbc:postgresql://%s:%d/postgres".formatted(postgres.host(), postgres.port()),
              user,
              password)) {
        vault.write("sys/leases/revoke", Map.of("lease_id", lease, "sync", true));

        await().atMost(Duration.ofSeconds(1)).until(() -> !session.isValid(1));
      }
      assertThat(postgres.tryLogin(user, password)).isEqualTo(LoginOutcome.REFUSED);
    }
  }

  @Test
  void issuesCertificates() throws Exception {
    String ca = vault.enablePki("pki", "Test CA");
    vault.pkiRole("pki", "web", "example.org", Duration.ofHours(1));

    JsonNode issued =
        vault.write("pki/issue/web", Map.of("common_name", "www.example.org", "ttl", "10m"));

    certificate(issued.at("/data/certificate").asText()).verify(certificate(ca).getPublicKey());
    assertThat(issued.at("/data/private_key").asText()).contains("PRIVATE KEY");
    assertRefused(
        400, () -> vault.write("pki/issue/web", Map.of("common_name", "www.example.com")));
  }

  @Test
  void knowsServiceAccountsOfAControlPlane() {
    ControlPlane plane = SharedControlPlane.get();
    String namespace = SharedControlPlane.newNamespace("login");
    vault.policy("reader", "path \"kv/data/*\" { capabilities = [\"read\"] }");
    VaultServer.Tokens tokens = VaultServer.Tokens.service(TTL, "reader");
    vault.enableKubernetesAuth("kubernetes", plane);
    vault.kubernetesRole("kubernetes", "app", namespace, "default", "vault", tokens);
    vault.enableJwtAuth("jwt", plane);
    vault.jwtRole("jwt", "app", namespace, "default", "vault", tokens);
    String right = plane.token(namespace, "default", "vault");
    String wrong = plane.token(namespace, "default", "another");
    String somebodyElse = plane.token(SharedControlPlane.newNamespace("login"), "default", "vault");

    for (String login : List.of("auth/kubernetes/login", "auth/jwt/login")) {
      JsonNode auth = vault.write(login, Map.of("role", "app", "jwt", right)).get("auth");

      assertThat(auth.at("/token_type").asText()).isEqualTo("service");
      assertThat(auth.at("/lease_duration").asLong()).isEqualTo(TTL.toSeconds());
      assertThat(auth.at("/token_policies").toString()).contains("reader");
      assertThatThrownBy(() -> vault.write(login, Map.of("role", "app", "jwt", wrong)))
          .isInstanceOf(VaultServer.Refused.class)
          .hasMessageNotContaining(wrong);
      assertThatThrownBy(() -> vault.write(login, Map.of("role", "app", "jwt", somebodyElse)))
          .isInstanceOf(VaultServer.Refused.class);
    }
  }

  @Test
  void knowsApplicationsAndUsers() {
    VaultServer.Tokens tokens = VaultServer.Tokens.batch(TTL, "default");
    vault.enableAppRoleAuth("approle");
    VaultServer.AppRole role = vault.appRole("approle", "app", tokens);
    vault.enableUserpassAuth("userpass");
    vault.user("userpass", "alice", "wonderland", tokens);

    JsonNode application =
        vault.write(
            "auth/approle/login", Map.of("role_id", role.roleId(), "secret_id", role.secretId()));
    JsonNode user = vault.write("auth/userpass/login/alice", Map.of("password", "wonderland"));

    assertThat(application.at("/auth/token_type").asText()).isEqualTo("batch");
    assertThat(user.at("/auth/token_type").asText()).isEqualTo("batch");
    assertThatThrownBy(
            () -> vault.write("auth/userpass/login/alice", Map.of("password", "looking-glass")))
        .isInstanceOf(VaultServer.Refused.class)
        .hasMessageNotContaining("looking-glass");
    assertThat(vault.token(tokens)).isNotEqualTo(vault.token(tokens));
  }

  @Test
  void servesNothingWhileItIsSealed() {
    vault.write("kv/data/sealed", Map.of("data", Map.of("key", "value")));

    vault.seal();
    assertRefused(503, () -> vault.read("kv/data/sealed"));

    vault.unseal();
    assertThat(vault.read("kv/data/sealed").at("/data/data/key").asText()).isEqualTo("value");
  }

  @Test
  void keepsItsAddressAndDataWhenItIsKilled() {
    vault.write("kv/data/killed", Map.of("data", Map.of("key", "value")));
    String address = vault.address();
    long pid = vault.pid();

    vault.stop();
    assertThat(ProcessHandle.of(pid)).isEmpty();
    assertThatThrownBy(() -> vault.read("kv/data/killed")).isInstanceOf(UncheckedIOException.class);

    vault.restart();
    assertThat(vault.address()).isEqualTo(address);
    assertThat(vault.pid()).isNotEqualTo(pid);
    assertThat(vault.read("kv/data/killed").at("/data/data/key").asText()).isEqualTo("value");
    assertThat(vault.logs()).hasSizeGreaterThan(1).allSatisfy(log -> assertThat(log).exists());
  }

  @Test
  void endsWhenTheJvmIsKilled(@TempDir Path directory) {
    List<ProcessHandle> started = AbandonedJvm.killAfterReport(Victim.class, directory);

    assertThat(started).hasSize(1);
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(started).noneMatch(ProcessHandle::isAlive));
  }

  static final class Victim {
    public static void main(String[] args) throws InterruptedException {
      AbandonedJvm.reportAndWait(List.of(VaultServer.start(Path.of(args[0])).pid()));
    }
  }

  private static void assertRefused(int status, ThrowingCallable request) {
    assertThatThrownBy(request)
        .isInstanceOfSatisfying(
            VaultServer.Refused.class, e -> assertThat(e.status()).isEqualTo(status));
  }

  private static X509Certificate certificate(String pem) throws Exception {
    return (X509Certificate)
        CertificateFactory.getInstance("X.509")
            .generateCertificate(new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII)));
  }
}
