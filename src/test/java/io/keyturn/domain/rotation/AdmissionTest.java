package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Finding;
import io.keyturn.domain.rotation.Observation.OfStore;
import io.keyturn.domain.rotation.Observation.Source;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class AdmissionTest {

  /** The scene begins at noon. */
  private static final String AT_NIGHT = "windows: [{cron: \"0 2 * * *\", duration: 3h}]";

  private static Condition blocked(Scene scene) {
    return scene.journal.conditions().stream()
        .filter(c -> c.type().equals(Conditions.BLOCKED))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @EnumSource(
      value = Trigger.class,
      names = {"Manual", "Compromise", "Expiring"},
      mode = EnumSource.Mode.EXCLUDE)
  void whatNoPersonAskedForWaitsForTheWindow(Trigger trigger) {
    Scene scene = Scene.of("api").policy(AT_NIGHT);
    scene.trigger = trigger;
    scene.settle();

    assertThat(scene.stage()).isEqualTo(Stage.Pending);
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.WINDOW_CLOSED);
    assertThat(blocked(scene).message())
        .startsWith("Waits for the window that opens at 2026-11-25T02:00:00Z.");

    scene.after(Duration.ofHours(14)).step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @Test
  void whatAPersonAskedForDoesNot() {
    Scene scene = Scene.of("api").policy(AT_NIGHT);
    scene.trigger = Trigger.Manual;

    scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @ParameterizedTest
  @CsvSource({"0s, 5s", "50s, 5s", "1m, 6s", "10m, 1m", "30d, 1m"})
  void whoHasWaitedForLongLooksLessOften(String waited, String patience) {
    Scene scene = Scene.of("api");
    scene.holder = "orders-db-4";
    scene.after(Durations.parse(waited)).settle();

    assertThat(scene.step().wakeAt()).contains(scene.now.plus(Durations.parse(patience)));
  }

  @Test
  void exceptInAnEmergency() {
    Scene scene = Scene.of("api");
    scene.trigger = Trigger.Compromise;
    scene.reportedAt = Scene.START;
    scene.holder = "orders-db-4";
    scene.after(Duration.ofHours(1)).settle();

    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));
  }

  @Test
  void andLooksWhenItsWindowOpens() {
    Scene scene = Scene.of("api").policy("windows: [{cron: \"0 14 * * *\", duration: 1h}]");
    scene.after(Duration.ofHours(2).minusSeconds(10)).settle();
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.WINDOW_CLOSED);

    assertThat(scene.step().wakeAt()).contains(Scene.START.plus(Duration.ofHours(2)));
  }

  @Test
  void norDoesACredentialThatEnds() {
    Scene scene = Scene.of("api").policy(AT_NIGHT);
    scene.trigger = Trigger.Expiring;

    assertThat(scene.step().findings())
        .extracting(Finding::reason)
        .doesNotContain(Reasons.WINDOW_OVERRIDDEN);
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @ParameterizedTest
  @CsvSource({"Expiring, false", "Scheduled, true"})
  void norDoesItWaitForABudgetNorOneThatHasEnded(Trigger trigger, boolean ended) {
    Scene scene = Scene.of("api");
    scene.trigger = trigger;
    scene.fromEnded = ended;
    scene.ahead = 99;
    scene.store = new OfStore(99, 99, OptionalInt.of(1));
    scene.step();

    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @Test
  void butItWaitsForTheRotationThatHoldsItsWorkload() {
    Scene scene = Scene.of("api");
    scene.trigger = Trigger.Expiring;
    scene.holder = "orders-db-4";
    scene.settle();

    assertThat(blocked(scene).reason()).isEqualTo(Reasons.WORKLOAD_BUSY);
  }

  private static Scene slotsInUse(Trigger trigger) {
    Scene scene = Scene.of("api");
    scene.trigger = trigger;
    scene.overlap = Overlap.Slots;
    scene.users = List.of("job-1", "job-2", "job-3", "job-4");
    return scene;
  }

  @ParameterizedTest
  @EnumSource(value = Trigger.class, names = "Compromise", mode = EnumSource.Mode.EXCLUDE)
  void aSlotThatIsStillUsedIsNotTakenWhoeverAsks(Trigger trigger) {
    Scene scene = slotsInUse(trigger);
    scene.settle().after(Duration.ofDays(1));
    Plan plan = scene.step();

    assertThat(scene.stage()).isEqualTo(Stage.Pending);
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.SLOT_IN_USE);
    assertThat(blocked(scene).message()).endsWith(": job-1, job-2, job-3.");
    assertThat(plan.wakeAt()).contains(scene.now.plus(Duration.ofMinutes(1)));

    scene.users = List.of();
    scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @Test
  void whereTheOldValueStaysValidNobodyIsWaitedFor() {
    Scene scene = slotsInUse(Trigger.Scheduled);
    scene.overlap = Overlap.Full;

    scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @Test
  void inAnEmergencyASlotIsTakenAtTheDeadlineFromWhoeverUsesIt() {
    Scene scene = slotsInUse(Trigger.Compromise).policy("emergency: {revokeDeadline: 20m}");
    scene.reportedAt = Scene.START;
    scene.settle().after(Duration.ofMinutes(20).minusSeconds(1)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Pending);
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.SLOT_IN_USE);

    scene.after(Duration.ofSeconds(1)).step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @Test
  void aVersionThatIsTooOldDoesNotWaitAndSaysSo() {
    Scene scene = Scene.of("api").policy("{schedule: {maxAge: 24h}, " + AT_NIGHT + "}");

    Plan plan = scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
    assertThat(plan.findings()).extracting(Finding::reason).contains(Reasons.WINDOW_OVERRIDDEN);

    Scene younger = Scene.of("api").policy("{schedule: {maxAge: 25h}, " + AT_NIGHT + "}");
    younger.settle();
    assertThat(blocked(younger).reason()).isEqualTo(Reasons.WINDOW_CLOSED);
  }

  @Test
  void aWindowThatClosesStopsNothing() {
    Scene scene = Scene.of("api").policy("windows: [{cron: \"0 12 * * *\", duration: 5m}]");

    scene.until(Stage.Promoting);
    assertThat(scene.now).isAfter(Scene.START.plus(Duration.ofMinutes(5)));
  }

  @Test
  void aPolicyThatCannotBeFollowedBlocksWithItsReason() {
    Scene scene =
        Scene.of("api")
            .policy("windows: [{cron: \"0 2 * * *\", duration: 1h, timeZone: Mars/Olympus}]");
    scene.settle();

    assertThat(blocked(scene).reason()).isEqualTo(Reasons.INVALID_SCHEDULE);
    assertThat(blocked(scene).message()).contains("the time zone Mars/Olympus is unknown");
  }

  @Test
  void noMoreMovePodsThanTheNamespaceMay() {
    Scene scene = Scene.of("api").policy("concurrency: {perNamespace: 3}");
    scene.ahead = 3;
    scene.settle();
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.BUDGET_EXHAUSTED);

    scene.ahead = 2;
    scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @Test
  void noMoreMovePodsThanTheStoreMayInTheNamespace() {
    Scene scene = Scene.of("api").policy("concurrency: {perStore: 3}");
    scene.store = new OfStore(3, 3, OptionalInt.empty());
    scene.settle();
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.STORE_BUDGET_EXHAUSTED);
    assertThat(blocked(scene).message()).contains("fewer than 3", "concurrency.perStore");

    scene.store = new OfStore(2, 2, OptionalInt.empty());
    scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @Test
  void noMoreMovePodsThanTheStoreItselfLets() {
    Scene scene = Scene.of("api");
    scene.store = new OfStore(1, 4, OptionalInt.of(4));
    scene.settle();
    assertThat(blocked(scene).reason()).isEqualTo(Reasons.STORE_BUDGET_EXHAUSTED);
    assertThat(blocked(scene).message()).contains("fewer than 4", "limits.maxConcurrentRotations");

    scene.store = new OfStore(1, 3, OptionalInt.of(4));
    scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @Test
  void aNewerValueReplacesAnUnprovenCandidateWhereThePolicySaysSo() {
    for (Stage stage : List.of(Stage.Canary, Stage.Baking)) {
      Scene queue = Scene.of("api").until(stage);
      queue.source = new Source.Fresh(true);
      queue.settle();
      assertThat(queue.stages).doesNotContain(Stage.RollingBack);

      Scene replace = Scene.of("api").policy("concurrency: {policy: Replace}").until(stage);
      replace.source = new Source.Fresh(true);
      replace.until(Stage.Superseded);
      assertThat(replace.did()).doesNotContain("alias " + Scene.TO_ID);
    }
  }

  @Test
  void nothingReplacesAPromotionUnderWay() {
    Scene scene = Scene.of("api").policy("concurrency: {policy: Replace}").until(Stage.Promoting);
    scene.source = new Source.Fresh(true);

    scene.until(Stage.Complete);
  }

  @Test
  void sinceWhenItIsBlockedStaysWhileTheReasonChanges() {
    Scene scene = Scene.of("api");
    scene.hold = true;
    scene.settle();
    List<Condition> seen = new ArrayList<>(List.of(blocked(scene)));
    scene.after(Duration.ofMinutes(3));
    scene.hold = false;
    scene.holder = "orders-db-4";
    scene.settle();
    seen.add(blocked(scene));

    assertThat(seen)
        .extracting(Condition::reason)
        .containsExactly(Reasons.HELD, Reasons.WORKLOAD_BUSY);
    assertThat(seen.getLast().lastTransitionTime()).isEqualTo(Scene.START);
  }
}
