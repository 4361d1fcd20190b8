package io.keyturn.store.postgresql;

import static io.keyturn.store.postgresql.TestRoles.OWNER;
import static io.keyturn.store.postgresql.TestRoles.credential;
import static io.keyturn.store.postgresql.TestRoles.failure;
import static io.keyturn.store.postgresql.TestRoles.order;
import static io.keyturn.store.postgresql.TestRoles.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.PostgresServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PostgresqlIssueTest {

  private static PostgresServer server;

  @BeforeAll
  static void start() {
    server = PostgresServer.startChatty(TestRoles.AUTHORITY.issue("localhost"));
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Test
  void theRolesTakeTurns() {
    TestRoles roles = TestRoles.on(server, "turns");

    Reading.Value first = roles.issue(1, null);
    Reading.Value second = roles.issue(2, first);
    assertThat(text(first.data(), "username")).isEqualTo(roles.a());
    assertThat(text(second.data(), "username")).isEqualTo(roles.b());
    assertThat(roles.login(first)).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(roles.login(second)).isEqualTo(LoginOutcome.ACCEPTED);

    Reading.Value third = roles.issue(3, second);
    assertThat(text(third.data(), "username")).isEqualTo(roles.a());
    assertThat(roles.login(first)).isEqualTo(LoginOutcome.REFUSED);
    assertThat(roles.login(second)).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(roles.login(third)).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void saysWhereToLogInWithIt() {
    Reading.Value issued = TestRoles.on(server, "where").issue(1, null);

    assertThat(issued.data().keys())
        .containsExactly("database", "host", "password", "port", "username");
    assertThat(text(issued.data(), "host")).isEqualTo("localhost");
    assertThat(text(issued.data(), "port")).isEqualTo(Integer.toString(server.port()));
    assertThat(text(issued.data(), "database")).isEqualTo("postgres");
    assertThat(credential(issued).issuedAt()).isEqualTo(TestRoles.NOW);
    assertThat(credential(issued).expiresAt()).isEmpty();
    assertThat(issued.revision()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"Payments", "two words", "quote\"'s", "ü@1.-", "drop; --", "back\\slash"})
  void namesNeedNotBeIdentifiers(String name) {
    TestRoles roles = TestRoles.on(server, name);

    Reading.Value first = roles.issue(1, null);
    Reading.Value second = roles.issue(2, first);
    roles.store().verify(roles.source(), second.data());
    roles.store().revoke(credential(first), true);

    assertThat(roles.login(first)).isEqualTo(LoginOutcome.REFUSED);
    assertThat(roles.login(second)).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void theSameOrderMakesTheSamePassword() {
    TestRoles roles = TestRoles.on(server, "again");

    Reading.Value first = roles.issue(1, null);
    String verifier = roles.verifier(roles.a());
    Reading.Value again = roles.issue(1, null);

    assertThat(again.data().sameAs(first.data())).isTrue();
    assertThat(credential(again).id()).isEqualTo(credential(first).id());
    assertThat(roles.verifier(roles.a())).isEqualTo(verifier);
  }

  @Test
  void anAnswerThatIsLostIsGivenAgain() throws Exception {
    TestRoles roles = TestRoles.on(server, "lost");
    try (CutRelay relay = CutRelay.start(server.port(), () -> roles.comment(roles.a()) != null)) {
      StoreException lost =
          failure(() ->
              roles
                  .store(
                      TestRoles.provider(
                          "localhost", relay.port(), "postgres", TestRoles.AUTHORITY.pem()))
                  .issue(roles.source(), order(1, null)));
      assertThat(lost.kind()).isEqualTo(Kind.TRANSIENT);
    }
    String verifier = roles.verifier(roles.a());
    assertThat(verifier).isNotNull();

    Reading.Value issued = roles.issue(1, null);

    assertThat(roles.verifier(roles.a())).isEqualTo(verifier);
    assertThat(roles.login(issued)).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void thePasswordIsInNoStatement() {
    TestRoles roles = TestRoles.on(server, "logged");
    int start = server.log().length();

    Reading.Value issued = roles.issue(1, null);
    roles.store().verify(roles.source(), issued.data());
    roles.refusedIssue(0, null);
    roles.store().revoke(credential(issued), true);

    String log = server.log().substring(start);
    assertThat(log.contains("ALTER ROLE \"%s\"".formatted(roles.a()))).isTrue();
    assertThat(log.contains(text(issued.data(), "password").substring(0, 8))).isFalse();
    assertThat(log.contains(TestRoles.ADMIN_PASSWORD)).isFalse();
  }

  @Test
  void aRoleThatSomebodyUsesIsLeftAlone() throws SQLException {
    TestRoles roles = TestRoles.on(server, "used");
    server.setPassword(roles.a(), "by-hand");
    try (Connection _ = roles.session(roles.a(), "by-hand")) {
      StoreException refused = roles.refusedIssue(1, null);

      assertThat(refused.kind()).isEqualTo(Kind.CONFLICT);
      assertThat(refused.reason()).isEqualTo(Reasons.SLOT_IN_USE);
      assertThat(refused).hasMessageStartingWith("The role %s has 1 session(s)", roles.a());
      assertThat(server.tryLogin(roles.a(), "by-hand")).isEqualTo(LoginOutcome.ACCEPTED);
    }
  }

  @Test
  void sessionsOfAnEarlierTurnDoNotMatter() throws SQLException {
    TestRoles roles = TestRoles.on(server, "earlier");
    Reading.Value first = roles.issue(1, null);
    Reading.Value second = roles.issue(2, first);
    try (Connection _ = roles.session(first)) {
      assertThat(roles.login(roles.issue(3, second))).isEqualTo(LoginOutcome.ACCEPTED);
    }
  }

  @Test
  void withoutACurrentVersionNobodyMayUseTheRole() throws SQLException {
    TestRoles roles = TestRoles.on(server, "forgotten");
    Reading.Value first = roles.issue(1, null);
    try (Connection _ = roles.session(first)) {
      assertThat(roles.refusedIssue(2, null).reason()).isEqualTo(Reasons.SLOT_IN_USE);
      assertThat(roles.issue(1, null).data().sameAs(first.data())).isTrue();
    }
    assertThat(roles.login(roles.issue(2, null))).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void anOrderThatIsLateIsRefused() {
    TestRoles roles = TestRoles.on(server, "late");
    Reading.Value first = roles.issue(1, null);
    Reading.Value fourth = roles.issue(4, first);

    StoreException late = roles.refusedIssue(2, first);

    assertThat(late.kind()).isEqualTo(Kind.CONFLICT);
    assertThat(late)
        .hasMessage(
            "The role %s already has the password of version 4, which is newer than 2."
                .formatted(roles.b()));
    assertThat(roles.login(fourth)).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void anotherAttemptAtTheSameVersionIsRefused() {
    TestRoles roles = TestRoles.on(server, "attempt");
    Reading.Value first = roles.issue(1, null);

    StoreException other =
        failure(() -> roles.store().issue(roles.source(), order(OWNER, 1, "other", null)));

    assertThat(other.kind()).isEqualTo(Kind.CONFLICT);
    assertThat(roles.login(first)).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void anOrderDoesNotBringBackWhatHasHadItsTime() {
    TestRoles roles = TestRoles.on(server, "back");
    Reading.Value first = roles.issue(1, null);
    Reading.Value second = roles.issue(2, first);
    roles.store().revoke(credential(first), false);

    StoreException late = roles.refusedIssue(1, null);

    assertThat(late.kind()).isEqualTo(Kind.CONFLICT);
    assertThat(late).hasMessageStartingWith("The role %s already has", roles.b());
    assertThat(roles.login(first)).isEqualTo(LoginOutcome.REFUSED);
    assertThat(roles.login(second)).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void whatWasIssuedInVainIsOrderedAgain() {
    TestRoles roles = TestRoles.on(server, "vain");
    Reading.Value first = roles.issue(1, null);
    roles.store().revoke(credential(first), false);

    Reading.Value again = roles.issue(1, null);

    assertThat(again.data().sameAs(first.data())).isTrue();
    assertThat(roles.login(again)).isEqualTo(LoginOutcome.ACCEPTED);
    roles.store().revoke(credential(again), false);
    assertThat(roles.login(again)).isEqualTo(LoginOutcome.REFUSED);
  }

  @Test
  void aRoleOfAnotherBindingIsRefused() {
    TestRoles roles = TestRoles.on(server, "theirs");
    Reading.Value theirs = roles.issue(1, null);

    StoreException refused =
        failure(() -> roles.store().issue(roles.source(), order("other-uid", 9, "token", null)));

    assertThat(refused.kind()).isEqualTo(Kind.CONFLICT);
    assertThat(refused).hasMessageContaining("SecretBinding").hasMessageContaining(OWNER);
    assertThat(roles.login(theirs)).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void commentsOfPeopleStay() {
    TestRoles roles = TestRoles.on(server, "comment");
    server.run("COMMENT ON ROLE %I IS %L", roles.a(), "of Jo's\nask \\ her");

    Reading.Value first = roles.issue(1, null);
    assertThat(roles.comment(roles.a()))
        .matches("(?s)of Jo's\nask \\\\ her\nkeyturn: %s 1 [0-9a-f]{16}".formatted(OWNER));
    roles.store().revoke(credential(first), false);
    assertThat(roles.comment(roles.a())).startsWith("of Jo's\nask \\ her\n").endsWith(" revoked");
    roles.issue(2, null);
    assertThat(roles.comment(roles.a()))
        .matches("(?s)of Jo's\nask \\\\ her\nkeyturn: %s 2 [0-9a-f]{16}".formatted(OWNER));
  }

  @Test
  void ordersAtTheSameTimeHaveOneEffect() throws Exception {
    TestRoles roles = TestRoles.on(server, "race");
    server.run("CREATE DATABASE %I", "race");
    try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Future<SecretData>> issued =
          threads.invokeAll(
              IntStream.range(0, 8)
                  .<Callable<SecretData>>mapToObj(
                      i -> () -> issueOrNothing(roles, i % 2 == 0 ? "postgres" : "race", 1 + i % 3))
                  .toList());
      for (Future<SecretData> one : issued) {
        one.get();
      }
    }
    Reading.Value newest = roles.issue(4, null);

    assertThat(roles.login(newest)).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(Mark.in(roles.comment(roles.a())).orElseThrow().version()).isEqualTo(4);
  }

  /** Whoever loses says so, and the role has what its comment says. */
  private static SecretData issueOrNothing(TestRoles roles, String database, int version) {
    try {
      return roles
          .store(
              TestRoles.provider("localhost", server.port(), database, TestRoles.AUTHORITY.pem()))
          .issue(roles.source(), order(version, null))
          .data();
    } catch (StoreException e) {
      assertThat(e.kind()).as(e.getMessage()).isIn(Kind.CONFLICT, Kind.TRANSIENT);
      return null;
    }
  }

  @Test
  void whatWorksIsVerified() {
    TestRoles roles = TestRoles.on(server, "verify");
    Reading.Value first = roles.issue(1, null);
    roles.store().verify(roles.source(), first.data());
    server.setPassword(roles.a(), "by-hand");

    StoreException wrong = failure(() -> roles.store().verify(roles.source(), first.data()));

    assertThat(wrong.kind()).isEqualTo(Kind.INTEGRITY);
    assertThat(wrong)
        .hasMessage(
            "The server localhost:%d refuses the login of the role %s (SQLSTATE 28P01)."
                .formatted(server.port(), roles.a()));
  }

  @Test
  void aRoleWithoutAConnectionLeftIsNoWrongPassword() throws SQLException {
    TestRoles roles = TestRoles.on(server, "limit");
    server.run("ALTER ROLE %I CONNECTION LIMIT 1", roles.a());
    Reading.Value first = roles.issue(1, null);
    try (Connection _ = roles.session(first)) {
      StoreException busy = failure(() -> roles.store().verify(roles.source(), first.data()));
      assertThat(busy.kind()).isEqualTo(Kind.THROTTLED);
    }
  }
}
