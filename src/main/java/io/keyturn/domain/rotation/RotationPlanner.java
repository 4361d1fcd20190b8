package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.RotationPolicySpec.ConcurrencyPolicy;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Failure;
import io.keyturn.domain.rotation.Observation.Alias;
import io.keyturn.domain.rotation.Observation.Source;
import io.keyturn.domain.rotation.Observation.Users;
import io.keyturn.domain.rotation.Observation.Wishes;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * What a rotation does next: a pure and total function of what was observed and the time. The
 * stages are those of {@code docs/architecture.md}; {@link CanaryWatch} judges the canary, {@link
 * Promotion} moves the workloads there and back.
 */
public final class RotationPlanner {

  /** How soon to look again where no event may tell that something has changed. */
  static final Duration POLL = Duration.ofSeconds(5);

  /** How soon to look whether the binding has taken note. */
  private static final Duration NOTED = Duration.ofSeconds(1);

  private final Admission admission = new Admission();
  private final PreflightWatch preflight = new PreflightWatch();
  private final CanaryWatch canary = new CanaryWatch();
  private final Promotion promotion = new Promotion();
  private final Retirement retirement = new Retirement();

  /** The next step; it never throws for anything that a cluster may show. */
  public Plan plan(Observation seen, Instant now) {
    Draft draft = new Draft(seen, now);
    Stage stage = draft.stage();
    Optional<WorkloadProgress> late = lateCanary(draft);
    if (late.isPresent()) {
      draft.perform(new Effect.StopCanary(late.get()));
    } else if (stage.terminal() || (seen.wishes().foreign() && seen.wishes().deleted())) {
      release(draft);
    } else if (seen.wishes().foreign()) {
      draft.block(
          Reasons.NOT_STARTED_BY_KEYTURN,
          "Keyturn creates its rotations itself. Delete this one, and change spec.rotate.nonce of"
              + " the SecretBinding to rotate.");
    } else if (!takeBack(draft)) {
      switch (stage) {
        case Pending -> admission.admit(draft);
        case Staging -> stage(draft);
        case Preflight -> preflight(draft);
        case Canary -> canary.start(draft);
        case Baking -> canary.bake(draft);
        case Promoting -> promotion.promote(draft);
        case Retiring -> retirement.retire(draft);
        case Disabling -> retirement.disable(draft);
        case Revoking -> retirement.revoke(draft);
        case RollingBack -> {
          if (preflight.stopped(draft)) {
            promotion.rollBack(draft);
          }
        }
        case Discarding -> discard(draft);
        default -> throw new IllegalStateException("a terminal stage has no step: " + stage);
      }
    }
    return draft.toPlan();
  }

  /**
   * What to write down when an effect was not done. That stays in the journal while the same effect
   * is tried again; what does not end by itself ends the attempt, or leaves the old version as it
   * is.
   */
  public Plan failed(Observation seen, Instant now, Effect effect, Failure failure) {
    Draft draft = new Draft(seen, now);
    switch (effect) {
      case Effect.CreateSnapshot _ when failure.lasting() && isStaging(draft) ->
          draft.rollBack(failure.reason(), failure.message());
      case Effect.Disable _ when failure.lasting() && draft.stage() == Stage.Disabling ->
          retirement.startRevoking(draft);
      case Effect.Revoke _ when gaveUp(draft, failure) -> {
        draft.revokeFailed(Retirement.sentence(draft, failure));
        if (draft.stage() == Stage.Revoking) {
          retirement.complete(draft, seen.users().names());
        } else {
          end(draft);
        }
      }
      default -> {
        draft.block(failure.reason(), failure.message());
        draft.wakeIn(failure.retryIn());
      }
    }
    return draft.toPlan();
  }

  private static boolean isStaging(Draft draft) {
    return draft.stage() == Stage.Staging;
  }

  private static boolean gaveUp(Draft draft, Failure failure) {
    return failure.lasting()
        || (draft.stage() == Stage.Revoking && Retirement.triedLongEnough(draft));
  }

  /** A record that goes at once must not be forgotten: its value would be tried again. */
  private void release(Draft draft) {
    if (draft.seen.released()) {
      return;
    }
    boolean toBeNoted = draft.seen.wishes().deleted() && !draft.seen.wishes().foreign();
    if (toBeNoted && !draft.seen.noted()) {
      draft.wakeIn(NOTED);
    } else {
      draft.perform(new Effect.Release());
    }
  }

  /** Whether the rotation leaves its way, because somebody wants it or its reason has gone. */
  private boolean takeBack(Draft draft) {
    Wishes wishes = draft.seen.wishes();
    Stage stage = draft.stage();
    boolean canGoBack = Transitions.legal(stage, Stage.RollingBack) && !pastReturn(draft);
    if (canGoBack && (wishes.bindingGone() || wishes.namespaceGone())) {
      draft.rollBack(
          Reasons.BINDING_DELETED, "The SecretBinding was deleted, so the rotation is taken back.");
      return true;
    }
    if (canGoBack && (wishes.abort() || wishes.deleted())) {
      draft.rollBack(
          Reasons.ABORTED, "Somebody aborted or deleted the rotation, so it is taken back.");
      return true;
    }
    if (pastReturn(draft) && (wishes.bindingGone() || wishes.namespaceGone() || wishes.deleted())) {
      promotion.leave(draft);
      return true;
    }
    if (stage == Stage.Pending && draft.seen.stale()) {
      draft.rollBack(
          Reasons.SUPERSEDED,
          "A rotation to version %d has ended before, and no number is used twice."
              .formatted(draft.seen.version()));
      return true;
    }
    boolean unproven = canGoBack && stage != Stage.Promoting;
    if (unproven && draft.seen.toLost()) {
      draft.rollBack(
          Reasons.SNAPSHOT_LOST,
          "The snapshot %s was deleted before its version was proven."
              .formatted(draft.to().snapshot()));
      return true;
    }
    if (unproven && draft.seen.source() instanceof Source.Current && !draft.emergency()) {
      draft.rollBack(
          Reasons.SUPERSEDED,
          "The source holds the current value again, so there is nothing to rotate to.");
      return true;
    }
    if (unproven && wishes.compromised()) {
      draft.rollBack(
          Reasons.SUPERSEDED,
          "A compromise was reported, so the rotation is taken back for one that is quicker.");
      return true;
    }
    if (unproven && draft.seen.source() instanceof Source.Fresh fresh && replaces(draft, fresh)) {
      draft.rollBack(
          Reasons.SUPERSEDED,
          "The source has a newer value, and concurrency.policy is Replace, so this one is taken"
              + " back for it.");
      return true;
    }
    return false;
  }

