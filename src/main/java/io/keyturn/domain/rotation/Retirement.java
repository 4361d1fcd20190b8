package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.ConcurrencyPolicy;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Failure;
import io.keyturn.domain.rotation.Observation.Credential;
import io.keyturn.domain.rotation.Observation.Source;
import io.keyturn.domain.rotation.Observation.Wishes;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * The way out of the previous version: it waits until nobody uses it, is disabled where that can be
 * undone, and is ended at its store. The stage is the intent of what is done in it.
 */
final class Retirement {

  /** How long revocation is tried before the rotation ends without it. */
  private static final Duration REVOKING = Duration.ofHours(1);

  /** The stage Retiring. */
  void retire(Draft draft) {
    Instant graceUntil = draft.retirement().graceUntil();
    List<String> users = draft.seen.users().names();
    boolean newerWaits = draft.seen.source() instanceof Source.Fresh fresh && newer(draft, fresh);
    Wishes wishes = draft.seen.wishes();
    // Somebody deletes the binding or this record: there is nothing to take back any more.
    boolean leaving =
        wishes.bindingGone() || wishes.deleted() || wishes.compromised() || replaced(draft);
    boolean endsNow =
        draft.emergency() && Promotion.deadlinePassed(draft) && !draft.waitsForPeople();
    boolean graceOver = !draft.now.isBefore(graceUntil);
    boolean over = graceOver && users.isEmpty() && !draft.waitsForPeople();
    if (over || endsNow) {
      end(draft, users);
      return;
    }
    if (newerWaits || leaving) {
      complete(draft, users);
      return;
    }
    if (!graceOver || draft.waitsForPeople()) {
      draft.wake(graceOver ? draft.now.plus(RotationPlanner.POLL) : graceUntil);
      return;
    }
    if (draft.emergency()) {
      draft.wake(Promotion.revokeDeadline(draft));
    }
    draft.retire(graceUntil, users);
    draft.say(
        "%s of version %d: %s."
            .formatted(
                users.size() == 1
                    ? "Waits for the last pod"
                    : "Waits for " + users.size() + " pods",
                draft.from().version(),
                RotationPlanner.first(users)));
    draft.wakeIn(RotationPlanner.POLL);
  }

  /**
   * Whoever uses the previous version does not keep the present one from being replaced in time.
   */
  private static boolean replaced(Draft draft) {
    draft.seen.replaceBy().ifPresent(draft::wake);
    return draft.seen.replaceBy().filter(by -> !draft.now.isBefore(by)).isPresent();
  }

  /** A value that the source makes only when asked does not wait for anybody. */
  private static boolean newer(Draft draft, Source.Fresh fresh) {
    return fresh.observed()
        && !draft.seen.wishes().suspended()
        && draft.policy().concurrency().policy() != ConcurrencyPolicy.Forbid;
  }

  /** Nobody uses the previous version, or nobody may any more. */
  private void end(Draft draft, List<String> users) {
    Credential old = draft.seen.going();
    boolean orphaned = draft.seen.wishes().bindingGone() && !draft.seen.wishes().namespaceGone();
    if (!old.alive() || !draft.revokes() || orphaned) {
      complete(draft, users);
      return;
    }
    draft.retire(draft.retirement().graceUntil(), users);
    boolean soaks =
        old.disablable()
            && users.isEmpty()
            && !draft.emergency()
            && !Durations.parse(draft.policy().retirement().disableSoak()).isZero();
    if (soaks) {
      draft.moveTo(
          Stage.Disabling,
          "No pod uses version %d any more; it is disabled for %s, and then revoked."
              .formatted(draft.from().version(), draft.policy().retirement().disableSoak()));
    } else {
      startRevoking(draft);
    }
  }

