package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Finding;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** What passes as a canary, and what does not. */
class CanaryTest {

  private static Condition condition(Scene scene, String type) {
    return scene.journal.conditions().stream()
        .filter(c -> c.type().equals(type))
        .findFirst()
        .orElse(null);
  }

  private static String rolledBackBecause(Scene scene) {
    return condition(scene, Conditions.ROLLED_BACK).reason();
  }

  @Test
  void theCanaryIsVerifiedOnlyWhenItsBakeIsOver() {
    Scene scene = Scene.of("a").until(Stage.Canary).settle();
    assertThat(condition(scene, Conditions.CANARY_VERIFIED).status())
        .isEqualTo(Condition.Status.Unknown);
    Plan plan = scene.step();
    assertThat(plan.wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));

    scene.after(Duration.ofMinutes(10)).after(Duration.ofSeconds(-1)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Baking);
    assertThat(scene.journal.timeline().verifiedAt()).isNull();

    scene.after(Duration.ofSeconds(1));
    assertThat(scene.step().findings())
        .extracting(Finding::reason)
        .containsExactly(Reasons.CANARY_PASSED);
    assertThat(condition(scene, Conditions.CANARY_VERIFIED).status())
        .isEqualTo(Condition.Status.True);
    assertThat(scene.journal.timeline().verifiedAt()).isEqualTo(scene.now);
  }

  @Test
  void aBakeThatBeginsWithinASecondIsNotShortenedByItsRest() {
    Scene scene = Scene.of("a");
    scene.now = Scene.START.plusMillis(900);
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Baking);

    scene.after(Duration.ofMinutes(10)).after(Duration.ofMillis(99)).settle();
    assertThat(scene.stage()).as("999 ms more than whole seconds tell").isEqualTo(Stage.Baking);
    scene.after(Duration.ofMillis(1)).step();
    assertThat(scene.stage()).isEqualTo(Stage.Promoting);
  }

  @Test
  void aCanaryThatIsReadyTooLateToBakeIsTakenBackAtItsDeadline() {
    Scene scene = Scene.of("a");
    scene.service("a").cloneReady = false;
    scene.until(Stage.Canary).settle().after(Duration.ofMinutes(25));
    scene.service("a").cloneReady = true;
    scene.until(Stage.Baking);
    Plan plan = scene.after(Duration.ofMinutes(5)).after(Duration.ofSeconds(-2)).step();
    assertThat(plan.wakeAt()).as("the deadline").contains(scene.now.plusSeconds(2));
    assertThat(scene.stage()).isEqualTo(Stage.Baking);

    scene.after(Duration.ofSeconds(2)).step();
    assertThat(rolledBackBecause(scene)).isEqualTo(Reasons.CANARY_DEADLINE_EXCEEDED);
    assertThat(scene.journal.message()).contains("too late to bake 10m within its deadline of 30m");
    assertThat(condition(scene, Conditions.CANARY_VERIFIED).status())
        .isEqualTo(Condition.Status.False);
  }

  @Test
  void eachPodThatThePolicyAsksForHasToBeReady() {
    Scene scene = Scene.of("a").policy("canary: {pods: 2}").until(Stage.Canary).settle();

    assertThat(scene.stage()).as("one of two").isEqualTo(Stage.Canary);
  }

  @Test
  void aPodThatIsOnItsWayOutIsNoCanary() {
    Scene scene = Scene.of("a");
    scene.service("a").terminating = 1;
    scene.until(Stage.Baking);
    scene.service("a").terminating = 2;

    scene.until(Stage.Promoting);
    assertThat(scene.stages).containsOnlyOnce(Stage.Canary);
  }

  @Test
  void oneRestartBeforeItIsReadyIsForgivenAndTwoAreACrash() {
    Scene scene = Scene.of("a");
    scene.service("a").cloneReady = false;
    scene.until(Stage.Canary).settle();
    scene.service("a").restarts = 1;
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Canary);

    scene.service("a").restarts = 2;
    scene.until(Stage.Failed);
    assertThat(rolledBackBecause(scene)).isEqualTo(Reasons.CANARY_FAILED);
    assertThat(condition(scene, Conditions.ROLLED_BACK).message())
        .isEqualTo("The canary of a crashes on version 7.");
  }

  @Test
  void whatACanaryComplainsOfIsSaidWhenItIsTakenBack() {
    Scene scene = Scene.of("a");
    scene.service("a").cloneReady = false;
    scene.service("a").trouble = "its image cannot be pulled";
    scene.until(Stage.Failed);

    assertThat(condition(scene, Conditions.ROLLED_BACK).message())
        .isEqualTo("The canary of a was not verified within 30m: its image cannot be pulled.");
  }

  @Test
  void aWorkloadThatIsEditedWhileItsCanaryStartsGetsOneOfTheNewTemplate() {
    Scene scene = Scene.of("a");
    scene.service("a").cloneReady = false;
    scene.until(Stage.Canary).settle().after(Duration.ofMinutes(20));
    scene.service("a").hash = "edited";
    scene.settle();

    assertThat(scene.service("a").cloneHash).isEqualTo("edited");
    assertThat(scene.journal.rebuilds()).isEqualTo(1);
    assertThat(scene.stages).endsWith(Stage.Canary);
    scene.after(Duration.ofMinutes(29)).settle();
    assertThat(scene.stage()).as("with all of its time").isEqualTo(Stage.Canary);
    scene.after(Duration.ofMinutes(1)).step();
    assertThat(scene.stage()).isEqualTo(Stage.RollingBack);
  }

  @Test
  void aCloneThatSomebodyChangesDuringTheBakeBakesAnew() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    scene.service("a").cloneHash = "edited";
    scene.settle();

    assertThat(scene.stages).endsWith(Stage.Canary, Stage.Baking);
    assertThat(scene.service("a").cloneHash).isEqualTo("base");
  }

  @Test
  void aPodThatIsUnreadyWhenSomebodyLooksFailsTheBake() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    scene.service("a").cloneReady = false;
    scene.settle();

    assertThat(condition(scene, Conditions.ROLLED_BACK).message())
        .isEqualTo("The canary of a was not Ready during its bake.");
  }

  @Test
  void aPodThatRestartsDuringTheBakeFailsItAndOneThatDidBeforeDoesNot() {
    Scene scene = Scene.of("a");
    scene.service("a").cloneReady = false;
    scene.until(Stage.Canary).settle();
    scene.service("a").restarts = 1;
    scene.service("a").cloneReady = true;
    scene.until(Stage.Baking).after(Duration.ofMinutes(5)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Baking);

    scene.service("a").restarts = 2;
    scene.step();
    assertThat(condition(scene, Conditions.ROLLED_BACK).message())
        .isEqualTo("The canary of a restarted during its bake.");
  }

  @Test
  void aWorkloadThatIsScaledToZeroIsPromotedWithoutItsCanary() {
    Scene scene = Scene.of("a", "b").until(Stage.Baking);
    scene.service("a").replicas = 0;
    scene.settle();
    assertThat(scene.did()).contains("stop canary of a");
    assertThat(scene.journal.workloads().getFirst())
        .satisfies(w -> {
          assertThat(w.state()).isEqualTo(WorkloadState.ScaledToZero);
          assertThat(w.proof()).isEqualTo(Proof.PreflightOnly);
          assertThat(w.message()).isEqualTo("Scaled to zero during the canary.");
        });

    scene.until(Stage.Complete);
    assertThat(scene.journal.progress()).isEqualTo("2/2");
  }

  @Test
  void aWorkloadThatWasNotToBeTriedIsNotTriedWhenItIsCreatedAnew() {
    Scene scene = Scene.of("a", "b");
    scene.service("b").wave = 1;
    scene.until(Stage.Baking);
    scene.service("b").uid = "uid-2";

    scene.until(Stage.Complete);
    assertThat(scene.did()).doesNotContain("start canary of b");
    assertThat(scene.journal.workloads().getLast().uid()).isEqualTo("uid-2");
  }

  @Test
  void aWorkloadThatAllowedNoCanaryIsTriedWhenTheOneInItsPlaceAllowsOne() {
    Scene scene = Scene.of("a", "b");
    scene.service("b").obstacle = "its strategy is Recreate";
    scene.until(Stage.Baking);
    scene.service("b").uid = "uid-2";
    scene.service("b").obstacle = null;

    scene.until(Stage.Complete);
    assertThat(scene.did()).contains("start canary of b");
    assertThat(scene.journal.proof()).isEqualTo(Proof.PodCanary);
  }

  @Test
  void aCanaryWithoutRoomIsTakenBackByWhoeverAborts() {
    Scene scene = Scene.of("a");
    scene.service("a").cloneReady = false;
    scene.service("a").unschedulable = "no node takes it";
    scene.until(Stage.Canary).settle().after(Duration.ofDays(2)).settle();
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));
    scene.abort = true;

    scene.until(Stage.Aborted);
    assertThat(condition(scene, Conditions.CANARY_VERIFIED).reason()).isEqualTo(Reasons.ABORTED);
  }
}
