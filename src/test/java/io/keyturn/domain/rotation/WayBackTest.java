package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Finding;
import io.keyturn.domain.rotation.Observation.Alias;
import io.keyturn.domain.rotation.Observation.Source;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** How a version is taken back, and when there is no way back. */
class WayBackTest {

  private static final String ONE_BY_ONE =
      "{canary: {strategy: None}, promotion: {maxParallel: 1}}";

  /** Plays until each workload is on the version but the last, whose pods do not come. */
  private static Scene almostThere(String... names) {
    Scene scene = Scene.of(names).policy(ONE_BY_ONE);
    scene.service(names[names.length - 1]).rollsOut = false;
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    scene.effects.clear();
    return scene;
  }

  private static String reason(Scene scene, String type) {
    return scene.journal.conditions().stream()
        .filter(c -> c.type().equals(type))
        .findFirst()
        .map(c -> c.reason())
        .orElse(null);
  }

  @Test
  void noMoreWorkloadsGoBackAtOnceThanThePolicyAllows() {
    Scene scene = almostThere("a", "b", "c");
    scene.abort = true;
    scene.until(Stage.RollingBack).settle().after(Duration.ofSeconds(3)).settle();
    assertThat(scene.did()).containsExactly("alias v6-00000006", "annotate c v6-00000006");
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));

    scene.service("c").rollsOut = true;
    scene.until(Stage.Aborted);
    assertThat(scene.did())
        .containsSubsequence(
            "annotate c v6-00000006", "annotate b v6-00000006", "annotate a v6-00000006");
    assertThat(scene.journal.workloads()).allMatch(w -> w.state() == WorkloadState.RolledBack);
    assertThat(scene.journal.message())
        .isEqualTo("Version 7 was taken back; the workloads run on version 6.");
  }

  @Test
  void theCandidateStaysUntilTheLastPodOnItHasGone() {
    Scene scene = almostThere("a");
    scene.abort = true;
    scene.until(Stage.RollingBack).settle().after(Duration.ofSeconds(3)).settle();
    scene.after(Duration.ofMinutes(10)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.RollingBack);
    assertThat(scene.snapshots).containsExactly(Scene.TO);
  }

  @Test
  void aWorkloadThatIsStuckForOtherReasonsDoesNotKeepTheOthersBack() {
    Scene scene = almostThere("a", "b");
    scene.abort = true;
    scene.until(Stage.RollingBack).settle().after(Duration.ofSeconds(3)).settle();
    scene.service("b").stuck = "its image has gone";

    scene.settle();
    assertThat(scene.did()).contains("annotate a v6-00000006");
  }

  @Test
  void norDoesOneThatTakesLongerThanThePolicyAllows() {
    Scene scene = almostThere("a", "b");
    scene.abort = true;
    scene.until(Stage.RollingBack).settle().after(Duration.ofSeconds(3)).settle();
    scene.after(Duration.ofMinutes(15)).after(Duration.ofSeconds(-4)).settle();
    assertThat(scene.did()).doesNotContain("annotate a v6-00000006");

    scene.after(Duration.ofSeconds(4)).settle();
    assertThat(scene.did()).contains("annotate a v6-00000006");
  }

  @Test
  void aWorkloadThatWasDeletedIsNotBroughtBack() {
    Scene scene = almostThere("a", "b");
    scene.service("a").exists = false;
    scene.service("b").rollsOut = true;
    scene.abort = true;

    scene.until(Stage.Aborted);
    assertThat(scene.did())
        .containsExactly("alias v6-00000006", "annotate b v6-00000006", "delete snapshot");
  }

  @Test
  void whatNeverMovedIsNotTouchedOnTheWayBack() {
    Scene scene = Scene.of("a", "b", "c").policy(ONE_BY_ONE);
    scene.service("a").rollsOut = false;
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    scene.service("a").rollsOut = true;
    scene.abort = true;
    scene.until(Stage.Aborted);

    assertThat(scene.did())
        .filteredOn(d -> d.startsWith("annotate"))
        .containsExactly("annotate a v7-00000007", "annotate a v6-00000006");
  }

  @Test
  void aRotationThatIsAbortedBeforeItBeganLeavesNoTrace() {
    Scene scene = Scene.of("a");
    scene.hold = true;
    scene.settle();
    scene.abort = true;
    scene.until(Stage.Aborted);

    assertThat(scene.effects).isEmpty();
    assertThat(scene.journal.message()).isEqualTo("Version 7 was taken back.");
  }

  @Test
  void aNamespaceThatGoesTakesTheRotationWithItEvenIfItsBindingWasNotSeenToGo() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    scene.effects.clear();
    scene.namespaceGone = true;

    scene.until(Stage.Aborted).settle();
    assertThat(scene.did()).containsExactly("release");
    assertThat(reason(scene, Conditions.ROLLED_BACK)).isEqualTo(Reasons.BINDING_DELETED);
  }

  @Test
  void anEmergencyThatSomebodyDeletesLeavesThePodsOnTheNewVersion() {
    for (boolean namespace : List.of(true, false)) {
      Scene scene = Scene.of("a");
      scene.trigger = Trigger.Compromise;
      scene.reportedAt = Scene.START;
      scene.service("a").rollsOut = false;
      scene.until(Stage.Promoting).settle();
      scene.namespaceGone = namespace;
      scene.deleted = !namespace;

      scene.step();
      assertThat(scene.stage()).isEqualTo(Stage.Retiring);
      assertThat(scene.until(Stage.Complete).alias).isEqualTo(Alias.Content.To);
    }
  }

  @Test
  void aVersionBeforeThatHasGoneDoesNotKeepABindingThatGoes() {
    Scene scene = almostThere("a");
    scene.fromLost = true;
    scene.bindingGone = true;
    scene.until(Stage.Aborted);

    assertThat(scene.did()).as("the alias holds it").isEmpty();
    assertThat(scene.snapshots).containsExactly(Scene.TO);
    assertThat(scene.journal.message()).contains("the workloads stay as they are");
  }

  @Test
  void anAliasOfSomebodyElseStopsTheWayBackUntilItIsGivenBack() {
    Scene scene = almostThere("a");
    scene.alias = Alias.Content.Foreign;
    scene.abort = true;
    scene.until(Stage.RollingBack).settle().after(Duration.ofHours(1)).settle();
    assertThat(scene.did()).isEmpty();
    assertThat(reason(scene, Conditions.STALLED)).isEqualTo(Reasons.SECRET_NOT_OWNED);
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));

    scene.alias = Alias.Content.To;
    scene.service("a").rollsOut = true;
    scene.until(Stage.Aborted);
    assertThat(scene.alias).isEqualTo(Alias.Content.From);
  }

  @Test
  void anAliasThatIsDeletedOnTheWayBackIsWrittenAgainAndPeopleAreTold() {
    Scene scene = almostThere("a");
    scene.alias = Alias.Content.Missing;
    scene.abort = true;
    scene.until(Stage.RollingBack);

    assertThat(scene.step().findings())
        .containsExactly(
            Finding.warning(
                Reasons.ALIAS_RESTORED,
                "The Secret payments-db was deleted or edited and gets version 6."));
    scene.settle();
    assertThat(scene.did()).first().isEqualTo("alias v6-00000006");
  }

  @Test
  void whoAbortsIsNotToldThatTheAliasWasEdited() {
    Scene scene = almostThere("a");
    scene.abort = true;
    assertThat(scene.step().findings())
        .extracting(Finding::reason)
        .containsExactly(Reasons.ABORTED);
    assertThat(scene.step().findings()).isEmpty();
  }

  @Test
  void aValueThatIsMadeOnRequestDoesNotPushPodsOffTheRejectedOne() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    scene.source = new Source.Fresh(false);
    scene.users = List.of("job-1", "job-2", "job-3", "job-4");
    scene.abort = true;
    scene.until(Stage.Discarding).settle().after(Duration.ofDays(1)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Discarding);
    assertThat(scene.journal.message())
        .isEqualTo(
            "Waits until no pod uses the rejected version 7; restart what does not by itself: job-1, job-2, job-3.");
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));
    scene.bindingGone = true;
    scene.until(Stage.Aborted);
    assertThat(scene.journal.message()).contains("still used by job-1");
  }

  @Test
  void aRejectedVersionThatTheAliasHoldsIsNotDeleted() {
    Scene scene = almostThere("a");
    scene.fromLost = true;
    scene.abort = true;
    scene.settle();
    scene.deleted = true;
    scene.until(Stage.Aborted);

    assertThat(scene.did()).doesNotContain("delete snapshot");
  }
}