  /**
   * Nothing goes back to a value that is known to others or has ended, once the new one is there.
   */
  private static boolean pastReturn(Draft draft) {
    return draft.stage() == Stage.Promoting && draft.nothingToGoBackTo();
  }

  /** A candidate that was made already differs from what the source holds now. */
  private static boolean replaces(Draft draft, Source.Fresh fresh) {
    return fresh.observed()
        && draft.to() != null
        && draft.to().snapshot() != null
        && draft.policy().concurrency().policy() == ConcurrencyPolicy.Replace;
  }

  /** A process that stood still may start a canary when the others have none any more. */
  private Optional<WorkloadProgress> lateCanary(Draft draft) {
    Stage stage = draft.stage();
    boolean none = stage.terminal() || stage.retires() || stage == Stage.Discarding;
    return none && !draft.seen.wishes().namespaceGone()
        ? draft.workloads().stream().filter(w -> draft.observed(w).canary().isPresent()).findFirst()
        : Optional.empty();
  }

  private void stage(Draft draft) {
    Optional<String> made = draft.seen.snapshots().stream().sorted().findFirst();
    if (made.isPresent()) {
      draft.snapshotMade(made.get());
      if (draft.policy().preflight().isEmpty()) {
        tryOut(draft);
      } else {
        draft.moveTo(Stage.Preflight, "The version is checked before any pod sees it.");
      }
    } else if (draft.seen.source() instanceof Source.Unavailable(String reason, String message)) {
      draft.block(reason, message);
      draft.wakeIn(POLL);
    } else {
      draft.perform(new Effect.CreateSnapshot(draft.to().version(), draft.token()));
    }
  }

  private void preflight(Draft draft) {
    if (preflight.check(draft)) {
      tryOut(draft);
    }
  }

  private void tryOut(Draft draft) {
    boolean cloned = draft.workloads().stream().anyMatch(w -> w.strategy() == CanaryStrategy.Clone);
    if (cloned) {
      canary.begin(draft);
    } else {
      canary.promote(draft, "No canary is possible or wanted; the version is promoted.");
    }
  }

  private void discard(Draft draft) {
    Users users = draft.seen.users();
    boolean ending = draft.seen.wishes().namespaceGone();
    if (!ending && waitsForUsers(draft, users)) {
      draft.wakeIn(POLL);
      return;
    }
    if (draft.seen.going().alive() && users.names().isEmpty()) {
      draft.perform(new Effect.Revoke(draft.to().snapshot(), false));
      return;
    }
    if (draft.seen.twin().isPresent()) {
      draft.perform(new Effect.Revoke(draft.seen.twin().get(), false));
      return;
    }
    Optional<String> left = draft.seen.snapshots().stream().sorted().findFirst();
    boolean needed =
        users.needSnapshot()
            || draft.seen.alias().content() == Alias.Content.To
            || draft.seen.going().alive();
    if (left.isPresent() && !needed && !ending) {
      draft.perform(new Effect.DeleteSnapshot(left.get()));
      return;
    }
    end(draft);
  }

  private void end(Draft draft) {
    Stage end =
        switch (draft.takenBackReason().orElse("")) {
          case Reasons.ABORTED, Reasons.BINDING_DELETED -> Stage.Aborted;
          case Reasons.SUPERSEDED -> Stage.Superseded;
          default -> Stage.Failed;
        };
    draft.moveTo(end, end(draft, draft.seen.users()));
  }

  /** Canaries end by themselves and soon. For others nobody waits who wants the rotation gone. */
  private boolean waitsForUsers(Draft draft, Users users) {
    Wishes wishes = draft.seen.wishes();
    boolean newerWaits = draft.seen.source() instanceof Source.Fresh fresh && fresh.observed();
    if (!users.canaries().isEmpty()) {
      draft.say(
          "Waits until the pods of the canary have gone: %s.".formatted(first(users.canaries())));
      return true;
    }
    if (users.names().isEmpty() || newerWaits || wishes.bindingGone() || wishes.deleted()) {
      return false;
    }
    draft.say(
        "Waits until no pod uses the rejected version %d; restart what does not by itself: %s."
            .formatted(draft.seen.version(), first(users.names())));
    return true;
  }

  private String end(Draft draft, Users users) {
    boolean left =
        draft.workloads().stream()
            .map(WorkloadProgress::state)
            .anyMatch(s -> s == WorkloadState.Promoting || s == WorkloadState.Promoted);
    String where =
        draft.from() == null
            ? ""
            : left
                ? "; the workloads stay as they are"
                : "; the workloads run on version " + draft.from().version();
    String who = users.names().isEmpty() ? "" : ", and still used by " + first(users.names());
    return "Version %d was taken back%s%s.".formatted(draft.seen.version(), where, who);
  }

  static String first(List<String> names) {
    return String.join(", ", names.stream().limit(3).toList());
  }
}
