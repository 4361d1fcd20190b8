package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.workload.deployment.Rollout;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** How workloads move to a version, and back where one does not become stable on it. */
class PromotionIT {

  @ConcurrentTest
  void ofFourDeploymentsNeverMoreThanTwoRollAtOnce() {
    String two =
        "{canary: {bake: 1s, deadline: 60s}, promotion: {maxParallel: 2}, retirement: {grace: 1s}}";
    Scene scene =
        Scene.of(
            "parallel",
            two,
            Scene.client("d", 2, "ready-after: 1s"),
            Scene.idle("c", 2, "ready-after: 1s"),
            Scene.idle("b", 1, "ready-after: 1s"),
            Scene.client("a", 1, "ready-after: 1s"));
    Team team = scene.team();
    try (History<Deployment> deployments = scene.historyOfWorkloads()) {
      Team.Login second = scene.rotate();

      scene.assertPromoted(2, second);
      for (String name : List.of("a", "b", "c", "d")) {
        team.awaitRolledOut(name);
        assertThat(scene.annotation(name)).startsWith("v2-");
      }
      List<Long> rolling =
          deployments.moments(all -> all.stream().filter(d -> !Rollout.rolledOut(d)).count());
      assertThat(rolling).contains(2L).allMatch(n -> n <= 2);
      assertThat(orderOfAnnotations(deployments, "v2-"))
          .as("the order of spec.workloads")
          .containsExactly("d", "c", "b", "a");
      assertThat(team.rotation(2).getStatus().workloads())
          .extracting(WorkloadProgress::name)
          .containsExactly("d", "c", "b", "a");
      assertThat(team.rotation(2).getStatus().progress()).isEqualTo("4/4");
      assertThat(team.refused()).isZero();
    }
  }

  @ConcurrentTest
  void aPromotionThatFailsIsTakenBackInReverseOrder() {
    Scene scene =
        Scene.of(
            "back",
            Scene.noCanary("{maxParallel: 1, stableTimeout: 6s}"),
            Scene.idle("first", 1),
            Scene.client("second", 2),
            Scene.idle("third", 1));
    Team team = scene.team();
    Set<String> third = uidsOf(team, "third");
    Set<String> second = uidsOf(team, "second");
    try (History<Deployment> deployments = scene.historyOfWorkloads()) {
      Team.Login wrong = scene.rotateToWrongPassword();

      team.awaitStage(2, Stage.Failed);
      scene.assertCondition(2, "Succeeded", Status.False, "PromotionFailed");
      scene.assertCondition(2, "RolledBack", Status.True, "PromotionFailed");
      scene.assertCondition(2, "Promoted", Status.False, "PromotionFailed");
      assertThat(scene.condition(2, "RolledBack").message()).contains("second").contains("6s");
      assertThat(states(scene))
          .isEqualTo(
              Map.of(
                  "first", WorkloadState.RolledBack,
                  "second", WorkloadState.RolledBack,
                  "third", WorkloadState.Waiting));
      assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
      assertThat(scene.snapshots(2)).isEmpty();
      assertThat(orderOfAnnotations(deployments, "v2-")).containsExactly("first", "second");
      assertThat(orderOfReturns(deployments)).containsExactly("second", "first");
      for (String name : List.of("first", "second", "third")) {
        team.awaitRolledOut(name);
        assertThat(scene.annotation(name)).isNull();
      }
      assertThat(uidsOf(team, "third")).isEqualTo(third);
      assertThat(uidsOf(team, "second")).as("those that served all the time").isEqualTo(second);
      assertThat(scene.refusedTo(second)).isZero();
      assertThat(
              scene
                  .kubelet()
                  .anyPodStartedWith(
                      scene.namespace(), p -> third.contains(p.uid()), wrong.password()))
          .isFalse();
      assertThat(team.binding().getStatus().current().version()).isEqualTo(1);
      scene.awaitCondition("RotationHealthy", Status.False, "RetriesExhausted");
      scene.awaitCondition("Ready", Status.True, "Ready");
    }
  }

  @ConcurrentTest
  void aPromotionThatFailsWaitsForAPersonWhereThePolicySaysPause() {
    Scene scene =
        Scene.of("pause", Scene.noCanary("{stableTimeout: 5s, onFailure: Pause}"), Scene.client(2));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    scene.rotateToWrongPassword();

    scene.awaitBlocked(2, "PromotionFailed");
    scene.assertCondition(2, "Stalled", Status.True, "PromotionFailed");
    assertThat(team.rotation(2).getStatus().stage()).isEqualTo(Stage.Promoting);
    assertThat(scene.annotation(Scene.APP)).startsWith("v2-");

    scene.abort(2);

    team.awaitStage(2, Stage.Aborted);
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    assertThat(scene.annotation(Scene.APP)).isNull();
    assertThat(scene.snapshots(2)).isEmpty();
    team.awaitRolledOut(Scene.APP);
    assertThat(scene.stableUids()).isEqualTo(before);
    assertThat(scene.refusedTo(before)).isZero();
  }

