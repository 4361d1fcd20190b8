package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Approval;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.domain.rotation.Observation.CheckJob;
import io.keyturn.domain.rotation.Observation.Reading;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** What checks, gates and people have to say before a version goes on. */
class GatesTest {

  private static final String CHECK = "preflight: [{name: port, tcp: {host: db, port: 5432}}]";
  private static final String JOB =
      "preflight: [{name: login, job: {template: {spec: {containers: [{name: a, image: b}]}}}}]";
  private static final String SMOKE =
      "gates: [{name: smoke, stage: Canary, http: {url: \"http://app/health\"}, failureLimit: 2}]";
  private static final String AFTER =
      "gates: [{name: errors, stage: Promote, http: {url: \"http://app/errors\"}}]";
  private static final String PERSON =
      "gates: [{name: release-manager, stage: Promote, manual: {timeout: 8h, onTimeout: %s}}]";

  private static void says(Scene scene, String name, Measurement measurement) {
    scene.readings.removeIf(r -> r.name().equals(name));
    scene.readings.add(new Reading(name, measurement, scene.now));
  }

  private static Measurement yes() {
    return Measurement.passed("all is well");
  }

  private static Measurement no() {
    return Measurement.failed("the answer is HTTP 418");
  }

  private static Measurement unclear() {
    return Measurement.inconclusive("the answer is late");
  }

  private static Optional<Condition> condition(Scene scene, String type) {
    return scene.journal.conditions().stream().filter(c -> c.type().equals(type)).findFirst();
  }

  private static String reason(Scene scene, String type) {
    return condition(scene, type).map(Condition::reason).orElse(null);
  }

  @Test
  void noPodSeesAVersionBeforeItsChecksHavePassed() {
    Scene scene = Scene.of("api").policy(CHECK).until(Stage.Preflight).settle();
    assertThat(scene.did()).containsExactly("create snapshot");
    assertThat(reason(scene, Conditions.PREFLIGHTED)).isEqualTo(Reasons.CHECKING);

    says(scene, "port", yes());
    scene.until(Stage.Complete);
    assertThat(reason(scene, Conditions.PREFLIGHTED)).isEqualTo(Reasons.CHECKS_PASSED);
    assertThat(scene.journal.timeline().preflightedAt()).isNotNull();
    assertThat(scene.journal.preflight())
        .singleElement()
        .satisfies(c -> assertThat(c.result()).isEqualTo(Verdict.Passed));
  }

  @Test
  void aCheckThatFailsDiscardsTheCandidate() {
    Scene scene = Scene.of("api").policy(CHECK).until(Stage.Preflight);
    says(scene, "port", no());

    scene.until(Stage.Failed);
    assertThat(reason(scene, Conditions.SUCCEEDED)).isEqualTo(Reasons.PREFLIGHT_FAILED);
    assertThat(scene.journal.message()).doesNotContain("null");
    assertThat(condition(scene, Conditions.SUCCEEDED).orElseThrow().message())
        .isEqualTo("The check port failed: the answer is HTTP 418.");
    assertThat(scene.did()).containsExactly("create snapshot", "delete snapshot");
  }

  @Test
  void aCheckThatCannotTellHoldsAndIsMadeAgain() {
    Scene scene = Scene.of("api").policy(CHECK).until(Stage.Preflight);
    says(scene, "port", unclear());
    Plan plan = scene.step();
    assertThat(plan.findings())
        .extracting(f -> f.reason())
        .containsExactly(Reasons.PREFLIGHT_INCONCLUSIVE);
    scene.after(Duration.ofDays(2)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Preflight);
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.PREFLIGHT_INCONCLUSIVE);

