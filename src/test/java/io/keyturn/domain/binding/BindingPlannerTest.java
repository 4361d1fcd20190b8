package io.keyturn.domain.binding;

import static io.keyturn.testing.Policies.policy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.PolicyRef;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Rotate;
import io.keyturn.api.v1alpha1.SecretBindingSpec.RotateReason;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretBindingStatus.LastRotation;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Previous;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Failure;
import io.keyturn.domain.Finding;
import io.keyturn.domain.Finding.Severity;
import io.keyturn.domain.binding.BindingObservation.Alias;
import io.keyturn.domain.binding.BindingObservation.Rotation;
import io.keyturn.domain.binding.BindingObservation.Snapshot;
import io.keyturn.domain.binding.BindingObservation.Source;
import io.keyturn.domain.lease.Lease;
import io.keyturn.domain.lease.Lease.Trouble;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a binding does next, and what its status says. */
class BindingPlannerTest {

  private static final Instant NOW = Instant.parse("2026-11-24T12:00:00Z");
  private static final String VALUE = "0000000a";
  private static final String NEWER = "0000000b";
  private static final Current THIRD =
      new Current(3, "payments-db-v3-" + VALUE, NOW.minus(Duration.ofDays(1)));

  private static final BindingPlanner PLANNER = new BindingPlanner();

  private Rotate rotate;
  private String request;
  private boolean suspended;
  private String policyName;
  private Optional<RotationPolicySpec> policy = Optional.of(RotationPolicySpec.BUILT_IN);
  private Optional<String> takenBy = Optional.empty();
  private Optional<String> predecessor = Optional.empty();
  private Source source = new Source.Value(VALUE, true);
  private Current current = THIRD;
  private boolean snapshotExists = true;
  private Alias alias = new Alias(Alias.Content.Current, null);
  private final List<Snapshot> snapshots = new ArrayList<>();
  private final List<Rotation> rotations = new ArrayList<>();
  private List<Long> takenVersions = List.of();
  private List<String> missing = List.of();
  private List<String> unowned = List.of();
  private List<Lease> leases = List.of();
  private List<String> earlierUsers = List.of();
  private Optional<Instant> nextLook = Optional.empty();
  private List<Effect.Annotate> latecomers = List.of();
  private List<Condition> conditions = List.of();
  private Current noted = THIRD;
  private Previous previous;
  private LastRotation last;
  private String handledNonce;
  private String handledRequest;
  private Instant nextTime;
  private String nextReason;
  private String compromised;

  private BindingObservation observation() {
    SecretBindingSpec spec =
        new SecretBindingSpec(
            null,
            null,
            null,
            null,
            policyName == null ? null : new PolicyRef(policyName),
            rotate,
            suspended);
    SecretBindingStatus status =
        new SecretBindingStatus(
            null,
            conditions,
            null,
            noted,
            previous,
            null,
            last,
            handledNonce,
            handledRequest,
            nextTime,
            nextReason,
            null,
            null,
            null,
            compromised,
            null);
    return new BindingObservation(
        "payments-db",
        "uid-of-the-binding",
        4L,
        spec,
        request,
        "payments-db",
        status,
        takenBy,
        policy,
        source,
        Optional.ofNullable(current),
        snapshotExists,
        alias,
        snapshots,
        rotations,
        predecessor,
        takenVersions,
        List.of(),
        missing,
        unowned,
        leases,
        earlierUsers,
        nextLook,
        latecomers);
  }

  private BindingPlan plan() {
    return PLANNER.plan(observation(), NOW);
  }

  private SecretBindingStatus status() {
    return plan().status();
  }

  private Condition condition(String type) {
    return status().conditions().stream()
        .filter(c -> c.type().equals(type))
        .findFirst()
        .orElse(null);
  }

  private void assertCondition(String type, Status status, String reason) {
    assertThat(condition(type)).as(type).isNotNull();
    assertThat(condition(type).status()).as(type).isEqualTo(status);
    assertThat(condition(type).reason()).as(type).isEqualTo(reason);
  }

  private void holds(Alias.Content content) {
    alias = new Alias(content, content == Alias.Content.Foreign ? "It is Helm's." : null);
  }

  private void neverDelivered() {
    current = null;
    noted = null;
    snapshotExists = false;
    source = new Source.Value(VALUE, false);
    holds(Alias.Content.Missing);
  }

  private void snapshot(long version, String fingerprint, boolean inUse) {
    snapshots.add(
        new Snapshot("payments-db-v%d-%s".formatted(version, fingerprint), version, null, inUse));
  }

  /** A snapshot whose credential Keyturn can end from then on. */
  private void issued(long version, String fingerprint, Instant revokeFrom) {
    snapshots.add(
        new Snapshot(
            "payments-db-v%d-%s".formatted(version, fingerprint), version, revokeFrom, false));
  }

  /** A lease of half an hour that is renewed between 17 and 20 minutes after its beginning. */
  private static Lease lease(String snapshot, Instant renewedAt, boolean kept) {
    return new Lease(
        snapshot,
        3,
        THIRD.since(),
        renewedAt,
        renewedAt.plus(Duration.ofMinutes(30)),
        true,
        Optional.empty(),
        false,
        Optional.empty(),
        kept);
  }

  private static Lease with(Lease lease, Instant hardExpiry, boolean ended, Trouble trouble) {
    return new Lease(
        lease.snapshot(),
        lease.version(),
        lease.issuedAt(),
        lease.renewedAt(),
        lease.expiresAt(),
        lease.renewable(),
        Optional.ofNullable(hardExpiry),
        ended,
        Optional.ofNullable(trouble),
        lease.kept());
  }

  /** The lease of the current version, so many minutes after it was renewed. */
  private static Lease afterMinutes(int minutes) {
    return lease(THIRD.snapshot(), NOW.minus(Duration.ofMinutes(minutes)), true);
  }

  private static Trouble sealed() {
    return new Trouble(Reasons.STORE_UNAVAILABLE, "It is sealed.", NOW.plusSeconds(15));
  }

  private void oldState(long version, Stage stage, Previous.State state) {
    rotations.add(
        new Rotation(
            "payments-db-" + version,
            version,
            Trigger.Scheduled,
            null,
            stage,
            null,
            VALUE,
            null,
            NOW.minusSeconds(1),
            null,
            state,
            null,
            null,
            null));
  }

  private void rotation(long version, Stage stage, String reason) {
    rotations.add(
        new Rotation(
            "payments-db-" + version,
            version,
            Trigger.SourceChanged,
            null,
            stage,
            null,
            NEWER,
            null,
            stage.terminal() ? NOW.minusSeconds(1) : null,
            null,
            null,
            2,
            reason,
            "what happened to " + version));
  }

