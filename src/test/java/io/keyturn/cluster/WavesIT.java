package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.workload.deployment.Rollout;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.extension.ExtendWith;

/** In which order workloads follow a version, and on whose proof. */
@ExtendWith(HeldInvariants.class)
class WavesIT {

  private static final List<String> IN_ORDER = List.of("first", "second", "third");

  /** Three Deployments that follow each other, listed in another order. */
  private static Scene three(String name, String policy) {
    return Scene.of(
        name,
        policy,
        Scene.idle("third", 1).inWave(7),
        Scene.client("first", 1),
        Scene.client("second", 2).inWave(3));
  }

  @ConcurrentTest
  void aWaveFollowsWhenEachWorkloadOfTheOneBeforeHasMovedAndThePauseIsOver() {
    Scene scene = three("order", Scene.noCanary("{pauseBetweenWaves: 3s}"));
    Team team = scene.team();
    try (History<Deployment> deployments = scene.historyOfWorkloads()) {
      Team.Login second = scene.rotate();
      team.await(
          "it says when the next wave begins",
          () ->
              team.rotation(2) != null
                  && Objects.toString(team.rotation(2).getStatus().message())
                      .startsWith("Wave 3 begins at "));

      scene.assertPromoted(2, second);

      assertThat(annotated(deployments)).containsExactlyElementsOf(IN_ORDER);
      assertThat(deployments.moments(WavesIT::inOrder)).doesNotContain(false);
      Map<String, WorkloadProgress> progress = progress(scene);
      for (int wave = 1; wave < IN_ORDER.size(); wave++) {
        Instant before = progress.get(IN_ORDER.get(wave - 1)).promotedAt();
        assertThat(newestPod(team, IN_ORDER.get(wave)))
            .isAfterOrEqualTo(before.plus(Duration.ofSeconds(3)));
      }
      assertThat(progress.values()).extracting(WorkloadProgress::wave).contains(0, 3, 7);
      assertThat(team.refused()).isZero();
    }
  }

  /** Whether each workload that has begun to move comes after workloads that have moved. */
  private static boolean inOrder(List<Deployment> all) {
    Map<String, Deployment> byName =
        all.stream().collect(Collectors.toMap(d -> d.getMetadata().getName(), d -> d));
    for (int wave = 1; wave < IN_ORDER.size(); wave++) {
      Deployment before = byName.get(IN_ORDER.get(wave - 1));
      Deployment next = byName.get(IN_ORDER.get(wave));
      boolean begun = next != null && Scene.annotation(next) != null;
      if (begun && (Scene.annotation(before) == null || !Rollout.rolledOut(before))) {
        return false;
      }
    }
    return true;
  }

  private static Instant newestPod(Team team, String app) {
    return team.stablePods().stream()
        .filter(p -> app.equals(p.getMetadata().getLabels().get("app")))
        .map(p -> Instant.parse(p.getMetadata().getCreationTimestamp()))
        .max(Instant::compareTo)
        .orElseThrow();
  }

  @ConcurrentTest
  void aFailureInALaterWaveTakesTheEarlierOnesBackAndTheSnapshotGoesLast() {
    Scene scene =
        Scene.of(
            "later",
            Scene.noCanary("{stableTimeout: 5s}"),
            Scene.idle("first", 1),
            Scene.idle("second", 1).inWave(1),
            Scene.client("third", 1).inWave(2),
            Scene.idle("fourth", 1).inWave(3));
    Team team = scene.team();
    try (History<Deployment> deployments = scene.historyOfWorkloads();
        History<Secret> snapshots =
            History.of(
                team.client()
                    .secrets()
                    .inNamespace(scene.namespace())
                    .withLabel(Names.VERSION, "2")
                    .withLabel(Names.NO_BACKUP))) {
      scene.rotateToWrongPassword();

      team.awaitStage(2, Stage.Failed);

      scene.assertCondition(2, "RolledBack", Status.True, "PromotionFailed");
      assertThat(annotated(deployments)).containsExactly("first", "second", "third");
      Map<String, Long> returned = returns(deployments);
      assertThat(returned.get("third")).isLessThan(returned.get("second"));
      assertThat(returned.get("second")).isLessThan(returned.get("first"));
      assertThat(snapshots.deletions()).hasSize(1);
      assertThat(revision(snapshots.deletions().getFirst())).isGreaterThan(returned.get("first"));
      assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
      for (String name : List.of("first", "second", "third", "fourth")) {
        team.awaitRolledOut(name);
        assertThat(scene.annotation(name)).isNull();
      }
    }
  }

  /** When each workload lost the annotation that it had, in the order of the API server. */
  private static Map<String, Long> returns(History<Deployment> deployments) {
    return annotated(deployments).stream()
        .collect(
            Collectors.toMap(
                Function.identity(),
                name ->
                    deployments.states().stream()
                        .filter(d -> d.getMetadata().getName().equals(name))
                        .dropWhile(d -> Scene.annotation(d) == null)
                        .filter(d -> Scene.annotation(d) == null)
                        .map(WavesIT::revision)
                        .findFirst()
                        .orElseThrow()));
  }

