package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.OnFailure;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.rotation.Observation.Alias;
import io.keyturn.domain.rotation.Observation.Workload;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The stages Promoting and RollingBack: the alias first, then the workloads, a few at a time. A
 * workload's state says what is meant to be done to it before it is done.
 */
final class Promotion {

  static final Set<WorkloadState> UNDER_WAY =
      EnumSet.of(WorkloadState.Waiting, WorkloadState.Promoting, WorkloadState.Reverted);

  private final GateWatch gates = new GateWatch();

  /** Enters Promoting and names the first workloads to roll. */
  void begin(Draft draft, String sentence) {
    draft.moveTo(Stage.Promoting, sentence);
    startMore(draft);
  }

  /** Stage Promoting. */
  void promote(Draft draft) {
    if (draft.seen.toLost()) {
      restoreSnapshot(draft);
      return;
    }
    if (moveAlias(draft, draft.to(), Alias.Content.To)) {
      return;
    }
    if (planAnew(draft)) {
      return;
    }
    updateStates(draft);
    draft.workloads().stream()
        .filter(w -> canStop(w, draft))
        .findFirst()
        .ifPresent(w -> draft.perform(new Effect.StopCanary(w)));
    Optional<String> failure =
        draft.workloads().stream()
            .filter(w -> w.state() == WorkloadState.Promoting)
            .flatMap(w -> failure(w, draft).stream())
            .findFirst();
    List<WorkloadProgress> reverted =
        draft.workloads().stream().filter(w -> w.state() == WorkloadState.Reverted).toList();
    boolean allAsked = draft.workloads().stream().allMatch(w -> asked(w, draft));
    if (draft.emergency() && !allAsked) {
      advance(draft);
    } else if (draft.emergency() && deadlinePassed(draft) && !draft.waitsForPeople()) {
      retire(draft);
    } else if (failure.isPresent()) {
      fail(draft, failure.get());
    } else if (!reverted.isEmpty()) {
      pause(draft, reverted);
    } else if (gatesHold(draft)) {
      draft.wakeIn(RotationPlanner.POLL);
    } else if (waiting(draft)) {
      advance(draft);
    } else if (usersCounted(draft)) {
      // What is left of the canaries is stopped in Retiring, without a status of its own.
      retire(draft);
    }
    if (draft.emergency() && !deadlinePassed(draft)) {
      draft.wake(revokeDeadline(draft));
    }
  }

  /**
   * Nobody counts who uses the version before while the journal lets a workload wait. Where the
   * last one had its pods taken just now, that is written first.
   */
  private static boolean usersCounted(Draft draft) {
    return draft.seen.journal().workloads().stream()
        .noneMatch(w -> w.state() == WorkloadState.Waiting);
  }

  /** Whether a workload was asked to move, or has not to be. */
  private static boolean asked(WorkloadProgress w, Draft draft) {
    return switch (w.state()) {
      case Waiting -> false;
      case Promoting ->
          Names.versionIdOf(draft.to().snapshot()).equals(draft.observed(w).annotation());
      default -> true;
    };
  }

  private void fail(Draft draft, String why) {
    boolean back = !draft.nothingToGoBackTo();
    if (back && draft.policy().promotion().onFailure() == OnFailure.RollBack) {
      draft.rollBack(Reasons.PROMOTION_FAILED, why);
      return;
    }
    draft.block(
        Reasons.PROMOTION_FAILED,
        why
            + (back
                ? " The promotion pauses; it goes on when the workload is stable, and spec.abort"
                    + " takes it back."
                : " The previous value is no longer good, so nothing goes back to it: see to the"
                    + " workload, or write a working value into the source and delete this"
                    + " rotation: the next one follows."));
    draft.wakeIn(RotationPlanner.POLL);
  }

