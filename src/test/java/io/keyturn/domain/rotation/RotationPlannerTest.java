package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.RotationPolicySpec.OnFailure;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Failure;
import io.keyturn.domain.rotation.Observation.Alias;
import io.keyturn.domain.rotation.Observation.Source;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class RotationPlannerTest {

  private static Optional<Condition> condition(Scene scene, String type) {
    return scene.journal.conditions().stream().filter(c -> c.type().equals(type)).findFirst();
  }

  private static String reason(Scene scene, String type) {
    return condition(scene, type).map(Condition::reason).orElse(null);
  }

  @Test
  void aGoodRotationDoesTheseThingsInThisOrder() {
    Scene scene = Scene.of("a", "b").until(Stage.Complete).settle();

    assertThat(scene.did())
        .containsExactly(
            "create snapshot",
            "start canary of a",
            "start canary of b",
            "alias v7-00000007",
            "annotate a v7-00000007",
            "annotate b v7-00000007",
            "stop canary of a",
            "stop canary of b",
            "release");
    assertThat(scene.stages)
        .containsExactly(
            Stage.Staging,
            Stage.Canary,
            Stage.Baking,
            Stage.Promoting,
            Stage.Retiring,
            Stage.Complete);
    assertThat(condition(scene, Conditions.SUCCEEDED).orElseThrow().status())
        .isEqualTo(Condition.Status.True);
    assertThat(condition(scene, Conditions.RECONCILING)).isEmpty();
    assertThat(scene.journal.proof()).isEqualTo(Proof.PodCanary);
    assertThat(scene.journal.progress()).isEqualTo("2/2");
  }

  @Test
  void anEffectIsNeverPlannedTogetherWithANewJournal() {
    Scene scene = Scene.of("a");
    while (!scene.stage().terminal()) {
      var before = scene.journal;
      Plan plan = scene.step();
      if (!plan.journal().equals(before)) {
        assertThat(plan.effect()).isEmpty();
      }
      scene.after(Duration.ofMinutes(1));
    }
  }

  @Test
  void lookingTwiceAtTheSameWorldWritesNothing() {
    Scene scene = Scene.of("a").until(Stage.Baking).settle();
    var journal = scene.journal;

    scene.after(Duration.ofSeconds(30)).settle();

    assertThat(scene.journal).isEqualTo(journal);
  }

  @Test
  void theWorkloadsFollowOnlyWhenNoKubeletGivesOutTheOldValueAnyMore() {
    Scene scene = Scene.of("a").until(Stage.Promoting).settle();

    assertThat(scene.did()).last().isEqualTo("alias v7-00000007");
    scene.after(Duration.ofSeconds(2)).settle();
    assertThat(scene.did()).contains("annotate a v7-00000007");
  }

  @Test
  void noMoreWorkloadsRollAtOnceThanThePolicyAllows() {
    Scene scene = Scene.of("a", "b", "c", "d").policy(CanaryStrategy.None, 2, OnFailure.RollBack);
    scene.services.values().forEach(s -> s.rollsOut = false);
    scene.services.values().forEach(s -> s.unsettled = null);
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();

    assertThat(scene.did())
        .contains("annotate a v7-00000007", "annotate b v7-00000007")
        .doesNotContain("annotate c v7-00000007", "annotate d v7-00000007");

    scene.service("a").rollsOut = true;
    scene.settle();

    assertThat(scene.did())
        .contains("annotate c v7-00000007")
        .doesNotContain("annotate d v7-00000007");
    assertThat(scene.journal.progress()).isEqualTo("1/4");
  }

  @Test
  void aFailedPromotionGoesBackInReverseOrderAndTheAliasFirst() {
    Scene scene = Scene.of("a", "b", "c").policy(CanaryStrategy.None, 5, OnFailure.RollBack);
    scene.service("c").rollsOut = false;
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    scene.service("c").stuck = "its pods crash";
    scene.effects.clear();

    scene.settle();
    scene.service("c").stuck = null;
    scene.service("c").rollsOut = true;
    scene.until(Stage.Failed);

    assertThat(scene.did())
        .containsExactly(
            "alias v6-00000006",
            "annotate c v6-00000006",
            "annotate b v6-00000006",
            "annotate a v6-00000006",
            "delete snapshot");
    assertThat(reason(scene, Conditions.ROLLED_BACK)).isEqualTo(Reasons.PROMOTION_FAILED);
    assertThat(condition(scene, Conditions.STALLED)).isPresent();
    assertThat(scene.journal.workloads()).allMatch(w -> w.state() == WorkloadState.RolledBack);
  }

  @Test
  void aFailedPromotionWaitsForAPersonWhereThePolicySaysPause() {
    Scene scene = Scene.of("a").policy(CanaryStrategy.None, 5, OnFailure.Pause);
    scene.until(Stage.Promoting);
    scene.service("a").stuck = "its pods crash";

    scene.settle().after(Duration.ofDays(1)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Promoting);
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.PROMOTION_FAILED);
    scene.abort = true;
    assertThat(scene.until(Stage.Aborted).alias).isEqualTo(Alias.Content.From);
  }

  @Test
  void nobodyIsFoughtWithDuringThePromotion() {
    Scene scene = Scene.of("a").policy(CanaryStrategy.None, 5, OnFailure.RollBack);
    scene.service("a").rollsOut = false;
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    scene.service("a").annotation = "v6-00000006";
    scene.effects.clear();

    scene.settle().after(Duration.ofMinutes(1)).settle();

    assertThat(scene.did()).isEmpty();
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.FIELD_CONFLICT);
    assertThat(scene.journal.workloads().getFirst().state()).isEqualTo(WorkloadState.Reverted);
    scene.service("a").annotation = Scene.TO_ID;
    scene.service("a").rollsOut = true;
    scene.until(Stage.Retiring);
  }

  @Test
  void aWorkloadThatIsEditedOverAndOverEndsTheRotation() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    for (int i = 0; i < 4; i++) {
      scene.service("a").hash = "edit " + i;
      scene.settle();
    }

    assertThat(scene.until(Stage.Failed).journal.rebuilds()).isEqualTo(3);
    assertThat(reason(scene, Conditions.ROLLED_BACK)).isEqualTo(Reasons.CANARY_UNSETTLED);
  }

  @Test
  void aWorkloadThatIsCreatedAnewGetsAVerdictOfItsOwn() {
    Scene scene = Scene.of("a").until(Stage.Baking).after(Duration.ofMinutes(9));
    scene.service("a").uid = "uid-2";
    scene.service("a").annotation = null;

    scene.settle();
    assertThat(scene.stages).endsWith(Stage.Canary, Stage.Baking);
    assertThat(scene.journal.workloads().getFirst().uid()).isEqualTo("uid-2");
    assertThat(scene.journal.workloads().getFirst().previousAnnotation()).isNull();
    scene.after(Duration.ofMinutes(9)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Baking);
    assertThat(scene.until(Stage.Complete).journal.proof()).isEqualTo(Proof.PodCanary);
  }

  @Test
  void theCanaryOfAWorkloadThatIsCreatedAnewAndAllowsNoneIsStopped() {
    Scene scene = Scene.of("a", "b").until(Stage.Baking);
    scene.service("a").uid = "uid-2";
    scene.service("a").obstacle = "it uses host ports";

    scene.until(Stage.Complete).settle();

    assertThat(scene.effects)
        .filteredOn(e -> e instanceof Effect.StopCanary(var w) && w.name().equals("a"))
        .singleElement()
        .satisfies(e -> assertThat(((Effect.StopCanary) e).workload().canaryRef()).isNotNull());
    assertThat(scene.journal.proof()).isEqualTo(Proof.WorkloadCanary);
  }

  @Test
  void aCanaryPodThatIsReplacedBakesAnew() {
    Scene scene = Scene.of("a").until(Stage.Baking).after(Duration.ofMinutes(9));
    scene.service("a").pod = "another";
    scene.settle();

    assertThat(scene.stages).endsWith(Stage.Baking, Stage.Canary, Stage.Baking);
    scene.after(Duration.ofMinutes(9)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Baking);
  }

  @Test
  void aCanaryThatWasUnreadyForAMomentFailsEvenIfNobodyLookedThen() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    scene.service("a").readySince = scene.now.plusSeconds(60);

    scene.after(Duration.ofMinutes(9)).until(Stage.Failed);

    assertThat(reason(scene, Conditions.ROLLED_BACK)).isEqualTo(Reasons.CANARY_FAILED);
    assertThat(scene.did()).doesNotContain("alias v7-00000007");
  }

  @Test
  void aCanaryThatIsNeverReadyFailsAtItsDeadline() {
    Scene scene = Scene.of("a");
    scene.service("a").cloneReady = false;
    scene.until(Stage.Canary).settle();

    scene.after(Duration.ofMinutes(29)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Canary);
    scene.after(Duration.ofMinutes(1)).until(Stage.Failed);

    assertThat(reason(scene, Conditions.ROLLED_BACK)).isEqualTo(Reasons.CANARY_DEADLINE_EXCEEDED);
    assertThat(scene.snapshots).isEmpty();
  }

  @Test
  void whileACanaryStartsNothingNewIsWritten() {
    Scene scene = Scene.of("a", "b");
    scene.service("a").cloneReady = false;
    scene.until(Stage.Canary);
    var journal = scene.journal;
    assertThat(journal.message())
        .isEqualTo("The canary of a, b starts; it must be verified by 2026-11-24T12:30:00Z.");

    scene.settle().after(Duration.ofMinutes(29)).settle();

    assertThat(scene.service("b").cloneHash).isNotNull();
    assertThat(scene.journal).isEqualTo(journal);
  }

  @Test
  void aCanaryThatFindsNoNodeIsNoVerdict() {
    Scene scene = Scene.of("a");
    scene.service("a").cloneReady = false;
    scene.service("a").unschedulable = "no node takes it";
    scene.until(Stage.Canary).settle();

    scene.after(Duration.ofDays(2)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Canary);
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.CANARY_UNSCHEDULABLE);
  }

  @Test
  void aRotationWaitsForTheOneThatHoldsItsWorkload() {
    Scene scene = Scene.of("a");
    scene.holder = "other-3";
    scene.settle();

    assertThat(scene.stage()).isEqualTo(Stage.Pending);
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.WORKLOAD_BUSY);
    scene.holder = null;
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Baking);
    assertThat(condition(scene, Conditions.BLOCKED)).isEmpty();
  }

  @Test
  void aHeldRotationIsWatchedAndNotPromoted() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    scene.hold = true;
    scene.after(Duration.ofMinutes(11)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Baking);
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.HELD);
    scene.service("a").restarts = 1;
    assertThat(scene.until(Stage.Failed).stage()).isEqualTo(Stage.Failed);
  }

  @Test
  void aRotationThatAPersonMadeIsNotPlayed() {
    Scene scene = Scene.of("a");
    scene.foreign = true;
    scene.settle();

    assertThat(scene.effects).isEmpty();
    assertThat(reason(scene, Conditions.STALLED)).isEqualTo(Reasons.NOT_STARTED_BY_KEYTURN);
  }

  @Test
  void theVersionRetiresOnlyWhenNobodyUsesIt() {
    Scene scene = Scene.of("a");
    scene.users = java.util.List.of("job-1");
    scene.until(Stage.Retiring).after(Duration.ofHours(5)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Retiring);
    assertThat(scene.journal.retirement().usersRemaining()).isEqualTo(1);
    assertThat(scene.journal.retirement().stragglers()).containsExactly("job-1");
    assertThat(scene.journal.message()).contains("job-1");
    scene.users = java.util.List.of();
    assertThat(scene.until(Stage.Complete).journal.retirement().usersRemaining()).isZero();
  }

  @Test
  void aNewerValueDoesNotWaitForTheGraceOfTheOneBefore() {
    Scene scene = Scene.of("a").until(Stage.Retiring);
    scene.source = new Source.Candidate();
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);

    scene.source = new Source.Fresh(true);
    scene.settle();

    assertThat(scene.stage()).isEqualTo(Stage.Complete);
  }

  @Test
  void aWorkloadThatGoesIsDroppedAndItsCloneWithIt() {
    Scene scene = Scene.of("a", "b").until(Stage.Baking);
    scene.service("a").exists = false;
    scene.settle();

    assertThat(scene.did()).contains("stop canary of a");
    assertThat(scene.until(Stage.Complete).journal.progress()).isEqualTo("1/1");
  }

  @Test
  void nothingIsWrittenIntoANamespaceThatIsBeingDeleted() {
    Scene scene = Scene.of("a").until(Stage.Promoting).settle();
    scene.effects.clear();
    scene.deleted = true;
    scene.bindingGone = true;
    scene.namespaceGone = true;

    scene.until(Stage.Aborted).settle();

    assertThat(scene.did()).containsExactly("release");
  }

  @Test
  void anIneligibleWorkloadIsPromotedWithoutCanaryAndTheRotationSaysSo() {
    Scene scene = Scene.of("a");
    scene.service("a").obstacle = "its strategy is Recreate";
    scene.until(Stage.Complete);

    assertThat(scene.journal.proof()).isEqualTo(Proof.PreflightOnly);
    assertThat(scene.journal.workloads().getFirst().message()).contains("Recreate");
    assertThat(reason(scene, Conditions.CANARY_VERIFIED)).isEqualTo(Reasons.NO_CANARY);
  }

  @Test
  void aPolicyThatDemandsACanaryGetsNoRotationWithoutOne() {
    Scene scene = Scene.of("a").policy(CanaryStrategy.Clone, 5, OnFailure.RollBack);
    scene.service("a").obstacle = "its strategy is Recreate";
    scene.settle();

    assertThat(scene.stage()).isEqualTo(Stage.Pending);
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.CANARY_NOT_POSSIBLE);
  }

  @Test
  void aRotationThatCannotGoBackSaysSoAndWaitsForAPerson() {
    Scene scene = Scene.of("a").until(Stage.Promoting).settle();
    scene.fromLost = true;
    scene.abort = true;
    scene.settle().after(Duration.ofHours(1)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.RollingBack);
    assertThat(reason(scene, Conditions.STALLED)).isEqualTo(Reasons.ROLLBACK_IMPOSSIBLE);
    assertThat(condition(scene, Conditions.RECONCILING)).isEmpty();
    scene.fromLost = false;
    assertThat(scene.until(Stage.Aborted).alias).isEqualTo(Alias.Content.From);
  }

  @Test
  void aRefusalStandsUntilTheEffectWorks() {
    RotationPlanner planner = new RotationPlanner();
    Scene scene = Scene.of("a").until(Stage.Staging);
    Plan plan = planner.plan(scene.observe(), scene.now);
    scene.journal =
        planner
            .failed(
                scene.observe(),
                scene.now,
                plan.effect().orElseThrow(),
                new Failure(
                    Reasons.ACCESS_DENIED,
                    plan.effect().orElseThrow().refusal(403),
                    false,
                    Duration.ofSeconds(30)))
            .journal();

    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.ACCESS_DENIED);
    assertThat(scene.journal.message()).contains("create snapshot").contains("403");
    assertThat(planner.plan(scene.observe(), scene.now).journal()).isEqualTo(scene.journal);
    assertThat(planner.plan(scene.observe(), scene.now).effect()).isPresent();
    scene.until(Stage.Baking);
    assertThat(condition(scene, Conditions.BLOCKED)).isEmpty();
  }

  @Test
  void aPodThatTookTheRejectedVersionIsNamedUntilItHasGone() {
    Scene scene = Scene.of("a").until(Stage.Promoting).settle();
    scene.users = java.util.List.of("a-1");
    scene.abort = true;
    scene.until(Stage.Discarding).settle().after(Duration.ofHours(1)).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Discarding);
    assertThat(scene.journal.message()).contains("a-1");
    scene.users = java.util.List.of();
    scene.until(Stage.Aborted);
  }

  @Test
  void theAliasOfSomebodyElseIsNeverWritten() {
    Scene scene = Scene.of("a").until(Stage.Promoting);
    scene.alias = Alias.Content.Foreign;
    scene.settle().after(Duration.ofHours(1)).settle();

    assertThat(scene.did()).doesNotContain("alias v7-00000007");
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.SECRET_NOT_OWNED);
  }

  @Test
  void aDeletedRecordGoesOnlyWhenItsBindingRemembersIt() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    scene.deleted = true;
    scene.noted = false;
    scene.until(Stage.Aborted).settle().after(Duration.ofHours(1)).settle();
    assertThat(scene.did()).doesNotContain("release");

    scene.noted = true;
    scene.settle();

    assertThat(scene.released).isTrue();
  }

  @Test
  void aRecordThatAPersonMadeCanBeDeleted() {
    Scene scene = Scene.of("a");
    scene.foreign = true;
    scene.noted = false;
    scene.settle();
    assertThat(scene.released).isFalse();

    scene.deleted = true;
    scene.settle();

    assertThat(scene.did()).containsExactly("release");
    assertThat(scene.stage()).isEqualTo(Stage.Pending);
  }

  @Test
  void podsAreNotSentBackToASecretThatGoesWithItsBinding() {
    Scene scene = Scene.of("a", "b").policy(CanaryStrategy.None, 1, OnFailure.RollBack);
    scene.service("b").rollsOut = false;
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    scene.effects.clear();
    scene.bindingGone = true;
    scene.deleted = true;
    scene.alias = Alias.Content.Missing;

    scene.until(Stage.Aborted).settle();

    assertThat(scene.did()).containsExactly("delete snapshot", "release");
    assertThat(scene.journal.message()).contains("stay as they are");
  }

  @Test
  void aBindingThatLeavesItsSecretTakesThePodsBack() {
    Scene scene = Scene.of("a").policy(CanaryStrategy.None, 1, OnFailure.RollBack);
    scene.service("a").rollsOut = false;
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    scene.effects.clear();
    scene.bindingGone = true;
    scene.deleted = true;
    scene.service("a").rollsOut = true;

    scene.until(Stage.Aborted).settle();

    assertThat(scene.did())
        .containsExactly(
            "alias v6-00000006", "annotate a v6-00000006", "delete snapshot", "release");
    assertThat(reason(scene, Conditions.ROLLED_BACK)).isEqualTo(Reasons.BINDING_DELETED);
  }

  @Test
  void whoDeletesARotationThatCannotGoBackLetsGoOfItAndKeepsWhatTheAliasHolds() {
    Scene scene = Scene.of("a").until(Stage.Promoting).settle();
    scene.fromLost = true;
    scene.abort = true;
    scene.settle();
    assertThat(reason(scene, Conditions.STALLED)).isEqualTo(Reasons.ROLLBACK_IMPOSSIBLE);

    scene.deleted = true;
    scene.until(Stage.Aborted).settle();

    assertThat(scene.alias).isEqualTo(Alias.Content.To);
    assertThat(scene.snapshots).containsExactly(Scene.TO);
    assertThat(scene.released).isTrue();
  }

  @Test
  void aVersionWhoseSnapshotIsDeletedBeforeItIsPromotedIsTakenBack() {
    for (Stage stage : java.util.List.of(Stage.Canary, Stage.Baking, Stage.Promoting)) {
      Scene scene = Scene.of("a");
      scene.service("a").cloneReady = stage != Stage.Canary;
      scene.until(stage);
      scene.snapshots.clear();

      scene.until(Stage.Failed);

      assertThat(reason(scene, Conditions.ROLLED_BACK)).isEqualTo(Reasons.SNAPSHOT_LOST);
      assertThat(scene.did()).doesNotContain("alias v7-00000007");
    }
  }

  @Test
  void aSnapshotThatIsDeletedDuringThePromotionIsWrittenAgainFromTheAlias() {
    Scene scene = Scene.of("a").until(Stage.Promoting).settle();
    scene.snapshots.clear();

    scene.until(Stage.Complete);

    assertThat(scene.did()).containsOnlyOnce("restore snapshot", "alias v7-00000007");
    assertThat(scene.snapshots).containsExactly(Scene.TO);
  }

  @Test
  void anAliasThatIsEditedDuringThePromotionIsSetRightAndPeopleAreTold() {
    Scene scene = Scene.of("a");
    scene.service("a").rollsOut = false;
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    scene.effects.clear();
    scene.alias = Alias.Content.Other;

    Plan told = scene.step();
    scene.settle();

    assertThat(told.findings())
        .anyMatch(f -> f.reason().equals(Reasons.ALIAS_RESTORED) && told.effect().isEmpty());
    assertThat(scene.did()).containsExactly("alias v7-00000007");
  }

  @Test
  void aRejectedSnapshotStaysForAPodThatNamesItWhenNobodyWaitsForThatAnyMore() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    scene.users = java.util.List.of("reporter");
    scene.snapshotNeeded = true;
    scene.abort = true;
    scene.until(Stage.Discarding).settle().after(Duration.ofHours(1)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Discarding);
    assertThat(scene.journal.message()).contains("reporter");

    scene.deleted = true;
    scene.until(Stage.Aborted);

    assertThat(scene.snapshots).containsExactly(Scene.TO);
    assertThat(scene.journal.message()).contains("reporter");
  }

  @Test
  void aNewerValueWaitsForThePodsOfTheCanaryAndForNobodyElse() {
    Scene scene = Scene.of("a").until(Stage.Baking);
    scene.abort = true;
    scene.canariesRun = true;
    scene.users = java.util.List.of("a-1");
    scene.source = new Source.Fresh(true);
    scene.until(Stage.Discarding).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Discarding);
    assertThat(scene.journal.message()).contains("a-canary-1");

    scene.canariesRun = false;
    scene.until(Stage.Aborted);

    assertThat(scene.snapshots).isEmpty();
  }
}
