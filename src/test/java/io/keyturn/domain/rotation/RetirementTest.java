package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Failure;
import io.keyturn.domain.Finding;
import io.keyturn.domain.Finding.Severity;
import io.keyturn.domain.rotation.Observation.Credential;
import io.keyturn.domain.rotation.Observation.Source;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** How what a store has issued ends: the version before, and a candidate that was rejected. */
class RetirementTest {

  private static final String DISABLE = "disable v6-00000006";
  private static final String ENABLE = "enable v6-00000006";
  private static final String REVOKE = "revoke v6-00000006";
  private static final String REVOKE_ALL = "revoke v6-00000006 and its sessions";
  private static final String REVOKE_CANDIDATE = "revoke v7-00000007";
  private static final Duration RETRY = Duration.ofSeconds(45);

  private static Scene revocable(String policy) {
    return Scene.of("api").policy(policy).issued(false);
  }

  private static Scene disablable(String policy) {
    return Scene.of("api").policy(policy).issued(true);
  }

  private static Scene emergency(Scene scene) {
    scene.trigger = Trigger.Compromise;
    scene.reportedAt = Scene.START.minus(Duration.ofMinutes(5));
    return scene;
  }

  private static Failure transientFailure(String reason) {
    return new Failure(reason, "It answers later.", false, RETRY);
  }

  private static Failure lastingFailure() {
    return new Failure(Reasons.STORE_DENIED, "Its role may not do that.", true, RETRY);
  }

  private static Optional<Condition> condition(Scene scene, String type) {
    return scene.journal.conditions().stream().filter(c -> c.type().equals(type)).findFirst();
  }

  private static void assertOldRevoked(Scene scene, Status status, String reason) {
    Condition revoked = condition(scene, Conditions.OLD_REVOKED).orElseThrow();
    assertThat(revoked.status()).isEqualTo(status);
    assertThat(revoked.reason()).isEqualTo(reason);
  }

  private static void assertBlocked(Scene scene, Plan plan, String reason) {
    Condition blocked = condition(scene, Conditions.BLOCKED).orElseThrow();
    assertThat(blocked.reason()).isEqualTo(reason);
    assertThat(blocked.message()).isEqualTo("It answers later.");
    assertThat(plan.wakeAt()).contains(scene.now.plus(RETRY));
    Plan next = new RotationPlanner().plan(scene.observe(), scene.now);
    assertThat(next.effect()).as("it is tried again").isPresent();
    assertThat(next.journal()).as("and that stands meanwhile").isEqualTo(scene.journal);
  }

  private static Scene graceOver(Scene scene) {
    scene.now = scene.journal.retirement().graceUntil();
    return scene;
  }

  // The version before.

  @Test
  void itIsRevokedOnceItsGraceIsOver() {
    Scene scene = revocable("retirement: {grace: 2h}").until(Stage.Retiring);
    scene.now = scene.journal.retirement().graceUntil().minusSeconds(1);
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);
    assertThat(condition(scene, Conditions.OLD_REVOKED)).isEmpty();

    scene.after(Duration.ofSeconds(1)).step();
    assertThat(scene.stage()).isEqualTo(Stage.Revoking);
    assertThat(scene.journal.retirement().revokingSince()).isEqualTo(scene.now);
    assertOldRevoked(scene, Status.Unknown, Reasons.REVOKING);

