package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.ConcurrencyPolicy;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Finding;
import io.keyturn.domain.rotation.Observation.Alias;
import io.keyturn.domain.rotation.Observation.Source;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How workloads follow a proven version, and how the version before goes. */
class RolloutTest {

  private static final String ONE_BY_ONE =
      "{canary: {strategy: None}, promotion: {maxParallel: 1}}";

  private static Scene rolling(String policy, String... names) {
    Scene scene = Scene.of(names).policy(policy);
    scene.service(names[0]).rollsOut = false;
    return scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
  }

  private static String reason(Scene scene, String type) {
    return scene.journal.conditions().stream()
        .filter(c -> c.type().equals(type))
        .findFirst()
        .map(c -> c.reason())
        .orElse(null);
  }

  private static WorkloadProgress progress(Scene scene, String name) {
    return scene.journal.workloads().stream()
        .filter(w -> w.name().equals(name))
        .findFirst()
        .orElseThrow();
  }

  @Test
  void aWorkloadThatDoesNotBecomeStableInTimeIsTakenBackEvenIfNothingSaysWhy() {
    Scene scene = rolling(ONE_BY_ONE, "a");
    scene.after(Duration.ofMinutes(15)).after(Duration.ofSeconds(-1)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Promoting);

    scene.after(Duration.ofSeconds(1)).step();
    assertThat(reason(scene, Conditions.ROLLED_BACK)).isEqualTo(Reasons.PROMOTION_FAILED);
    assertThat(scene.journal.message())
        .isEqualTo("a did not become stable on version 7 within 15m.");
  }

  @Test
  void theTimeOfAWorkloadThatSomebodyElseAnnotatedCountsFromTheVerdict() {
    Scene scene = rolling(ONE_BY_ONE, "a");
    scene.service("a").annotatedAt = null;
    scene.after(Duration.ofMinutes(15)).step();

    assertThat(scene.stage()).isEqualTo(Stage.RollingBack);
  }

  @Test
  void aWorkloadIsThereOnlyWhenNoPodOfTheVersionBeforeIsLeft() {
    Scene scene = Scene.of("a", "b").policy(ONE_BY_ONE);
    scene.service("a").oldPods = 1;
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    assertThat(progress(scene, "a").state()).isEqualTo(WorkloadState.Promoting);
    assertThat(scene.journal.progress()).isEqualTo("0/2");
    assertThat(scene.did()).doesNotContain("annotate b v7-00000007");

    scene.service("a").oldPods = 0;
    scene.until(Stage.Retiring);
    assertThat(scene.journal.progress()).isEqualTo("2/2");
  }

  @Test
  void aWorkloadThatWasThereAndRollsAgainStaysThere() {
    Scene scene = Scene.of("a", "b").policy(ONE_BY_ONE);
    scene.service("b").rollsOut = false;
    scene.until(Stage.Promoting).settle().after(Duration.ofSeconds(3)).settle();
    assertThat(progress(scene, "a").state()).isEqualTo(WorkloadState.Promoted);
    scene.service("a").rollsOut = false;
    scene.settle();

    assertThat(progress(scene, "a").state()).isEqualTo(WorkloadState.Promoted);
  }

  @Test
  void aWorkloadWithoutPodsIsPassedOverUntilItHasSome() {
    Scene scene = Scene.of("a", "b").policy(ONE_BY_ONE);
    scene.service("a").rollsOut = false;
    scene.until(Stage.Promoting);
    scene.service("b").replicas = 0;
    scene.settle().after(Duration.ofSeconds(3)).settle();
    assertThat(progress(scene, "b").state()).isEqualTo(WorkloadState.ScaledToZero);
    assertThat(scene.journal.progress()).isEqualTo("1/2");

    scene.service("b").replicas = 2;
    scene.settle();
    assertThat(progress(scene, "b").state()).isEqualTo(WorkloadState.Waiting);
    scene.service("a").rollsOut = true;
    scene.until(Stage.Retiring);
    assertThat(scene.did()).contains("annotate b v7-00000007");
  }

  @Test
  void aPromotionDoesNotEndInTheLookThatFindsItsLastWorkloadWithoutPods() {
    Scene scene = rolling(ONE_BY_ONE, "a", "b");
    scene.service("a").rollsOut = true;
    scene.service("b").replicas = 0;

    scene.step();
    assertThat(progress(scene, "a").state()).isEqualTo(WorkloadState.Promoted);
    assertThat(progress(scene, "b").state()).isEqualTo(WorkloadState.ScaledToZero);
    assertThat(scene.stage()).as("its users are not counted yet").isEqualTo(Stage.Promoting);

    scene.users = List.of("job-1");
    scene.until(Stage.Retiring);
    assertThat(scene.journal.retirement().usersRemaining()).isEqualTo(1);
  }

