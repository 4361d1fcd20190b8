package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.workload.deployment.Rollout;
import java.time.Duration;

/** What happens where the new value ends the old one. */
class CutoverIT {

  private static final String POLICY =
      "{canary: {bake: 10m, deadline: 20m}, retirement: {grace: 1s},"
          + " promotion: {maxParallel: 1, stableTimeout: 5s}%s}";
  private static final String ACKNOWLEDGED =
      POLICY.formatted(", cutover: {acknowledgeOutage: true}");

  private static Scene withoutOverlap(String name, String policy, Scene.Workload... workloads) {
    Scene scene = Scene.of(name, policy, workloads);
    scene.patch("secretbinding", Team.SECRET, "spec: {source: {overlap: None}}");
    return scene;
  }

  /** What a tool does that has but one user: the new password ends the old one. */
  private static Team.Login overwrite(Scene scene) {
    Team.Login next = new Team.Login(scene.first().user(), Team.newValue());
    SharedWorld.postgres().setPassword(next.user(), next.password());
    scene.team().writeUpstream(next);
    return next;
  }

  @ConcurrentTest
  void withoutOverlapNothingHappensUntilSomebodyAcceptsTheOutageAndThenAllAtOnce() {
    Scene scene =
        withoutOverlap(
            "cutover",
            POLICY.formatted(""),
            Scene.client(Scene.APP, 1, "ready-after: 1s"),
            Scene.client("ledger", 1, "ready-after: 1s").inWave(1));
    Team team = scene.team();
    try (History<Deployment> deployments = scene.historyOfWorkloads();
        History<Deployment> clones = scene.historyOfClones()) {
      Team.Login second = overwrite(scene);

      scene.awaitBlocked(2, "OverlapRequired");
      scene.assertCondition(2, "Stalled", Status.True, "OverlapRequired");
      assertThat(Bindings.awaitStalled(team, Team.SECRET, "OverlapRequired"))
          .contains("cutover.acknowledgeOutage");
      scene.awaitCondition("Ready", Status.True, "Ready");
      assertThat(scene.seenByAnyone(second)).isFalse();

      scene.changePolicy(ACKNOWLEDGED);

      scene.assertPromoted(2, second);
      assertThat(clones.states()).isEmpty();
      assertThat(deployments.moments(all -> all.stream().filter(CutoverIT::moving).count()))
          .as("both move at once, whatever maxParallel and waves say")
          .contains(2L);
      scene.assertCondition(2, "CanaryVerified", Status.False, "NoCanary");
      var cutover = team.rotation(2).getStatus().cutover();
      assertThat(cutover.until()).isAfter(cutover.since());
      assertThat(Durations.parse(cutover.outage()))
          .isEqualTo(Duration.between(cutover.since(), cutover.until()))
          .isLessThan(Duration.ofSeconds(60));
      Bindings.awaitHealthy(team, Team.SECRET);
    }
  }

  private static boolean moving(Deployment deployment) {
    return Scene.annotation(deployment) != null && !Rollout.rolledOut(deployment);
  }

  @ConcurrentTest
  void withoutOverlapNothingGoesBackToAValueThatHasEnded() {
    Scene scene = withoutOverlap("forward", ACKNOWLEDGED, Scene.client(1));
    Team team = scene.team();
    Team.Login second = scene.rotateToUnknownLogin();

    scene.awaitBlocked(2, "PromotionFailed");
    assertThat(scene.condition(2, "Blocked").message()).contains("nothing goes back to it");
    scene.abort(2);
    team.await(
        "the abort is seen",
        () ->
            team.rotation(2)
                .getMetadata()
                .getGeneration()
                .equals(team.rotation(2).getStatus().observedGeneration()));
    scene.stillIn(2, Stage.Promoting);
    assertThat(team.holds(Team.SECRET, second)).isTrue();
    assertThat(scene.annotation(Scene.APP)).startsWith("v2-");

    SharedWorld.postgres().createLogin(second.user(), second.password());

    scene.assertPromoted(2, second);
  }

  @ConcurrentTest
  void withoutOverlapAWrongValueIsLeftForARightOne() {
    Scene scene = withoutOverlap("leave", ACKNOWLEDGED, Scene.client(1));
    Team team = scene.team();
    scene.rotateToWrongPassword();
    scene.awaitBlocked(2, "PromotionFailed");
    Team.Login third = overwrite(scene);

    scene.run("delete", "secretrotation", "payments-db-2", "--timeout=50s");

    scene.assertPromoted(3, third);
    team.awaitRolledOut(Scene.APP);
    assertThat(scene.runsOn(third)).isTrue();
  }
}