  /**
   * Once a workload is on the version, the gates are asked before the next one follows.
   *
   * @return whether nothing goes on for now
   */
  private boolean gatesHold(Draft draft) {
    Optional<Instant> latest =
        draft.workloads().stream()
            .map(WorkloadProgress::promotedAt)
            .filter(Objects::nonNull)
            .max(Comparator.naturalOrder());
    boolean rolling =
        draft.workloads().stream().anyMatch(w -> w.state() == WorkloadState.Promoting);
    if (latest.isEmpty() || rolling) {
      return false;
    }
    // An answer from within the same second may be from before.
    return switch (gates.ask(draft, latest.get().plusSeconds(1))) {
      case GateWatch.Answer.Go() -> false;
      case GateWatch.Answer.Wait(String reason, String message) -> {
        if (reason == null) {
          draft.say(message);
        } else {
          draft.hold(reason, message);
        }
        yield true;
      }
      case GateWatch.Answer.No(String reason, String message) -> {
        boolean back = draft.policy().promotion().onFailure() == OnFailure.RollBack;
        if (back && !draft.cutsOver()) {
          draft.rollBack(reason, message);
        } else {
          draft.hold(
              reason,
              message
                  + " The promotion pauses; set spec.abort to take the version back everywhere.");
        }
        yield true;
      }
    };
  }

  /** Somebody deleted the snapshot; its value is not lost where the alias holds it already. */
  private void restoreSnapshot(Draft draft) {
    if (draft.seen.alias().content() == Alias.Content.To) {
      draft.perform(new Effect.RestoreSnapshot(draft.to()));
    } else {
      draft.rollBack(
          Reasons.SNAPSHOT_LOST,
          "The snapshot %s was deleted before its version was promoted."
              .formatted(draft.to().snapshot()));
    }
  }

  /** Rolls the workloads that the journal names, and names more where there is room. */
  private void advance(Draft draft) {
    String versionId = Names.versionIdOf(draft.to().snapshot());
    Optional<WorkloadProgress> next =
        draft.workloads().stream()
            .filter(w -> w.state() == WorkloadState.Promoting)
            .filter(w -> !versionId.equals(draft.observed(w).annotation()))
            .findFirst();
    boolean idle = draft.workloads().stream().noneMatch(w -> w.state() == WorkloadState.Promoting);
    if (draft.waitsForPeople() && idle) {
      draft.block(
          draft.seen.wishes().hold() ? Reasons.HELD : Reasons.SUSPENDED,
          "The promotion waits while the rotation is held or suspended.");
      draft.wakeIn(RotationPlanner.POLL);
      return;
    }
    startMore(draft);
    awaitPause(draft, idle);
    next.ifPresent(w -> draft.perform(new Effect.Annotate(w.kind(), w.name(), w.uid(), versionId)));
    draft.wakeIn(RotationPlanner.POLL);
  }

  private void startMore(Draft draft) {
    long rolling =
        draft.workloads().stream().filter(w -> w.state() == WorkloadState.Promoting).count();
    if (draft.waitsForPeople()) {
      return;
    }
    boolean atOnce = draft.emergency() || draft.cutsOver();
    int parallel = atOnce ? Integer.MAX_VALUE : draft.policy().promotion().maxParallel();
    for (WorkloadProgress w : draft.workloads()) {
      if (w.state() == WorkloadState.Waiting
          && rolling < parallel
          && (atOnce || !draft.now.isBefore(waveBegins(w, draft)))) {
        draft.replace(w, Progress.in(w, WorkloadState.Promoting));
        rolling++;
      }
    }
    String names =
        draft.workloads().stream()
            .filter(w -> w.state() == WorkloadState.Promoting)
            .map(WorkloadProgress::name)
            .sorted()
            .collect(Collectors.joining(", "));
    if (!names.isEmpty()) {
      draft.say("The pods of %s move to version %d.".formatted(names, draft.to().version()));
    }
  }

  /** When the wave of a workload may begin; never while one of a lower wave is under way. */
  private Instant waveBegins(WorkloadProgress w, Draft draft) {
    Instant begins = Instant.MIN;
    Duration pause = Durations.parse(draft.policy().promotion().pauseBetweenWaves());
    for (WorkloadProgress lower : draft.workloads()) {
      if (lower.wave() >= w.wave()) {
        continue;
      }
      if (UNDER_WAY.contains(lower.state())) {
        return Instant.MAX;
      }
      Instant at = lower.promotedAt() == null ? Instant.MIN : lower.promotedAt().plus(pause);
      begins = at.isAfter(begins) ? at : begins;
    }
    return begins;
  }

