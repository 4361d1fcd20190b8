package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.FaultProxy;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.Scrape;
import io.keyturn.testing.SharedControlPlane;
import io.keyturn.testing.VaultServer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;

/** An operator that is killed when Vault has issued a lease and no snapshot says so. */
@ExtendWith(HeldInvariants.class)
class InterruptedIssueIT {

  private static final String QUICK =
      "{canary: {bake: 1s, deadline: 60s}, retirement: {grace: 1s}, retry: {maxAttempts: 1}}";

  /** What is only in the request that creates a snapshot. */
  private static final String SNAPSHOT = Names.NO_BACKUP;

  @BeforeAll
  static void endTheSharedOperator() {
    SharedWorld.install();
    SharedWorld.stopOperator();
  }

  @ConcurrentTest
  void whatWasIssuedAndNotRecordedIsEndedAndCountedByTheNextProcess() throws Exception {
    Team team = SharedWorld.teamWithoutOperator("between");
    try (VaultServer vault = SharedWorld.newVault();
        FaultProxy proxy = FaultProxy.start(SharedControlPlane.get(), 1, _ -> true)) {
      OperatorProcess killed = start(team, proxy);
      Issued issued =
          Issued.byVault(vault, team, Duration.ofHours(1), Duration.ofHours(2), 2, QUICK);
      final Issued.Login first = issued.current();

      CompletableFuture<Void> snapshot = proxy.holdNext(SNAPSHOT);
      issued.ask("now");
      snapshot.get(1, TimeUnit.MINUTES);
      assertThat(Issued.users(team)).as("users that Vault has made").isEqualTo("2");
      assertThat(issued.scene().snapshots(2)).isEmpty();
      assertThat(intent(team)).isTrue();
      killed.kill();

      try (OperatorProcess operator = start(team, proxy)) {
        team.awaitStage(2, Stage.Complete);
        team.await("one user is left", () -> Issued.users(team).equals("1"));
        assertThat(Issued.attempt(first)).isEqualTo(LoginOutcome.REFUSED);
        assertThat(Issued.attempt(issued.current())).isEqualTo(LoginOutcome.ACCEPTED);
        assertThat(intent(team)).isFalse();
        assertThat(abandoned(operator, "revoked")).isEqualTo(1);
        assertThat(abandoned(operator, "left")).isZero();
        assertThat(team.refused()).as("refused logins").isZero();
      }
    }
  }

  @ConcurrentTest
  void soItIsWithTheFirstVersionOfABinding() throws Exception {
    Team team = SharedWorld.teamWithoutOperator("first");
    try (VaultServer vault = SharedWorld.newVault();
        FaultProxy proxy = FaultProxy.start(SharedControlPlane.get(), 1, _ -> true)) {
      CompletableFuture<Void> snapshot = proxy.holdNext(SNAPSHOT);
      OperatorProcess killed = start(team, proxy);
      CompletableFuture<Issued> issued =
          CompletableFuture.supplyAsync(() ->
              Issued.byVault(vault, team, Duration.ofHours(1), Duration.ofHours(2), 2, QUICK));
      snapshot.get(1, TimeUnit.MINUTES);
      assertThat(Issued.users(team)).isEqualTo("1");
      killed.kill();

      try (OperatorProcess operator = start(team, proxy)) {
        Issued.Login first = issued.get(2, TimeUnit.MINUTES).current();
        assertThat(Issued.users(team)).isEqualTo("1");
        assertThat(Issued.attempt(first)).isEqualTo(LoginOutcome.ACCEPTED);
        assertThat(abandoned(operator, "revoked")).isEqualTo(1);
        assertThat(intent(team)).isFalse();
      }
    }
  }

  private static OperatorProcess start(Team team, FaultProxy proxy) {
    return OperatorProcess.start(
        SharedControlPlane.get(),
        Map.of(
            "KUBECONFIG",
            proxy.kubeconfigFor(OperatorProcess.NAMESPACE, "keyturn").toString(),
            "KEYTURN_LEADER_ELECTION",
            "false",
            "KEYTURN_NAMESPACES",
            team.namespace()));
  }

  private static boolean intent(Team team) {
    return team.secret(Names.intent(Team.SECRET)) != null;
  }

  private static double abandoned(OperatorProcess operator, String outcome) {
    return Scrape.parse(operator.get("/q/metrics")).samples().stream()
        .filter(s -> s.name().equals("keyturn_leases_abandoned_total"))
        .filter(s -> outcome.equals(s.labels().get("outcome")))
        .mapToDouble(Scrape.Sample::value)
        .sum();
  }
}
