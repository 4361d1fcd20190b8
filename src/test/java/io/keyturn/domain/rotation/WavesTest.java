package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.Stage;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** In which order workloads follow, and what is proven for whom. */
class WavesTest {

  private static Scene fiveWaves(String policy) {
    Scene scene = Scene.of("w0", "w1", "w2", "w3", "w4").policy(policy);
    for (int i = 0; i < 5; i++) {
      scene.service("w" + i).wave = i;
    }
    return scene;
  }

  /** Plays until a workload crashes on the version. */
  private static void crash(Scene scene, String name) {
    scene.service(name).rollsOut = false;
    aliasMoved(scene).settle();
    assertThat(annotations(scene)).last().asString().startsWith("annotate " + name);
    scene.service(name).stuck = "its pods crash";
  }

  /** No kubelet serves the value before any more. */
  private static Scene aliasMoved(Scene scene) {
    return scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3));
  }

  private static List<String> annotations(Scene scene) {
    return scene.did().stream().filter(d -> d.startsWith("annotate")).toList();
  }

  private static String rolledBackBecause(Scene scene) {
    return scene.journal.conditions().stream()
        .filter(c -> c.type().equals(Conditions.ROLLED_BACK))
        .findFirst()
        .orElseThrow()
        .reason();
  }

  @Test
  void aWaveFollowsOnceEachOfTheLowerOnesIsThere() {
    Scene scene = fiveWaves("");
    scene.service("w1").rollsOut = false;
    aliasMoved(scene).settle();
    assertThat(annotations(scene)).hasSize(2).last().asString().startsWith("annotate w1 ");

    scene.service("w1").rollsOut = true;
    scene.until(Stage.Complete);
    assertThat(annotations(scene))
        .extracting(a -> a.substring(9, 11))
        .containsExactly("w0", "w1", "w2", "w3", "w4");
  }

  @Test
  void theOrderIsThatOfTheWavesAndNotOfTheSpec() {
    Scene scene = Scene.of("last", "first").policy("canary: {strategy: None}");
    scene.service("last").wave = 7;
    scene.until(Stage.Complete);

    assertThat(annotations(scene))
        .containsExactly("annotate first " + Scene.TO_ID, "annotate last " + Scene.TO_ID);
    assertThat(scene.journal.workloads()).extracting(WorkloadProgress::wave).containsExactly(0, 7);
  }

  @Test
  void aPauseBetweenWavesLastsAsLongAsThePolicySays() {
    Scene scene = fiveWaves("{canary: {strategy: None}, promotion: {pauseBetweenWaves: 10m}}");
    aliasMoved(scene).settle();
    assertThat(annotations(scene)).hasSize(1);
    assertThat(scene.journal.message()).startsWith("Wave 1 begins at ");

    scene.after(Duration.ofSeconds(590)).settle();
    assertThat(annotations(scene)).hasSize(1);
    scene.after(Duration.ofSeconds(15)).settle();
    assertThat(annotations(scene)).hasSize(2);
    scene.until(Stage.Complete);
  }

  @Test
  void whatFailsInTheFourthWaveGoesBackInReverseAndTheCandidateLast() {
    Scene scene = fiveWaves("canary: {strategy: None}");
    crash(scene, "w3");
    scene.until(Stage.RollingBack);
    scene.service("w3").rollsOut = true;
    scene.service("w3").stuck = null;
    int before = scene.did().size();
    scene.until(Stage.Failed);

    assertThat(scene.did().subList(before, scene.did().size()))
        .containsExactly(
            "alias v6-00000006",
            "annotate w3 v6-00000006",
            "annotate w2 v6-00000006",
            "annotate w1 v6-00000006",
            "annotate w0 v6-00000006",
            "delete snapshot");
  }

  @Test
  void aPausedPromotionGoesOnWhenTheWorkloadIsStable() {
    Scene scene = fiveWaves("{canary: {strategy: None}, promotion: {onFailure: Pause}}");
    crash(scene, "w2");
    scene.settle();
    assertThat(annotations(scene)).hasSize(3);
    assertThat(scene.journal.conditions())
        .anyMatch(c ->
            c.type().equals(Conditions.STALLED) && c.reason().equals(Reasons.PROMOTION_FAILED));

    scene.service("w2").stuck = null;
    scene.service("w2").rollsOut = true;
    scene.until(Stage.Complete);
    assertThat(annotations(scene)).hasSize(5);
  }

  @Test
  void theFirstWaveTriesForTheOthers() {
    Scene scene = fiveWaves("").until(Stage.Complete);

    assertThat(scene.did()).contains("start canary of w0").doesNotContain("start canary of w1");
    assertThat(scene.journal.workloads())
        .extracting(WorkloadProgress::proof)
        .containsExactly(
            Proof.PodCanary,
            Proof.WorkloadCanary,
            Proof.WorkloadCanary,
            Proof.WorkloadCanary,
            Proof.WorkloadCanary);
    assertThat(scene.journal.proof()).isEqualTo(Proof.WorkloadCanary);
  }

  @Test
  void whereTheFirstWaveAllowsNoCanaryTheNextOneTries() {
    Scene scene = fiveWaves("");
    scene.service("w0").obstacle = "its strategy is Recreate";
    scene.until(Stage.Complete);

    assertThat(scene.did()).contains("start canary of w1").doesNotContain("start canary of w2");
  }

  @Test
  void allWorkloadsTryWhereThePolicySaysSo() {
    Scene scene = fiveWaves("canary: {scope: AllWorkloads}").until(Stage.Complete);

    assertThat(scene.did()).contains("start canary of w0", "start canary of w4");
    assertThat(scene.journal.proof()).isEqualTo(Proof.PodCanary);
  }

  @Test
  void lessThanTheMinimalProofIsRefusedBeforeAnythingBegins() {
    Scene pod = fiveWaves("canary: {minimumProof: PodCanary}");
    pod.settle();
    assertThat(pod.stage()).isEqualTo(Stage.Pending);
    assertThat(pod.journal.message())
        .startsWith("The policy demands PodCanary as proof, and of the canaries that it needs w1");

    Scene workload = Scene.of("api").policy("canary: {minimumProof: WorkloadCanary}");
    workload.service("api").obstacle = "its strategy is Recreate";
    workload.settle();
    assertThat(workload.stage()).isEqualTo(Stage.Pending);
    workload.service("api").obstacle = null;
    workload.until(Stage.Complete);
  }

  @Test
  void aWorkloadWithoutPodsNeedsNoProof() {
    Scene scene = Scene.of("api", "idle").policy("canary: {minimumProof: PodCanary}");
    scene.service("idle").replicas = 0;

    scene.until(Stage.Complete);
  }

  @Test
  void aWorkloadThatIsReplacedByOneThatCanProveNoMoreTakesItBack() {
    for (String policy :
        List.of("canary: {strategy: Clone}", "canary: {minimumProof: PodCanary}")) {
      Scene scene = Scene.of("api").policy(policy).until(Stage.Baking);
      scene.service("api").uid = "uid-2";
      scene.service("api").obstacle = "its strategy is Recreate";

      scene.until(Stage.Failed);
      assertThat(rolledBackBecause(scene)).isEqualTo(Reasons.CANARY_NOT_POSSIBLE);
      assertThat(annotations(scene)).isEmpty();
    }
  }
}
