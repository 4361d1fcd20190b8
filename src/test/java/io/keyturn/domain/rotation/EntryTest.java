package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Finding;
import io.keyturn.domain.rotation.Observation.Source;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What a rotation waits for that it finds in the cluster, and what it writes down as it begins. */
class EntryTest {

  private static Condition blocked(Scene scene) {
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Pending);
    assertThat(scene.effects).isEmpty();
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));
    return scene.journal.conditions().stream()
        .filter(c -> c.type().equals(Conditions.BLOCKED))
        .findFirst()
        .orElseThrow();
  }

  private static boolean stalled(Scene scene) {
    return scene.journal.conditions().stream().anyMatch(c -> c.type().equals(Conditions.STALLED));
  }

  private static void emergency(Scene scene) {
    scene.trigger = Trigger.Compromise;
    scene.reportedAt = Scene.START;
  }

  @Test
  void aSourceThatHasNothing() {
    Scene scene = Scene.of("a");
    scene.source = new Source.Unavailable(Reasons.SOURCE_EMPTY, "It is empty.");
    assertThat(blocked(scene).message()).isEqualTo("It is empty.");
    assertThat(stalled(scene)).isFalse();

    scene.source = new Source.Fresh(true);
    scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @Test
  void theFirstVersion() {
    Scene scene = Scene.of("a");
    scene.delivered = false;
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.DELIVERING);
  }

  @Test
  void aWorkloadThatIsRollingOutAlready() {
    Scene scene = Scene.of("a");
    scene.service("a").unsettled = "its rollout is not complete";
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.WORKLOAD_UNSTABLE);
    assertThat(blocked(scene).message()).isEqualTo("Waits for a: its rollout is not complete.");

    Scene emergency = Scene.of("a");
    emergency.service("a").unsettled = "its rollout is not complete";
    emergency(emergency);
    emergency.until(Stage.Promoting);

    Scene cutover = Scene.of("a").policy("cutover: {acknowledgeOutage: true}");
    cutover.service("a").unsettled = "its rollout is not complete";
    cutover.overlap = Overlap.None;
    cutover.until(Stage.Promoting);
  }

  @Test
  void anAnnotationOfSomebodyElseEvenInAnEmergency() {
    Scene scene = Scene.of("a");
    scene.service("a").owner = "argocd";
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.FIELD_CONFLICT);
    assertThat(blocked(scene).message())
        .startsWith("argocd owns the annotation version.keyturn.io/payments-db");
    assertThat(stalled(scene)).isTrue();

    emergency(scene);
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.FIELD_CONFLICT);
  }

  @Test
  void ofSeveralReasonsAlwaysTheSame() {
    Scene scene = Scene.of("b", "a");
    scene.service("a").unsettled = "its rollout is not complete";
    scene.service("b").unsettled = "it is paused";

    assertThat(blocked(scene).message()).isEqualTo("Waits for a: its rollout is not complete.");
  }

  @Test
  void inAnEmergencyANewValueAndNothingElse() {
    Scene scene = Scene.of("a");
    emergency(scene);
    scene.source = new Source.Current();
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.SOURCE_UNCHANGED);
    assertThat(blocked(scene).message()).contains("Version 6 was reported compromised");
    assertThat(stalled(scene)).isTrue();
  }

  @Test
  void withoutAnEmergencyAValueThatIsCurrentAgainEndsIt() {
    Scene scene = Scene.of("a");
    scene.source = new Source.Current();

    assertThat(scene.until(Stage.Superseded).effects).isEmpty();
  }

  @Test
  void itsPlanIsWrittenDownBeforeAnythingIsDone() {
    Scene scene = Scene.of("a", "b").policy("promotion: {maxParallel: 7}");
    scene.service("b").obstacle = "its strategy is Recreate";
    Plan plan = scene.step();

    assertThat(plan.effect()).isEmpty();
    assertThat(plan.findings())
        .containsExactly(
            Finding.normal(Reasons.ROTATION_STARTED, "Version 7 is to follow version 6."));
    assertThat(scene.journal.from().version()).isEqualTo(6);
    assertThat(scene.journal.to().version()).isEqualTo(7);
    assertThat(scene.journal.to().snapshot()).isNull();
    assertThat(scene.journal.policy().promotion().maxParallel()).isEqualTo(7);
    assertThat(scene.journal.timeline().startedAt()).isEqualTo(scene.now);
    assertThat(scene.journal.workloads())
        .extracting(WorkloadProgress::message)
        .containsExactly(null, "No canary: its strategy is Recreate.");
    assertThat(scene.journal.workloads())
        .extracting(WorkloadProgress::previousAnnotation)
        .containsOnly("v6-00000006");

    scene.policy("promotion: {maxParallel: 1}").until(Stage.Complete);
    assertThat(scene.journal.policy().promotion().maxParallel())
        .as("edits act on the next one")
        .isEqualTo(7);
  }

  @Test
  void whatAPersonMadeIsNotEvenTakenBack() {
    Scene scene = Scene.of("a");
    scene.foreign = true;
    scene.abort = true;
    scene.settle().after(Duration.ofDays(1)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Pending);
    assertThat(scene.effects).isEmpty();
  }

  @Test
  void aRecordThatHasEndedIsReleasedOnceAndRestsThen() {
    Scene scene = Scene.of("a").until(Stage.Complete).settle();
    assertThat(scene.did()).containsOnlyOnce("release");

    Plan plan = scene.step();
    assertThat(plan.effect()).isEmpty();
    assertThat(plan.wakeAt()).isEmpty();
  }

  @Test
  void aDeletedRecordLooksSoonWhetherItsBindingRemembersIt() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    scene.deleted = true;
    scene.noted = false;
    scene.until(Stage.Aborted).settle();

    assertThat(scene.step().wakeAt()).contains(scene.now.plusSeconds(1));
  }

  @Test
  void aCanaryThatStartsLateIsStopped() {
    Scene scene = Scene.of("a").until(Stage.Retiring).settle();
    scene.service("a").cloneHash = "base";
    scene.settle();
    assertThat(scene.service("a").cloneHash).isNull();

    scene.until(Stage.Complete);
    scene.service("a").cloneHash = "base";
    scene.settle();
    assertThat(scene.service("a").cloneHash).isNull();

    scene.service("a").cloneHash = "base";
    scene.namespaceGone = true;
    scene.settle();
    assertThat(scene.service("a").cloneHash).as("nothing is written there").isNotNull();
  }
}
