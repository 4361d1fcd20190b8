package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.Concurrency;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.rotation.Observation.Queue;
import io.keyturn.domain.rotation.Observation.Source;
import io.keyturn.domain.rotation.Observation.Workload;
import io.keyturn.domain.schedule.InvalidSchedule;
import io.keyturn.domain.schedule.Timetable;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The stage Pending: whether a rotation may start, and what it waits for. */
final class Admission {

  private static final Duration LONGEST = Duration.ofMinutes(1);

  /** Goes on to Staging, with the whole plan written down, once nothing is in the way. */
  void admit(Draft draft) {
    draft.wakeIn(patience(draft));
    Optional<Blocker> closed = windowClosed(draft);
    Optional<Blocker> blocker = blocker(draft, closed);
    List<WorkloadProgress> plan =
        blocker.isPresent() ? List.of() : Progress.planned(draft.seen.workloads(), draft);
    if (blocker.isEmpty()) {
      blocker =
          Progress.shortOfProof(plan, draft).map(m -> new Blocker(Reasons.CANARY_NOT_POSSIBLE, m));
    }
    if (blocker.isPresent()) {
      draft.block(blocker.get().reason(), blocker.get().message());
      return;
    }
    if (closed.isPresent()) {
      draft.warn(
          Reasons.WINDOW_OVERRIDDEN,
          "Version %d is %s old, so the rotation starts although no window is open."
              .formatted(
                  draft.seen.current().orElseThrow().version(),
                  draft.seen.policy().schedule().maxAge()));
    }
    draft.admit(draft.seen.current().orElseThrow(), plan);
    draft.moveTo(Stage.Staging, "The new version is obtained and its snapshot made.");
    draft.note(
        Reasons.ROTATION_STARTED,
        "Version %d is to follow version %d."
            .formatted(draft.seen.version(), draft.from().version()));
  }

  /**
   * How soon to look again. Hundreds may wait, and for days: who has waited for long looks less
   * often, and starts a tenth later than it could have at worst, or five seconds.
   */
  private static Duration patience(Draft draft) {
    Duration tenth = Duration.between(draft.seen.createdAt(), draft.now).dividedBy(10);
    if (draft.emergency() || tenth.compareTo(RotationPlanner.POLL) < 0) {
      return RotationPlanner.POLL;
    }
    return tenth.compareTo(LONGEST) > 0 ? LONGEST : tenth;
  }

  private record Blocker(String reason, String message) {}

  private Optional<Blocker> blocker(Draft draft, Optional<Blocker> closed) {
    Observation seen = draft.seen;
    if (seen.wishes().hold()) {
      return Optional.of(new Blocker(Reasons.HELD, "Waits while spec.hold is true."));
    }
    if (seen.wishes().suspended()) {
      return Optional.of(
          new Blocker(
              Reasons.SUSPENDED, "Waits while spec.suspend of the binding or its policy is true."));
    }
    if (seen.source() instanceof Source.Unavailable(String reason, String message)) {
      return Optional.of(new Blocker(reason, message));
    }
    if (seen.current().isEmpty()) {
      return Optional.of(
          new Blocker(Reasons.DELIVERING, "Waits until the first version is delivered."));
    }
    if (seen.source() instanceof Source.Current && draft.emergency()) {
      return Optional.of(
          new Blocker(
              Reasons.SOURCE_UNCHANGED,
              "Version %d was reported compromised, and the source still holds its value: write a new one there."
                  .formatted(seen.current().get().version())));
    }
    if (draft.cutsOver() && !seen.policy().cutover().acknowledgeOutage()) {
      return Optional.of(
          new Blocker(
              Reasons.OVERLAP_REQUIRED,
              "The new value ends the old one (source.overlap is None), so logins are refused until all pods have restarted: set cutover.acknowledgeOutage of the policy to accept that."));
    }
    if (slotInUse(draft)) {
      return Optional.of(
          new Blocker(
              Reasons.SLOT_IN_USE,
              "The next version takes the slot of an earlier one that is still used: restart what does not by itself: %s."
                  .formatted(String.join(", ", seen.users().names().stream().limit(3).toList()))));
    }
    if (closed.isPresent() && !overdue(draft)) {
      return closed;
    }
    if (seen.queue().holder().isPresent()) {
      return Optional.of(
          new Blocker(
              Reasons.WORKLOAD_BUSY,
              "Waits for the rotation %s, which moves a workload of this one."
                  .formatted(seen.queue().holder().get())));
    }
    Optional<Blocker> full = budget(draft);
    if (full.isPresent()) {
      return full;
    }
    return seen.workloads().stream()
        .flatMap(w -> blockerOf(w, draft).stream())
        .min(Comparator.comparing(Blocker::message));
  }