  private void awaitPause(Draft draft, boolean idle) {
    draft.workloads().stream()
        .filter(w -> w.state() == WorkloadState.Waiting)
        .findFirst()
        .filter(_ -> idle)
        .map(w -> Map.entry(w.wave(), waveBegins(w, draft)))
        .filter(next -> draft.now.isBefore(next.getValue()))
        .ifPresent(next -> {
          draft.say("Wave %d begins at %s.".formatted(next.getKey(), next.getValue()));
          draft.wake(next.getValue());
        });
  }

  /**
   * A Deployment that was created anew before the alias served the version is on the one before,
   * and moves like the others.
   *
   * @return whether there is one to see to
   */
  private boolean planAnew(Draft draft) {
    Optional<WorkloadProgress> replaced =
        draft.workloads().stream()
            .filter(w -> draft.observed(w).exists() && !draft.observed(w).uid().equals(w.uid()))
            .findFirst();
    replaced.ifPresent(w -> {
      Workload seen = draft.observed(w);
      if (seen.canary().isPresent()) {
        draft.perform(new Effect.StopCanary(w));
      } else {
        draft.replace(w, Progress.plannedUntried(w, seen));
        draft.say("%s was created anew, and moves like the others.".formatted(w.name()));
      }
    });
    return replaced.isPresent();
  }

  private void updateStates(Draft draft) {
    String versionId = Names.versionIdOf(draft.to().snapshot());
    for (WorkloadProgress w : draft.workloads()) {
      Workload seen = draft.observed(w);
      WorkloadState state = stateOf(w, seen, versionId);
      if (state == WorkloadState.Reverted) {
        String who = seen.changedBy() == null ? "Somebody" : seen.changedBy();
        draft.replace(
            w, Progress.in(w, state, "%s took the version annotation back.".formatted(who)));
      } else if (state != w.state()) {
        String message = w.state() == WorkloadState.Reverted ? null : w.message();
        draft.replace(
            w,
            state == WorkloadState.Promoted
                ? Progress.promoted(w, message, draft.fromNow)
                : Progress.in(w, state, message));
      }
    }
  }

  private WorkloadState stateOf(WorkloadProgress w, Workload seen, String versionId) {
    if (!seen.exists()) {
      return WorkloadState.Gone;
    }
    boolean annotated = versionId.equals(seen.annotation());
    return switch (w.state()) {
      case Waiting -> seen.replicas() == 0 ? WorkloadState.ScaledToZero : WorkloadState.Waiting;
      case ScaledToZero ->
          seen.replicas() == 0 ? WorkloadState.ScaledToZero : WorkloadState.Waiting;
      case Promoting, Promoted, Reverted -> {
        if (!annotated) {
          // An intent that was not carried out yet looks the same but for the trace of a rollout.
          boolean undone =
              w.state() != WorkloadState.Promoting
                  || seen.everAnnotated()
                  || seen.annotationOwner() != null;
          yield undone ? WorkloadState.Reverted : WorkloadState.Promoting;
        }
        boolean done = seen.rolledOut() && seen.podsOnOther() == 0;
        yield done || w.state() == WorkloadState.Promoted
            ? WorkloadState.Promoted
            : WorkloadState.Promoting;
      }
      default -> w.state();
    };
  }

  private boolean canStop(WorkloadProgress w, Draft draft) {
    boolean moved =
        w.state() == WorkloadState.Promoted
            || w.state() == WorkloadState.Gone
            || w.state() == WorkloadState.ScaledToZero;
    return moved && draft.observed(w).canary().isPresent();
  }

