package io.keyturn.store.postgresql;

import static io.keyturn.store.postgresql.TestRoles.failure;
import static io.keyturn.store.postgresql.TestRoles.order;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.contract.TestTenant;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.PostgresServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is looked at before a role is changed. */
class PostgresqlChecksTest {

  private static PostgresServer server;

  @BeforeAll
  static void start() {
    server = TestRoles.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  private static void assertRefused(TestRoles roles, Kind kind, String sentence) {
    StoreException refused = roles.refusedIssue(1, null);
    assertThat(refused).as("refused").isNotNull();
    assertThat(refused).hasMessageContaining(sentence).hasNoCause();
    assertThat(refused.kind()).isEqualTo(kind);
    assertThat(roles.verifier(roles.a())).isNull();
    assertThat(roles.comment(roles.a())).isNull();
  }

  @Test
  void bothRolesExist() {
    TestRoles roles = TestRoles.on(server, "missing");
    server.run("DROP ROLE %I", roles.b());

    assertRefused(roles, Kind.NOT_FOUND, "The role %s does not exist".formatted(roles.b()));
  }

  @Test
  void aNameThatPostgresqlWouldCutIsAnotherRole() {
    TestRoles roles = TestRoles.on(server, "long");
    String cut = "x".repeat(63);
    server.run("CREATE ROLE %I", cut);

    StoreException refused =
        failure(() -> roles.store().issue(TestRoles.source(cut + "y", roles.b()), order(1, null)));

    assertThat(refused.kind()).isEqualTo(Kind.NOT_FOUND);
  }

  @Test
  void thereAreTwoRoles() {
    TestRoles roles = TestRoles.on(server, "two");

    StoreException refused =
        failure(() -> roles.store().issue(TestRoles.source(roles.a(), roles.a()), order(1, null)));

    assertThat(refused.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(refused).hasMessage("Both roles are %s: there must be two.".formatted(roles.a()));
  }

  @ParameterizedTest
  @ValueSource(strings = {"SUPERUSER", "CREATEROLE", "REPLICATION", "BYPASSRLS"})
  void noneIsTooPowerful(String power) {
    TestRoles roles = TestRoles.on(server, "power");
    server.run("ALTER ROLE %I " + power, roles.b());

    assertRefused(
        roles, Kind.PERMANENT, "The role %s has %s, which is too much".formatted(roles.b(), power));
  }

  @Test
  void theAdminIsNoneOfThem() {
    TestRoles roles = TestRoles.on(server, "self");

    StoreException refused =
        failure(
            () -> roles.store().issue(TestRoles.source(roles.a(), roles.admin()), order(1, null)));

    assertThat(refused.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(refused).hasMessageContaining("logs in as " + roles.admin());
  }

  @Test
  void theAdminMayChangeThem() {
    TestRoles roles = TestRoles.on(server, "right");
    server.run("REVOKE %I FROM %I", roles.a(), roles.admin());

    assertRefused(
        roles,
        Kind.DENIED,
        "needs CREATEROLE, and the role %s WITH ADMIN OPTION".formatted(roles.a()));

    server.run("GRANT %I TO %I WITH ADMIN OPTION", roles.a(), roles.admin());
    server.run("ALTER ROLE %I NOCREATEROLE", roles.admin());
    assertRefused(roles, Kind.DENIED, "needs CREATEROLE");
  }

  @Test
  void theyHaveTheSameMemberships() {
    TestRoles roles = TestRoles.on(server, "member");
    server.run("GRANT pg_monitor TO %I", roles.b());
    assertRefused(
        roles,
        Kind.PERMANENT,
        "%s alone has 0 memberships, and %s alone 1".formatted(roles.a(), roles.b()));

    server.run("GRANT pg_monitor TO %I WITH INHERIT FALSE", roles.a());
    assertRefused(roles, Kind.PERMANENT, "alone has 1 memberships");

    server.run("GRANT pg_monitor TO %I WITH INHERIT TRUE", roles.a());
    assertThat(roles.login(roles.issue(1, null))).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void theyHaveAGroupInCommon() {
    TestRoles roles = TestRoles.on(server, "group");
    server.run("REVOKE %I FROM %I, %I", roles.group(), roles.a(), roles.b());

    assertRefused(roles, Kind.PERMANENT, "have no group role in common");
  }

  @Test
  void theyHaveTheSamePrivileges() {
    TestRoles roles = TestRoles.on(server, "grants");
    server.run("CREATE TABLE grants_table (id int, name text)");
    server.run("GRANT SELECT ON grants_table TO %I", roles.b());
    assertRefused(
        roles,
        Kind.PERMANENT,
        "%s alone has 0 privileges, and %s alone 2; grant them to the group role"
            .formatted(roles.a(), roles.b()));

    server.run("GRANT INSERT ON grants_table TO %I", roles.a());
    assertRefused(roles, Kind.PERMANENT, "alone has 1 privileges");

    server.run("GRANT INSERT ON grants_table TO %I", roles.b());
    server.run("GRANT SELECT ON grants_table TO %I", roles.a());
    server.run("GRANT UPDATE (name) ON grants_table TO %I", roles.a());
    assertRefused(roles, Kind.PERMANENT, "alone has 1 privileges");

    server.run("GRANT UPDATE (name) ON grants_table TO %I", roles.b());
    assertThat(roles.login(roles.issue(1, null))).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void noneOwnsAnything() {
    TestRoles roles = TestRoles.on(server, "owner");
    server.run("CREATE TABLE owner_table (id int)");
    server.run("ALTER TABLE owner_table OWNER TO %I", roles.b());
    assertRefused(
        roles,
        Kind.PERMANENT,
        "%s alone has 0 objects, and %s alone 1; give them to the group role"
            .formatted(roles.a(), roles.b()));

    server.run("REASSIGN OWNED BY %I TO %I", roles.b(), roles.group());
    assertThat(roles.login(roles.issue(1, null))).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void whatIsTemporaryOrOfEachRoleByNatureDoesNotCount() throws SQLException {
    TestRoles roles = TestRoles.on(server, "temporary");
    server.setPassword(roles.b(), "by-hand");
    server.run("ALTER DEFAULT PRIVILEGES FOR ROLE %I GRANT SELECT ON TABLES TO PUBLIC", roles.b());
    try (Connection session = roles.session(roles.b(), "by-hand");
        Statement statement = session.createStatement()) {
      statement.execute("CREATE TEMP TABLE scratch (id serial PRIMARY KEY, name text)");

      assertThat(roles.login(roles.issue(1, null))).isEqualTo(LoginOutcome.ACCEPTED);
    }
  }

  @Test
  void theyHaveTheSameSettingsAndAttributes() {
    TestRoles roles = TestRoles.on(server, "settings");
    server.run("ALTER ROLE %I SET search_path TO app", roles.a());
    assertRefused(roles, Kind.PERMANENT, "alone has 1 settings");

    server.run("ALTER ROLE %I RESET ALL", roles.a());
    server.run("ALTER ROLE %I NOINHERIT", roles.a());
    assertRefused(roles, Kind.PERMANENT, "different attributes");
  }

  @Test
  void thePasswordDoesNotExpire() {
    TestRoles roles = TestRoles.on(server, "until");
    server.run("ALTER ROLE %I VALID UNTIL '2099-01-01'", roles.a());
    assertRefused(roles, Kind.PERMANENT, "has a VALID UNTIL");

    server.run("ALTER ROLE %I VALID UNTIL 'infinity'", roles.a());
    assertThat(roles.login(roles.issue(1, null))).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void theRoleMayConnect() {
    TestRoles roles = TestRoles.on(server, "limit");
    server.run("ALTER ROLE %I CONNECTION LIMIT 0", roles.a());

    assertRefused(roles, Kind.PERMANENT, "may have no connection");
  }

  @Test
  void theServerIsNoReplica() {
    TestRoles roles = TestRoles.on(server, "replica");
    server.run("ALTER ROLE %I SET default_transaction_read_only TO on", roles.admin());

    assertRefused(roles, Kind.TRANSIENT, "is a read-only replica");
  }

  @Test
  void aFunctionOfTheSameNameIsNotCalled() {
    TestRoles roles = TestRoles.on(server, "path");
    server.run(
        "CREATE FUNCTION public.shobj_description(oid, text) RETURNS text LANGUAGE sql"
            + " AS $$ SELECT 'keyturn: other 99 0123456789abcdef' $$");
    try {
      server.run("ALTER ROLE %I SET search_path TO public, pg_catalog", roles.admin());

      assertThat(roles.login(roles.issue(1, null))).isEqualTo(LoginOutcome.ACCEPTED);
    } finally {
      server.run("DROP FUNCTION public.shobj_description(oid, text)");
    }
  }

  @Test
  void theAdminSecretHasBothKeys() {
    TestRoles roles = TestRoles.on(server, "keys");

    StoreException refused =
        failure(() ->
            TestRoles.type()
                .open(
                    TestTenant.of(roles.provider())
                        .withSecret("db-admin", Map.of("username", roles.admin())))
                .check());

    assertThat(refused.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(refused)
        .hasMessage("There is no key password, or it is empty, in the Secret db-admin.");
  }
}
