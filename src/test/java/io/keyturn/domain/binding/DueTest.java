package io.keyturn.domain.binding;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Rotate;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretBindingStatus.LastRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.binding.BindingObservation.Alias;
import io.keyturn.domain.binding.BindingObservation.Rotation;
import io.keyturn.domain.binding.BindingObservation.Source;
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
            null);
    return new BindingObservation(
        "payments-db",
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

  private void ended(long version, Stage stage, Instant at) {
    rotations.add(
        new Rotation(
            "payments-db-" + version, version, stage, null, REJECTED, at, null, null, "it failed"));
  }

  private void every(String time) {
    policy =
        new RotationPolicySpec(
            new RotationPolicySpec.Schedule(time), null, null, null, null, null, null);
  }

  @Test
  void aChangedSourceIsRotatedAtOnce() {
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null));
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
    assertThat(due(NOW))
        .isEqualTo(new Due.Later(NOW.plus(Duration.ofMinutes(1)), Trigger.SourceChanged));
    assertThat(due(NOW.plus(Duration.ofMinutes(1))))
        .isEqualTo(new Due.Now(Trigger.SourceChanged, null));

    ended(3, Stage.Failed, NOW);
    assertThat(due(NOW))
        .isEqualTo(new Due.Later(NOW.plus(Duration.ofMinutes(2)), Trigger.SourceChanged));
  }

  @Test
  void andNotMoreOftenThanThePolicySays() {
    ended(2, Stage.Failed, NOW);
    ended(3, Stage.Failed, NOW);
    ended(4, Stage.Failed, NOW);

    assertThat(due(NOW.plus(Duration.ofDays(365)))).isEqualTo(new Due.Exhausted(3));
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
    assertThat(due(NOW.plus(Duration.ofDays(1)))).isEqualTo(new Due.Exhausted(1));

    nonce = "again";
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.Manual, "again"));
  }

  @Test
  void norWhenTheRecordOfItHasGone() {
    noted = new LastRotation("payments-db-2", Stage.Aborted, NOW, REJECTED);
    assertThat(due(NOW.plus(Duration.ofDays(1)))).isEqualTo(new Due.Exhausted(1));

    source = new Source.Value("0000000c", false);
    assertThat(due(NOW)).isEqualTo(new Due.Now(Trigger.SourceChanged, null));
  }

  @Test
  void aFailureWhoseRecordHasGoneIsWaitedOutAllTheSame() {
    ended(2, Stage.Failed, NOW);
    noted = new LastRotation("payments-db-3", Stage.Failed, NOW, REJECTED);

    assertThat(due(NOW))
        .isEqualTo(new Due.Later(NOW.plus(Duration.ofMinutes(2)), Trigger.SourceChanged));
  }

  @Test
  void whatAPersonStoppedBeforeItBeganIsTheValueThatTheSourceHeldThen() {
    rotations.add(
        new Rotation("payments-db-2", 2, Stage.Aborted, null, null, NOW, null, null, null));
    assertThat(due(NOW)).isEqualTo(new Due.Exhausted(1));
    noted = observation().lastEnded().orElseThrow();
    assertThat(noted).isEqualTo(new LastRotation("payments-db-2", Stage.Aborted, NOW, REJECTED));

    rotations.clear();
    assertThat(due(NOW)).isEqualTo(new Due.Exhausted(1));
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

    assertThat(due(NOW)).isEqualTo(new Due.Later(at, Trigger.Scheduled));
    assertThat(due(at)).isEqualTo(new Due.Now(Trigger.Scheduled, null));
  }

  @Test
  void aScheduleDoesNotMakeValuesForASourceThatSomethingElseKeeps() {
    source = new Source.Value("0000000a", true);
    every("1s");

    assertThat(due(NOW)).isEqualTo(new Due.Never());
  }
}