    says(scene, "port", yes());
    scene.until(Stage.Complete);
  }

  @Test
  void aJobIsStartedOnceAndItsEndCounts() {
    Scene scene = Scene.of("api").policy(JOB).until(Stage.Preflight).settle();
    assertThat(scene.did()).containsExactly("create snapshot", "start check login");

    scene.checkJob = new CheckJob(Optional.empty(), Optional.of(yes()));
    scene.until(Stage.Complete);
    assertThat(scene.did()).doesNotContain("stop check login");
  }

  @Test
  void aJobThatCouldNotTellIsStartedAnew() {
    Scene scene = Scene.of("api").policy(JOB).until(Stage.Preflight).settle();
    scene.checkJob = new CheckJob(Optional.empty(), Optional.of(unclear()));
    scene.settle();

    assertThat(scene.did())
        .containsExactly(
            "create snapshot", "start check login", "stop check login", "start check login");
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.PREFLIGHT_INCONCLUSIVE);
  }

  @Test
  void aJobDoesNotOutliveARotationThatIsAborted() {
    Scene scene = Scene.of("api").policy(JOB).until(Stage.Preflight).settle();
    scene.abort = true;

    scene.until(Stage.Aborted);
    assertThat(scene.did()).contains("stop check login");
  }

  @Test
  void anEmergencyIsCheckedToo() {
    Scene scene = Scene.of("api").policy(CHECK);
    scene.trigger = Trigger.Compromise;
    scene.reportedAt = Scene.START;
    scene.until(Stage.Preflight);
    says(scene, "port", no());

    scene.until(Stage.Failed);
  }

  @Test
  void aGateThatSaysNoOftenEnoughRollsBack() {
    Scene scene = Scene.of("api").policy(SMOKE).until(Stage.Baking);
    says(scene, "smoke", no());
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Baking);
    scene.after(Duration.ofSeconds(5)).settle();
    assertThat(scene.journal.gates().getFirst().count()).as("one answer counts once").isEqualTo(1);

    scene.after(Duration.ofSeconds(30));
    says(scene, "smoke", no());
    scene.until(Stage.Failed);
    assertThat(reason(scene, Conditions.SUCCEEDED)).isEqualTo(Reasons.GATE_FAILED);
    assertThat(scene.did()).noneMatch(d -> d.startsWith("alias"));
  }

  @Test
  void aGateThatPassesIsWrittenOnce() {
    Scene scene = Scene.of("api").policy(SMOKE).until(Stage.Baking).settle();
    says(scene, "smoke", yes());
    scene.settle();
    var journal = scene.journal;
    for (int i = 0; i < 10; i++) {
      scene.after(Duration.ofSeconds(30));
      says(scene, "smoke", yes());
      scene.settle();
      assertThat(scene.journal).isEqualTo(journal);
    }
    scene.until(Stage.Complete);
  }

  @Test
  void aGateThatCannotTellHoldsBeyondTheDeadlineAndNeverPromotes() {
    Scene scene = Scene.of("api").policy(SMOKE).until(Stage.Baking);
    says(scene, "smoke", unclear());
    scene.after(Duration.ofHours(5)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Baking);
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.GATE_INCONCLUSIVE);
    assertThat(reason(scene, Conditions.STALLED)).isEqualTo(Reasons.GATE_INCONCLUSIVE);
    says(scene, "smoke", yes());
    scene.until(Stage.Complete);
  }

  @Test
  void aGateThatWasNeverAskedPromotesNothing() {
    Scene scene = Scene.of("api").policy(SMOKE).until(Stage.Baking);
    scene.after(Duration.ofMinutes(11)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Baking);
    assertThat(scene.journal.message()).isEqualTo("Waits for the gate smoke to answer.");
  }

  @Test
  void answersAboutACanaryThatHasGoneDoNotCount() {
    Scene scene = Scene.of("api").policy(SMOKE).until(Stage.Baking);
    says(scene, "smoke", yes());
    scene.settle();
    scene.after(Duration.ofSeconds(5));
    scene.service("api").hash = "edited";
    scene.settle().until(Stage.Baking);
    assertThat(scene.journal.gates()).isEmpty();
    scene.after(Duration.ofMinutes(11)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Baking);
  }

  @Test
  void aGateIsAskedAgainBeforeTheNextWorkloadFollows() {
    Scene scene = Scene.of("a", "b").policy("{promotion: {maxParallel: 1}, " + AFTER + "}");
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    assertThat(scene.did()).contains("annotate a " + Scene.TO_ID);
    assertThat(scene.did()).doesNotContain("annotate b " + Scene.TO_ID);

    scene.after(Duration.ofSeconds(5));
    says(scene, "errors", yes());
    scene.settle();
    assertThat(scene.did()).contains("annotate b " + Scene.TO_ID);
    assertThat(scene.stage()).as("b was not judged yet").isEqualTo(Stage.Promoting);

    scene.after(Duration.ofSeconds(30));
    says(scene, "errors", no());
    scene.until(Stage.Failed);
    assertThat(scene.did())
        .containsSubsequence(
            "alias v6-00000006", "annotate b v6-00000006", "annotate a v6-00000006");
  }

  @Test
  void aPromotionPausesAtAGateWhereThePolicySaysSo() {
    Scene scene = Scene.of("a").policy("{promotion: {onFailure: Pause}, " + AFTER + "}");
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    scene.after(Duration.ofSeconds(5));
    says(scene, "errors", no());
    scene.settle();

    assertThat(scene.stage()).isEqualTo(Stage.Promoting);
    assertThat(reason(scene, Conditions.STALLED)).isEqualTo(Reasons.GATE_FAILED);
    scene.abort = true;
    scene.until(Stage.Aborted);
  }

  @Test
  void nothingIsPromotedUntilAPersonApproves() {
    Scene scene = Scene.of("api").policy(PERSON.formatted("RollBack")).until(Stage.Baking);
    scene.after(Duration.ofMinutes(11)).settle();
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.AWAITING_APPROVAL);
    assertThat(scene.journal.message())
        .contains("kubectl patch secretrotation payments-db-7")
        .contains("\"gate\":\"release-manager\"");

    scene.approvals.add(new Approval("release-manager", "anna", "ok"));
    scene.until(Stage.Complete);
    assertThat(scene.journal.gates())
        .singleElement()
        .satisfies(g -> assertThat(g.message()).isEqualTo("opened by anna: ok"));
  }

  @Test
  void anApprovalForAnotherGateOpensNothingAndIsNamed() {
    Scene scene = Scene.of("api").policy(PERSON.formatted("Hold")).until(Stage.Baking);
    scene.approvals.add(new Approval("relaese-manager", null, null));
    scene.after(Duration.ofMinutes(11)).settle();

    assertThat(scene.journal.message()).contains("there are approvals for relaese-manager");
  }

  @Test
  void nobodyInTimeTakesItBackOrHolds() {
    Scene back = Scene.of("api").policy(PERSON.formatted("RollBack")).until(Stage.Baking);
    back.after(Duration.ofMinutes(11)).settle().after(Duration.ofHours(8));
    back.until(Stage.Failed);
    assertThat(reason(back, Conditions.SUCCEEDED)).isEqualTo(Reasons.APPROVAL_TIMEOUT);

    Scene hold = Scene.of("api").policy(PERSON.formatted("Hold")).until(Stage.Baking);
    hold.after(Duration.ofDays(9)).settle();
    assertThat(hold.stage()).isEqualTo(Stage.Baking);
  }

  @Test
  void aCanaryThatFailsWhilePeopleThinkIsTakenBack() {
    Scene scene = Scene.of("api").policy(PERSON.formatted("Hold")).until(Stage.Baking);
    scene.after(Duration.ofHours(1)).settle();
    scene.service("api").restarts = 1;

    scene.until(Stage.Failed);
    assertThat(reason(scene, Conditions.SUCCEEDED)).isEqualTo(Reasons.CANARY_FAILED);
  }

  @Test
  void withoutACanaryPeopleAreAskedAsWell() {
    Scene scene =
        Scene.of("api").policy("{canary: {strategy: None}, " + PERSON.formatted("RollBack") + "}");
    scene.until(Stage.Staging).settle();
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.AWAITING_APPROVAL);

    scene.approvals.add(new Approval("release-manager", "anna", null));
    scene.until(Stage.Complete);
  }

  @Test
  void anEmergencyAsksNobody() {
    Scene scene = Scene.of("api").policy(PERSON.formatted("Hold"));
    scene.trigger = Trigger.Compromise;
    scene.reportedAt = Scene.START;

    scene.until(Stage.Complete);
  }

  @Test
  void aCanaryThatFailsWithItsBaselineIsNoVerdictAndIsTriedAgain() {
    for (Stage stage : List.of(Stage.Canary, Stage.Baking)) {
      Scene scene = Scene.of("api");
      if (stage == Stage.Canary) {
        scene.service("api").cloneReady = false;
      }
      scene.until(stage).settle();
      scene.service("api").available = false;
      scene.service("api").crashLooping = true;
      scene.service("api").cloneReady = false;
      scene.settle();
      assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.BASELINE_DEGRADED);
      assertThat(scene.did()).endsWith("stop canary of api");
      scene.after(Duration.ofHours(3)).settle();
      assertThat(scene.stages).doesNotContain(Stage.RollingBack);

      scene.service("api").available = true;
      scene.service("api").crashLooping = false;
      scene.service("api").cloneReady = true;
      scene.until(Stage.Complete);
      assertThat(scene.did().stream().filter("start canary of api"::equals)).hasSize(2);
    }
  }

  @Test
  void aCanaryThatFailsWhileItsWorkloadRollsAndIsAvailableHasFailed() {
    Scene scene = Scene.of("api").until(Stage.Baking).settle();
    scene.service("api").rollsOut = false;
    scene.service("api").restarts = 1;

    scene.until(Stage.Failed);
    assertThat(reason(scene, Conditions.SUCCEEDED)).isEqualTo(Reasons.CANARY_FAILED);
  }
}
