package io.keyturn.cluster;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import java.time.Duration;
import java.util.Base64;
import java.util.Set;

/** What a canary says of a value, and what happens to its workload meanwhile. */
class CanaryIT {

  @ConcurrentTest
  void aSlowCanaryHasItsTimeAndPasses() {
    Scene scene = Scene.of("slow", 1, Scene.policy("1s"), "ready-after: 3s");
    Team.Login second = scene.rotate();

    scene.assertPromoted(2, second);
    var timeline = scene.team().rotation(2).getStatus().timeline();
    // Times are whole seconds.
    assertThat(Duration.between(timeline.stagedAt(), timeline.canaryReadyAt()))
        .isGreaterThanOrEqualTo(Duration.ofSeconds(2));
    assertThat(scene.team().refused()).isZero();
  }

  @ConcurrentTest
  void aValueWithoutAKeyThatThePodsNeedExceedsTheDeadlineAndTheReasonIsSaid() {
    Scene scene =
        Scene.of(
            "lacking",
            1,
            "{canary: {bake: 1s, deadline: 6s}, retirement: {grace: 1s}, retry: {maxAttempts: 1}}");
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login second = team.newLogin();
    scene.run(
        "patch",
        "secret",
        Team.UPSTREAM,
        "--type=json",
        "-p",
        "[{op: remove, path: /data/username}, {op: replace, path: /data/password, value: %s}]"
            .formatted(Base64.getEncoder().encodeToString(second.password().getBytes(UTF_8))));

    team.awaitStage(2, Stage.Failed);
    scene.assertRejected(2, second, before);
    scene.assertCondition(2, "RolledBack", Status.True, "CanaryDeadlineExceeded");
    assertThat(scene.condition(2, "RolledBack").message()).contains("CreateContainerConfigError");
    scene.awaitCondition("RotationHealthy", Status.False, "RetriesExhausted");
  }

  @ConcurrentTest
  void aValueThatFailsOnlyInTheBakeIsRejectedBeforeAnybodyElseSeesIt() {
    Scene scene = Scene.of("late", 2, Scene.policy("8s"), "login-after: 4s");
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login wrong = scene.rotateToWrongPassword();

    team.awaitStage(2, Stage.Baking);
    assertThat(team.refused()).isZero();
    scene.stillIn(2, Stage.Baking);

    team.awaitStage(2, Stage.Failed);
    scene.assertRejected(2, wrong, before);
    scene.assertCondition(2, "CanaryVerified", Status.False, "CanaryFailed");
    assertThat(team.rotation(2).getStatus().timeline().canaryReadyAt()).isNotNull();
    assertThat(team.rotation(2).getStatus().timeline().verifiedAt()).isNull();
    assertThat(team.refused()).isPositive();
  }

