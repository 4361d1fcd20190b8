package io.keyturn.domain.binding;

import static io.keyturn.testing.Policies.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Rotate;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretBindingStatus.LastRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.binding.BindingObservation.Alias;
import io.keyturn.domain.binding.BindingObservation.Rotation;
import io.keyturn.domain.binding.BindingObservation.Source;
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
  private Source source = new Source.Value(REJECTED, false);
  private String nonce;
  private String request;
  private boolean firstLook;
  private String handledNonce;
  private String handledRequest;
  private String forbidden;
  private LastRotation noted;
  private RotationPolicySpec policy = RotationPolicySpec.BUILT_IN;

  private Due due(Instant now) {
    return Due.of(observation(), now);
  }

  private BindingObservation observation() {
    SecretBindingSpec spec =
        new SecretBindingSpec(
            null, null, null, null, null, nonce == null ? null : new Rotate(nonce, null), null);
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
            forbidden,
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
        List.of());
  }

  private static Due again(Instant at) {
    return new Due.Later(at, Reasons.ROTATION_FAILED, "another attempt after the last one failed");
  }

  private void ended(long version, Stage stage, Instant at) {
    rotations.add(
        new Rotation(
            "payments-db-" + version, version, stage, null, REJECTED, at, null, null, "it failed"));
  }

  private void every(String time) {
    policy = policy("schedule: {every: %s, jitter: 0%%}".formatted(time));
  }

  @Test
  void aChangedSourceIsRotatedAtOnce() {
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null));
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
        .isEqualTo(new Due.Now(Trigger.SourceChanged, null));

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

    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null));
  }

  @Test
  void failuresBeforeTheLastGoodRotationDoNotCount() {
    ended(2, Stage.Failed, NOW);
    ended(3, Stage.Failed, NOW);
    ended(4, Stage.Complete, NOW);

    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null));
  }

  @Test
  void whatAPersonTookBackIsNotTriedAgainByItself() {
    ended(2, Stage.Aborted, NOW);
    assertThat(due(NOW.plus(Duration.ofDays(1)))).isEqualTo(new Due.Exhausted(1, Optional.empty()));

    nonce = "again";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "again"));
  }

  @Test
  void norWhenTheRecordOfItHasGone() {
    noted = new LastRotation("payments-db-2", Stage.Aborted, NOW, REJECTED);
    assertThat(due(NOW.plus(Duration.ofDays(1)))).isEqualTo(new Due.Exhausted(1, Optional.empty()));

    source = new Source.Value("0000000c", false);
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null));
  }

  @Test
  void aFailureWhoseRecordHasGoneIsWaitedOutAllTheSame() {
    ended(2, Stage.Failed, NOW);
    noted = new LastRotation("payments-db-3", Stage.Failed, NOW, REJECTED);

    assertThat(due(NOW)).isEqualTo(again(NOW.plus(Duration.ofMinutes(2))));
  }

  @Test
  void whatAPersonStoppedBeforeItBeganIsTheValueThatTheSourceHeldThen() {
    rotations.add(
        new Rotation("payments-db-2", 2, Stage.Aborted, null, null, NOW, null, null, null));
    assertThat(due(NOW)).isEqualTo(new Due.Exhausted(1, Optional.empty()));
    noted = observation().lastEnded().orElseThrow();
    assertThat(noted).isEqualTo(new LastRotation("payments-db-2", Stage.Aborted, NOW, REJECTED));

    rotations.clear();
    assertThat(due(NOW)).isEqualTo(new Due.Exhausted(1, Optional.empty()));
    source = new Source.Value("0000000c", false);
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null));
    assertThat(observation().lastEnded()).contains(noted);
  }

  @Test
  void aValueThatCameAfterAPersonStoppedARotationWithoutOneIsTried() {
    rotations.add(
        new Rotation("payments-db-2", 2, Stage.Aborted, null, null, NOW, null, null, null));
    source = new Source.Unavailable("SourceNotFound", "gone");
    noted = observation().lastEnded().orElseThrow();

    source = new Source.Value("0000000c", false);

    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null));
  }

  @Test
  void aSupersededAttemptIsNoFailure() {
    ended(2, Stage.Superseded, NOW);

    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null));
  }

  @Test
  void aRequestIsServedOnceByNonceAndOnceByAnnotation() {
    source = new Source.OnRequest();
    nonce = "one";
    request = "two";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "one"));

    handledNonce = "one";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "two"));

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
    rotations.add(
        new Rotation("payments-db-2", 2, Stage.Complete, "one", null, NOW, null, null, null));

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
    assertThat(due(at)).isEqualTo(new Due.Now(Trigger.Scheduled, null));
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
    assertThat(due(next)).isEqualTo(new Due.Now(Trigger.Scheduled, null));
  }

  @Test
  void aPolicyThatCannotBeFollowedStartsNothingButWhatPeopleAskFor() {
    source = new Source.OnRequest();
    policy = policy("schedule: {cron: \"0 0 30 2 *\"}");

    assertThat(due(NOW)).isInstanceOf(Due.Unclear.class);
    nonce = "now";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "now"));
  }

  @Test
  void aValueThatCameDuringARotationAndIsForbiddenWaitsForAPerson() {
    forbidden = REJECTED;

    assertThat(due(NOW)).isEqualTo(new Due.Forbidden());
    nonce = "now";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "now"));
    nonce = null;
    source = new Source.Value("0000000c", false);
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null));
  }

  @Test
  void whatIsForbiddenIsRememberedUntilTheSourceHasSomethingElse() {
    policy = policy("concurrency: {policy: Forbid}");
    rotations.add(
        new Rotation(
            "payments-db-2", 2, Stage.Baking, null, "0000000d", null, null, null, "it bakes"));
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

  private SecretBindingStatus planned() {
    return new BindingPlanner().plan(observation(), NOW).status();
  }
}
