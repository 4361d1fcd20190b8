package io.keyturn.gate;

import static io.keyturn.gate.Candidates.TIME;
import static io.keyturn.gate.Candidates.assertThatItSays;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.Preflight.SslMode;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.secret.SecretData;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.TestAuthority;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PostgresqlLoginTest {

  private static final TestAuthority AUTHORITY = TestAuthority.root("postgres-ca");
  private static final String PASSWORD = Candidates.value();
  private static PostgresServer postgres;

  @BeforeAll
  static void start() throws SQLException {
    postgres = PostgresServer.start(AUTHORITY.issue("localhost"));
    postgres.createLogin("app", PASSWORD);
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE public.orders (id int)");
      statement.execute("CREATE TABLE public.open (id int)");
      statement.execute("INSERT INTO public.open VALUES (1)");
      statement.execute("GRANT SELECT, INSERT ON public.open TO app");
      statement.execute("CREATE DATABASE closed");
      statement.execute("REVOKE CONNECT ON DATABASE closed FROM public");
    }
  }

  @AfterAll
  static void stop() {
    postgres.close();
  }

  private static Preflight.Postgresql check(
      String host, String database, SslMode mode, String ca, String query) {
    return new Preflight.Postgresql(host, postgres.port(), database, null, null, mode, ca, query);
  }

  private static Measurement ask(String query) {
    return PostgresqlLogin.run(
        check("127.0.0.1", "postgres", SslMode.DISABLE, null, query),
        Candidates.of("username", "app", "password", PASSWORD),
        TIME);
  }

  private static String name(String host) {
    return host + ":" + postgres.port();
  }

  @Test
  void theRightPasswordPasses() {
    assertThatItSays(ask(null), Verdict.Passed, name("127.0.0.1") + " takes the login", PASSWORD);
  }

  @Test
  void aWrongPasswordFails() {
    String wrong = Candidates.value();
    SecretData candidate = Candidates.of("username", "app", "password", wrong);

    assertThatItSays(
        PostgresqlLogin.run(
            check("127.0.0.1", "postgres", SslMode.PREFER, null, null), candidate, TIME),
        Verdict.Failed,
        name("127.0.0.1") + " refuses the login (SQLSTATE 28P01)",
        wrong,
        PASSWORD);
  }

  @Test
  void aMissingOrEmptyValueFails() {
    Preflight.Postgresql check = check("127.0.0.1", "postgres", SslMode.DISABLE, null, null);

    assertThatItSays(
        PostgresqlLogin.run(check, Candidates.of("username", "app"), TIME),
        Verdict.Failed,
        "the version has no key password: it has username");
    assertThatItSays(
        PostgresqlLogin.run(check, Candidates.of("username", "app", "password", ""), TIME),
        Verdict.Failed,
        "the value of key password is empty");
  }

  @Test
  void aQueryMustReturnARow() {
    assertThatItSays(
        ask("SELECT id FROM public.open"),
        Verdict.Passed,
        name("127.0.0.1") + " takes the login, and the query returns a row");
    assertThatItSays(
        ask("SELECT 1 WHERE has_table_privilege('public.orders', 'INSERT')"),
        Verdict.Failed,
        "the login works, and the query returns no row");
  }

  @Test
  void aMissingRightFails() {
    assertThatItSays(
        ask("SELECT id FROM public.orders"),
        Verdict.Failed,
        "the login works and lacks the right to ask the query");
    assertThatItSays(
        PostgresqlLogin.run(
            check("127.0.0.1", "closed", SslMode.DISABLE, null, null),
            Candidates.of("username", "app", "password", PASSWORD),
            TIME),
        Verdict.Failed,
        "the login works and lacks the right to connect to the database closed",
        PASSWORD);
  }

  @Test
  void aWrongQueryIsNoVerdict() {
    assertThatItSays(
        ask("SELEKT '" + PASSWORD + "'"),
        Verdict.Inconclusive,
        "the login works, and the query is wrong (SQLSTATE 42601)",
        PASSWORD);
    assertThatItSays(
        ask("SELECT 1 FROM missing"),
        Verdict.Inconclusive,
        "the login works, and the query is wrong (SQLSTATE 42P01)");
    assertThatItSays(
        ask("SELECT CAST('" + PASSWORD + "' AS int)"),
        Verdict.Inconclusive,
        "the login works, and the query got no answer (SQLSTATE 22P02)",
        PASSWORD);
    assertThatItSays(
        ask("SET search_path = public"),
        Verdict.Inconclusive,
        "the query has no result: write one that returns a row");
  }

  @Test
  void aCheckChangesNothing() throws SQLException {
    assertThatItSays(
        ask("INSERT INTO public.open VALUES (2) RETURNING id"),
        Verdict.Inconclusive,
        "the query writes, and a check only reads (SQLSTATE 25006)");
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement();
        var rows = statement.executeQuery("SELECT count(*) FROM public.open")) {
      rows.next();
      assertThat(rows.getInt(1)).isEqualTo(1);
    }
  }

  @Test
  void aQueryThatTakesTooLongIsNoVerdict() {
    assertThatItSays(
        PostgresqlLogin.run(
            check("127.0.0.1", "postgres", SslMode.DISABLE, null, "SELECT pg_sleep(20)"),
            Candidates.of("username", "app", "password", PASSWORD),
            Duration.ofSeconds(1)),
        Verdict.Inconclusive,
        "the query took too long (SQLSTATE 57014)");
  }

  @Test
  void anotherDatabaseIsNoVerdict() {
    assertThatItSays(
        PostgresqlLogin.run(
            check("127.0.0.1", "missing?user=postgres", SslMode.DISABLE, null, null),
            Candidates.of("username", "app", "password", PASSWORD),
            TIME),
        Verdict.Inconclusive,
        "the login works, and %s has no database missing?user=postgres"
            .formatted(name("127.0.0.1")));
  }

  @Test
  void aServerIsVerifiedByTheCaOfTheCandidate() {
    SecretData candidate =
        Candidates.of("username", "app", "password", PASSWORD, "ca.crt", AUTHORITY.pem());

    assertThatItSays(
        PostgresqlLogin.run(
            check(
                "localhost",
                "postgres",
                null,
                "ca.crt",
                "SELECT 1 FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()"),
            candidate,
            TIME),
        Verdict.Passed,
        name("localhost") + " takes the login, and the query returns a row");
    assertThatItSays(
        PostgresqlLogin.run(check("127.0.0.1", "postgres", null, "ca.crt", null), candidate, TIME),
        Verdict.Inconclusive,
        name("127.0.0.1")
            + " ended the connection, or its certificate is not for this name (SQLSTATE 08006)",
        PASSWORD);
    assertThatItSays(
        PostgresqlLogin.run(check("localhost", "postgres", null, null, null), candidate, TIME),
        Verdict.Inconclusive,
        "TLS with %s fails: its certificate must be for this name and signed by a CA of the system,"
                .formatted(name("localhost"))
            + " or of caKey",
        PASSWORD);
    assertThatItSays(
        PostgresqlLogin.run(
            check("localhost", "postgres", null, "ca.crt", null),
            Candidates.of("username", "app", "password", PASSWORD, "ca.crt", PASSWORD),
            TIME),
        Verdict.Failed,
        "the value of key ca.crt is no certificate as PEM",
        PASSWORD);
  }

  @Test
  void aServerWithoutTlsIsNoVerdict() {
    try (PostgresServer plain = PostgresServer.start()) {
      plain.createLogin("app", PASSWORD);
      Preflight.Postgresql check =
          new Preflight.Postgresql(
              "127.0.0.1", plain.port(), "postgres", null, null, SslMode.REQUIRE, null, null);

      assertThatItSays(
          PostgresqlLogin.run(check, Candidates.of("username", "app", "password", PASSWORD), TIME),
          Verdict.Inconclusive,
          "127.0.0.1:%d does not offer what sslMode require asks for, or a way to log in that"
                  .formatted(plain.port())
              + " Keyturn knows (SQLSTATE 08004)",
          PASSWORD);
    }
  }

  @Test
  void aServerThatIsNotThereIsNoVerdict() throws IOException {
    int port;
    try (ServerSocket server = new ServerSocket(0)) {
      port = server.getLocalPort();
    }
    Preflight.Postgresql check =
        new Preflight.Postgresql(
            "127.0.0.1", port, "postgres", null, null, SslMode.DISABLE, null, null);

    assertThatItSays(
        PostgresqlLogin.run(check, Candidates.of("username", "app", "password", PASSWORD), TIME),
        Verdict.Inconclusive,
        "127.0.0.1:%d takes no connection (SQLSTATE 08001)".formatted(port),
        PASSWORD);
  }

  @Test
  void aServerThatSaysNothingIsNoVerdict() throws IOException {
    try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"))) {
      Preflight.Postgresql check =
          new Preflight.Postgresql(
              "127.0.0.1",
              silent.getLocalPort(),
              "postgres",
              null,
              null,
              SslMode.DISABLE,
              null,
              null);

      Measurement measurement =
          PostgresqlLogin.run(
              check, Candidates.of("username", "app", "password", PASSWORD), Duration.ofSeconds(1));

      assertThat(measurement.verdict()).isEqualTo(Verdict.Inconclusive);
      assertThat(measurement.message())
          .startsWith("127.0.0.1:%d ".formatted(silent.getLocalPort()))
          .contains("connection", "SQLSTATE 08");
    }
  }

  @Test
  void theMetadataOfACloudIsNotAsked() {
    assertThat(
            PostgresqlLogin.run(
                    check("169.254.169.254", "postgres", SslMode.DISABLE, null, null),
                    Candidates.of("username", "app", "password", PASSWORD),
                    TIME)
                .message())
        .contains("link-local");
  }
}