  @Test
  void aWaveOfWorkloadsWithoutPodsAddsNoPause() {
    Scene scene =
        Scene.of("api", "idle", "last")
            .policy("{canary: {strategy: None}, promotion: {pauseBetweenWaves: 10m}}");
    scene.service("idle").wave = 1;
    scene.service("idle").replicas = 0;
    scene.service("last").wave = 2;
    scene.until(Stage.Retiring);

    assertThat(progress(scene, "last").promotedAt())
        .isBetween(
            Scene.START.plus(Duration.ofMinutes(10)), Scene.START.plus(Duration.ofMinutes(11)));
    assertThat(progress(scene, "idle").state()).isEqualTo(WorkloadState.ScaledToZero);
  }

  @Test
  void aWorkloadThatIsDeletedDuringThePromotionIsNotWaitedFor() {
    Scene scene = rolling(ONE_BY_ONE, "a", "b");
    scene.service("a").exists = false;
    scene.settle();
    assertThat(progress(scene, "a").state()).isEqualTo(WorkloadState.Gone);

    scene.until(Stage.Retiring);
    assertThat(scene.journal.progress()).isEqualTo("1/1");
    assertThat(scene.did()).contains("annotate b v7-00000007");
  }

  @Test
  void aWorkloadThatIsCreatedAnewBeforeTheAliasMovesMovesLikeTheOthers() {
    Scene scene = Scene.of("a", "b");
    scene.until(Stage.Promoting);
    String clone = progress(scene, "a").canaryRef();
    scene.service("a").uid = "uid-of-another";
    scene.service("a").annotation = null;
    scene.settle().after(Duration.ofSeconds(3)).settle();

    assertThat(scene.did()).containsSubsequence("stop canary of a", "annotate a v7-00000007");
    assertThat(progress(scene, "a").uid()).isEqualTo("uid-of-another");
    assertThat(progress(scene, "a").proof()).isEqualTo(Proof.PreflightOnly);
    assertThat(progress(scene, "a").canaryRef())
        .as("a process that stood still may start it even now")
        .isEqualTo(clone);
  }

  @Test
  void theCanaryOfAWorkloadThatIsThereIsStoppedWhileOthersStillRoll() {
    Scene scene = Scene.of("a", "b", "c").policy("promotion: {maxParallel: 3}");
    scene.service("b").rollsOut = false;
    scene.until(Stage.Promoting);
    scene.service("c").replicas = 0;
    scene.settle().after(Duration.ofSeconds(3)).settle();

    assertThat(scene.did())
        .contains("stop canary of a", "stop canary of c")
        .doesNotContain("stop canary of b");
  }