    scene.until(Stage.Complete);
    assertThat(scene.did()).containsOnlyOnce(REVOKE).doesNotContain(DISABLE);
    assertOldRevoked(scene, Status.True, Reasons.REVOKED);
    assertThat(condition(scene, Conditions.OLD_REVOKED).orElseThrow().message())
        .contains("shown that it is refused");
    assertThat(scene.journal.timeline().revokedAt()).isEqualTo(scene.going.revokedAt());
  }

  @Test
  void andNotWhileAPodUsesIt() {
    Scene scene = disablable("");
    scene.users = List.of("job-1");
    scene.until(Stage.Retiring).after(Duration.ofDays(9)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);
    assertThat(scene.did()).doesNotContain(DISABLE, REVOKE);

    scene.users = List.of();
    scene.until(Stage.Complete);
    assertThat(scene.did()).containsSubsequence(DISABLE, REVOKE);
  }

  @Test
  void oneThatNobodyCouldAskIsNotSaidToBeRefused() {
    Scene scene = revocable("").until(Stage.Revoking);
    scene.going = new Credential(true, false, null, scene.now, false);
    scene.until(Stage.Complete);

    assertOldRevoked(scene, Status.True, Reasons.REVOKED);
    assertThat(condition(scene, Conditions.OLD_REVOKED).orElseThrow().message())
        .isEqualTo("Version 6 was revoked.");
  }

  @Test
  void whereItsStoreCanDisableItThatSoaksFirst() {
    Scene scene = disablable("retirement: {disableSoak: 20m}").until(Stage.Disabling).settle();
    final Instant disabledAt = scene.now;
    assertThat(scene.did()).last().isEqualTo(DISABLE);
    assertThat(scene.journal.timeline().disabledAt()).isEqualTo(disabledAt);
    assertOldRevoked(scene, Status.Unknown, Reasons.REVOKING);

    scene.now = disabledAt.plus(Duration.ofMinutes(20)).minusSeconds(1);
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Disabling);
    assertThat(scene.did()).doesNotContain(REVOKE);
    assertThat(scene.step().wakeAt()).contains(disabledAt.plus(Duration.ofMinutes(20)));

    scene.after(Duration.ofSeconds(1)).settle();
    assertThat(scene.stages).endsWith(Stage.Disabling, Stage.Revoking, Stage.Complete);
    assertThat(scene.did()).containsOnlyOnce(DISABLE, REVOKE);
    assertThat(scene.journal.timeline().disabledAt()).isEqualTo(disabledAt);
  }

  @Test
  void whoeverShowsDuringTheSoakIsLookedForEveryFewSeconds() {
    Scene scene = disablable("").until(Stage.Disabling).settle();

    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));
  }

  @Test
  void aSoakOfNoTimeIsNone() {
    Scene scene = disablable("retirement: {disableSoak: 0s}").until(Stage.Complete);

    assertThat(scene.stages).doesNotContain(Stage.Disabling);
    assertThat(scene.did()).contains(REVOKE).doesNotContain(DISABLE);
  }

  @Test
  void itIsEnabledAgainForAPodThatUsesItAndThenAllIsWaitedForAnew() {
    Scene scene = disablable("").until(Stage.Disabling).settle();
    final Instant promotedAt = scene.journal.timeline().promotedAt();
    scene.after(Duration.ofMinutes(9));
    scene.users = List.of("job-1");

    scene.step();
    assertThat(scene.did()).last().isEqualTo(ENABLE);
    assertThat(scene.stage()).isEqualTo(Stage.Disabling);
    Plan back = scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);
    assertThat(back.findings())
        .singleElement()
        .satisfies(f -> {
          assertThat(f.severity()).isEqualTo(Severity.Warning);
          assertThat(f.reason()).isEqualTo(Reasons.STILL_IN_USE);
          assertThat(f.message()).contains("is not disabled").contains("job-1");
        });
    assertThat(scene.journal.timeline().disabledAt()).isNull();
    assertThat(scene.journal.timeline().promotedAt()).isNotNull().isEqualTo(promotedAt);
    assertThat(scene.journal.retirement().stragglers()).containsExactly("job-1");
    scene.settle().after(Duration.ofHours(1)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);

    scene.users = List.of();
    scene.until(Stage.Disabling).settle();
    final Instant again = scene.now;
    scene.until(Stage.Complete);
    assertThat(scene.now).isEqualTo(again.plus(Duration.ofMinutes(10)));
    assertThat(scene.did()).containsSubsequence(DISABLE, ENABLE, DISABLE, REVOKE);
    assertThat(scene.journal.timeline().promotedAt()).isEqualTo(promotedAt);
  }

  @Test
  void aPolicyThatDoesNotWantItRevokedIsFollowedAndThatIsSaid() {
    Scene scene = disablable("retirement: {revoke: false}").until(Stage.Complete);

    assertThat(scene.did()).doesNotContain(DISABLE, REVOKE);
    assertThat(scene.stages).endsWith(Stage.Retiring, Stage.Complete);
    assertOldRevoked(scene, Status.False, Reasons.REVOKE_NOT_WANTED);
  }

  @Test
  void sessionsEndWhereThePolicySaysSo() {
    Scene scene = revocable("retirement: {terminateSessions: true}").until(Stage.Complete);

    assertThat(scene.did()).contains(REVOKE_ALL);
  }

  static List<Credential> notToBeEnded() {
    return List.of(
        Credential.NONE,
        new Credential(false, true, null, null, false),
        new Credential(true, true, null, Scene.START, false));
  }

  @ParameterizedTest
  @MethodSource("notToBeEnded")
  void whatKeyturnCannotEndOrHasEndedIsLeftAsItIs(Credential going) {
    Scene scene = Scene.of("api");
    scene.going = going;
    scene.until(Stage.Complete);

    assertThat(scene.stages).endsWith(Stage.Retiring, Stage.Complete);
    assertThat(scene.did()).doesNotContain(DISABLE, REVOKE);
    assertThat(condition(scene, Conditions.OLD_REVOKED).map(Condition::status))
        .isEqualTo(going.revokedAt() == null ? Optional.empty() : Optional.of(Status.True));
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void whoHoldsOrSuspendsItKeepsItFromBeingEnded(boolean hold) {
    for (Stage stage : List.of(Stage.Retiring, Stage.Disabling)) {
      Scene scene = disablable("").until(stage);
      scene.hold = hold;
      scene.suspended = !hold;
      scene.settle().after(Duration.ofHours(9)).settle();
      assertThat(scene.stage()).isEqualTo(stage);

      scene.hold = false;
      scene.suspended = false;
      scene.until(Stage.Complete);
      assertThat(scene.did()).contains(REVOKE);
    }
  }

  @Test
  void aPodThatShowsBeforeItIsRevokedKeepsItAlive() {
    Scene scene = revocable("").until(Stage.Revoking);
    scene.fail(transientFailure(Reasons.STORE_UNAVAILABLE));
    scene.users = List.of("job-1");
    scene.settle();

    assertThat(scene.did()).doesNotContain(REVOKE);
    assertThat(scene.stage()).isEqualTo(Stage.Complete);
    assertThat(scene.journal.message()).contains("1 pods may still use version 6");
    assertOldRevoked(scene, Status.False, Reasons.REVOKING);
  }

  // Those who do not wait.

  static List<Consumer<Scene>> leavers() {
    return List.of(
        s -> s.compromised = true,
        s -> s.deleted = true,
        s -> s.bindingGone = true,
        s -> s.source = new Source.Fresh(true));
  }

  @ParameterizedTest
  @MethodSource("leavers")
  void whoeverWantsItGoneBeforeItsGraceIsOverLeavesTheVersionAlive(Consumer<Scene> leaver) {
    Scene scene = disablable("").until(Stage.Retiring);
    scene.source = new Source.Candidate();
    leaver.accept(scene);
    scene.settle();

    assertThat(scene.stage()).isEqualTo(Stage.Complete);
    assertThat(scene.did()).doesNotContain(DISABLE, REVOKE);
    assertOldRevoked(scene, Status.False, Reasons.REVOKING);
  }

  @Test
  void aBindingThatHasGoneLeavesItsVersionAliveForItsSecretMayStay() {
    Scene scene = revocable("").until(Stage.Retiring);
    scene.bindingGone = true;
    graceOver(scene).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Complete);
    assertThat(scene.did()).doesNotContain(REVOKE);
  }

  @Test
  void aNamespaceThatGoesTakesTheVersionWithIt() {
    Scene scene = revocable("").until(Stage.Retiring);
    scene.bindingGone = true;
    scene.namespaceGone = true;
    graceOver(scene).settle();

    assertThat(scene.stage()).isEqualTo(Stage.Complete);
    assertThat(scene.did()).contains(REVOKE);
    assertOldRevoked(scene, Status.True, Reasons.REVOKED);
  }

  @Test
  void whatTwoProcessesHadIssuedForOneVersionIsEndedBeforeEitherSnapshotGoes() {
    Scene scene = revocable("").until(Stage.Baking);
    scene.snapshots.add("payments-db-v7-00000099");
    scene.twin = "payments-db-v7-00000099";
    scene.abort = true;
    scene.until(Stage.Aborted);

    assertThat(scene.did())
        .containsSubsequence(
            REVOKE_CANDIDATE, "revoke v7-00000099", "delete snapshot", "delete snapshot");
  }

  @Test
  void whatIsNotThereAnyMoreIsNotDisabled() {
    for (Credential gone :
        List.of(Credential.NONE, new Credential(true, true, null, Scene.START, false))) {
      Scene scene = disablable("").until(Stage.Disabling);
      scene.going = gone;
      scene.settle();

      assertThat(scene.stage()).isEqualTo(Stage.Complete);
      assertThat(scene.did()).doesNotContain(DISABLE, REVOKE);
    }
  }

  @Test
  void anEmergencyOfTheNewVersionDoesNotWaitForTheSoakOfTheOldOne() {
    Scene scene = disablable("retirement: {disableSoak: 2d}").until(Stage.Disabling).settle();
    scene.compromised = true;
    scene.settle();

    assertThat(scene.stage()).isEqualTo(Stage.Complete);
    assertThat(scene.did()).contains(REVOKE);
  }

  @Test
  void norForAStoreThatDoesNotEndIt() {
    Scene scene = revocable("").until(Stage.Revoking);
    scene.compromised = true;
    scene.fail(transientFailure(Reasons.STORE_UNAVAILABLE));

    assertThat(scene.stage()).isEqualTo(Stage.Complete);
    assertOldRevoked(scene, Status.False, Reasons.REVOKE_FAILED);
  }

  // After a compromise.

  @Test
  void afterACompromiseItIsRevokedAtOnceWithItsSessionsWhateverThePolicyWants() {
    Scene scene =
        emergency(disablable("retirement: {revoke: false, terminateSessions: false, grace: 9h}"))
            .until(Stage.Complete);

    assertThat(scene.stages).endsWith(Stage.Retiring, Stage.Revoking, Stage.Complete);
    assertThat(scene.did()).contains(REVOKE_ALL).doesNotContain(DISABLE);
    assertThat(scene.now).isBefore(Scene.START.plus(Duration.ofMinutes(1)));
    assertOldRevoked(scene, Status.True, Reasons.REVOKED);
  }

  @Test
  void andAtItsDeadlineWhoeverStillUsesIt() {
    Scene scene = emergency(disablable("emergency: {revokeDeadline: 20m}"));
    scene.users = List.of("job-1");
    scene.until(Stage.Retiring);
    final Instant deadline = scene.journal.timeline().startedAt().plus(Duration.ofMinutes(20));
    scene.now = deadline.minusSeconds(1);
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);
    assertThat(scene.did()).doesNotContain(REVOKE_ALL);

    scene.until(Stage.Complete);
    assertThat(scene.now).isEqualTo(deadline);
    assertThat(scene.did()).contains(REVOKE_ALL);
    assertThat(scene.journal.retirement().stragglers()).containsExactly("job-1");
    assertThat(scene.journal.message()).contains("1 pods may still use version 6");
  }

  @Test
  void whoHoldsItHoldsItBeyondTheDeadline() {
    Scene scene = emergency(revocable(""));
    scene.users = List.of("job-1");
    scene.until(Stage.Retiring);
    scene.hold = true;
    scene.after(Duration.ofHours(2)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);
    assertThat(scene.did()).doesNotContain(REVOKE_ALL);

    scene.hold = false;
    scene.settle();
    assertThat(scene.did()).contains(REVOKE_ALL);
  }

  @Test
  void aPodThatShowsInTheMiddleOfItIsWaitedForUntilTheDeadline() {
    Scene scene = emergency(revocable("")).until(Stage.Revoking);
    final Instant deadline = scene.journal.timeline().startedAt().plus(Duration.ofMinutes(30));
    scene.users = List.of("job-1");
    scene.now = deadline.minusSeconds(1);
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Revoking);
    assertThat(scene.did()).doesNotContain(REVOKE_ALL);

    scene.until(Stage.Complete);
    assertThat(scene.now).isEqualTo(deadline);
    assertThat(scene.did()).contains(REVOKE_ALL);
  }

  // What a store does not do.

  @Test
  void aRevocationThatDoesNotWorkYetIsTriedAgainAndSaysWhy() {
    Scene scene = revocable("").until(Stage.Revoking);
    Plan plan = scene.fail(transientFailure(Reasons.STORE_UNAVAILABLE));

    assertThat(scene.stage()).isEqualTo(Stage.Revoking);
    assertOldRevoked(scene, Status.Unknown, Reasons.REVOKING);
    assertBlocked(scene, plan, Reasons.STORE_UNAVAILABLE);

    scene.after(RETRY).until(Stage.Complete);
    assertThat(condition(scene, Conditions.BLOCKED)).isEmpty();
    assertOldRevoked(scene, Status.True, Reasons.REVOKED);
  }

  private static void assertEndsUnrevoked(Scene scene, Plan plan) {
    assertThat(scene.stage()).isEqualTo(Stage.Complete);
    assertOldRevoked(scene, Status.False, Reasons.REVOKE_FAILED);
    assertThat(plan.findings())
        .filteredOn(f -> f.severity() == Severity.Warning)
        .singleElement()
        .satisfies(f -> {
          assertThat(f.reason()).isEqualTo(Reasons.REVOKE_FAILED);
          assertThat(f.message()).startsWith("Version 6 could not be revoked");
        });
    assertThat(condition(scene, Conditions.SUCCEEDED).orElseThrow().status())
        .isEqualTo(Status.True);
    assertThat(scene.journal.timeline().revokedAt()).isNull();
  }

  @Test
  void oneThatWillNotWorkEndsTheRotationAllTheSame() {
    Scene scene = revocable("").until(Stage.Revoking);
    Plan plan = scene.fail(lastingFailure());

    assertEndsUnrevoked(scene, plan);
    assertThat(condition(scene, Conditions.OLD_REVOKED).orElseThrow().message())
        .endsWith("Its role may not do that.");
    scene.settle();
    assertOldRevoked(scene, Status.False, Reasons.REVOKE_FAILED);
  }

  @Test
  void andOneThatDidNotWorkForAnHour() {
    Scene scene = revocable("").until(Stage.Revoking);
    final Instant since = scene.journal.retirement().revokingSince();
    scene.now = since.plus(Duration.ofHours(1)).minusSeconds(1);
    scene.fail(transientFailure(Reasons.STORE_UNAVAILABLE));
    assertThat(scene.stage()).isEqualTo(Stage.Revoking);

    scene.after(Duration.ofSeconds(1));
    assertEndsUnrevoked(scene, scene.fail(transientFailure(Reasons.STORE_UNAVAILABLE)));
  }

  @Test
  void whatCannotBeDisabledIsRevokedWithoutThat() {
    Scene scene = disablable("").until(Stage.Disabling);
    scene.fail(lastingFailure());
    assertThat(scene.stage()).isEqualTo(Stage.Revoking);
    assertThat(scene.journal.retirement().revokingSince()).isEqualTo(scene.now);

    scene.until(Stage.Complete);
    assertThat(scene.did()).contains(REVOKE).doesNotContain(DISABLE);
    assertThat(scene.journal.timeline().disabledAt()).isNull();
    assertOldRevoked(scene, Status.True, Reasons.REVOKED);
  }

  @Test
  void andWhatCannotBeDisabledYetIsTriedAgain() {
    Scene scene = disablable("").until(Stage.Disabling);
    Plan plan = scene.fail(transientFailure(Reasons.STORE_THROTTLED));

    assertThat(scene.stage()).isEqualTo(Stage.Disabling);
    assertBlocked(scene, plan, Reasons.STORE_THROTTLED);
  }

  @Test
  void whatCannotBeEnabledAgainIsNeverRevokedAndTriedAgain() {
    Scene scene = disablable("").until(Stage.Disabling).settle();
    scene.users = List.of("job-1");
    scene.fail(lastingFailure());
    scene.after(Duration.ofHours(2));
    scene.fail(lastingFailure());

    assertThat(scene.stage()).isEqualTo(Stage.Disabling);
    assertThat(condition(scene, Conditions.BLOCKED).orElseThrow().reason())
        .isEqualTo(Reasons.STORE_DENIED);
    scene.settle();
    assertThat(scene.did()).contains(ENABLE).doesNotContain(REVOKE);
  }

  // What is said of it stands.

  @Test
  void whatBecameOfItStandsWhenItsSnapshotHasGone() {
    List<Scene> ended = new ArrayList<>();
    ended.add(revocable("").until(Stage.Complete));
    ended.add(revocable("retirement: {revoke: false}").until(Stage.Complete));
    Scene failed = revocable("").until(Stage.Revoking);
    failed.fail(lastingFailure());
    ended.add(failed);
    for (Scene scene : ended) {
      var journal = scene.journal;
      scene.going = Credential.NONE;
      scene.after(Duration.ofDays(1)).settle();
      assertThat(condition(scene, Conditions.OLD_REVOKED)).isPresent();
      assertThat(scene.journal).isEqualTo(journal);
    }
  }

  @Test
  void orWasRevokedLater() {
    Scene scene = revocable("").until(Stage.Retiring);
    scene.compromised = true;
    scene.settle();
    var journal = scene.journal;

    scene.going = new Credential(true, false, null, scene.now, true);
    scene.settle();
    assertThat(scene.journal).isEqualTo(journal);
  }

  // A candidate that was rejected.

  private static Scene rejected() {
    Scene scene = disablable("").until(Stage.Baking);
    scene.abort = true;
    return scene;
  }

  @Test
  void aRejectedCandidateIsRevokedBeforeItsSnapshotGoes() {
    Scene scene = rejected().until(Stage.Aborted);

    assertThat(scene.did()).containsSubsequence(REVOKE_CANDIDATE, "delete snapshot");
    assertThat(scene.did()).doesNotContain("disable v7-00000007");
    assertThat(scene.snapshots).isEmpty();
    assertThat(condition(scene, Conditions.OLD_REVOKED)).isEmpty();
    assertThat(scene.journal.timeline().revokedAt())
        .as("that is when the version before was")
        .isNull();
  }

  @Test
  void whateverThePolicySaysOfTheVersionBefore() {
    Scene scene = revocable("retirement: {revoke: false}").until(Stage.Baking);
    scene.abort = true;

    assertThat(scene.until(Stage.Aborted).did()).contains(REVOKE_CANDIDATE);
  }

  @Test
  void butNotWhileAPodUsesIt() {
    Scene scene = rejected();
    scene.users = List.of("api-1");
    scene.until(Stage.Discarding).settle().after(Duration.ofDays(1)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Discarding);
    assertThat(scene.did()).doesNotContain(REVOKE_CANDIDATE, "delete snapshot");

    scene.users = List.of();
    scene.until(Stage.Aborted);
    assertThat(scene.did()).containsSubsequence(REVOKE_CANDIDATE, "delete snapshot");
  }

  @Test
  void whoDoesNotWaitForItsPodsLeavesItAliveAndItsSnapshotForLater() {
    Scene scene = rejected();
    scene.users = List.of("api-1");
    scene.source = new Source.Fresh(true);
    scene.until(Stage.Aborted);

    assertThat(scene.did()).doesNotContain(REVOKE_CANDIDATE, "delete snapshot");
    assertThat(scene.snapshots).containsExactly(Scene.TO);
  }

  @Test
  void aCandidateThatCannotBeRevokedYetIsTriedAgain() {
    Scene scene = rejected().until(Stage.Discarding);
    scene.after(Duration.ofDays(1));
    Plan plan = scene.fail(transientFailure(Reasons.STORE_CIRCUIT_OPEN));
    assertThat(scene.stage()).isEqualTo(Stage.Discarding);
    assertBlocked(scene, plan, Reasons.STORE_CIRCUIT_OPEN);

    scene.until(Stage.Aborted);
    assertThat(scene.did()).containsSubsequence(REVOKE_CANDIDATE, "delete snapshot");
  }

  @Test
  void oneThatCannotBeRevokedKeepsItsSnapshotWhichKnowsIt() {
    Scene scene = rejected().until(Stage.Discarding);
    Plan plan = scene.fail(lastingFailure());
    assertThat(scene.stage()).isEqualTo(Stage.Aborted);
    assertThat(plan.findings())
        .filteredOn(f -> f.severity() == Severity.Warning)
        .singleElement()
        .satisfies(f -> {
          assertThat(f.reason()).isEqualTo(Reasons.REVOKE_FAILED);
          assertThat(f.message()).startsWith("Version 7 could not be revoked");
        });

    scene.settle();
    assertThat(scene.did()).doesNotContain("delete snapshot");
    assertThat(scene.snapshots).containsExactly(Scene.TO);
    assertThat(condition(scene, Conditions.OLD_REVOKED)).isEmpty();
  }

  // A version that cannot be made.

  @Test
  void aVersionThatItsStoreWillNotMakeIsTakenBack() {
    Scene scene = revocable("").until(Stage.Staging);
    Plan plan = scene.fail(lastingFailure());
    assertThat(scene.stage()).isEqualTo(Stage.RollingBack);
    assertThat(plan.findings()).extracting(Finding::reason).containsExactly(Reasons.STORE_DENIED);

    scene.going = Credential.NONE;
    scene.until(Stage.Failed);
    Condition back = condition(scene, Conditions.ROLLED_BACK).orElseThrow();
    assertThat(back.reason()).isEqualTo(Reasons.STORE_DENIED);
    assertThat(back.message()).isEqualTo("Its role may not do that.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        Reasons.STORE_UNAVAILABLE,
        Reasons.STORE_CIRCUIT_OPEN,
        Reasons.STORE_THROTTLED,
        Reasons.STORE_CONFLICT,
        Reasons.SECRET_NOT_OWNED,
        Reasons.SOURCE_NOT_FOUND,
        Reasons.STORE_NOT_FOUND,
        Reasons.STORE_NOT_ALLOWED,
        Reasons.QUOTA_EXCEEDED,
        Reasons.SLOT_IN_USE,
        Reasons.ACCESS_DENIED
      })
  void oneThatItDoesNotMakeYetIsAskedForAgain(String reason) {
    Scene scene = revocable("").until(Stage.Staging);
    Plan plan = scene.fail(transientFailure(reason));
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
    assertBlocked(scene, plan, reason);

    scene.until(Stage.Baking);
    assertThat(condition(scene, Conditions.BLOCKED)).isEmpty();
  }

  // A version that has ended already.

  @Test
  void aPodOnTheOldVersionDoesNotKeepTheNewOneFromBeingReplacedInTime() {
    Scene scene = revocable("");
    scene.users = List.of("job-1");
    scene.until(Stage.Retiring);
    scene.replaceBy = scene.now.plus(Duration.ofHours(3));
    scene.after(Duration.ofHours(2)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);

    scene.after(Duration.ofHours(1)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Complete);
    assertThat(scene.did()).doesNotContain(REVOKE);
    assertOldRevoked(scene, Status.False, Reasons.REVOKING);
  }

  @Test
  void norDoesTheSoakOfTheOldOne() {
    Scene scene = disablable("retirement: {disableSoak: 9h}").until(Stage.Disabling).settle();
    scene.replaceBy = scene.now.plus(Duration.ofHours(1));

    assertThat(scene.step().wakeAt().orElseThrow()).isBeforeOrEqualTo(scene.replaceBy);
    scene.after(Duration.ofHours(1)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Complete);
    assertThat(scene.did()).contains(REVOKE);
  }

  @Test
  void nothingGoesBackToAVersionThatHasEnded() {
    Scene scene = Scene.of("api");
    scene.trigger = Trigger.Expiring;
    scene.fromEnded = true;
    scene.until(Stage.Promoting);
    scene.service("api").stuck = "its pods crash";
    scene.settle().after(Duration.ofSeconds(3)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Promoting);
    assertThat(condition(scene, Conditions.BLOCKED).orElseThrow().reason())
        .isEqualTo(Reasons.PROMOTION_FAILED);

    scene.abort = true;
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Promoting);
  }

  @Test
  void noCanaryIsWaitedForWhereTheOldValueHasEnded() {
    Scene scene = Scene.of("api", "worker");
    scene.trigger = Trigger.Expiring;
    scene.fromEnded = true;
    scene.until(Stage.Staging);
    scene.fromEnded = false;
    assertThat(scene.journal.workloads())
        .extracting(WorkloadProgress::strategy)
        .containsOnly(CanaryStrategy.None);

    scene.until(Stage.Complete);
    assertThat(scene.did()).noneMatch(d -> d.startsWith("start canary"));
    assertThat(scene.now.minus(Duration.ofHours(1)))
        .isBefore(Scene.START.plus(Duration.ofMinutes(1)));
  }

  @Test
  void evenIfThePolicyDemandsProof() {
    Scene scene = Scene.of("api").policy("canary: {minimumProof: PodCanary}");
    scene.trigger = Trigger.Expiring;
    scene.fromEnded = true;
    scene.settle();

    assertThat(condition(scene, Conditions.BLOCKED)).isEmpty();
    assertThat(scene.did()).contains("create snapshot");
  }
}
