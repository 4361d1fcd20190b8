package io.keyturn.cluster;

import static java.util.Locale.ROOT;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.Scrape;
import io.keyturn.testing.SharedControlPlane;
import io.keyturn.testing.VaultServer;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
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

  private static final Duration SEALED = Duration.ofMinutes(1);

  @BeforeAll
  static void endTheSharedOperator() {
    SharedWorld.install();
    SharedWorld.stopOperator();
  }

  private static OperatorProcess alone(Collection<Team> teams) {
    String namespaces = teams.stream().map(Team::namespace).collect(Collectors.joining(","));
    return OperatorProcess.start(
        SharedControlPlane.get(),
        Map.of("KEYTURN_LEADER_ELECTION", "false", "KEYTURN_NAMESPACES", namespaces));
  }

  @ConcurrentTest
  void anOperatorThatIsKilledAroundAnIssueLeavesNothingThatLives() {
    Random random = new Random();
    Team team = SharedWorld.teamWithoutOperator("killed");
    OperatorProcess operator = alone(List.of(team));
    try (VaultServer vault = SharedWorld.newVault()) {
      Issued issued =
          Issued.byVault(vault, team, Duration.ofHours(1), Duration.ofHours(2), 2, QUICK);
      for (int round = 1; round <= 4; round++) {
        Issued.Login before = issued.current();
        issued.ask("round-" + round);
        awaitPassed(Duration.ofMillis(random.nextInt(400)));
        operator.kill();
        operator = alone(List.of(team));
        long version = round + 1L;
        team.awaitStage(version, Stage.Complete);
        assertThat(Issued.attempt(before)).isEqualTo(LoginOutcome.REFUSED);
      }
      assertThat(team.refused()).as("refused logins").isZero();
      team.await(
          "what was issued and not recorded has ended", () -> Issued.users(team).equals("1"));
      assertThat(Issued.attempt(issued.current())).isEqualTo(LoginOutcome.ACCEPTED);
    } finally {
      operator.close();
    }
  }

  /**
   * One seal meets a rotation in each stage that a store's absence can touch. Left out are Pending,
   * where nothing has begun; Disabling, which no lease goes through, because Vault can end one and
   * not lock it; and RollingBack, which asks no store and leads to Discarding.
   */
  @ConcurrentTest
  void aVaultThatIsSealedForAMinuteDelaysEachStageAndHarmsNobody() throws IOException {
    Map<Stage, Team> teams = new EnumMap<>(Stage.class);
    UnderSeal.STAGES.forEach(
        s -> teams.put(s, SharedWorld.teamWithoutOperator("sealed-" + s.name().toLowerCase(ROOT))));
    OperatorProcess operator = alone(teams.values());
    try (VaultServer vault = SharedWorld.newVault();
        HttpService brake = HttpService.answering(503)) {
      List<UnderSeal> all =
          UnderSeal.STAGES.stream()
              .map(s -> UnderSeal.prepare(s, vault, brake, teams.get(s)))
              .toList();
      all.forEach(UnderSeal::begin);
      all.forEach(UnderSeal::awaitBegun);
      UnderSeal renewed = all.getFirst();
      renewed.awaitRenewalIn(Duration.ofSeconds(36), Duration.ofSeconds(45));

      assertExpiry(operator);
      Instant end = Instant.now().plus(SEALED);
      vault.seal();
      all.forEach(UnderSeal::goOn);
      all.forEach(UnderSeal::awaitStanding);
      await(end);
      all.forEach(UnderSeal::assertStillStanding);
      vault.unseal();

      renewed.awaitLeaseHealthy();
      brake.status().set(200);
      all.forEach(UnderSeal::letGo);
      all.forEach(UnderSeal::assertEnded);
    } finally {
      operator.close();
    }
  }

  private static void assertExpiry(OperatorProcess operator) {
    Scrape scrape = Scrape.parse(operator.get("/q/metrics"));
    assertThat(scrape.value("keyturn_expiry_seconds", "store_type", "vault"))
        .as("the lease that ends first")
        .isBetween(1.0, (double) UnderSeal.SHORT.toSeconds());
    assertThat(scrape.value("keyturn_expiry_seconds", "store_type", "secret")).isInfinite();
  }

  private static void awaitPassed(Duration time) {
    await(Instant.now().plus(time));
  }

  private static void await(Instant time) {
    Awaitility.await().atMost(SEALED.multipliedBy(2)).until(() -> Instant.now().isAfter(time));
  }
}