  private Optional<String> failure(WorkloadProgress w, Draft draft) {
    Workload seen = draft.observed(w);
    if (seen.stuck().isPresent()) {
      return Optional.of(
          "%s does not become stable on version %d: %s."
              .formatted(w.name(), draft.to().version(), seen.stuck().get()));
    }
    Duration timeout = Durations.parse(draft.policy().promotion().stableTimeout());
    Instant since = seen.annotatedAt() != null ? seen.annotatedAt() : draft.timeline().verifiedAt();
    boolean annotated = Names.versionIdOf(draft.to().snapshot()).equals(seen.annotation());
    if (annotated && !draft.now.isBefore(since.plus(timeout))) {
      return Optional.of(
          "%s did not become stable on version %d within %s."
              .formatted(
                  w.name(), draft.to().version(), draft.policy().promotion().stableTimeout()));
    }
    return Optional.empty();
  }

  /** Nobody is fought with: whoever set a workload back decides how it goes on. */
  private void pause(Draft draft, List<WorkloadProgress> reverted) {
    WorkloadProgress first = reverted.getFirst();
    draft.block(
        Reasons.FIELD_CONFLICT,
        ("%s was set back during the promotion, so it pauses. Set spec.abort to take version %d back"
                + " everywhere, or set the annotation %s of its pod template to %s to go on.")
            .formatted(
                first.name(),
                draft.to().version(),
                Names.versionAnnotation(draft.seen.aliasName()),
                Names.versionIdOf(draft.to().snapshot())));
    draft.wakeIn(RotationPlanner.POLL);
  }

  private boolean waiting(Draft draft) {
    return draft.workloads().stream()
        .anyMatch(w -> w.state() == WorkloadState.Waiting || w.state() == WorkloadState.Promoting);
  }

  static Instant revokeDeadline(Draft draft) {
    return draft
        .timeline()
        .startedAt()
        .plus(Durations.parse(draft.policy().emergency().revokeDeadline()));
  }

  static boolean deadlinePassed(Draft draft) {
    return !draft.now.isBefore(revokeDeadline(draft));
  }

  /** Somebody lets go of a rotation that cannot go back: the workloads stay as they are. */
  void leave(Draft draft) {
    retire(draft);
  }

  private void retire(Draft draft) {
    Duration grace =
        draft.emergency() ? Duration.ZERO : Durations.parse(draft.policy().retirement().grace());
    Instant graceUntil = draft.now.plus(grace);
    draft.retire(graceUntil, draft.seen.users().names());
    draft.moveTo(
        Stage.Retiring,
        "Version %d is current; version %d stays until %s at least and until no pod uses it."
            .formatted(draft.to().version(), draft.from().version(), graceUntil));
    if (draft.leftBehind().isEmpty()) {
      draft.note(
          Reasons.PROMOTED,
          "Each workload is on version %d; version %d retires."
              .formatted(draft.to().version(), draft.from().version()));
    } else {
      draft.warn(
          Reasons.PROMOTION_FAILED,
          "Version %d is current, and these were left before they ran on it: %s."
              .formatted(draft.to().version(), String.join(", ", draft.leftBehind())));
    }
  }

  /** Stage RollingBack: clones, alias, then the workloads in reverse order. */
  void rollBack(Draft draft) {
    if (draft.seen.wishes().namespaceGone()) {
      draft.moveTo(Stage.Discarding, "The namespace is being deleted.");
      return;
    }
    Optional<WorkloadProgress> clone =
        draft.workloads().stream().filter(w -> draft.observed(w).canary().isPresent()).findFirst();
    if (clone.isPresent()) {
      draft.perform(new Effect.StopCanary(clone.get()));
      return;
    }
    boolean promotionBegan = draft.timeline().verifiedAt() != null;
    if (promotionBegan && noWayBack(draft)) {
      draft.moveTo(
          Stage.Discarding,
          "There is nothing that pods could go back to, so the workloads stay as they are.");
      return;
    }
    if (promotionBegan && moveAlias(draft, draft.from(), Alias.Content.From)) {
      return;
    }
    if (promotionBegan && moveWorkloadsBack(draft)) {
      return;
    }
    draft.moveTo(
        Stage.Discarding,
        draft.from() == null
            ? "Nothing had begun."
            : "The workloads run on version %d; the rejected one is deleted when no pod uses it."
                .formatted(draft.from().version()));
  }

