package io.keyturn.domain.binding;

import static io.keyturn.testing.Policies.policy;
import static org.assertj.core.api.Assertions.assertThat;

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

  private SecretBindingStatus planned() {
    return new BindingPlanner().plan(observation(), NOW).status();
  }
}
