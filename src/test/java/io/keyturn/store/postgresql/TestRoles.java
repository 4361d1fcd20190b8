package io.keyturn.store.postgresql;

import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.PostgresqlRoles;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.contract.TestTenant;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.TestAuthority;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** Two roles of a group at a real server, and an admin who may rotate them. */
record TestRoles(PostgresServer server, String admin, String group, String a, String b) {

  static final TestAuthority AUTHORITY = TestAuthority.root("postgres-ca");
  static final Instant NOW = Instant.parse("2026-03-01T10:00:00Z");
  static final String OWNER = "9f1c6f7e-0000-4000-8000-000000000001";
  static final String ADMIN_PASSWORD = "of-the-admin-0123456789";

  private static final AtomicInteger COUNT = new AtomicInteger();

  /** A server that is called localhost. */
  static PostgresServer start() {
    return PostgresServer.start(AUTHORITY.issue("localhost"));
  }

  /** New ones; each name contains the given text. */
  static TestRoles on(PostgresServer server, String text) {
    String name = text + COUNT.incrementAndGet();
    TestRoles roles =
        new TestRoles(server, name + "_admin", name + "_group", name + "_a", name + "_b");
    server.createRoleAdmin(roles.admin, ADMIN_PASSWORD);
    server.createRotatedLogins(roles.admin, roles.group, roles.a, roles.b);
    return roles;
  }

  static Provider provider(String host, int port, String database, String authorities) {
    return new Provider(
        null,
        new Provider.Postgresql(
            host, port, database, null, authorities, new Provider.SecretRef("db-admin")));
  }

  Provider provider() {
    return provider("localhost", server.port(), "postgres", AUTHORITY.pem());
  }

  TestTenant tenant(Provider provider) {
    return TestTenant.of(provider)
        .withSecret("db-admin", Map.of("username", admin, "password", ADMIN_PASSWORD));
  }

  Store store() {
    return store(provider());
  }

  Store store(Provider provider) {
    return type().open(tenant(provider));
  }

  static PostgresqlType type() {
    return new PostgresqlType(Clock.fixed(NOW, ZoneOffset.UTC));
  }

  Source source() {
    return source(a, b);
  }

  static Source source(String first, String second) {
    return new Source(
        null,
        null,
        null,
        null,
        null,
        null,
        new PostgresqlRoles(List.of(first, second)),
        Overlap.Auto);
  }

  /** An order beside what was issued before. */
  static Order order(long version, Reading.Value current) {
    return order(OWNER, version, "token-" + version, current);
  }

  static Order order(String owner, long version, String token, Reading.Value current) {
    Optional<Credential> beside = current == null ? Optional.empty() : current.credential();
    return new Order(owner, version, token, beside, () -> seed(owner + token + version));
  }

  static byte[] seed(String text) {
    byte[] seed = new byte[32];
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < bytes.length; i++) {
      seed[i % seed.length] = (byte) (31 * seed[i % seed.length] + bytes[i]);
    }
    return seed;
  }

  Reading.Value issue(long version, Reading.Value current) {
    return store().issue(source(), order(version, current));
  }

  StoreException refusedIssue(long version, Reading.Value current) {
    return failure(() -> issue(version, current));
  }

  static StoreException failure(ThrowingCallable operation) {
    return catchThrowableOfType(StoreException.class, operation);
  }

  static String text(SecretData data, String key) {
    return new String(data.get(key), StandardCharsets.UTF_8);
  }

  static Credential credential(Reading.Value value) {
    return value.credential().orElseThrow();
  }

  /** Whether the server lets somebody in with it. */
  LoginOutcome login(Reading.Value value) {
    return server.tryLogin(text(value.data(), "username"), text(value.data(), "password"));
  }

  /** A session of an application; the caller closes it. */
  Connection session(String role, String password) throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", role);
    properties.setProperty("password", password);
    return new org.postgresql.Driver()
        .connect("jdbc:postgresql://127.0.0.1:%d/postgres".formatted(server.port()), properties);
  }

  Connection session(Reading.Value value) throws SQLException {
    return session(text(value.data(), "username"), text(value.data(), "password"));
  }

  String comment(String role) {
    return server.ask(
        "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = ?", role);
  }

  /** What the server keeps of a password; null: nothing. */
  String verifier(String role) {
    return server.ask("SELECT rolpassword FROM pg_authid WHERE rolname = ?", role);
  }
}
