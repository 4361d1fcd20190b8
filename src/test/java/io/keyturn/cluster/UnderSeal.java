package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.VaultServer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * A team whose rotation to version 2 stands in a stage for as long as its Vault is sealed, and ends
 * when the Vault has been unsealed.
 *
 * <p>What a stage waits for has nothing to do with the store: a check or a gate that cannot tell, a
 * pod that cannot start, a pod that stays. Staging, Revoking and Discarding pass in a moment while
 * the store answers, so these begin in the seal.
 */
final class UnderSeal {

  /** In the order in which they are prepared: the lease of the first one has to be of an age. */
  static final List<Stage> STAGES =
      List.of(
          Stage.Baking,
          Stage.Staging,
          Stage.Preflight,
          Stage.Canary,
          Stage.Promoting,
          Stage.Retiring,
          Stage.Revoking,
          Stage.Discarding);

  private static final String CANARY =
      "canary: {bake: 1s, deadline: 10m}, retirement: {grace: 1s}, retry: {maxAttempts: 1}";
  private static final String NO_CANARY =
      "canary: {strategy: None}, retirement: {grace: 1s}, retry: {maxAttempts: 1}";

  /** Two thirds of it are over long after the seal. */
  private static final Duration LONG = Duration.ofMinutes(15);

  /** A third of it is longer than what is left of the seal when it is to be renewed. */
  static final Duration SHORT = Duration.ofSeconds(200);

  private static final Set<String> AWAY = Set.of("StoreUnavailable", "StoreCircuitOpen");
  private static final String STRAGGLER = "straggler";

  private final Stage stage;
  private final Issued issued;
  private final Issued.Login first;

  /** The login that is refused in the end. */
  private Issued.Login going;

  private View stood;

  /**
   * What must not change while nobody answers.
   *
   * @param versions of the rotations
   * @param alias the revision of the Secret that pods read
   */
  private record View(Stage stage, List<Long> versions, String alias, Set<String> pods) {}

  private UnderSeal(Stage stage, Issued issued) {
    this.stage = stage;
    this.issued = issued;
    this.first = issued.current();
    this.going = first;
  }

  /** Delivers the first version. */
  static UnderSeal prepare(Stage stage, VaultServer vault, HttpService brake, Team team) {
    Duration ttl = stage == Stage.Baking ? SHORT : LONG;
    UnderSeal prepared =
        new UnderSeal(
            stage, Issued.byVault(vault, team, ttl, Duration.ofHours(1), 1, policy(stage, brake)));
    switch (stage) {
      case Canary -> prepared.needSettings();
      case Promoting -> prepared.addSecondWave();
      case Retiring, Revoking -> prepared.issued.runAlone(STRAGGLER);
      default -> {}
    }
    return prepared;
  }

  private static String policy(Stage stage, HttpService brake) {
    return switch (stage) {
      case Preflight -> "{preflight: [%s], %s}".formatted(brake.check("smoke"), CANARY);
      case Baking, Discarding ->
          "{gates: [%s], %s}".formatted(brake.gate("smoke", "Canary"), CANARY);
      case Promoting -> "{gates: [%s], %s}".formatted(brake.gate("smoke", "Promote"), NO_CANARY);
      case Retiring, Revoking -> "{%s}".formatted(NO_CANARY);
      default -> "{%s}".formatted(CANARY);
    };
  }

  /** Pods that start from now on need a ConfigMap. */
  private void needSettings() {
    createSettings();
    scene().run("set", "env", "deployment/" + Scene.APP, "--from=configmap/settings");
    team().awaitRolledOut(Scene.APP);
  }

  private void createSettings() {
    scene().run("create", "configmap", "settings", "--from-literal=mode=fast");
  }

  private void addSecondWave() {
    team().deploy("ledger", 1);
    team().awaitRolledOut("ledger");
    scene()
        .patch(
            "secretbinding",
            Team.SECRET,
            "spec: {workloads: [{kind: Deployment, name: %s},"
                + " {kind: Deployment, name: ledger, wave: 1}]}",
            Scene.APP);
  }

  /** Begins the rotation, if it can begin before the seal. */
  void begin() {
    if (stage == Stage.Canary) {
      scene().run("delete", "configmap", "settings");
    }
    if (stage != Stage.Staging) {
      issued.ask("now");
    }
  }

  /** Waits until the rotation is as the seal is to meet it. */
  void awaitBegun() {
    switch (stage) {
      case Staging -> {}
      case Preflight -> awaitHeld(Stage.Preflight, "PreflightInconclusive");
      case Canary -> awaitCanaryPod();
      case Baking -> awaitHeld(Stage.Baking, "GateInconclusive");
      case Promoting -> awaitHeld(Stage.Promoting, "GateInconclusive");
      case Retiring, Revoking -> issued.awaitStraggler(2, STRAGGLER);
      case Discarding -> {
        awaitHeld(Stage.Baking, "GateInconclusive");
        going = issued.login(issued.snapshot(2).getMetadata().getName());
      }
      default -> throw new IllegalStateException("nothing is prepared for " + stage);
    }
  }