  private static long revision(HasMetadata object) {
    return Long.parseLong(object.getMetadata().getResourceVersion());
  }

  @ConcurrentTest
  void aPromotionThatPausesInALaterWaveGoesOnWhenItsWorkloadIsMended() {
    Scene scene = paused("mended");
    Team team = scene.team();
    Team.Login second = scene.rotateToUnknownLogin();
    awaitPaused(scene);

    SharedWorld.postgres().createLogin(second.user(), second.password());

    scene.assertPromoted(2, second);
    for (String name : IN_ORDER) {
      team.awaitRolledOut(name);
      assertThat(scene.annotation(name)).startsWith("v2-");
    }
    assertThat(scene.condition(2, "Blocked")).isNull();
  }

  @ConcurrentTest
  void aPromotionThatPausesInALaterWaveIsTakenBackEverywhereWhenItIsAborted() {
    Scene scene = paused("aborted");
    Team team = scene.team();
    scene.rotateToUnknownLogin();
    awaitPaused(scene);

    scene.abort(2);

    team.awaitStage(2, Stage.Aborted);
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    assertThat(scene.snapshots(2)).isEmpty();
    for (String name : IN_ORDER) {
      team.awaitRolledOut(name);
      assertThat(scene.annotation(name)).isNull();
    }
  }

  private static Scene paused(String name) {
    return Scene.of(
        name,
        Scene.noCanary("{stableTimeout: 10s, onFailure: Pause}"),
        Scene.idle("first", 1),
        Scene.client("second", 1).inWave(1),
        Scene.idle("third", 1).inWave(2));
  }

  private static void awaitPaused(Scene scene) {
    scene.awaitBlocked(2, "PromotionFailed");
    scene.assertCondition(2, "Stalled", Status.True, "PromotionFailed");
    assertThat(scene.annotation("first")).startsWith("v2-");
    assertThat(scene.annotation("second")).startsWith("v2-");
    assertThat(scene.annotation("third")).isNull();
  }

  @ConcurrentTest
  void theCanaryOfTheFirstWaveProvesTheVersionForTheOthers() {
    Scene scene = three("scope", Scene.policy("1s"));
    Team team = scene.team();
    try (History<Deployment> clones = scene.historyOfClones()) {
      Team.Login second = scene.rotate();

      scene.assertPromoted(2, second);

      assertThat(clones.states())
          .extracting(d -> d.getMetadata().getLabels().get(Names.CANARY_FOR))
          .containsOnly("first");
      Map<String, WorkloadProgress> progress = progress(scene);
      assertThat(progress.get("first").proof()).isEqualTo(Proof.PodCanary);
      assertThat(progress.get("second").proof()).isEqualTo(Proof.WorkloadCanary);
      assertThat(progress.get("third").proof()).isEqualTo(Proof.WorkloadCanary);
      assertThat(team.rotation(2).getStatus().proof()).isEqualTo(Proof.WorkloadCanary);
      assertThat(team.refused()).isZero();
    }
  }

  @ConcurrentTest
  void aVersionThatCouldNotBeProvenAsThePolicyDemandsIsNotEvenMade() {
    String demanding =
        "{canary: {bake: 1s, deadline: 60s, minimumProof: PodCanary%s}, retirement: {grace: 1s}}";
    Scene scene = three("proof", demanding.formatted(""));
    Team team = scene.team();
    Team.Login second = scene.rotate();

    scene.awaitBlocked(2, "CanaryNotPossible");

    assertThat(scene.condition(2, "Blocked").message())
        .contains("demands PodCanary")
        .contains("second gets none");
    scene.assertCondition(2, "Stalled", Status.True, "CanaryNotPossible");
    assertThat(scene.snapshots(2)).isEmpty();
    assertThat(scene.seenByAnyone(second)).isFalse();

    scene.changePolicy(demanding.formatted(", scope: AllWorkloads"));

    scene.assertPromoted(2, second);
    assertThat(progress(scene).values())
        .extracting(WorkloadProgress::proof)
        .containsOnly(Proof.PodCanary);
    assertThat(team.refused()).isZero();
  }

  private static Map<String, WorkloadProgress> progress(Scene scene) {
    return scene.team().rotation(2).getStatus().workloads().stream()
        .collect(Collectors.toMap(WorkloadProgress::name, Function.identity()));
  }

  /** The workloads as they got the annotation of the second version. */
  private static List<String> annotated(History<Deployment> history) {
    return history.states().stream()
        .filter(d -> Objects.toString(Scene.annotation(d)).startsWith("v2-"))
        .map(d -> d.getMetadata().getName())
        .distinct()
        .toList();
  }
}
