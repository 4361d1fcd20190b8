package io.keyturn.store.postgresql;

import static io.keyturn.store.postgresql.TestRoles.AUTHORITY;
import static io.keyturn.store.postgresql.TestRoles.failure;
import static io.keyturn.store.postgresql.TestRoles.provider;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.TestAuthority;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Whom a password is told, and what is said of whom it is not. */
class PostgresqlServerTest {

  private static PostgresServer server;
  private static TestRoles roles;

  @BeforeAll
  static void start() {
    server = TestRoles.start();
    roles = TestRoles.on(server, "server");
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static void assertRefused(Provider provider, Kind kind, String sentence) {
    for (StoreException refused :
        new StoreException[] {
          failure(() -> roles.store(provider).check()),
          failure(() -> TestRoles.type().reach(provider))
        }) {
      assertThat(refused).as("refused").isNotNull();
      assertThat(refused).hasMessageContaining(sentence).hasNoCause();
      assertThat(refused.getMessage().contains(TestRoles.ADMIN_PASSWORD)).isFalse();
      assertThat(refused.kind()).isEqualTo(kind);
    }
  }

  @Test
  void itIsVerified() {
    roles.store().check();
    TestRoles.type().reach(roles.provider());
  }

  @Test
  void anotherAuthorityIsNotTrusted() {
    String other = TestAuthority.root("another-ca").pem();
    assertRefused(
        provider("localhost", server.port(), "postgres", other),
        Kind.PERMANENT,
        "The certificate of localhost:%d is not to be trusted".formatted(server.port()));
    assertRefused(
        provider("localhost", server.port(), "postgres", null),
        Kind.PERMANENT,
        "is not to be trusted");
  }

  @Test
  void anotherNameIsNotTrusted() {
    assertRefused(
        provider("127.0.0.1", server.port(), "postgres", AUTHORITY.pem()),
        Kind.PERMANENT,
        "it must be for this name");
  }

  @Test
  void withoutTlsNothingIsTold() {
    try (PostgresServer plain = PostgresServer.start()) {
      assertRefused(
          provider("localhost", plain.port(), "postgres", AUTHORITY.pem()),
          Kind.PERMANENT,
          "does not offer TLS");
    }
  }

  @Test
  void aPasswordIsNotToldInTheClear() {
    try (PostgresServer other = TestRoles.start()) {
      TestRoles there = TestRoles.on(other, "clear");
      other.allowByCleartext(there.admin());

      StoreException refused = failure(() -> there.store().check());

      assertThat(refused.kind()).isEqualTo(Kind.PERMANENT);
      assertThat(refused).hasMessageContaining("scram-sha-256");
    }
  }

  @Test
  void aWrongPasswordIsDenied() {
    StoreException denied =
        failure(() ->
            TestRoles.type()
                .open(
                    roles
                        .tenant(roles.provider())
                        .withSecret(
                            "db-admin", Map.of("username", roles.admin(), "password", "wrong-one")))
                .check());

    assertThat(denied.kind()).isEqualTo(Kind.DENIED);
    assertThat(denied)
        .hasMessage(
            "The server localhost:%d refuses the login of the admin (SQLSTATE 28P01)."
                .formatted(server.port()));
  }

  @Test
  void theDatabaseIsNoMoreThanAName() {
    String database = "postgres?sslmode=disable&user=postgres";

    StoreException missing =
        failure(() ->
            roles.store(provider("localhost", server.port(), database, AUTHORITY.pem())).check());

    assertThat(missing.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(missing).hasMessageContaining("has no database " + database);
  }

  @Test
  void itIsAskedAsTheLoginThatASecretHolds() {
    assertThat(TestRoles.type().identity(provider("localhost", 1, "postgres", null)))
        .hasValue("Secret db-admin");
  }

  @Test
  void aServerThatIsNotThereMayComeBack() {
    assertRefused(
        provider("localhost", 1, "postgres", AUTHORITY.pem()),
        Kind.TRANSIENT,
        "localhost:1 takes no connection");
  }

  @Test
  void aServerThatSaysNothingIsNotWaitedForForLong() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      long start = System.nanoTime();
      assertRefused(
          provider("localhost", silent.getLocalPort(), "postgres", AUTHORITY.pem()),
          Kind.TRANSIENT,
          "does not answer in time");
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(12));
    }
  }

  @Test
  void anotherServerIsNoPostgresql() throws IOException {
    try (ServerSocket web = new ServerSocket(0, 5, InetAddress.getLoopbackAddress())) {
      Thread.ofVirtual()
          .start(() -> {
            try (Socket client = web.accept()) {
              client.getOutputStream().write("HTTP/1.1 400\r\n".getBytes(StandardCharsets.UTF_8));
            } catch (IOException e) {
              // The test has ended.
            }
          });
      StoreException refused =
          failure(() ->
              TestRoles.type()
                  .reach(provider("localhost", web.getLocalPort(), "postgres", AUTHORITY.pem())));
      assertThat(refused.kind()).isEqualTo(Kind.INTEGRITY);
      assertThat(refused).hasMessageEndingWith("is no PostgreSQL.");
    }
  }

  @Test
  void theMetadataOfACloudIsNotAsked() {
    assertRefused(
        provider("169.254.169.254", 5432, "postgres", AUTHORITY.pem()),
        Kind.TRANSIENT,
        "link-local");
  }

  @Test
  void authoritiesAreCertificates() {
    StoreException refused =
        failure(() -> roles.store(provider("localhost", 1, "postgres", "no-certificate-at-all")));

    assertThat(refused.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(refused).hasMessageContaining("caBundle").hasMessageNotContaining("at-all");
  }
}
