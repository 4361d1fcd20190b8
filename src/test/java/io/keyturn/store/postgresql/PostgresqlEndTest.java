package io.keyturn.store.postgresql;

import static io.keyturn.store.postgresql.TestRoles.credential;
import static io.keyturn.store.postgresql.TestRoles.failure;
import static io.keyturn.store.postgresql.TestRoles.order;
import static io.keyturn.store.postgresql.TestRoles.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.Store.Refusal;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.PostgresServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** How a password ends, and that it is the right one. */
class PostgresqlEndTest {

  private static PostgresServer server;

  @BeforeAll
  static void start() {
    server = TestRoles.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  /** One that issued something else, so that there is nothing to try. */
  private static Order nothing() {
    return order(99, null);
  }

  @Test
  void aDisabledRoleIsEnabledAgain() {
    TestRoles roles = TestRoles.on(server, "disable");
    Store store = roles.store();
    Reading.Value issued = roles.issue(1, null);

    store.disable(credential(issued));
    store.disable(credential(issued));
    assertThat(roles.login(issued)).isEqualTo(LoginOutcome.REFUSED);
    assertThat(store.refusal(credential(issued), order(1, null))).isEqualTo(Refusal.PROVEN);
    assertThat(roles.verifier(roles.a())).isNotNull();

    store.enable(credential(issued));
    store.enable(credential(issued));
    assertThat(roles.login(issued)).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(store.refusal(credential(issued), order(1, null))).isEqualTo(Refusal.STILL_TAKEN);
  }

  @Test
  void aRevokedPasswordIsGoneAndTheRoleStays() {
    TestRoles roles = TestRoles.on(server, "revoke");
    Store store = roles.store();
    Reading.Value first = roles.issue(1, null);
    Reading.Value second = roles.issue(2, first);

    store.revoke(credential(first), false);
    store.revoke(credential(first), false);
    assertThat(roles.verifier(roles.a())).isNull();
    assertThat(store.refusal(credential(first), order(1, null))).isEqualTo(Refusal.PROVEN);
    assertThat(store.refusal(credential(first), nothing())).isEqualTo(Refusal.PROVEN);
    assertThat(roles.login(second)).isEqualTo(LoginOutcome.ACCEPTED);

    assertThat(failure(() -> store.enable(credential(first))).kind()).isEqualTo(Kind.NOT_FOUND);
    assertThat(roles.login(roles.issue(3, second))).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void aLateEndDoesNotHitTheNextTurn() throws SQLException {
    TestRoles roles = TestRoles.on(server, "late");
    Store store = roles.store();
    Reading.Value first = roles.issue(1, null);
    Reading.Value third = roles.issue(3, roles.issue(2, first));
    try (Connection session = roles.session(third)) {
      store.disable(credential(first));
      store.revoke(credential(first), true);
      assertThat(failure(() -> store.enable(credential(first))).kind()).isEqualTo(Kind.NOT_FOUND);

      assertThat(session.isValid(2)).isTrue();
    }
    assertThat(roles.login(third)).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(store.refusal(credential(first), order(1, null))).isEqualTo(Refusal.PROVEN);
    assertThat(store.refusal(credential(first), nothing())).isEqualTo(Refusal.PROVEN);
    assertThat(store.refusal(credential(third), nothing())).isEqualTo(Refusal.UNKNOWN);
  }

  @Test
  void aBindingThatWasMadeAnewIsNotHitEither() {
    TestRoles roles = TestRoles.on(server, "anew");
    Reading.Value old = roles.issue(5, null);
    server.run("COMMENT ON ROLE %I IS NULL", roles.a());
    Reading.Value anew =
        roles
            .store()
            .issue(roles.source(), TestRoles.order("another-uid", 1, "another-token", null));

    roles.store().revoke(credential(old), true);

    assertThat(roles.login(anew)).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void sessionsEndOnlyWhereTheyAreToEnd() throws SQLException {
    TestRoles roles = TestRoles.on(server, "sessions");
    Reading.Value issued = roles.issue(1, null);
    try (Connection session = roles.session(issued)) {
      roles.store().revoke(credential(issued), false);
      assertThat(session.isValid(2)).isTrue();

      roles.store().revoke(credential(issued), true);
      assertThat(session.isValid(2)).isFalse();
    }
  }

  @Test
  void whoMayNotEndSessionsStillRevokes() throws SQLException {
    TestRoles roles = TestRoles.on(server, "signal");
    server.run("REVOKE pg_signal_backend FROM %I", roles.admin());
    Reading.Value issued = roles.issue(1, null);
    try (Connection session = roles.session(issued)) {
      StoreException denied = failure(() -> roles.store().revoke(credential(issued), true));

      assertThat(denied.kind()).isEqualTo(Kind.DENIED);
      assertThat(denied).hasMessageContaining("needs pg_signal_backend");
      assertThat(session.isValid(2)).isTrue();
    }
    assertThat(roles.login(issued)).isEqualTo(LoginOutcome.REFUSED);
  }

  @Test
  void aRoleThatIsGoneHasEnded() {
    TestRoles roles = TestRoles.on(server, "gone");
    Store store = roles.store();
    Reading.Value issued = roles.issue(1, null);
    server.run("DROP ROLE %I", roles.a());

    store.disable(credential(issued));
    store.revoke(credential(issued), true);
    assertThat(failure(() -> store.enable(credential(issued))).kind()).isEqualTo(Kind.NOT_FOUND);
    assertThat(store.refusal(credential(issued), order(1, null))).isEqualTo(Refusal.PROVEN);
    assertThat(store.refusal(credential(issued), nothing())).isEqualTo(Refusal.PROVEN);
  }

  @Test
  void aMarkThatIsGoneIsToldUntilTheRoleIsClosed() {
    TestRoles roles = TestRoles.on(server, "unmarked");
    Store store = roles.store();
    Reading.Value issued = roles.issue(1, null);
    server.run("COMMENT ON ROLE %I IS 'of Jo'", roles.a());

    StoreException unknown = failure(() -> store.revoke(credential(issued), true));
    assertThat(unknown.kind()).isEqualTo(Kind.CONFLICT);
    assertThat(unknown).hasMessageContaining("ALTER ROLE %s NOLOGIN".formatted(roles.a()));
    assertThat(failure(() -> store.disable(credential(issued))).kind()).isEqualTo(Kind.CONFLICT);
    assertThat(roles.login(issued)).isEqualTo(LoginOutcome.ACCEPTED);

    server.run("ALTER ROLE %I NOLOGIN", roles.a());
    store.revoke(credential(issued), true);
    assertThat(roles.comment(roles.a())).isEqualTo("of Jo");
  }

  @Test
  void passwordsWithoutAProofAreNotCalledRefused() {
    TestRoles roles = TestRoles.on(server, "proof");
    Reading.Value issued = roles.issue(1, null);
    Store nowhere =
        roles.store(TestRoles.provider("localhost", 1, "postgres", TestRoles.AUTHORITY.pem()));

    assertThat(nowhere.refusal(credential(issued), order(1, null))).isEqualTo(Refusal.UNKNOWN);
    assertThat(text(issued.data(), "username")).isEqualTo(roles.a());
  }

  @Test
  void aSeedThatChangedProvesNothing() {
    TestRoles roles = TestRoles.on(server, "seed");
    Store store = roles.store();
    Reading.Value issued = roles.issue(1, null);
    Order lost =
        new Order(
            TestRoles.OWNER, 1, "token-1", Optional.empty(), () -> TestRoles.seed("another key"));

    assertThat(store.refusal(credential(issued), lost)).isEqualTo(Refusal.UNKNOWN);

    store.revoke(credential(issued), false);
    server.run("ALTER ROLE %I LOGIN", roles.a());
    assertThat(store.refusal(credential(issued), order(1, null))).isEqualTo(Refusal.PROVEN);
    assertThat(store.refusal(credential(issued), nothing())).isEqualTo(Refusal.UNKNOWN);
  }
}