  /** What as many use already as may at once. The end of a credential does not wait for them. */
  private static Optional<Blocker> budget(Draft draft) {
    if (draft.emergency() || draft.seen.trigger() == Trigger.Expiring || draft.seen.fromEnded()) {
      return Optional.empty();
    }
    Queue queue = draft.seen.queue();
    Concurrency may = draft.seen.policy().concurrency();
    if (queue.ahead() >= may.perNamespace()) {
      return Optional.of(
          new Blocker(
              Reasons.BUDGET_EXHAUSTED,
              "Waits until fewer than %d rotations of the namespace move pods, as concurrency.perNamespace says."
                  .formatted(may.perNamespace())));
    }
    if (queue.store().here() >= may.perStore()) {
      return Optional.of(
          new Blocker(
              Reasons.STORE_BUDGET_EXHAUSTED,
              "Waits until fewer than %d rotations of the namespace with the same store move pods, as concurrency.perStore says."
                  .formatted(may.perStore())));
    }
    OptionalInt most = queue.store().most();
    return most.isPresent() && queue.store().everywhere() >= most.getAsInt()
        ? Optional.of(
            new Blocker(
                Reasons.STORE_BUDGET_EXHAUSTED,
                "Waits until fewer than %d rotations with the store move pods, as its limits.maxConcurrentRotations says."
                    .formatted(most.getAsInt())))
        : Optional.empty();
  }

  /** Whom the next value would lock out. After a compromise they have until its deadline. */
  private static boolean slotInUse(Draft draft) {
    Observation seen = draft.seen;
    boolean used = seen.overlap() == Overlap.Slots && !seen.users().names().isEmpty();
    return used
        && !(draft.emergency()
            && !draft.now.isBefore(
                seen.createdAt()
                    .plus(Durations.parse(seen.policy().emergency().revokeDeadline()))));
  }

  /** Why no rotation may start now that no person asked for. */
  private static Optional<Blocker> windowClosed(Draft draft) {
    Observation seen = draft.seen;
    if (seen.trigger() == Trigger.Manual
        || seen.trigger() == Trigger.Expiring
        || draft.emergency()) {
      return Optional.empty();
    }
    try {
      return Timetable.of(seen.policy(), draft.now)
          .firstOpen(draft.now)
          .filter(draft.now::isBefore)
          .map(o -> closedUntil(o, draft));
    } catch (InvalidSchedule e) {
      return Optional.of(
          new Blocker(
              Reasons.INVALID_SCHEDULE,
              "The policy cannot be followed: %s. Change spec.rotate.nonce to rotate all the same."
                  .formatted(e.getMessage())));
    }
  }

  private static Blocker closedUntil(Instant opening, Draft draft) {
    draft.wake(opening);
    return new Blocker(
        Reasons.WINDOW_CLOSED,
        "Waits for the window that opens at %s. Change spec.rotate.nonce to rotate at once."
            .formatted(opening));
  }

  /** Whether the current version has reached the age that outranks windows. */
  private static boolean overdue(Draft draft) {
    String maxAge = draft.seen.policy().schedule().maxAge();
    return maxAge != null
        && draft
            .seen
            .currentSince()
            .filter(since -> !draft.now.isBefore(since.plus(Durations.parse(maxAge))))
            .isPresent();
  }

  private Optional<Blocker> blockerOf(Workload workload, Draft draft) {
    if (workload.unsettled() != null && !draft.emergency() && !draft.cutsOver()) {
      return Optional.of(
          new Blocker(
              Reasons.WORKLOAD_UNSTABLE,
              "Waits for %s: %s.".formatted(workload.name(), workload.unsettled())));
    }
    if (workload.annotationOwner() != null) {
      return Optional.of(
          new Blocker(
              Reasons.FIELD_CONFLICT,
              ("%s owns the annotation %s on the pod template of %s, and Keyturn takes nothing by"
                      + " force: remove the annotation there.")
                  .formatted(
                      workload.annotationOwner(),
                      Names.versionAnnotation(draft.seen.aliasName()),
                      workload.name())));
    }
    return Optional.empty();
  }
}
