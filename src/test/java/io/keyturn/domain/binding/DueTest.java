package io.keyturn.domain.binding;

import static io.keyturn.testing.Policies.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Rotate;
import io.keyturn.api.v1alpha1.SecretBindingSpec.RotateReason;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretBindingStatus.LastRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.binding.BindingObservation.Alias;
import io.keyturn.domain.binding.BindingObservation.Rotation;
import io.keyturn.domain.binding.BindingObservation.Source;
import io.keyturn.domain.lease.Lease;
import io.keyturn.domain.schedule.Timetable.Start;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class DueTest {

  private static final Instant NOW = Instant.parse("2026-11-24T12:00:00Z");
  private static final Current CURRENT =
      new Current(1, "payments-db-v1-0000000a", NOW.minus(Duration.ofDays(1)));
  private static final String REJECTED = "0000000b";

  private final List<Rotation> rotations = new ArrayList<>();
  private List<Lease> leases = List.of();
  private Source source = new Source.Value(REJECTED, false);
  private String nonce;
  private String request;
  private boolean firstLook;
  private String handledNonce;
  private String handledRequest;
  private String forbidden;
  private String compromised;
  private Trigger trigger = Trigger.SourceChanged;
  private Instant reportedAt;
  private RotateReason reason;
  private LastRotation noted;
  private RotationPolicySpec policy = RotationPolicySpec.BUILT_IN;

  private Due due(Instant now) {
    return Due.of(observation(), now);
  }

  private BindingObservation observation() {
    SecretBindingSpec spec =
        new SecretBindingSpec(
            null,
            null,
            null,
            null,
            null,
            nonce == null ? null : new Rotate(nonce, reason, null),
            null);
    SecretBindingStatus status =
        new SecretBindingStatus(
            null,
            null,
            null,
            firstLook ? null : CURRENT,
            null,
            null,
            noted,
            handledNonce,
            handledRequest,
            null,
            null,
            null,
            null,
            forbidden,
            compromised,
            null);
    return new BindingObservation(
        "payments-db",
        "uid-of-the-binding",
        1L,
        spec,
        request,
        "payments-db",
        status,
        Optional.empty(),
        Optional.of(policy),
        source,
        Optional.of(CURRENT),
        true,
        new Alias(Alias.Content.Current, null),
        List.of(),
        rotations,
        Optional.empty(),
        List.of(),
        List.of(),
        List.of(),
        List.of(),
        leases,
        List.of(),
        Optional.empty(),
        List.of());
  }

  private static Due again(Instant at) {
    return new Due.Later(at, Reasons.ROTATION_FAILED, "another attempt after the last one failed");
  }

  private Rotation rotation(
      long version, Stage stage, String served, String fingerprint, Instant finishedAt) {
    return new Rotation(
        "payments-db-" + version,
        version,
        trigger,
        reportedAt,
        stage,
        served,
        fingerprint,
        trigger == Trigger.Compromise ? "0000000a" : null,
        finishedAt,
        null,
        null,
        null,
        null,
        "it failed");
  }

  private void ended(long version, Stage stage, Instant at) {
    rotations.add(rotation(version, stage, null, REJECTED, at));
  }

  /** A lease of the current version that began with it. */
  private static Lease lease(Instant expiresAt, Instant hardExpiry, boolean ended) {
    return new Lease(
        CURRENT.snapshot(),
        CURRENT.version(),
        CURRENT.since(),
        CURRENT.since(),
        expiresAt,
        true,
        Optional.ofNullable(hardExpiry),
        ended,
        Optional.empty(),
        true);
  }

  /** The current version ends for good, and is renewed until then. */
  private Instant endsIn(Duration time) {
    Instant hard = NOW.plus(time);
    source = new Source.OnRequest();
    leases = List.of(lease(hard, hard, false));
    return hard;
  }

  private static Due expiring(Instant at, Instant end) {
    return new Due.Later(at, Reasons.EXPIRING, "the credential ends at " + end);
  }

  private void took(Duration time, int times) {
    for (int i = 0; i < times; i++) {
      long version = rotations.size() + 2;
      rotations.add(
          new Rotation(
              "payments-db-" + version,
              version,
              Trigger.Scheduled,
              null,
              Stage.Complete,
              null,
              null,
              null,
              NOW.minus(Duration.ofDays(1)),
              time,
              null,
              null,
              null,
              null));
    }
  }

  private void every(String time) {
    policy = policy("schedule: {every: %s, jitter: 0%%}".formatted(time));
  }

  @Test
  void aChangedSourceIsRotatedAtOnce() {
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null, null));
  }

  @Test
  void noRotationStartsBeforeItIsSaidWhatIsCurrentAsThatIsWhatItWouldGoBackTo() {
    BindingPlanner planner = new BindingPlanner();
    firstLook = true;

    BindingPlan plan = planner.plan(observation(), NOW);

    assertThat(plan.effect()).isEmpty();
    assertThat(plan.status().current()).isEqualTo(CURRENT);
    assertThat(planner.plan(observation().with(plan.status()), NOW).effect())
        .get()
        .isInstanceOf(Effect.StartRotation.class);
  }

  @Test
  void anUnchangedSourceIsNot() {
    source = new Source.Value("0000000a", true);

    assertThat(due(NOW)).isEqualTo(new Due.Never());
  }

  @Test
  void aSourceThatCannotBeReadStartsNothing() {
    source = new Source.Unavailable("SourceNotFound", "gone");
    nonce = "now";

    assertThat(due(NOW)).isEqualTo(new Due.Never());
  }

  @Test
  void aRejectedValueIsTriedAgainAfterABackoffThatDoubles() {
    ended(2, Stage.Failed, NOW);
    assertThat(due(NOW)).isEqualTo(again(NOW.plus(Duration.ofMinutes(1))));
    assertThat(due(NOW.plus(Duration.ofMinutes(1))))
        .isEqualTo(new Due.Now(Trigger.SourceChanged, null, null));

    ended(3, Stage.Failed, NOW);
    assertThat(due(NOW)).isEqualTo(again(NOW.plus(Duration.ofMinutes(2))));
  }

  @Test
  void andNotMoreOftenThanThePolicySays() {
    ended(2, Stage.Failed, NOW);
    ended(3, Stage.Failed, NOW);
    ended(4, Stage.Failed, NOW);

    assertThat(due(NOW.plus(Duration.ofDays(365))))
        .isEqualTo(new Due.Exhausted(3, Optional.empty()));
  }

  @Test
  void anotherValueStartsWithAllItsAttempts() {
    ended(2, Stage.Failed, NOW);
    ended(3, Stage.Failed, NOW);
    ended(4, Stage.Failed, NOW);
    source = new Source.Value("0000000c", false);

    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null, null));
  }

  @Test
  void failuresBeforeTheLastGoodRotationDoNotCount() {
    ended(2, Stage.Failed, NOW);
    ended(3, Stage.Failed, NOW);
    ended(4, Stage.Complete, NOW);

    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null, null));
  }

  @Test
  void whatAPersonTookBackIsNotTriedAgainByItself() {
    ended(2, Stage.Aborted, NOW);
    assertThat(due(NOW.plus(Duration.ofDays(1)))).isEqualTo(new Due.Exhausted(1, Optional.empty()));

    nonce = "again";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "again", null));
  }

  @Test
  void norWhenTheRecordOfItHasGone() {
    noted = new LastRotation("payments-db-2", Stage.Aborted, NOW, REJECTED);
    assertThat(due(NOW.plus(Duration.ofDays(1)))).isEqualTo(new Due.Exhausted(1, Optional.empty()));

    source = new Source.Value("0000000c", false);
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null, null));
  }

  @Test
  void aFailureWhoseRecordHasGoneIsWaitedOutAllTheSame() {
    ended(2, Stage.Failed, NOW);
    noted = new LastRotation("payments-db-3", Stage.Failed, NOW, REJECTED);

    assertThat(due(NOW)).isEqualTo(again(NOW.plus(Duration.ofMinutes(2))));
  }

  @Test
  void whatAPersonStoppedStaysStoppedWhenItsRecordGoesAndNothingElseDoes() {
    rotations.add(rotation(2, Stage.Aborted, null, REJECTED, NOW));
    noted = observation().lastEnded().orElseThrow();
    assertThat(noted).isEqualTo(new LastRotation("payments-db-2", Stage.Aborted, NOW, REJECTED));

    rotations.clear();
    assertThat(due(NOW)).isEqualTo(new Due.Exhausted(1, Optional.empty()));
    source = new Source.Value("0000000c", false);
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null, null));
    assertThat(observation().lastEnded()).contains(noted);
  }

  @Test
  void aSupersededAttemptIsNoFailure() {
    ended(2, Stage.Superseded, NOW);

    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null, null));
  }

  @Test
  void aRequestIsServedOnceByNonceAndOnceByAnnotation() {
    source = new Source.OnRequest();
    nonce = "one";
    request = "two";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "one", null));

    handledNonce = "one";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "two", null));

    handledRequest = "two";
    assertThat(due(NOW)).isEqualTo(new Due.Never());
  }

  @Test
  void aRequestThatComesWithTheFirstVersionIsServedByIt() {
    source = new Source.OnRequest();
    nonce = "one";
    request = "two";
    firstLook = true;

    assertThat(due(NOW)).isEqualTo(new Due.Never());
  }

  @Test
  void aRequestThatARotationServesIsServedEvenIfTheStatusDoesNotSaySoYet() {
    source = new Source.OnRequest();
    nonce = "one";
    rotations.add(rotation(2, Stage.Complete, "one", null, NOW));

    assertThat(due(NOW)).isEqualTo(new Due.Never());
  }

  @Test
  void aRequestIsPointlessWhileTheSourceHoldsTheCurrentValue() {
    source = new Source.Value("0000000a", true);
    nonce = "now";

    assertThat(due(NOW)).isEqualTo(new Due.Pointless("now"));
  }

  @Test
  void aScheduleCountsFromThePromotion() {
    source = new Source.OnRequest();
    every("30d");
    Instant at = NOW.plus(Duration.ofDays(29));

    assertThat(due(NOW))
        .isEqualTo(new Due.Later(at, Reasons.SCHEDULED, "30d after the last promotion"));
    assertThat(due(at)).isEqualTo(new Due.Now(Trigger.Scheduled, null, null));
  }

  @Test
  void aScheduleDoesNotMakeValuesForASourceThatSomethingElseKeeps() {
    source = new Source.Value("0000000a", true);
    every("1s");

    assertThat(due(NOW)).isEqualTo(new Due.Never());
  }

  @Test
  void whatFailedForOneDueTimeDoesNotCountForTheNext() {
    source = new Source.OnRequest();
    every("10d");
    Instant due = CURRENT.since().plus(Duration.ofDays(10));
    ended(2, Stage.Failed, due.plusSeconds(60));
    ended(3, Stage.Failed, due.plusSeconds(600));
    assertThat(due(due.plusSeconds(600)))
        .isEqualTo(again(due.plusSeconds(600).plus(Duration.ofMinutes(2))));

    ended(4, Stage.Failed, due.plusSeconds(6000));
    Instant next = due.plus(Duration.ofDays(10));
    assertThat(due(due.plusSeconds(7000)))
        .isEqualTo(
            new Due.Exhausted(
                3,
                Optional.of(new Start(next, Reasons.SCHEDULED, "the next time of the schedule"))));
    assertThat(due(next)).isEqualTo(new Due.Now(Trigger.Scheduled, null, null));
  }

  @Test
  void aPolicyThatCannotBeFollowedStartsNothingButWhatPeopleAskFor() {
    source = new Source.OnRequest();
    policy = policy("schedule: {cron: \"0 0 30 2 *\"}");

    assertThat(due(NOW)).isInstanceOf(Due.Unclear.class);
    nonce = "now";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "now", null));
  }

  @Test
  void aValueThatCameDuringARotationAndIsForbiddenWaitsForAPerson() {
    forbidden = REJECTED;

    assertThat(due(NOW)).isEqualTo(new Due.Forbidden());
    nonce = "now";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "now", null));
    nonce = null;
    source = new Source.Value("0000000c", false);
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null, null));
  }

  @Test
  void whatIsForbiddenIsRememberedUntilTheSourceHasSomethingElse() {
    policy = policy("concurrency: {policy: Forbid}");
    rotations.add(rotation(2, Stage.Baking, null, "0000000d", null));
    assertThat(planned().forbidden()).isEqualTo(REJECTED);

    rotations.clear();
    forbidden = REJECTED;
    assertThat(planned().forbidden()).isEqualTo(REJECTED);
    assertThat(planned().conditions())
        .anySatisfy(c -> {
          assertThat(c.type()).isEqualTo(Conditions.ROTATING);
          assertThat(c.reason()).isEqualTo(Reasons.CONCURRENCY_FORBIDDEN);
        });
    source = new Source.Value("0000000c", false);
    assertThat(planned().forbidden()).isNull();
  }

  @Test
  void theStatusSaysWhenTheNextRotationStartsAndWhy() {
    source = new Source.OnRequest();
    every("30d");
    Instant at = CURRENT.since().plus(Duration.ofDays(30));

    assertThat(planned().nextRotationTime()).isEqualTo(at);
    assertThat(planned().nextRotationReason()).isEqualTo(Reasons.SCHEDULED);
    assertThat(planned().conditions())
        .anySatisfy(c ->
            assertThat(c.message())
                .isEqualTo(
                    "No rotation is under way. The next one starts at %s: 30d after the last promotion."
                        .formatted(at)));
  }

  @Test
  void aCompromiseIsServedWhateverTheSourceHolds() {
    nonce = "leaked";
    reason = RotateReason.Compromise;
    for (Source held :
        List.of(
            new Source.OnRequest(),
            new Source.Value("0000000a", true),
            new Source.Value("0000000c", false),
            new Source.Unavailable("SourceNotFound", "gone"))) {
      source = held;
      assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Compromise, "leaked", null));
    }
  }

  @Test
  void anEmergencyThatFailedIsTriedAgainAsOneWithTheTimeOfItsReport() {
    trigger = Trigger.Compromise;
    reportedAt = NOW.minus(Duration.ofHours(1));
    ended(2, Stage.Failed, NOW.minus(Duration.ofMinutes(1)));

    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Compromise, null, reportedAt));
  }

  @Test
  void nothingGoesBackToAValueThatWasReportedCompromised() {
    compromised = REJECTED;

    assertThat(due(NOW)).isEqualTo(new Due.Compromised());
    assertThat(planned().compromised()).isEqualTo(REJECTED);
    assertThat(planned().conditions())
        .anySatisfy(c -> {
          assertThat(c.type()).isEqualTo(Conditions.ROTATION_HEALTHY);
          assertThat(c.reason()).isEqualTo(Reasons.SOURCE_COMPROMISED);
        });
  }

  @Test
  void whatAnEmergencyReplacedIsRememberedAsCompromised() {
    trigger = Trigger.Compromise;
    ended(2, Stage.Complete, NOW);

    assertThat(planned().compromised()).isEqualTo("0000000a");
  }

  // A credential that ends by itself.

  @Test
  void aCredentialThatEndsForGoodIsRotatedAsLongBeforeAsThePolicySays() {
    Instant hard = endsIn(Duration.ofDays(10));
    policy = policy("schedule: {leadTime: 2h}");
    Instant by = hard.minus(Duration.ofHours(2));

    assertThat(due(NOW)).isEqualTo(expiring(by, hard));
    assertThat(due(by.minusSeconds(1))).isEqualTo(expiring(by, hard));
    assertThat(due(by)).isEqualTo(new Due.Now(Trigger.Expiring, null, null));
  }

  @Test
  void asLongAsItCanBeRenewedItIsNot() {
    source = new Source.OnRequest();
    leases = List.of(lease(NOW.plusSeconds(1), null, false));

    assertThat(due(NOW)).isEqualTo(new Due.Never());
  }

  @Test
  void norBecauseTheCredentialOfAnotherVersionEnds() {
    source = new Source.OnRequest();
    leases =
        List.of(
            new Lease(
                "payments-db-v2-0000000f",
                2,
                NOW.minusSeconds(60),
                NOW.minusSeconds(60),
                NOW,
                false,
                Optional.of(NOW),
                true,
                Optional.empty(),
                true));

    assertThat(due(NOW)).isEqualTo(new Due.Never());
  }

  @Test
  void whereRotationsHaveTakenLongItBeginsTwiceAsLongBefore() {
    Instant hard = endsIn(Duration.ofDays(10));
    took(Duration.ofHours(3), 10);

    assertThat(due(NOW)).isEqualTo(expiring(hard.minus(Duration.ofHours(6)), hard));
  }

  @Test
  void andNotLaterWhereTheyAreQuick() {
    Instant hard = endsIn(Duration.ofDays(10));
    took(Duration.ofMinutes(1), 10);

    assertThat(due(NOW)).isEqualTo(expiring(hard.minus(Duration.ofHours(1)), hard));
  }

  @Test
  void oneOfTwentyThatTookForeverDoesNotCount() {
    Instant hard = endsIn(Duration.ofDays(10));
    took(Duration.ofHours(2), 19);
    took(Duration.ofDays(2), 1);
    assertThat(due(NOW)).isEqualTo(expiring(hard.minus(Duration.ofHours(4)), hard));

    took(Duration.ofDays(1), 1);
    assertThat(due(NOW)).as("but two do").isEqualTo(expiring(hard.minus(Duration.ofDays(2)), hard));
  }

  @Test
  void oneThatDidNotGetThereDoesNotCount() {
    Instant hard = endsIn(Duration.ofDays(10));
    took(Duration.ofHours(3), 1);
    took(null, 9);

    assertThat(due(NOW)).isEqualTo(expiring(hard.minus(Duration.ofHours(6)), hard));
  }

  @Test
  void whatHasEndedIsReplacedAtOnce() {
    source = new Source.OnRequest();
    every("30d");
    leases = List.of(lease(NOW.plus(Duration.ofDays(5)), null, true));
    assertThat(due(NOW)).as("lost").isEqualTo(new Due.Now(Trigger.Expiring, null, null));

    leases = List.of(lease(NOW, null, false));
    assertThat(due(NOW)).as("expired").isEqualTo(new Due.Now(Trigger.Expiring, null, null));
  }

  @Test
  void whatEndsIsNotGivenUpHoweverOftenItFailed() {
    endsIn(Duration.ofMinutes(1));
    trigger = Trigger.Expiring;
    ended(2, Stage.Failed, NOW);
    assertThat(due(NOW)).isEqualTo(again(NOW.plus(Duration.ofMinutes(1))));

    ended(3, Stage.Failed, NOW);
    ended(4, Stage.Failed, NOW);
    ended(5, Stage.Failed, NOW);
    Instant next = NOW.plus(Duration.ofHours(6));
    assertThat(due(NOW))
        .isEqualTo(
            new Due.Later(next, Reasons.EXPIRING, "another attempt, because the credential ends"));
    assertThat(due(next)).isEqualTo(new Due.Now(Trigger.Expiring, null, null));
  }

  @Test
  void norWhenSomebodyTookItBack() {
    endsIn(Duration.ofMinutes(1));
    policy = policy("retry: {maxBackoff: 30m}");
    trigger = Trigger.Expiring;
    ended(2, Stage.Aborted, NOW);
    Instant next = NOW.plus(Duration.ofMinutes(30));

    assertThat(due(next.minusSeconds(1)))
        .isEqualTo(
            new Due.Later(next, Reasons.EXPIRING, "another attempt, because the credential ends"));
    assertThat(due(next)).isEqualTo(new Due.Now(Trigger.Expiring, null, null));
  }

  @Test
  void whatFailedForAnotherReasonDoesNotKeepItBack() {
    endsIn(Duration.ofMinutes(1));
    trigger = Trigger.Scheduled;
    ended(2, Stage.Failed, NOW);
    ended(3, Stage.Failed, NOW);
    ended(4, Stage.Failed, NOW);

    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Expiring, null, null));
  }

  @Test
  void theEarlierOfScheduleAndEndIsAnnounced() {
    every("30d");
    Instant scheduled = CURRENT.since().plus(Duration.ofDays(30));
    Instant hard = endsIn(Duration.ofDays(10));
    assertThat(planned().nextRotationTime()).isEqualTo(hard.minus(Duration.ofHours(1)));
    assertThat(planned().nextRotationReason()).isEqualTo(Reasons.EXPIRING);
    assertThat(planned().conditions())
        .anySatisfy(c ->
            assertThat(c.message())
                .endsWith(
                    "The next one starts at %s: the credential ends at %s."
                        .formatted(hard.minus(Duration.ofHours(1)), hard)));

    endsIn(Duration.ofDays(100));
    assertThat(planned().nextRotationTime()).isEqualTo(scheduled);
    assertThat(planned().nextRotationReason()).isEqualTo(Reasons.SCHEDULED);
  }

  @Test
  void theEndIsAnnouncedAlsoWhereNothingElseIsOrCanBe() {
    Instant hard = endsIn(Duration.ofDays(10));
    Due end = expiring(hard.minus(Duration.ofHours(1)), hard);
    policy = policy("schedule: {cron: \"0 0 30 2 *\"}");
    assertThat(due(NOW)).as("a schedule that cannot be followed").isEqualTo(end);

    policy = policy("retry: {maxAttempts: 1}");
    trigger = Trigger.Scheduled;
    ended(2, Stage.Failed, NOW);
    assertThat(due(NOW)).as("attempts that are used up").isEqualTo(end);
  }

  @Test
  void whatAPersonAsksForDoesNotWaitForTheEnd() {
    endsIn(Duration.ofDays(10));
    nonce = "now";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "now", null));

    reason = RotateReason.Compromise;
    leases = List.of(lease(NOW, NOW, true));
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Compromise, "now", null));
  }

  @Test
  void whatMightNotBeOverInTimeIsDoneBecauseTheCredentialEnds() {
    endsIn(Duration.ofMinutes(50));
    nonce = "now";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Expiring, "now", null));

    nonce = null;
    every("1h");
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Expiring, null, null));
  }

  @Test
  void aRotationThatCannotEndInTimeIsAnnouncedAsOne() {
    Instant hard = endsIn(Duration.ofMinutes(90));
    took(Duration.ofMinutes(89), 1);
    assertThat(soon().message())
        .isEqualTo("The credential of version 1 ends at %s.".formatted(hard));

    took(Duration.ofMinutes(91), 1);
    assertThat(soon().message())
        .isEqualTo(
            "The credential of version 1 ends at %1$s. The next rotation may not be over when the"
                + " credential of version 1 ends at %1$s: past ones took up to 91m. Let them take"
                + " less time, or the credential live longer.",
            hard);
  }

  private Condition soon() {
    return planned().conditions().stream()
        .filter(c -> c.type().equals(Conditions.EXPIRING_SOON))
        .findFirst()
        .orElseThrow();
  }

  private SecretBindingStatus planned() {
    return new BindingPlanner().plan(observation(), NOW).status();
  }
}
