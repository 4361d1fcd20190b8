package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.rotation.Observation.Source;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

/**
 * A value that is known to others: what is skipped, what never is, and what nothing goes back to.
 */
class EmergencyTest {

  private static Scene emergency(String policy, String... names) {
    Scene scene = Scene.of(names).policy(policy);
    scene.trigger = Trigger.Compromise;
    scene.reportedAt = Scene.START.minus(Duration.ofMinutes(5));
    return scene;
  }

  private static Optional<Condition> condition(Scene scene, String type) {
    return scene.journal.conditions().stream().filter(c -> c.type().equals(type)).findFirst();
  }

  @Test
  void windowsBudgetsUnstableWorkloadsAndTheBakeAreSkipped() {
    Scene scene =
        emergency("{windows: [{cron: \"0 2 * * *\", duration: 3h}], canary: {bake: 10m}}", "api");
    scene.ahead = 99;
    scene.store = new Observation.OfStore(99, 99, OptionalInt.of(1));
    scene.service("api").unsettled = "its rollout is not complete";

    scene.until(Stage.Complete);

    assertThat(scene.stages)
        .containsExactly(
            Stage.Staging, Stage.Canary, Stage.Promoting, Stage.Retiring, Stage.Complete);
    assertThat(scene.now).isBefore(Scene.START.plus(Duration.ofMinutes(1)));
    assertThat(scene.journal.timeToContain())
        .isEqualTo(Duration.between(scene.reportedAt, scene.now).toSeconds() + "s");
  }

  @Test
  void aCanaryThatCrashesStopsItAllTheSame() {
    Scene scene = emergency("", "api");
    scene.service("api").crashLooping = true;
    scene.service("api").cloneReady = false;

    scene.until(Stage.Failed);

    assertThat(scene.did()).noneMatch(d -> d.startsWith("alias") || d.startsWith("annotate"));
  }

  @Test
  void noCanaryWhereThePolicySaysSo() {
    Scene scene = emergency("emergency: {canary: None}", "api").until(Stage.Complete);

    assertThat(scene.did()).noneMatch(d -> d.startsWith("start canary"));
  }

  @Test
  void allWavesGoAtOnce() {
    Scene scene =
        emergency("promotion: {maxParallel: 1, pauseBetweenWaves: 1h}", "a", "b", "c", "d");
    scene.service("b").wave = 1;
    scene.service("c").wave = 2;
    List.of("a", "b", "c", "d").forEach(n -> scene.service(n).rollsOut = false);
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();

    assertThat(scene.did().stream().filter(d -> d.startsWith("annotate"))).hasSize(4);
  }

  @Test
  void aPromotionThatFailsNeverGoesBackAndEndsAtTheDeadline() {
    Scene scene = emergency("emergency: {revokeDeadline: 20m}", "api");
    scene.service("api").stuck = "its pods crash";
    scene.users = List.of("api-old-1");
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(5)).settle();
    assertThat(condition(scene, Conditions.STALLED).orElseThrow().message())
        .contains("nothing goes back to it");
    scene.abort = true;
    scene.after(Duration.ofMinutes(10)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Promoting);

    scene.until(Stage.Complete);

