package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretRotationStatus.Cutover;
import io.keyturn.api.v1alpha1.Stage;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** A source whose old value ends with the new one. */
class CutoverTest {

  private static Scene withoutOverlap(String policy, String... names) {
    Scene scene = Scene.of(names).policy(policy);
    scene.overlap = Overlap.None;
    return scene;
  }

  @Test
  void itIsRefusedUntilSomebodyAcceptsTheOutage() {
    Scene scene = withoutOverlap("", "api");
    scene.settle();

    assertThat(scene.stage()).isEqualTo(Stage.Pending);
    assertThat(scene.journal.conditions())
        .anyMatch(c ->
            c.type().equals(Conditions.STALLED) && c.reason().equals(Reasons.OVERLAP_REQUIRED));
    scene.policy("cutover: {acknowledgeOutage: true}").step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @Test
  void allWorkloadsMoveInOneBurstWithoutACanaryAndTheOutageIsMeasured() {
    Scene scene =
        withoutOverlap(
            "{cutover: {acknowledgeOutage: true}, promotion: {maxParallel: 1, pauseBetweenWaves:"
                + " 1h}}",
            "a",
            "b");
    scene.service("b").wave = 1;
    scene.until(Stage.Retiring);

    assertThat(scene.did())
        .containsExactly(
            "create snapshot",
            "alias " + Scene.TO_ID,
            "annotate a " + Scene.TO_ID,
            "annotate b " + Scene.TO_ID);
    Cutover cutover = scene.journal.cutover();
    assertThat(cutover.since()).isEqualTo(Scene.START);
    assertThat(cutover.until()).isEqualTo(scene.now);
    assertThat(cutover.outage())
        .isEqualTo(Duration.between(Scene.START, scene.now).toSeconds() + "s");
  }

  @Test
  void nothingGoesBackToAValueThatHasEnded() {
    Scene scene = withoutOverlap("cutover: {acknowledgeOutage: true}", "api");
    scene.service("api").stuck = "its pods crash";
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(5)).settle();
    scene.abort = true;
    scene.after(Duration.ofHours(1)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Promoting);
    scene.service("api").stuck = null;
    scene.until(Stage.Complete);
  }

  @Test
  void whatIsAdmittedAsACutoverStaysOneWhenTheBindingIsEdited() {
    Scene scene = withoutOverlap("cutover: {acknowledgeOutage: true}", "api");
    scene.until(Stage.Promoting);
    scene.overlap = Overlap.Full;
    scene.abort = true;

    scene.until(Stage.Complete);
  }
}