  private void served(long version, String nonce) {
    rotations.add(
        new Rotation(
            "payments-db-" + version,
            version,
            Trigger.Manual,
            null,
            Stage.Complete,
            nonce,
            VALUE,
            null,
            NOW.minusSeconds(1),
            null,
            null,
            null,
            null,
            null));
  }

  // The first version.

  @Test
  void theFirstVersionIsDeliveredAndPeopleAreTold() {
    neverDelivered();

    assertThat(plan().effect()).contains(new Effect.DeliverFirst(1));
    assertThat(plan().findings())
        .containsExactly(
            Finding.normal(Reasons.DELIVERED, "Version 1 is delivered as the Secret payments-db."));
    assertThat(plan().wakeAt()).isEmpty();
    assertCondition(Conditions.READY, Status.False, Reasons.DELIVERING);
    assertCondition(Conditions.DELIVERED, Status.False, Reasons.DELIVERING);
    assertCondition(Conditions.RECONCILING, Status.True, Reasons.DELIVERING);
  }

  @Test
  void aSecretThatHoldsTheValueAlreadyIsTakenOver() {
    neverDelivered();
    holds(Alias.Content.Adoptable);

    assertThat(plan().effect()).contains(new Effect.DeliverFirst(1));
    assertThat(plan().findings())
        .containsExactly(
            Finding.normal(
                Reasons.ADOPTED,
                "The Secret payments-db is taken over as version 1; its data did not change."));
  }

  @ParameterizedTest
  @EnumSource(
      value = Alias.Content.class,
      names = {"Missing", "Adoptable"},
      mode = EnumSource.Mode.EXCLUDE)
  void aSecretWithOtherContentIsNeverOverwrittenByTheFirstVersion(Alias.Content content) {
    neverDelivered();
    holds(content);

    assertThat(plan().effect()).isEmpty();
  }