    assertThat(scene.now)
        .isEqualTo(scene.journal.timeline().startedAt().plus(Duration.ofMinutes(20)));
    assertThat(scene.stages).doesNotContain(Stage.RollingBack);
    assertThat(scene.journal.retirement().stragglers()).containsExactly("api-old-1");
    Condition promoted = condition(scene, Conditions.PROMOTED).orElseThrow();
    assertThat(promoted.status()).isEqualTo(Condition.Status.False);
    assertThat(promoted.message()).endsWith("left before they ran on it: api.");
  }

  @Test
  void aWorkloadThatSomebodySetBackKeepsNeitherTheOthersNorTheDeadlineBack() {
    Scene scene = emergency("emergency: {revokeDeadline: 20m}", "a", "b");
    List.of("a", "b").forEach(n -> scene.service(n).rollsOut = false);
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3));
    while (scene.service("a").annotation == null) {
      scene.step();
    }
    scene.service("a").annotation = null;
    scene.service("a").owner = "kubectl";
    scene.settle();
    assertThat(scene.did()).contains("annotate b v7-00000007");
    assertThat(condition(scene, Conditions.BLOCKED).orElseThrow().reason())
        .isEqualTo(Reasons.FIELD_CONFLICT);

    scene.until(Stage.Complete);

    assertThat(scene.now)
        .isEqualTo(scene.journal.timeline().startedAt().plus(Duration.ofMinutes(20)));
    assertThat(condition(scene, Conditions.PROMOTED).orElseThrow().message())
        .endsWith("left before they ran on it: a, b.");
  }

  @Test
  void aDeadlineThatPassesBeforeAllWereAskedLeavesNobodyUnasked() {
    Scene scene = emergency("emergency: {canary: None, revokeDeadline: 1s}", "a", "b");
    List.of("a", "b").forEach(n -> scene.service(n).rollsOut = false);

    scene.until(Stage.Complete);

    assertThat(scene.did()).contains("annotate a v7-00000007", "annotate b v7-00000007");
  }

  @Test
  void whoHoldsItHoldsItBeyondTheDeadline() {
    Scene scene = emergency("emergency: {canary: None, revokeDeadline: 1m}", "a");
    scene.service("a").stuck = "its pods crash";
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    scene.hold = true;
    scene.after(Duration.ofMinutes(5)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Promoting);

    scene.hold = false;
    scene.settle();
    assertThat(scene.stages).endsWith(Stage.Retiring, Stage.Complete);
  }

  @Test
  void stragglersDoNotKeepItOpenBeyondTheDeadlineAndAreNamed() {
    Scene scene = emergency("", "api");
    scene.users = List.of("job-1");
    scene.until(Stage.Retiring).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);

    scene.until(Stage.Complete);
    assertThat(scene.now)
        .isEqualTo(scene.journal.timeline().startedAt().plus(Duration.ofMinutes(30)));
    assertThat(scene.journal.message()).contains("1 pods may still use version 6");
    assertThat(condition(scene, Conditions.OLD_REVOKED).orElseThrow().reason())
        .isEqualTo(Reasons.REVOKE_AT_ISSUER);
  }

  @Test
  void whatTakesTooLongIsSaidOnce() {
    Scene scene = emergency("", "api");
    scene.source = new Source.Current();
    scene.settle();
    assertThat(condition(scene, Conditions.BLOCKED).orElseThrow().reason())
        .isEqualTo(Reasons.SOURCE_UNCHANGED);
    assertThat(condition(scene, Conditions.REMEDIATION_OVERDUE)).isEmpty();

    scene.after(Duration.ofMinutes(43));
    assertThat(scene.step().findings())
        .extracting(f -> f.reason())
        .containsExactly(Reasons.REMEDIATION_OVERDUE);
    assertThat(condition(scene, Conditions.REMEDIATION_OVERDUE)).isPresent();
    assertThat(scene.after(Duration.ofMinutes(5)).step().findings()).isEmpty();

    scene.source = new Source.Fresh(true);
    scene.until(Stage.Complete);
    assertThat(condition(scene, Conditions.REMEDIATION_OVERDUE)).isEmpty();
  }

  @Test
  void anUnprovenRotationMakesRoomForAnEmergency() {
    for (Stage stage : List.of(Stage.Staging, Stage.Canary, Stage.Baking)) {
      Scene scene = Scene.of("api").until(stage);
      scene.compromised = true;
      scene.until(Stage.Superseded);
    }
    Scene retiring = Scene.of("api").until(Stage.Retiring);
    retiring.compromised = true;
    retiring.settle();
    assertThat(retiring.stage()).isEqualTo(Stage.Complete);
  }

  @Test
  void aBindingThatGoesInTheMiddleOfItTakesNothingBack() {
    Scene scene = emergency("", "api");
    scene.service("api").rollsOut = false;
    scene.until(Stage.Promoting).settle();
    scene.bindingGone = true;

    scene.until(Stage.Complete);
    assertThat(scene.stages).doesNotContain(Stage.RollingBack);
  }
}