  /**
   * The Secret has gone with its binding, so that no new pod could start; or the version before has
   * gone, and somebody lets go of the rotation that waits for it.
   */
  private boolean noWayBack(Draft draft) {
    boolean bindingGone = draft.seen.wishes().bindingGone();
    return switch (draft.seen.alias().content()) {
      case Missing -> bindingGone;
      case To, Other -> draft.seen.fromLost() && (bindingGone || draft.seen.wishes().deleted());
      case From, Foreign -> false;
    };
  }

  /** Whether there is still something to do, or to wait for. */
  private boolean moveWorkloadsBack(Draft draft) {
    String versionId = Names.versionIdOf(draft.to().snapshot());
    int rolling = 0;
    for (WorkloadProgress w : draft.workloads().reversed()) {
      Workload seen = draft.observed(w);
      boolean moved =
          w.state() == WorkloadState.Promoting
              || w.state() == WorkloadState.Promoted
              || w.state() == WorkloadState.RollingBack;
      if (!moved || !seen.exists()) {
        continue;
      }
      if (versionId.equals(seen.annotation())) {
        if (rolling < draft.policy().promotion().maxParallel()) {
          draft.perform(new Effect.Annotate(w.kind(), w.name(), w.uid(), w.previousAnnotation()));
        }
        draft.wakeIn(RotationPlanner.POLL);
        return true;
      }
      rolling += settledBack(w, seen, draft) ? 0 : 1;
    }
    if (rolling > 0) {
      draft.wakeIn(RotationPlanner.POLL);
      return true;
    }
    for (WorkloadProgress w : draft.workloads()) {
      if (w.state() == WorkloadState.Promoting || w.state() == WorkloadState.Promoted) {
        draft.replace(w, Progress.in(w, WorkloadState.RolledBack));
      }
    }
    return false;
  }

  /** A workload that cannot become stable for other reasons does not keep the others back. */
  private boolean settledBack(WorkloadProgress w, Workload seen, Draft draft) {
    Duration timeout = Durations.parse(draft.policy().promotion().stableTimeout());
    Instant since = seen.annotatedAt() != null ? seen.annotatedAt() : draft.timeline().verifiedAt();
    return (seen.rolledOut() && seen.podsOnTarget() == 0)
        || seen.stuck().isPresent()
        || !draft.now.isBefore(since.plus(timeout));
  }

  /**
   * Lets the alias hold a version, then waits until no kubelet starts a container with the value
   * before it.
   *
   * @return whether there is still something to do, or to wait for
   */
  private boolean moveAlias(Draft draft, VersionRef version, Alias.Content wanted) {
    Alias alias = draft.seen.alias();
    if (alias.content() == Alias.Content.Foreign) {
      draft.block(Reasons.SECRET_NOT_OWNED, alias.message());
      draft.wakeIn(RotationPlanner.POLL);
      return true;
    }
    if (alias.content() != wanted && wanted == Alias.Content.From && draft.seen.fromLost()) {
      draft.block(
          Reasons.ROLLBACK_IMPOSSIBLE,
          ("The snapshot %s has gone, so nothing can go back to version %d. Create it again from a"
                  + " copy, or write the right value into the source and delete this rotation.")
              .formatted(version.snapshot(), version.version()));
      draft.wakeIn(RotationPlanner.POLL);
      return true;
    }
    if (alias.content() != wanted) {
      tellOfRestoration(draft, version);
      draft.perform(new Effect.WriteAlias(version, false));
      return true;
    }
    if (alias.since() == null) {
      return false;
    }
    Instant settled = alias.since().plus(draft.seen.kubeletLag());
    if (draft.now.isBefore(settled)) {
      draft.wake(settled);
      return true;
    }
    return false;
  }

  private void tellOfRestoration(Draft draft, VersionRef version) {
    Alias.Content content = draft.seen.alias().content();
    if (content == Alias.Content.Missing || content == Alias.Content.Other) {
      String sentence =
          "The Secret %s was deleted or edited and gets version %d."
              .formatted(draft.seen.aliasName(), version.version());
      draft.say(sentence);
      draft.warn(Reasons.ALIAS_RESTORED, sentence);
    }
  }
}
