package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.SharedControlPlane;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.ExtendWith;

/** Two login roles of a real PostgreSQL, rotated in turn by an admin. */
@ExtendWith(SharedWorld.Rest.class)
class SlotsIT {

  private static final String QUICK =
      "{canary: {bake: 1s, deadline: 60s}, retirement: {grace: 1s, disableSoak: 2s},"
          + " retry: {maxAttempts: 1}}";

  private static Issued rotated(String prefix, int replicas) {
    Team team = SharedWorld.team(prefix);
    String id = team.namespace().replace('-', '_');
    Team.Login admin = new Team.Login(id + "_admin", Team.newValue());
    SharedWorld.postgres().createRoleAdmin(admin.user(), admin.password());
    SharedWorld.postgres().createRotatedLogins(admin.user(), id, id + "_a", id + "_b");
    team.writeSecret("db-admin", admin);
    return Issued.of(
        team,
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretStore
        metadata: {name: db}
        spec:
          provider:
            postgresql:
              host: localhost
              port: %d
              database: postgres
              adminSecretRef: {name: db-admin}
              caBundle: |
        %s
        ---
        """
            .formatted(
                SharedWorld.postgres().port(), Issued.indented(SharedWorld.postgresAuthority())),
        "storeRef: {name: db}, postgresql: {roles: [%1$s_a, %1$s_b]}".formatted(id),
        replicas,
        QUICK);
  }

  @ConcurrentTest
  void twoRolesAreRotatedInTurnAndTheOldPasswordIsRefused() {
    Issued issued = rotated("slots", 3);
    Team team = issued.team();
    Issued.Login first = issued.current();
    assertThat(Issued.attempt(first)).isEqualTo(LoginOutcome.ACCEPTED);

    issued.ask("one");
    team.awaitStage(2, Stage.Disabling);
    team.await("the old role is disabled", () -> Issued.attempt(first) == LoginOutcome.REFUSED);
    team.awaitStage(2, Stage.Complete);
    Issued.Login second = issued.current();
    assertThat(second.user()).endsWith("_b").isNotEqualTo(first.user());
    issued.scene().assertCondition(2, "OldRevoked", Status.True, "Revoked");
    assertThat(issued.scene().condition(2, "OldRevoked").message()).contains("is refused");
    assertThat(Issued.attempt(first)).isEqualTo(LoginOutcome.REFUSED);

    issued.ask("two");
    team.awaitStage(3, Stage.Complete);
    Issued.Login third = issued.current();
    assertThat(third.user()).isEqualTo(first.user());
    assertThat(third.password()).isNotEqualTo(first.password());
    assertThat(Issued.attempt(third)).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(Issued.attempt(second)).isEqualTo(LoginOutcome.REFUSED);
    assertThat(team.refused()).as("refused logins").isZero();
    assertSearched("\"loggerName\":\"org.postgresql.", SharedWorld.operator().log());
    assertSearched(
        ":keyturn:LOG:  execute <unnamed>: ALTER ROLE \"%s\"".formatted(first.user()),
        SharedControlPlane.get().directory().resolve("postgres.log"));
  }

  /** What drivers say, and servers, is among what LeakIT searches; it is not to be quoted. */
  private static void assertSearched(String words, Path log) {
    try {
      assertThat(Files.readString(log).contains(words)).as("%s has %s", log, words).isTrue();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ConcurrentTest
  void aJobOnTheOldSlotKeepsTheNextRotationWaitingAndIsNamed() {
    Issued issued = rotated("slotjob", 1);
    Team team = issued.team();
    issued.runAlone("nightly");
    issued.ask("one");
    team.awaitStage(2, Stage.Retiring);
    // The record goes while the old version is used, so the next rotation has to look for itself.
    issued.scene().run("delete", "secretrotation", "payments-db-2", "--wait=false");
    team.await("the record has gone", () -> team.rotation(2) == null);

    issued.ask("two");

    var blocked = issued.scene().awaitBlocked(3, "SlotInUse");
    assertThat(blocked.getStatus().message()).contains("nightly");
    assertThat(team.refused()).as("refused logins").isZero();

    issued.scene().run("delete", "pod", "nightly", "--wait=false");
    team.awaitStage(3, Stage.Complete);
    assertThat(team.refused()).as("refused logins").isZero();
  }
}