  @ConcurrentTest
  void aCanaryThatRestartsInTheBakeFails() {
    Scene scene = Scene.of("restart", 2, Scene.policy("20s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Baking);

    scene
        .kubelet()
        .restartContainer(scene.namespace(), scene.canaryPods().getFirst().getMetadata().getName());

    team.awaitStage(2, Stage.Failed);
    scene.assertRejected(2, second, before);
    scene.assertCondition(2, "Succeeded", Status.False, "CanaryFailed");
    assertThat(scene.condition(2, "Succeeded").message()).contains("restarted");
    assertThat(team.refused()).isZero();
    team.await("an event of the binding tells which Deployment it is about", () -> toldOf(team));
  }

  private static boolean toldOf(Team team) {
    return team
        .client()
        .events()
        .v1()
        .events()
        .inNamespace(team.namespace())
        .list()
        .getItems()
        .stream()
        .filter(e -> e.getReason().equals("CanaryFailed"))
        .filter(e -> e.getRegarding().getKind().equals("SecretBinding"))
        .anyMatch(e -> e.getRelated() != null && e.getRelated().getName().equals(Scene.APP));
  }

  @ConcurrentTest
  void aCanaryThatCrashesIsRejectedBeforeItsDeadline() {
    Scene scene = Scene.of("crash", Scene.policy("20s"), Scene.idle(Scene.APP, 1));
    Team team = scene.team();
    scene.rotate();
    team.awaitStage(2, Stage.Baking);
    scene.run("set", "image", "deployment/payments", "app=hollow/crash");

    team.awaitStage(2, Stage.Failed);

    scene.assertCondition(2, "Succeeded", Status.False, "CanaryFailed");
    assertThat(scene.condition(2, "Succeeded").message()).contains("crashes");
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    scene.awaitNoCanary();
  }

  @ConcurrentTest
  void aCanaryPodThatIsDrainedSaysNothingAndIsMadeAnew() {
    Scene scene = Scene.of("drain", 2, Scene.policy("4s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Baking);
    Pod canary = scene.canaryPods().getFirst();

    team.client().resource(canary).delete();

    team.await(
        "the canary is made anew",
        () ->
            scene.canaryPods().stream()
                .anyMatch(p -> !p.getMetadata().getUid().equals(canary.getMetadata().getUid())));
    assertThat(scene.stableUids()).isEqualTo(before);
    assertThat(scene.seenOutsideCanary(second)).isFalse();
    scene.assertPromoted(2, second);
    assertThat(team.rotation(2).getStatus().rebuilds()).isEqualTo(1);
    assertThat(team.events()).anyMatch(e -> e.startsWith("CanaryRebuilt: "));
    var timeline = team.rotation(2).getStatus().timeline();
    assertThat(timeline.verifiedAt())
        .isAfterOrEqualTo(timeline.canaryReadyAt().plus(Duration.ofSeconds(4)));
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aDeploymentThatIsEditedDuringTheCanaryIsTriedAnewAsItIsNow() {
    Scene scene = Scene.of("edit", 2, Scene.policy("4s"));
    Team team = scene.team();
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Baking);
    Set<String> canaries = Scene.uids(scene.canaryPods());

    scene.run("set", "env", "deployment/payments", "FEATURE=on");

    team.await(
        "the canary runs on the new template",
        () ->
            scene.canaryPods().stream()
                .filter(p -> !canaries.contains(p.getMetadata().getUid()))
                .anyMatch(p -> feature(p).equals("on")));
    assertThat(scene.seenOutsideCanary(second)).isFalse();
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    scene.assertPromoted(2, second);
    team.awaitRolledOut(Scene.APP);
    assertThat(team.rotation(2).getStatus().rebuilds()).isEqualTo(1);
    assertThat(team.stablePods()).hasSize(2).allMatch(p -> feature(p).equals("on"));
    assertThat(team.refused()).isZero();
  }

  private static String feature(Pod pod) {
    return pod.getSpec().getContainers().getFirst().getEnv().stream()
        .filter(e -> e.getName().equals("FEATURE"))
        .map(EnvVar::getValue)
        .findFirst()
        .orElse("");
  }

  @ConcurrentTest
  void aDeploymentThatIsEditedAgainAndAgainIsNotTriedForEver() {
    Scene scene = Scene.of("restless", Scene.policy("30s"), Scene.idle(Scene.APP, 1));
    Team team = scene.team();
    scene.rotate();
    team.awaitStage(2, Stage.Baking);
    for (int edit = 1; edit <= 3; edit++) {
      int seen = edit;
      scene.run("set", "env", "deployment/payments", "EDIT=" + edit);
      team.await(
          "edit " + edit + " is noticed",
          () -> team.rotation(2) != null && team.rotation(2).getStatus().rebuilds() == seen);
    }
    scene.run("set", "env", "deployment/payments", "EDIT=4");

    team.awaitStage(2, Stage.Failed);

    scene.assertCondition(2, "Succeeded", Status.False, "CanaryUnsettled");
    scene.awaitNoCanary();
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
  }

  @ConcurrentTest
  void aRotationGoesOnWithoutADeploymentThatIsDeletedDuringTheCanary() {
    Scene scene = Scene.of("gone", Scene.policy("4s"), Scene.client(2), Scene.client("ledger", 1));
    Team team = scene.team();
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Baking);
    assertThat(scene.clones()).hasSize(2);

    scene.run("delete", "deployment", "ledger", "--wait=false");

    team.awaitStage(2, Stage.Complete);
    scene.awaitNoCanary();
    assertThat(team.holds(Team.SECRET, second)).isTrue();
    scene.assertCondition(2, "Succeeded", Status.True, "Complete");
    scene.awaitCondition("Ready", Status.False, "WorkloadNotFound");
    assertThat(state(scene, "ledger")).isEqualTo(WorkloadState.Gone);
    assertThat(state(scene, Scene.APP)).isEqualTo(WorkloadState.Promoted);
    assertThat(team.rotation(2).getStatus().progress()).isEqualTo("1/1");
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aRotationWhoseOnlyDeploymentIsDeletedMovesTheSecretAlone() {
    Scene scene = Scene.of("alone", 1, Scene.policy("3s"));
    Team team = scene.team();
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Baking);

    scene.run("delete", "deployment", "payments", "--wait=false");

    team.awaitStage(2, Stage.Complete);
    scene.awaitNoCanary();
    assertThat(team.holds(Team.SECRET, second)).isTrue();
    scene.awaitCondition("Ready", Status.False, "WorkloadNotFound");
  }

  @ConcurrentTest
  void aDeploymentThatIsScaledToZeroDuringTheCanaryFindsTheNewValueWhenItComesBack() {
    Scene scene = Scene.of("zero", 2, Scene.policy("3s"));
    Team team = scene.team();
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Baking);

    scene.run("scale", "deployment/payments", "--replicas=0");

    scene.assertPromoted(2, second);
    assertThat(state(scene, Scene.APP)).isEqualTo(WorkloadState.ScaledToZero);
    assertThat(scene.annotation(Scene.APP)).isNull();
    assertThat(scene.seenOutsideCanary(second)).isFalse();

    scene.run("scale", "deployment/payments", "--replicas=2");

    team.awaitRolledOut(Scene.APP);
    assertThat(scene.seenOutsideCanary(second)).isTrue();
    assertThat(team.refused()).isZero();
  }

  private static WorkloadState state(Scene scene, String workload) {
    return scene.team().rotation(2).getStatus().workloads().stream()
        .filter(w -> w.name().equals(workload))
        .findFirst()
        .orElseThrow()
        .state();
  }
}