  @ConcurrentTest
  void aRolloutThatAPersonUndoesIsNotFoughtOverAndEndsWhenTheyAbort() {
    Scene scene =
        Scene.of("undo", Scene.noCanary("{stableTimeout: 5m}"), Scene.client(3, "ready-after: 4s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    try (History<Deployment> deployments = scene.historyOfWorkloads()) {
      scene.rotate();
      team.await(
          "the rollout has begun",
          () -> scene.annotation(Scene.APP) != null && team.stablePods().size() == 4);

      scene.run("rollout", "undo", "deployment/payments");

      scene.awaitBlocked(2, "FieldConflict");
      scene.awaitCondition("FieldConflict", Status.True, "FieldConflict");
      scene.assertCondition(2, "Stalled", Status.True, "FieldConflict");
      assertThat(scene.condition(2, "Blocked").message()).contains("spec.abort");
      // Something else happens to it: it is looked at once more, and left alone once more.
      scene.run("label", "deployment/payments", "looked=again");
      team.awaitRolledOut(Scene.APP);
      assertThat(team.rotation(2).getStatus().stage()).isEqualTo(Stage.Promoting);

      scene.abort(2);

      team.awaitStage(2, Stage.Aborted);
      scene.awaitCondition("FieldConflict", Status.False, "NoConflict");
      assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
      assertThat(scene.snapshots(2)).isEmpty();
      assertThat(deployments.changesOf(d -> Scene.annotation(d) != null))
          .as("annotated, undone, and never annotated again")
          .containsExactly(false, true, false);
      team.awaitRolledOut(Scene.APP);
      assertThat(scene.stableUids()).isEqualTo(before);
      assertThat(team.refused()).isZero();
    }
  }

  @ConcurrentTest
  void aRolloutThatAPersonUndoesGoesOnWhenTheyPutTheAnnotationBack() {
    Scene scene =
        Scene.of("redo", Scene.noCanary("{stableTimeout: 5m}"), Scene.client(2, "ready-after: 3s"));
    Team team = scene.team();
    Team.Login second = scene.rotate();
    team.await(
        "the rollout has begun",
        () -> scene.annotation(Scene.APP) != null && team.stablePods().size() == 3);
    String version = scene.annotation(Scene.APP);
    scene.run("rollout", "undo", "deployment/payments");
    scene.awaitBlocked(2, "FieldConflict");

    scene.patch(
        "deployment",
        Scene.APP,
        "spec: {template: {metadata: {annotations: {version.keyturn.io/payments-db: %s}}}}",
        version);

    scene.assertPromoted(2, second);
    team.awaitRolledOut(Scene.APP);
    assertThat(team.refused()).isZero();
  }

  private static Map<String, WorkloadState> states(Scene scene) {
    return scene.team().rotation(2).getStatus().workloads().stream()
        .collect(Collectors.toMap(WorkloadProgress::name, WorkloadProgress::state));
  }

  private static Set<String> uidsOf(Team team, String app) {
    return Scene.uids(
        team.stablePods().stream()
            .filter(p -> app.equals(p.getMetadata().getLabels().get("app")))
            .toList());
  }

  /** The workloads as they got an annotation that begins so. */
  private static List<String> orderOfAnnotations(History<Deployment> history, String prefix) {
    return history.states().stream()
        .filter(d -> Scene.annotation(d) != null && Scene.annotation(d).startsWith(prefix))
        .map(d -> d.getMetadata().getName())
        .distinct()
        .toList();
  }

  /** The workloads as they lost the annotation that they had. */
  private static List<String> orderOfReturns(History<Deployment> history) {
    List<String> annotated = orderOfAnnotations(history, "v2-");
    List<Deployment> states = history.states();
    return java.util.stream.IntStream.range(0, states.size())
        .filter(i -> Scene.annotation(states.get(i)) == null)
        .filter(i -> {
          String name = states.get(i).getMetadata().getName();
          return states.subList(0, i).stream()
              .anyMatch(d -> d.getMetadata().getName().equals(name) && Scene.annotation(d) != null);
        })
        .mapToObj(i -> states.get(i).getMetadata().getName())
        .distinct()
        .filter(annotated::contains)
        .toList();
  }
}