  @Test
  void aSecretOfSomebodyElseStallsTheBindingWithWhatIsWrong() {
    neverDelivered();
    holds(Alias.Content.Foreign);

    assertCondition(Conditions.READY, Status.False, Reasons.SECRET_NOT_OWNED);
    assertCondition(Conditions.STALLED, Status.True, Reasons.SECRET_NOT_OWNED);
    assertThat(condition(Conditions.DELIVERED).message()).isEqualTo("It is Helm's.");
    assertThat(condition(Conditions.RECONCILING)).isNull();
    assertThat(plan().findings())
        .containsExactly(Finding.warning(Reasons.SECRET_NOT_OWNED, "It is Helm's."));
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(30));
  }

  @Test
  void nothingIsDeliveredFromASourceThatHasNothing() {
    neverDelivered();
    source = new Source.Unavailable(Reasons.SOURCE_NOT_FOUND, "There is no Secret upstream.");

    assertThat(plan().effect()).isEmpty();
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(30));
    for (String type : List.of(Conditions.READY, Conditions.DELIVERED)) {
      assertCondition(type, Status.False, Reasons.SOURCE_NOT_FOUND);
      assertThat(condition(type).message()).isEqualTo("There is no Secret upstream.");
    }
    assertCondition(Conditions.STALLED, Status.True, Reasons.SOURCE_NOT_FOUND);
  }

  @Test
  void aSnapshotWhoseAliasWasNotWrittenYetIsDeliveredIfItHoldsTheValue() {
    neverDelivered();
    snapshot(1, NEWER, false);
    snapshot(2, VALUE, false);
    assertThat(plan().effect()).contains(new Effect.DeliverFirst(2));

    source = new Source.Value("0000000c", false);
    assertThat(plan().effect()).as("of another value").contains(new Effect.DeliverFirst(3));

    source = new Source.OnRequest();
    assertThat(plan().effect()).as("no second value is made").contains(new Effect.DeliverFirst(2));
  }

  @Test
  void theYoungerOfTwoBindingsForOneSecretDoesNothingAndSaysWhoHasIt() {
    neverDelivered();
    takenBy = Optional.of("payments");

    assertThat(plan().effect()).isEmpty();
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(30));
    assertCondition(Conditions.READY, Status.False, Reasons.ALIAS_TAKEN);
    assertThat(condition(Conditions.STALLED).message()).contains("older SecretBinding payments");

    current = THIRD;
    source = new Source.Value(NEWER, false);
    assertThat(plan().effect()).as("not even a rotation").isEmpty();
  }

  @Test
  void aBindingWaitsUntilTheRotationOfItsDeletedNamesakeIsTakenBack() {
    neverDelivered();
    predecessor = Optional.of("payments-db-7");

    assertThat(plan().effect()).isEmpty();
    assertCondition(Conditions.RECONCILING, Status.True, Reasons.DELIVERING);
    assertThat(condition(Conditions.READY).message()).startsWith("Waits until payments-db-7");
  }

  @Test
  void anAliasThatGoesWhileARejectedVersionHasUsersHoldsTheCurrentOneFromNowOn() {
    rotation(4, Stage.Discarding, null);
    holds(Alias.Content.Missing);
    VersionRef three = new VersionRef(3, "payments-db-v3-" + VALUE);
    assertThat(plan().effect()).contains(new Effect.WriteAlias(three, false));

    rotations.clear();
    assertThat(plan().effect()).contains(new Effect.WriteAlias(three, true));
  }

  @Test
  void aSnapshotThatWasNeverPromotedGoesWhenNothingMoves() {
    snapshots.clear();
    snapshot(3, VALUE, false);
    snapshot(3, NEWER, false);
    assertThat(plan().effect()).contains(new Effect.DeleteSnapshot("payments-db-v3-" + NEWER));

    snapshots.clear();
    snapshot(3, VALUE, false);
    snapshot(4, NEWER, false);
    rotation(4, Stage.Failed, null);
    last = new LastRotation("payments-db-4", Stage.Failed, NOW, NEWER);
    assertThat(plan().effect()).contains(new Effect.DeleteSnapshot("payments-db-v4-" + NEWER));
  }

  @Test
  void noNumberOfAVersionIsGivenTwice() {
    source = new Source.Value(NEWER, false);
    assertThat(started().version()).isEqualTo(4);

    snapshot(5, NEWER, false);
    assertThat(started().version()).as("after a snapshot").isEqualTo(6);

    rotation(7, Stage.Superseded, null);
    assertThat(started().version()).as("after a rotation").isEqualTo(8);

    last = new LastRotation("payments-db-9", Stage.Superseded, NOW, NEWER);
    assertThat(started().version()).as("after one whose record has gone").isEqualTo(10);

    takenVersions = List.of(10L, 11L, 13L);
    assertThat(started().version()).as("but those that somebody took").isEqualTo(12);
  }

  private Effect.StartRotation started() {
    return (Effect.StartRotation) plan().effect().orElseThrow();
  }

  // What was deleted or edited.

  @ParameterizedTest
  @EnumSource(
      value = Alias.Content.class,
      names = {"Missing", "Other"})
  void aSecretThatWasDeletedOrEditedHoldsItsVersionAgain(Alias.Content content) {
    holds(content);

    assertThat(plan().effect())
        .contains(new Effect.WriteAlias(new VersionRef(3, THIRD.snapshot()), true));
    assertThat(plan().findings())
        .containsExactly(
            Finding.warning(
                Reasons.ALIAS_RESTORED,
                "The Secret payments-db was deleted or edited and holds version 3 again."));
  }

  @Test
  void aSnapshotThatWasDeletedIsWrittenAgainFromTheSecret() {
    snapshotExists = false;

    assertThat(plan().effect())
        .contains(new Effect.RestoreSnapshot(new VersionRef(3, THIRD.snapshot())));
    assertCondition(Conditions.READY, Status.True, Reasons.READY);
  }

  @Test
  void aVersionThatOnlyItsSourceHoldsStillIsDeliveredAgain() {
    snapshotExists = false;
    holds(Alias.Content.Missing);

    assertThat(plan().effect()).contains(new Effect.DeliverFirst(3));
    assertThat(plan().findings())
        .extracting(Finding::reason)
        .containsExactly(Reasons.ALIAS_RESTORED);
  }

  @Test
  void aVersionThatIsNowhereAnyMoreIsMissedAloud() {
    snapshotExists = false;
    holds(Alias.Content.Other);
    source = new Source.OnRequest();

    assertThat(plan().effect()).isEmpty();
    for (String type : List.of(Conditions.READY, Conditions.DELIVERED)) {
      assertCondition(type, Status.False, Reasons.SNAPSHOT_LOST);
    }
    assertThat(condition(Conditions.STALLED).message())
        .contains("the snapshot payments-db-v3-0000000a");

    source = new Source.Value(NEWER, false);
    assertThat(plan().effect()).as("the next value").containsInstanceOf(Effect.StartRotation.class);
  }

  @ParameterizedTest
  @EnumSource(
      value = Stage.class,
      names = {"Promoting", "RollingBack"})
  void aRotationThatMovesTheSecretIsNotInterferedWith(Stage stage) {
    rotation(4, stage, null);
    holds(Alias.Content.Missing);
    assertThat(plan().effect()).isEmpty();

    snapshotExists = false;
    assertThat(plan().effect()).isEmpty();
    assertCondition(Conditions.READY, Status.True, Reasons.READY);
  }

  @ParameterizedTest
  @EnumSource(
      value = Stage.class,
      names = {"Pending", "Canary", "Baking", "Retiring"})
  void anyOtherRotationLeavesTheSecretToTheBinding(Stage stage) {
    rotation(4, stage, null);
    holds(Alias.Content.Missing);

    assertThat(plan().effect()).containsInstanceOf(Effect.WriteAlias.class);
  }

  @Test
  void whatSomebodyElseOwnsIsNotRepaired() {
    holds(Alias.Content.Foreign);

    assertThat(plan().effect()).isEmpty();
    assertCondition(Conditions.READY, Status.False, Reasons.SECRET_NOT_OWNED);
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(30));
  }

  // What starts and what does not.

  @Test
  void podsThatBeganWithoutTheSecretGetItBeforeAnythingElseBegins() {
    Effect.Annotate late =
        new Effect.Annotate(WorkloadKind.Deployment, "api", "uid-1", "v3-" + VALUE);
    latecomers = List.of(late);
    source = new Source.Value(NEWER, false);
    assertThat(plan().effect()).contains(late);

    latecomers = List.of();
    assertThat(plan().effect())
        .contains(new Effect.StartRotation(4, Trigger.SourceChanged, null, null, NEWER));
    assertThat(plan().findings()).isEmpty();
  }

  @Test
  void aBindingThatIsSuspendedStartsNothingAndStillSaysWhenItWould() {
    source = new Source.Value(NEWER, false);
    nextTime = NOW.plusSeconds(99);
    nextReason = Reasons.SCHEDULED;
    suspended = true;
    assertThat(plan().effect()).isEmpty();
    assertCondition(Conditions.ROTATING, Status.False, Reasons.SUSPENDED);
    assertThat(status().nextRotationTime()).isEqualTo(nextTime);
    assertThat(status().nextRotationReason()).isEqualTo(Reasons.SCHEDULED);

    suspended = false;
    policy = Optional.of(policy("suspend: true"));
    assertThat(plan().effect()).as("by its policy").isEmpty();
    assertCondition(Conditions.ROTATING, Status.False, Reasons.SUSPENDED);

    policy = Optional.of(RotationPolicySpec.BUILT_IN);
    assertThat(plan().effect()).containsInstanceOf(Effect.StartRotation.class);
    assertThat(status().nextRotationTime()).as("it is now").isNull();
  }

  @Test
  void aPolicyThatDoesNotExistStartsNothingAndIsNamed() {
    source = new Source.Value(NEWER, false);
    policy = Optional.empty();
    policyName = "careful";

    assertThat(plan().effect()).isEmpty();
    assertCondition(Conditions.READY, Status.False, Reasons.POLICY_NOT_FOUND);
    assertThat(condition(Conditions.STALLED).message()).contains("The RotationPolicy careful");
    assertCondition(Conditions.DELIVERED, Status.True, Reasons.DELIVERED);
  }

  @Test
  void oneRotationAtATime() {
    source = new Source.Value("0000000c", false);
    rotation(4, Stage.Baking, null);
    nextTime = NOW.plusSeconds(99);

    assertThat(plan().effect()).isEmpty();
    assertCondition(Conditions.ROTATING, Status.True, Reasons.ROTATING);
    assertThat(condition(Conditions.ROTATING).message())
        .isEqualTo("payments-db-4 moves to version 4.");
    assertThat(status().activeRotation()).isEqualTo("payments-db-4");
    assertThat(status().nextRotationTime()).isNull();
  }

  @Test
  void aPolicyThatCannotBeFollowedIsNamedWithWhatIsWrong() {
    source = new Source.OnRequest();
    policyName = "careful";
    policy = Optional.of(policy("schedule: {cron: \"0 0 30 2 *\"}"));

    assertCondition(Conditions.STALLED, Status.True, Reasons.INVALID_SCHEDULE);
    assertThat(condition(Conditions.STALLED).message())
        .startsWith("The RotationPolicy careful cannot be followed: ");
    assertCondition(Conditions.READY, Status.True, Reasons.READY);
  }

  @Test
  void aWorkloadThatDoesNotExistIsNamedAndLookedForAgain() {
    missing = List.of("Deployment api", "Deployment worker");

    assertCondition(Conditions.READY, Status.False, Reasons.WORKLOAD_NOT_FOUND);
    assertThat(condition(Conditions.STALLED).message())
        .startsWith("Not found in this namespace: Deployment api, Deployment worker.");
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(30));

    missing = List.of();
    assertThat(plan().wakeAt()).as("nothing to look for").isEmpty();
    assertThat(condition(Conditions.STALLED)).isNull();
  }

  @Test
  void aSourceThatGoesAwayLeavesWhatIsDelivered() {
    source = new Source.Unavailable(Reasons.SOURCE_EMPTY, "It is empty.");

    assertCondition(Conditions.READY, Status.True, Reasons.READY);
    assertCondition(Conditions.DELIVERED, Status.True, Reasons.DELIVERED);
    assertThat(condition(Conditions.STALLED).message())
        .isEqualTo("It is empty. Version 3 stays delivered.");
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(30));
  }

  // What is kept.

  @Test
  void snapshotsBeyondThoseThatThePolicyKeepsAreDeletedTheNewestFirst() {
    policy = Optional.of(policy("retirement: {keepSnapshots: 1}"));
    snapshot(3, VALUE, false);
    snapshot(2, "00000002", false);
    assertThat(plan().effect()).isEmpty();

    snapshot(1, "00000001", false);
    assertThat(plan().effect()).contains(new Effect.DeleteSnapshot("payments-db-v1-00000001"));

    policy = Optional.of(policy("retirement: {keepSnapshots: 0}"));
    assertThat(plan().effect())
        .as("never the current one")
        .contains(new Effect.DeleteSnapshot("payments-db-v2-00000002"));
  }

  @Test
  void aSnapshotInUseStaysAndDoesNotKeepThoseBeforeIt() {
    policy = Optional.of(policy("retirement: {keepSnapshots: 0}"));
    snapshot(3, VALUE, false);
    snapshot(2, "00000002", true);
    assertThat(plan().effect()).isEmpty();
    assertThat(plan().wakeAt()).as("until it is not").contains(NOW.plusSeconds(30));

    snapshot(1, "00000001", false);
    assertThat(plan().effect()).contains(new Effect.DeleteSnapshot("payments-db-v1-00000001"));
  }

  @Test
  void aCompromisedSnapshotIsNotKept() {
    compromised = "00000002";
    snapshot(3, VALUE, false);
    snapshot(2, "00000002", false);
    snapshot(1, "00000001", false);

    assertThat(plan().effect()).contains(new Effect.DeleteSnapshot("payments-db-v2-00000002"));
  }

  @Test
  void nothingIsDeletedWhileARotationMayGoBackToIt() {
    policy = Optional.of(policy("{retirement: {keepSnapshots: 0}, historyLimit: 1}"));
    snapshot(2, "00000002", false);
    served(2, null);
    served(3, null);
    rotation(4, Stage.Baking, null);
    assertThat(plan().effect()).isEmpty();

    policy = Optional.empty();
    policyName = "careful";
    rotations.removeLast();
    assertThat(plan().effect()).as("nor while nobody knows how many are kept").isEmpty();
  }

  @Test
  void theOldestRecordsGoOnceThereAreMoreThanThePolicyKeeps() {
    policy = Optional.of(policy("historyLimit: 2"));
    served(1, null);
    served(2, null);
    assertThat(plan().effect()).isEmpty();

    served(3, null);
    served(4, null);
    assertThat(plan().effect()).contains(new Effect.ForgetRotation("payments-db-1"));
  }

  @Test
  void theRecordsOfAValueThatIsStillBeingTriedStayBeyondTheLimit() {
    policy = Optional.of(policy("{historyLimit: 1, retry: {maxAttempts: 2}}"));
    source = new Source.Value(VALUE, true);
    served(1, null);
    rotation(2, Stage.Failed, null);
    rotation(3, Stage.Failed, null);
    assertThat(plan().effect()).contains(new Effect.ForgetRotation("payments-db-1"));

    rotations.removeFirst();
    assertThat(plan().effect()).as("both attempts count").isEmpty();

    rotation(4, Stage.Failed, null);
    assertThat(plan().effect()).contains(new Effect.ForgetRotation("payments-db-2"));
  }

  @Test
  void ownerReferencesFollowTheDeletionPolicyEvenDuringARotation() {
    unowned = List.of("payments-db", "payments-db-v3-" + VALUE);
    rotation(4, Stage.Baking, null);

    assertThat(plan().effect()).contains(new Effect.SetOwnership("payments-db"));
  }

  // What the status remembers.

  @Test
  void theVersionBeforeIsShownUntilItsSnapshotGoes() {
    noted = new Current(2, "payments-db-v2-00000002", NOW.minus(Duration.ofDays(9)));
    rotation(3, Stage.Retiring, null);
    snapshot(2, "00000002", false);
    Previous retiring = new Previous(2, "payments-db-v2-00000002", Previous.State.Retiring, 2);
    assertThat(status().previous()).isEqualTo(retiring);

    noted = THIRD;
    previous = retiring;
    rotations.clear();
    Previous retired = new Previous(2, "payments-db-v2-00000002", Previous.State.Retired, null);
    assertThat(status().previous()).isEqualTo(retired);

    snapshots.clear();
    assertThat(status().previous()).isNull();
  }

  @Test
  void theVersionBeforeIsNotForgottenWhenTheSecretIsNotSeen() {
    neverDelivered();
    noted = THIRD;
    previous = new Previous(2, "payments-db-v2-00000002", Previous.State.Retired, null);

    assertThat(status().previous()).isEqualTo(previous);
  }

  @Test
  void aRequestIsHandledOnceItIsServed() {
    source = new Source.OnRequest();
    rotate = new Rotate("one", null, null);
    request = "two";
    handledNonce = "before";
    handledRequest = "long before";
    assertThat(started().nonce()).isEqualTo("one");
    assertThat(status().lastHandledNonce()).isEqualTo("before");
    assertThat(status().lastHandledRequest()).isEqualTo("long before");

    served(4, "one");
    assertThat(status().lastHandledNonce()).isEqualTo("one");
    assertThat(status().lastHandledRequest()).isEqualTo("long before");

    served(5, "two");
    assertThat(plan().effect()).isEmpty();
    assertThat(status().lastHandledRequest()).isEqualTo("two");

    rotate = null;
    request = null;
    assertThat(status().lastHandledNonce()).as("what was asked last").isEqualTo("before");
    assertThat(status().lastHandledRequest()).isEqualTo("long before");
  }

  @Test
  void aRequestThatComesWithTheFirstVersionIsHandledByIt() {
    noted = null;
    source = new Source.OnRequest();
    rotate = new Rotate("one", null, null);
    request = "two";

    assertThat(plan().effect()).isEmpty();
    assertThat(status().lastHandledNonce()).isEqualTo("one");
    assertThat(status().lastHandledRequest()).isEqualTo("two");

    neverDelivered();
    assertThat(status().lastHandledNonce()).as("not before it is there").isNull();
  }

  @Test
  void aRequestWithNothingToRotateToIsAnsweredOnce() {
    rotate = new Rotate("one", null, null);
    assertThat(plan().findings())
        .singleElement()
        .satisfies(f -> {
          assertThat(f.reason()).isEqualTo(Reasons.NOTHING_TO_ROTATE);
          assertThat(f.severity()).isEqualTo(Severity.Normal);
        });
    assertThat(status().lastHandledNonce()).isEqualTo("one");
    assertThat(status().lastHandledRequest()).isNull();

    handledNonce = "one";
    assertThat(plan().findings()).isEmpty();

    request = "two";
    assertThat(plan().findings()).hasSize(1);
    assertThat(status().lastHandledRequest()).isEqualTo("two");
    assertThat(status().lastHandledNonce()).isEqualTo("one");
  }

  @Test
  void aCompromiseThatIsAskedForByNonceDoesNotColourTheAnnotation() {
    source = new Source.OnRequest();
    rotate = new Rotate("leaked", RotateReason.Compromise, NOW.minusSeconds(60));
    assertThat(started().trigger()).isEqualTo(Trigger.Compromise);
    assertThat(started().reportedAt()).isEqualTo(NOW.minusSeconds(60));

    handledNonce = "leaked";
    request = "monthly";
    assertThat(started().trigger()).isEqualTo(Trigger.Manual);
    assertThat(started().nonce()).isEqualTo("monthly");
  }

  // What people are told.

  @Test
  void whatStallsIsToldOnceAndAgainWhenItsReasonChanges() {
    missing = List.of("Deployment api");
    assertThat(plan().findings())
        .extracting(Finding::reason)
        .containsExactly(Reasons.WORKLOAD_NOT_FOUND);

    conditions = status().conditions();
    missing = List.of("Deployment api", "Deployment worker");
    assertThat(plan().findings()).as("only the message differs").isEmpty();

    source = new Source.Unavailable(Reasons.SOURCE_EMPTY, "It is empty.");
    missing = List.of();
    assertThat(plan().findings()).extracting(Finding::reason).containsExactly(Reasons.SOURCE_EMPTY);

    source = new Source.Value(VALUE, true);
    assertThat(plan().findings()).as("nobody is told that all is well").isEmpty();
  }

  @Test
  void aFailedRotationIsToldOnceWithWhatHappened() {
    source = new Source.Value(NEWER, false);
    rotation(4, Stage.Failed, null);

    assertCondition(Conditions.ROTATION_HEALTHY, Status.False, Reasons.ROTATION_FAILED);
    assertThat(plan().findings())
        .containsExactly(
            Finding.warning(Reasons.ROTATION_FAILED, "payments-db-4: what happened to 4"));
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(59));
    assertThat(status().nextRotationReason()).isEqualTo(Reasons.ROTATION_FAILED);

    conditions = status().conditions();
    assertThat(plan().findings()).isEmpty();
    served(5, null);
    rotations.removeFirst();
    source = new Source.Value(VALUE, true);
    assertCondition(Conditions.ROTATION_HEALTHY, Status.True, Reasons.READY);
  }

  @Test
  void aValueThatIsNotTriedAgainIsSaidWithHowOftenItWas() {
    source = new Source.Value(NEWER, false);
    policy = Optional.of(policy("retry: {maxAttempts: 2}"));
    rotation(4, Stage.Failed, null);
    rotation(5, Stage.Failed, null);

    assertCondition(Conditions.ROTATION_HEALTHY, Status.False, Reasons.RETRIES_EXHAUSTED);
    assertThat(condition(Conditions.ROTATION_HEALTHY).message())
        .contains("tried 2 times")
        .contains("payments-db-5: what happened to 5");
    assertThat(plan().wakeAt()).isEmpty();
    assertThat(status().nextRotationTime()).isNull();

    last = new LastRotation("payments-db-6", Stage.Aborted, NOW, NEWER);
    assertThat(condition(Conditions.ROTATION_HEALTHY).message())
        .as("and when its record has gone")
        .contains("payments-db-6 was deleted.");
  }

  @Test
  void aScheduleWhoseAttemptsAreUsedUpGoesOnAtItsNextTime() {
    source = new Source.OnRequest();
    policy = Optional.of(policy("{schedule: {every: 10d, jitter: 0%}, retry: {maxAttempts: 1}}"));
    current = new Current(3, THIRD.snapshot(), NOW.minus(Duration.ofDays(10)).minusSeconds(5));
    rotation(4, Stage.Failed, null);
    Instant next = NOW.plus(Duration.ofDays(10)).minusSeconds(5);

    assertCondition(Conditions.ROTATION_HEALTHY, Status.False, Reasons.RETRIES_EXHAUSTED);
    assertThat(plan().wakeAt()).contains(next);
    assertThat(status().nextRotationTime()).isEqualTo(next);
    assertThat(condition(Conditions.ROTATING).message()).contains("The next one starts at " + next);
  }

  @Test
  void thePauseBetweenAttemptsDoublesUpToThePolicysLimit() {
    source = new Source.Value(NEWER, false);
    policy = Optional.of(policy("retry: {maxAttempts: 9, initialBackoff: 10m, maxBackoff: 25m}"));
    rotation(4, Stage.Failed, null);
    assertThat(plan().wakeAt()).contains(NOW.minusSeconds(1).plus(Duration.ofMinutes(10)));
    rotation(5, Stage.Failed, null);
    assertThat(plan().wakeAt()).contains(NOW.minusSeconds(1).plus(Duration.ofMinutes(20)));
    rotation(6, Stage.Failed, null);
    assertThat(plan().wakeAt()).contains(NOW.minusSeconds(1).plus(Duration.ofMinutes(25)));
  }

  @ParameterizedTest
  @EnumSource(
      value = Stage.class,
      names = {"Pending", "Promoting"})
  void whoInterferesWithARotationIsShownOnTheBinding(Stage stage) {
    rotation(4, stage, Reasons.FIELD_CONFLICT);
    assertCondition(Conditions.FIELD_CONFLICT, Status.True, Reasons.FIELD_CONFLICT);
    assertThat(condition(Conditions.FIELD_CONFLICT).message()).isEqualTo("what happened to 4");

    rotations.clear();
    rotation(4, stage, Reasons.HELD);
    assertCondition(Conditions.FIELD_CONFLICT, Status.False, Reasons.NO_CONFLICT);
    assertThat(condition(Conditions.STALLED)).isNull();
  }

  @Test
  void aRotationThatNeedsAnEditOfTheBindingStallsIt() {
    for (String reason : List.of(Reasons.OVERLAP_REQUIRED, Reasons.SOURCE_UNCHANGED)) {
      rotations.clear();
      rotation(4, Stage.Pending, reason);
      assertCondition(Conditions.STALLED, Status.True, reason);
      assertThat(condition(Conditions.STALLED).message()).isEqualTo("what happened to 4");
      assertCondition(Conditions.READY, Status.True, Reasons.READY);
    }
  }

  @Test
  void aRefusalOfTheApiServerStallsWithItsCodeAndIsTriedAgain() {
    neverDelivered();
    BindingPlan plan =
        PLANNER.failed(
            observation(),
            NOW,
            new Failure(
                Reasons.ACCESS_DENIED,
                new Effect.DeliverFirst(1).refusal(403),
                false,
                Duration.ofSeconds(30)));

    assertThat(plan.effect()).isEmpty();
    assertThat(plan.wakeAt()).contains(NOW.plusSeconds(30));
    assertThat(plan.findings())
        .singleElement()
        .satisfies(f -> {
          assertThat(f.reason()).isEqualTo(Reasons.ACCESS_DENIED);
          assertThat(f.message()).contains("refused deliver first (code 403)");
        });
    assertThat(plan.status().conditions())
        .anyMatch(
            c -> c.type().equals(Conditions.STALLED) && c.reason().equals(Reasons.ACCESS_DENIED));
  }

  @Test
  void anEmergencyWhoseVersionBeforeIsNotKnownTakesNothingFromWhatIsCompromised() {
    compromised = "00000002";
    rotations.add(
        new Rotation(
            "payments-db-4",
            4,
            Trigger.Compromise,
            NOW,
            Stage.Aborted,
            null,
            null,
            null,
            NOW,
            null,
            null,
            null,
            null,
            null));

    assertThat(status().compromised()).isEqualTo("00000002");
  }

  // What ends by itself.

  @Test
  void whatSomebodyMayUseIsRenewedBeforeAnythingElseTheSoonestEndFirst() {
    latecomers =
        List.of(new Effect.Annotate(WorkloadKind.Deployment, "api", "uid-1", "v3-" + VALUE));
    source = new Source.Value(NEWER, false);
    unowned = List.of("payments-db");
    holds(Alias.Content.Other);
    leases =
        List.of(
            afterMinutes(21),
            lease("payments-db-v2-00000002", NOW.minus(Duration.ofMinutes(22)), true),
            lease("payments-db-v1-00000001", NOW.minus(Duration.ofMinutes(20)), true));

    assertThat(plan().effect()).contains(new Effect.RenewLease("payments-db-v2-00000002"));
    assertThat(plan().findings()).isEmpty();

    rotation(4, Stage.Promoting, null);
    assertThat(plan().effect())
        .as("whatever rotates")
        .contains(new Effect.RenewLease("payments-db-v2-00000002"));
    suspended = true;
    rotations.clear();
    assertThat(plan().effect())
        .as("or rests")
        .contains(new Effect.RenewLease("payments-db-v2-00000002"));
  }

  @Test
  void whatNobodyUsesIsLeftToItsEnd() {
    leases = List.of(lease("payments-db-v2-00000002", NOW.minus(Duration.ofMinutes(22)), false));

    assertThat(plan().effect()).isEmpty();
    assertThat(plan().wakeAt()).isEmpty();
  }

  @Test
  void nothingIsRenewedBeforeItsTimeOrBeforeItsStoreMayBeAskedAgain() {
    leases = List.of(afterMinutes(10));
    assertThat(plan().effect()).isEmpty();

    leases = List.of(with(afterMinutes(22), null, false, sealed()));
    assertThat(plan().effect()).isEmpty();
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(15));
  }

  @Test
  void nothingIsRenewedByTheYoungerOfTwoBindingsWhichDoesNotLookAllTheTimeEither() {
    takenBy = Optional.of("payments");
    leases = List.of(afterMinutes(22));

    assertThat(plan().effect()).isEmpty();
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(30));
  }

  @Test
  void aCredentialThatIsRenewedInTimeIsHealthy() {
    leases = List.of(afterMinutes(10));

    assertCondition(Conditions.LEASE_HEALTHY, Status.True, Reasons.LEASE_RENEWED);
    assertThat(condition(Conditions.LEASE_HEALTHY).message())
        .isEqualTo("The credential of version 3 is renewed in time.");
    assertCondition(Conditions.EXPIRING_SOON, Status.False, Reasons.NOT_EXPIRING);
    assertCondition(Conditions.READY, Status.True, Reasons.READY);
    assertThat(plan().findings()).isEmpty();

    Instant hard = afterMinutes(10).expiresAt();
    leases = List.of(with(afterMinutes(10), hard, false, null));
    assertCondition(Conditions.LEASE_HEALTHY, Status.True, Reasons.LEASE_RENEWED);
    assertThat(condition(Conditions.LEASE_HEALTHY).message())
        .isEqualTo("The credential of version 3 lives until its end.");
  }

  @Test
  void oneThatDoesNotEndHasNoSuchConditions() {
    leases = List.of(lease("payments-db-v2-00000002", NOW, true));

    assertThat(condition(Conditions.LEASE_HEALTHY)).isNull();
    assertThat(condition(Conditions.EXPIRING_SOON)).isNull();
    assertThat(status().lease()).isNull();
    assertThat(status().expiresAt()).isNull();
  }

  @Test
  void oneThatCannotBeRenewedForNowIsNoReasonToAlarmAnybody() {
    leases = List.of(with(afterMinutes(21), null, false, sealed()));

    assertCondition(Conditions.LEASE_HEALTHY, Status.Unknown, Reasons.LEASE_AT_RISK);
    assertThat(condition(Conditions.LEASE_HEALTHY).message()).endsWith("It is sealed.");
    assertCondition(Conditions.EXPIRING_SOON, Status.False, Reasons.NOT_EXPIRING);
    assertThat(plan().findings()).isEmpty();
  }

  @Test
  void butItIsOnceItsTimeRunsOut() {
    leases = List.of(with(afterMinutes(25), NOW.plus(Duration.ofDays(9)), false, sealed()));

    assertCondition(Conditions.LEASE_HEALTHY, Status.False, Reasons.LEASE_AT_RISK);
    assertCondition(Conditions.EXPIRING_SOON, Status.True, Reasons.EXPIRING);
    for (String type : List.of(Conditions.LEASE_HEALTHY, Conditions.EXPIRING_SOON)) {
      assertThat(condition(type).message())
          .as("its end is that of its time, not the hard one")
          .contains("ends at " + NOW.plus(Duration.ofMinutes(5)));
    }
    assertCondition(Conditions.READY, Status.True, Reasons.READY);
    assertThat(plan().findings())
        .extracting(Finding::severity, Finding::reason)
        .containsExactlyInAnyOrder(
            tuple(Severity.Warning, Reasons.LEASE_AT_RISK),
            tuple(Severity.Warning, Reasons.EXPIRING));

    conditions = status().conditions();
    assertThat(plan().findings()).as("once").isEmpty();
  }

  @Test
  void oneThatHasEndedMeansThatTheWorkloadsHaveNothingThatWorks() {
    source = new Source.OnRequest();
    for (Lease dead :
        List.of(with(afterMinutes(1), null, true, null), afterMinutes(30), afterMinutes(31))) {
      leases = List.of(with(dead, null, dead.ended(), sealed()));

      assertCondition(Conditions.LEASE_HEALTHY, Status.False, Reasons.LEASE_LOST);
      assertCondition(Conditions.EXPIRING_SOON, Status.True, Reasons.EXPIRING);
      assertCondition(Conditions.READY, Status.False, Reasons.LEASE_LOST);
      assertCondition(Conditions.DELIVERED, Status.True, Reasons.DELIVERED);
      assertThat(started().trigger()).isEqualTo(Trigger.Expiring);
    }
  }

  @Test
  void oneThatEndsForGoodEndsSoonFromWhenItIsToBeReplaced() {
    rotation(4, Stage.Baking, null);
    Instant hard = NOW.plus(Duration.ofHours(1));
    leases = List.of(with(afterMinutes(10), hard.plusSeconds(1), false, null));
    assertCondition(Conditions.EXPIRING_SOON, Status.False, Reasons.NOT_EXPIRING);
    assertThat(plan().wakeAt()).as("somebody looks then").contains(NOW.plusSeconds(1));

    leases = List.of(with(afterMinutes(10), hard, false, null));
    assertCondition(Conditions.EXPIRING_SOON, Status.True, Reasons.EXPIRING);
    assertThat(condition(Conditions.EXPIRING_SOON).message()).contains("ends at " + hard);
    assertCondition(Conditions.LEASE_HEALTHY, Status.True, Reasons.LEASE_RENEWED);
    assertThat(plan().findings()).extracting(Finding::reason).containsExactly(Reasons.EXPIRING);
  }

  @Test
  void theStatusSaysWhenTheCredentialEndsAndHowThatIsPutOff() {
    Lease lease = afterMinutes(10);
    leases = List.of(lease("payments-db-v2-00000002", NOW, true), lease);
    assertThat(status().expiresAt()).isEqualTo(lease.expiresAt());
    assertThat(status().lease())
        .isEqualTo(
            new SecretBindingStatus.Lease(
                true, lease.renewAt().orElseThrow(), null, lease.renewedAt()));

    Instant hard = NOW.plus(Duration.ofDays(2));
    leases = List.of(with(lease, hard.plusMillis(300), false, null));
    assertThat(status().expiresAt()).isEqualTo(hard);
    assertThat(status().lease().hardExpiry()).isEqualTo(hard);

    leases = List.of(with(lease(THIRD.snapshot(), THIRD.since(), true), null, true, null));
    assertThat(status().lease())
        .as("never renewed, and not any more")
        .isEqualTo(new SecretBindingStatus.Lease(true, null, null, null));
  }

  // What a rotation left alive.

  private static final String SECOND = "payments-db-v2-00000002";

  private void leftAlive() {
    issued(3, VALUE, Instant.EPOCH);
    issued(2, "00000002", Instant.EPOCH);
  }

  @Test
  void whatARotationLeftAliveIsRevokedOnceNobodyUsesIt() {
    leftAlive();
    earlierUsers = List.of("job-1");
    assertThat(plan().effect()).isEmpty();
    assertThat(plan().wakeAt()).as("until nobody does").contains(NOW.plusSeconds(30));

    earlierUsers = List.of();
    assertThat(plan().effect()).contains(new Effect.Revoke(SECOND, false));
  }

  @Test
  void theCurrentVersionNeverIs() {
    issued(3, VALUE, Instant.EPOCH);

    assertThat(plan().effect()).isEmpty();
    compromised = VALUE;
    assertThat(plan().effect()).as("not even after a compromise").isEmpty();
  }

  @Test
  void norIsAnythingWhileARotationIsUnderWay() {
    leftAlive();
    for (Stage stage : List.of(Stage.Pending, Stage.Baking, Stage.Retiring, Stage.RollingBack)) {
      rotations.clear();
      rotation(4, stage, null);
      assertThat(plan().effect()).isEmpty();
    }
  }

  @Test
  void norWhatAPodOrATemplateNames() {
    snapshots.add(new Snapshot(SECOND, 2, Instant.EPOCH, true));

    assertThat(plan().effect()).isEmpty();
  }

  @Test
  void whatCouldNotBeRevokedIsTriedAgainWhenItsStoreMayBeAsked() {
    issued(2, "00000002", NOW.plusSeconds(90));
    assertThat(plan().effect()).isEmpty();
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(90));

    issued(1, "00000001", NOW);
    assertThat(plan().effect())
        .as("and does not keep others alive")
        .contains(new Effect.Revoke("payments-db-v1-00000001", false));
  }

  @Test
  void whatThePolicyDoesNotWantRevokedIsNotUnlessItIsCompromised() {
    policy = Optional.of(policy("retirement: {revoke: false}"));
    leftAlive();
    issued(1, "00000001", Instant.EPOCH);
    assertThat(plan().effect()).isEmpty();

    compromised = "00000001";
    assertThat(plan().effect()).contains(new Effect.Revoke("payments-db-v1-00000001", true));
  }

  @Test
  void sessionsEndWithItWhereThePolicySaysSo() {
    policy = Optional.of(policy("retirement: {terminateSessions: true}"));
    leftAlive();

    assertThat(plan().effect()).contains(new Effect.Revoke(SECOND, true));
  }

  @Test
  void aSnapshotStaysAsLongAsItIsNeededToEndItsCredential() {
    policy = Optional.of(policy("retirement: {keepSnapshots: 0}"));
    leftAlive();
    earlierUsers = List.of("job-1");
    assertThat(plan().effect()).as("which a pod may use").isEmpty();

    earlierUsers = List.of();
    snapshots.clear();
    issued(2, "00000002", NOW.plusSeconds(90));
    assertThat(plan().effect()).as("which its store does not end yet").isEmpty();

    snapshots.clear();
    issued(2, "00000002", Instant.EPOCH);
    assertThat(plan().effect()).contains(new Effect.Revoke(SECOND, false));

    snapshots.clear();
    snapshot(2, "00000002", false);
    assertThat(plan().effect()).contains(new Effect.DeleteSnapshot(SECOND));
  }

  @Test
  void orToRenewItForAPodThatUsesIt() {
    policy = Optional.of(policy("retirement: {keepSnapshots: 0, revoke: false}"));
    leftAlive();
    leases = List.of(lease(SECOND, NOW, true));
    assertThat(plan().effect()).isEmpty();

    leases = List.of(lease(SECOND, NOW, false));
    assertThat(plan().effect()).contains(new Effect.DeleteSnapshot(SECOND));
  }

  @Test
  void aCandidateThatAProcessLeftBehindIsRevokedBeforeItsSnapshotGoes() {
    issued(3, VALUE, Instant.EPOCH);
    issued(4, NEWER, Instant.EPOCH);
    rotation(4, Stage.Failed, null);
    last = new LastRotation("payments-db-4", Stage.Failed, NOW, NEWER);

    assertThat(plan().effect()).contains(new Effect.Revoke("payments-db-v4-" + NEWER, false));
  }

  @Test
  void aRotationThatFailsChangesNothingOfWhatBecameOfTheVersionBefore() {
    previous = new Previous(2, SECOND, Previous.State.Retiring, 0);
    snapshot(2, "00000002", false);
    oldState(3, Stage.Complete, Previous.State.Revoked);
    Previous revoked = new Previous(2, SECOND, Previous.State.Revoked, null);
    assertThat(status().previous()).isEqualTo(revoked);

    previous = revoked;
    oldState(4, Stage.Failed, null);
    assertThat(status().previous()).isEqualTo(revoked);

    rotations.clear();
    assertThat(status().previous()).as("nor does one whose record goes").isEqualTo(revoked);
  }

  // When somebody looks again.

  @Test
  void theEarliestOfAllReasonsToLookAgainCounts() {
    source = new Source.OnRequest();
    policy = Optional.of(policy("schedule: {every: 30d, jitter: 0%}"));
    Instant scheduled = THIRD.since().plus(Duration.ofDays(30));
    assertThat(plan().wakeAt()).contains(scheduled);

    nextLook = Optional.of(scheduled.minusSeconds(1));
    assertThat(plan().wakeAt()).as("the source").contains(scheduled.minusSeconds(1));

    leases = List.of(with(afterMinutes(10), NOW.plus(Duration.ofMinutes(20)), false, null));
    assertThat(leases.getFirst().renewAt()).isEmpty();
    rotation(4, Stage.Baking, null);
    assertThat(plan().wakeAt()).as("the last call").contains(NOW.plus(Duration.ofMinutes(15)));

    leases = List.of(leases.getFirst(), lease(SECOND, NOW.minus(Duration.ofMinutes(10)), true));
    assertThat(plan().wakeAt())
        .as("a renewal")
        .isEqualTo(leases.getLast().renewAt())
        .get()
        .satisfies(at -> assertThat(at).isBefore(NOW.plus(Duration.ofMinutes(11))));

    rotations.clear();
    issued(1, "00000001", NOW.plusSeconds(90));
    leases = List.of(lease(SECOND, NOW.minus(Duration.ofMinutes(10)), true));
    assertThat(plan().wakeAt()).as("a revocation").contains(NOW.plusSeconds(90));

    missing = List.of("Deployment api");
    assertThat(plan().wakeAt()).as("what nobody announces").contains(NOW.plusSeconds(30));
  }

  @Test
  void theEndOfACredentialIsNotMissed() {
    suspended = true;
    Lease lease = with(afterMinutes(29), NOW.plusSeconds(60), false, null);
    leases = List.of(lease);

    assertCondition(Conditions.READY, Status.True, Reasons.READY);
    assertThat(plan().wakeAt()).contains(NOW.plusSeconds(60));
  }

  @Test
  void whatAStoreDoesNotDoStallsTheBindingWithItsReasonAndIsTriedWhenItSays() {
    leftAlive();
    BindingPlan plan =
        PLANNER.failed(
            observation(),
            NOW,
            new Failure(
                Reasons.STORE_THROTTLED, "It asks for less.", false, Duration.ofSeconds(45)));

    assertThat(plan.effect()).isEmpty();
    assertThat(plan.wakeAt()).contains(NOW.plusSeconds(45));
    assertThat(plan.findings())
        .containsExactly(Finding.warning(Reasons.STORE_THROTTLED, "It asks for less."));
    assertThat(plan.status().conditions())
        .filteredOn(c -> c.type().equals(Conditions.STALLED))
        .singleElement()
        .satisfies(c -> {
          assertThat(c.reason()).isEqualTo(Reasons.STORE_THROTTLED);
          assertThat(c.message()).isEqualTo("It asks for less.");
        });
    assertThat(plan.status().conditions())
        .as("what is delivered stays")
        .anyMatch(c -> c.type().equals(Conditions.READY) && c.status() == Status.True);

    conditions = plan.status().conditions();
    assertThat(
            PLANNER
                .failed(
                    observation(),
                    NOW,
                    new Failure(
                        Reasons.STORE_THROTTLED, "It asks for less.", false, Duration.ofSeconds(9)))
                .findings())
        .as("and is told once")
        .isEmpty();
  }
}