  /** The stage Disabling. */
  void disable(Draft draft) {
    Instant disabledAt = draft.seen.going().disabledAt();
    List<String> users = draft.seen.users().names();
    if (!users.isEmpty()) {
      if (disabledAt != null) {
        draft.perform(new Effect.Enable(draft.from().snapshot()));
        return;
      }
      draft.disabled(null);
      draft.retire(draft.retirement().graceUntil(), users);
      draft.moveTo(
          Stage.Retiring,
          "Version %d is not disabled, because pods use it: %s."
              .formatted(draft.from().version(), RotationPlanner.first(users)));
      draft.warn(
          Reasons.STILL_IN_USE,
          "Version %d is not disabled, because pods use it: %s."
              .formatted(draft.from().version(), RotationPlanner.first(users)));
      return;
    }
    if (!draft.seen.going().alive()) {
      // Its snapshot has gone, or somebody has ended it.
      startRevoking(draft);
      return;
    }
    if (disabledAt == null) {
      draft.perform(new Effect.Disable(draft.from().snapshot()));
      return;
    }
    draft.disabled(disabledAt);
    Instant over = disabledAt.plus(Durations.parse(draft.policy().retirement().disableSoak()));
    boolean soaks =
        draft.now.isBefore(over) && !draft.seen.wishes().compromised() && !replaced(draft);
    if (soaks || draft.waitsForPeople()) {
      draft.wake(over);
      draft.wakeIn(RotationPlanner.POLL);
    } else {
      startRevoking(draft);
    }
  }

  /** From here on the version is not renewed any more. */
  void startRevoking(Draft draft) {
    draft.revoke();
    draft.moveTo(
        Stage.Revoking, "Version %d is revoked at its store.".formatted(draft.from().version()));
  }

  /**
   * The stage Revoking. Whoever uses the version before its store has ended it keeps it alive: the
   * binding ends it later. After a compromise that lasts until the deadline.
   */
  void revoke(Draft draft) {
    List<String> users = draft.seen.users().names();
    boolean used = draft.seen.going().alive() && !users.isEmpty();
    if (used && !draft.emergency() && draft.seen.going().disabledAt() != null) {
      draft.perform(new Effect.Enable(draft.from().snapshot()));
    } else if (used && !draft.emergency()) {
      complete(draft, users);
    } else if (used && !Promotion.deadlinePassed(draft)) {
      draft.retire(draft.retirement().graceUntil(), users);
      draft.wake(Promotion.revokeDeadline(draft));
      draft.wakeIn(RotationPlanner.POLL);
    } else if (draft.seen.going().alive()) {
      draft.perform(
          new Effect.Revoke(
              draft.from().snapshot(),
              draft.emergency() || draft.policy().retirement().terminateSessions()));
    } else {
      complete(draft, users);
    }
  }

  /** Whether revocation was tried for as long as it makes sense; an emergency does not wait. */
  static boolean triedLongEnough(Draft draft) {
    Instant since = draft.retirement().revokingSince();
    return draft.seen.wishes().compromised()
        || replaced(draft)
        || (since != null && !draft.now.isBefore(since.plus(REVOKING)));
  }

  /** What to say of a revocation that did not work. */
  static String sentence(Draft draft, Failure failure) {
    VersionRef going = draft.stage() == Stage.Revoking ? draft.from() : draft.to();
    return "Version %d could not be revoked, and is tried again from time to time: %s"
        .formatted(going.version(), failure.message());
  }

  /** The end of the rotation, whatever became of the previous version. */
  void complete(Draft draft, List<String> users) {
    draft.retire(draft.retirement().graceUntil(), users);
    VersionRef to = draft.to();
    String sentence =
        users.isEmpty()
            ? "Version %d is current and no pod uses version %d any more."
                .formatted(to.version(), draft.from().version())
            : "Version %d is current; the rotation ends while %d pods may still use version %d."
                .formatted(to.version(), users.size(), draft.from().version());
    draft.moveTo(Stage.Complete, sentence);
    draft.note(Reasons.COMPLETE, sentence);
  }
}