  private void awaitHeld(Stage where, String reason) {
    scene().awaitBlocked(2, reason);
    scene().stillIn(2, where);
  }

  private void awaitCanaryPod() {
    team().awaitStage(2, Stage.Canary);
    team().await("the canary waits for its settings", () -> scene().canaryPods().size() == 1);
  }

  /** Waits until the lease of the current version is to be renewed in the middle of the seal. */
  void awaitRenewalIn(Duration least, Duration most) {
    Awaitility.await("the renewal of " + team().namespace() + " falls in the seal")
        .atMost(Duration.ofMinutes(4))
        .until(() -> {
          Instant due = team().binding().getStatus().lease().renewAt();
          return due.isAfter(Instant.now().plus(least)) && due.isBefore(Instant.now().plus(most));
        });
  }

  /** What people do in the seal, as far as a rotation has to enter its stage then. */
  void goOn() {
    switch (stage) {
      case Staging -> issued.ask("now");
      case Revoking -> scene().run("delete", "pod", STRAGGLER, "--wait=false");
      case Discarding -> scene().abort(2);
      default -> {}
    }
  }

  /** Waits until the rotation stands in its stage, and remembers how. */
  void awaitStanding() {
    team().awaitStage(2, stage);
    if (needsStore()) {
      team().await("it says that the store is away", this::saysThatTheStoreIsAway);
      team().await("so does the store", () -> issued.storeIs(Status.False));
    }
    stood = view();
  }

  /** Asserts that nothing has happened since, and that what suffers says why. */
  void assertStillStanding() {
    assertThat(view()).isEqualTo(stood);
    assertThat(saysThatTheStoreIsAway()).as(stage + " says so").isEqualTo(needsStore());
    assertThat(Team.is(team().binding().getStatus().conditions(), "Ready", Status.True)).isTrue();
    Condition lease = scene().condition("LeaseHealthy");
    boolean due = stage == Stage.Baking;
    assertThat(lease.status()).as(lease.toString()).isEqualTo(due ? Status.Unknown : Status.True);
    assertThat(lease.reason()).as(stage.name()).isEqualTo(due ? "LeaseAtRisk" : "LeaseRenewed");
    assertThat(Issued.attempt(first)).as("version 1 in " + stage).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(team().refused()).as("refused logins in " + stage).isZero();
  }

  private boolean needsStore() {
    return stage == Stage.Staging || stage == Stage.Revoking || stage == Stage.Discarding;
  }

  private boolean saysThatTheStoreIsAway() {
    Condition blocked = scene().condition(2, "Blocked");
    return blocked != null && AWAY.contains(blocked.reason());
  }

  private View view() {
    return new View(
        team().rotation(2).getStatus().stage(),
        scene().versions(),
        team().secret(Team.SECRET).getMetadata().getResourceVersion(),
        team().pods().stream()
            .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
            .map(p -> p.getMetadata().getUid())
            .collect(Collectors.toSet()));
  }

  /** Waits until the credential is known to live on. */
  void awaitLeaseHealthy() {
    scene().awaitCondition("LeaseHealthy", Status.True, "LeaseRenewed");
  }

  /** Takes away what the rotation waits for, apart from the brake. */
  void letGo() {
    switch (stage) {
      case Canary -> createSettings();
      case Retiring -> scene().run("delete", "pod", STRAGGLER, "--wait=false");
      default -> {}
    }
  }

  /** Asserts that the rotation has ended as if nothing had been. */
  void assertEnded() {
    boolean aborted = stage == Stage.Discarding;
    team().awaitStage(2, aborted ? Stage.Aborted : Stage.Complete);
    assertThat(Issued.attempt(going)).as("ended: " + stage).isEqualTo(LoginOutcome.REFUSED);
    Issued.Login current = issued.current();
    assertThat(current.user().equals(first.user())).as("version 1: " + stage).isEqualTo(aborted);
    assertThat(Issued.attempt(current)).as("current: " + stage).isEqualTo(LoginOutcome.ACCEPTED);
    if (!aborted) {
      scene().assertCondition(2, "OldRevoked", Status.True, "Revoked");
    }
    assertThat(scene().versions()).containsExactly(2L);
    assertThat(team().refused()).as("refused logins: " + stage).isZero();
    awaitLeaseHealthy();
    team().await("the store says that it is back", () -> issued.storeIs(Status.True));
  }

  private Team team() {
    return issued.team();
  }

  private Scene scene() {
    return issued.scene();
  }
}