  @Test
  void anAnnotationThatSomebodyTookOverBeforeItWasWrittenPausesThePromotion() {
    Scene scene = Scene.of("a").policy(ONE_BY_ONE).until(Stage.Promoting);
    scene.service("a").owner = "argocd";
    scene.settle().after(Duration.ofSeconds(3)).settle();

    assertThat(reason(scene, Conditions.STALLED)).isEqualTo(Reasons.FIELD_CONFLICT);
    assertThat(scene.journal.message())
        .startsWith("a was set back during the promotion")
        .contains("version.keyturn.io/payments-db of its pod template to v7-00000007");
    assertThat(scene.did()).doesNotContain("annotate a v7-00000007");
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));
  }

  @Test
  void whoTookAnAnnotationBackIsNamedWhereThatIsKnown() {
    Scene scene = rolling(ONE_BY_ONE, "a");
    scene.service("a").annotation = null;
    scene.settle();
    assertThat(progress(scene, "a").message())
        .isEqualTo("kubectl-rollout took the version annotation back.");

    scene.service("a").annotation = Scene.TO_ID;
    scene.settle();
    assertThat(progress(scene, "a").message()).as("it goes on").isNull();

    scene.service("a").annotation = null;
    scene.service("a").changedBy = null;
    scene.settle();
    assertThat(progress(scene, "a").message())
        .isEqualTo("Somebody took the version annotation back.");
  }

  @Test
  void theWorkloadsThatMoveAreNamed() {
    Scene scene = Scene.of("b", "a").policy("canary: {strategy: None}");
    scene.service("a").rollsOut = false;
    scene.service("b").rollsOut = false;
    scene.until(Stage.Promoting);

    assertThat(scene.journal.message()).isEqualTo("The pods of a, b move to version 7.");
    assertThat(reason(scene, Conditions.PROMOTED)).isEqualTo(Reasons.PROMOTING);
  }

  @Test
  void anAliasOfWhichNobodyKnowsSinceWhenItHoldsTheVersionIsNotWaitedFor() {
    Scene scene = Scene.of("a").policy(ONE_BY_ONE).until(Stage.Promoting).settle();
    scene.aliasSince = null;
    scene.settle();

    assertThat(scene.did()).contains("annotate a v7-00000007");
  }

  @Test
  void theKubeletsAreGivenTheirTimeAndNotMore() {
    Scene scene = Scene.of("a").policy(ONE_BY_ONE).until(Stage.Promoting).settle();
    assertThat(scene.step().wakeAt()).contains(scene.aliasSince.plusSeconds(2));

    scene.after(Duration.ofSeconds(1)).settle();
    assertThat(scene.did()).doesNotContain("annotate a v7-00000007");
    scene.after(Duration.ofSeconds(1)).settle();
    assertThat(scene.did()).contains("annotate a v7-00000007");
  }

  @Test
  void anAliasThatIsDeletedDuringThePromotionIsWrittenAgainAndPeopleAreTold() {
    Scene scene = rolling(ONE_BY_ONE, "a");
    scene.alias = Alias.Content.Missing;

    assertThat(scene.step().findings())
        .extracting(Finding::reason)
        .containsExactly(Reasons.ALIAS_RESTORED);
    scene.settle();
    assertThat(scene.alias).isEqualTo(Alias.Content.To);
  }

  @Test
  void thatTheAliasMovesToANewVersionIsNoNews() {
    Scene scene = Scene.of("a").policy(ONE_BY_ONE).until(Stage.Promoting);
    assertThat(scene.step().findings()).isEmpty();
  }

  @Test
  void aSourceThatGoesAwayBeforeTheVersionIsMadeIsWaitedFor() {
    Scene scene = Scene.of("a").until(Stage.Staging);
    scene.source = new Source.Unavailable(Reasons.SOURCE_EMPTY, "It is empty.");
    scene.settle();
    assertThat(scene.did()).isEmpty();
    assertThat(reason(scene, Conditions.BLOCKED)).isEqualTo(Reasons.SOURCE_EMPTY);
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));

    scene.source = new Source.Fresh(true);
    scene.until(Stage.Canary);
  }

  @Test
  void aValueThatIsMadeOnRequestReplacesNoCandidate() {
    Scene scene = Scene.of("a").policy("concurrency: {policy: Replace}").until(Stage.Baking);
    scene.source = new Source.Fresh(false);

    scene.until(Stage.Complete);
  }

  @Test
  void whatKeepsTheVersionBeforeIsNamedAndCounted() {
    Scene scene = Scene.of("a");
    scene.users = List.of("job-1");
    scene.until(Stage.Retiring);
    assertThat(scene.after(Duration.ofMinutes(59)).settle().journal.message())
        .startsWith("Version 7 is current; version 6 stays until ");
    scene.after(Duration.ofMinutes(1)).settle();
    assertThat(scene.journal.message()).isEqualTo("Waits for the last pod of version 6: job-1.");

    scene.users = List.of("job-1", "job-2", "job-3", "job-4");
    scene.settle();
    assertThat(scene.journal.message())
        .isEqualTo("Waits for 4 pods of version 6: job-1, job-2, job-3.");
    assertThat(scene.journal.retirement().usersRemaining()).isEqualTo(4);
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));

    scene.users = List.of();
    scene.settle();
    assertThat(scene.journal.message())
        .isEqualTo("Version 7 is current and no pod uses version 6 any more.");
  }

  @Test
  void theVersionBeforeStaysForItsGraceEvenIfNobodyUsesIt() {
    Scene scene = Scene.of("a").policy("retirement: {grace: 2h}").until(Stage.Retiring).settle();
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(Duration.ofHours(2)));

    scene.after(Duration.ofHours(2)).after(Duration.ofSeconds(-1)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);
    scene.after(Duration.ofSeconds(1)).step();
    assertThat(scene.stage()).isEqualTo(Stage.Complete);
  }

  @ParameterizedTest
  @EnumSource(ConcurrencyPolicy.class)
  void onlyAValueThatMayFollowByItselfEndsTheGraceOfTheOneBefore(ConcurrencyPolicy policy) {
    Scene scene =
        Scene.of("a").policy("concurrency: {policy: %s}".formatted(policy)).until(Stage.Retiring);
    scene.source = new Source.Fresh(false);
    scene.settle();
    assertThat(scene.stage()).as("made on request").isEqualTo(Stage.Retiring);

    scene.source = new Source.Fresh(true);
    scene.suspended = true;
    scene.settle();
    assertThat(scene.stage()).as("suspended").isEqualTo(Stage.Retiring);

    scene.suspended = false;
    scene.settle();
    assertThat(scene.stage())
        .isEqualTo(policy == ConcurrencyPolicy.Forbid ? Stage.Retiring : Stage.Complete);
  }

  @Test
  void whoDeletesTheRecordEndsTheGrace() {
    Scene scene = Scene.of("a").until(Stage.Retiring);
    scene.users = List.of("job-1");
    scene.deleted = true;
    scene.settle();

    assertThat(scene.stage()).isEqualTo(Stage.Complete);
    assertThat(scene.journal.message()).contains("while 1 pods may still use version 6");
    assertThat(scene.released).isTrue();
  }
}
