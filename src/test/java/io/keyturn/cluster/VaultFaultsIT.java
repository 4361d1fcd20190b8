package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.SharedControlPlane;
import io.keyturn.testing.VaultServer;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Random;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * What becomes of leases when Vault is sealed or the operator is killed. Each test has a Vault and
 * an operator of its own.
 */
@ExtendWith(HeldInvariants.class)
class VaultFaultsIT {

  private static final String QUICK =
      "{canary: {bake: 3s, deadline: 90s}, retirement: {grace: 1s}, retry: {maxAttempts: 1}}";

  private static final Duration SEALED = Duration.ofSeconds(12);

  @BeforeAll
  static void endTheSharedOperator() {
    SharedWorld.install();
    SharedWorld.stopOperator();
  }

  private static VaultServer startVault() {
    VaultServer vault = VaultServer.start();
    vault.enableKubernetesAuth("kubernetes", SharedControlPlane.get());
    vault.enableDatabase("database", SharedWorld.postgres());
    return vault;
  }

  private static OperatorProcess alone(Team team) {
    return OperatorProcess.start(
        SharedControlPlane.get(),
        Map.of("KEYTURN_LEADER_ELECTION", "false", "KEYTURN_NAMESPACES", team.namespace()));
  }

  @ConcurrentTest
  void anOperatorThatIsKilledAroundAnIssueLeavesNothingThatLives() {
    Random random = new Random();
    Team team = SharedWorld.teamWithoutOperator("killed");
    OperatorProcess operator = alone(team);
    try (VaultServer vault = startVault()) {
      Issued issued =
          Issued.byVault(vault, team, Duration.ofSeconds(40), Duration.ofHours(1), 2, QUICK);
      for (int round = 1; round <= 4; round++) {
        Issued.Login before = issued.current();
        issued.ask("round-" + round);
        awaitPassed(Duration.ofMillis(random.nextInt(400)));
        operator.kill();
        operator = alone(team);
        long version = round + 1L;
        team.awaitStage(version, Stage.Complete);
        assertThat(Issued.attempt(before)).isEqualTo(LoginOutcome.REFUSED);
      }
      assertThat(team.refused()).as("refused logins").isZero();
      team.await("what was issued and not recorded has ended", () -> users(team).equals("1"));
      assertThat(Issued.attempt(issued.current())).isEqualTo(LoginOutcome.ACCEPTED);
    } finally {
      operator.close();
    }
  }

  /** How many users of PostgreSQL Vault has made for a team. */
  private static String users(Team team) {
    return SharedWorld.postgres()
        .ask(
            "SELECT count(*) FROM pg_roles WHERE position(left(?, 8) in rolname) > 0"
                + " AND rolname LIKE 'v-%'",
            team.namespace());
  }

  @ConcurrentTest
  void aVaultThatIsSealedDelaysEachStageAndHarmsNobody() {
    Team team = SharedWorld.teamWithoutOperator("sealed");
    OperatorProcess operator = alone(team);
    try (VaultServer vault = startVault()) {
      Issued issued =
          Issued.byVault(vault, team, Duration.ofSeconds(60), Duration.ofHours(1), 2, QUICK);
      sealedFor(
          vault,
          () -> {
            issued.ask("staging");
            team.await(
                "it waits for the store",
                () -> {
                  var blocked =
                      team.rotation(2) == null ? null : issued.scene().condition(2, "Blocked");
                  return blocked != null
                      && (blocked.reason().equals("StoreUnavailable")
                          || blocked.reason().equals("StoreCircuitOpen"));
                });
          });
      team.awaitStage(2, Stage.Complete);

      Issued.Login second = issued.current();
      issued.ask("baking");
      team.awaitStage(3, Stage.Baking);
      sealedFor(vault, () -> {});
      team.awaitStage(3, Stage.Complete);
      assertThat(Issued.attempt(second)).isEqualTo(LoginOutcome.REFUSED);

      Issued.Login third = issued.current();
      issued.ask("promoting");
      team.awaitStage(4, s -> s == Stage.Promoting || s.promoted());
      sealedFor(vault, () -> {});
      team.awaitStage(4, Stage.Complete);
      assertThat(Issued.attempt(third)).isEqualTo(LoginOutcome.REFUSED);
      assertThat(team.refused()).as("refused logins").isZero();
      issued.scene().awaitCondition("LeaseHealthy", Status.True, "LeaseRenewed");
    } finally {
      operator.close();
    }
  }

  private static void sealedFor(VaultServer vault, Runnable meanwhile) {
    vault.seal();
    try {
      meanwhile.run();
      awaitPassed(SEALED);
    } finally {
      vault.unseal();
    }
  }

  private static void awaitPassed(Duration time) {
    Instant end = Instant.now().plus(time);
    Awaitility.await().atMost(Duration.ofMinutes(1)).until(() -> Instant.now().isAfter(end));
  }
}
