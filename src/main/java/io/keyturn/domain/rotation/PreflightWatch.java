package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.GateProgress;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.Effect;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.domain.rotation.Observation.CheckJob;
import io.keyturn.domain.rotation.Observation.Reading;
import java.util.Optional;

/** The stage Preflight: one check after the other, before any pod sees the version. */
public final class PreflightWatch {

  /** The check that is to be made next; empty: each has passed, or there are none. */
  public static Optional<Preflight> next(SecretRotationStatus journal) {
    return journal.policy() == null
        ? Optional.empty()
        : journal.policy().preflight().stream()
            .filter(c ->
                journal.preflight().stream()
                    .noneMatch(a -> a.name().equals(c.name()) && a.result() == Verdict.Passed))
            .findFirst();
  }

  /**
   * Goes on with the checks.
   *
   * @return whether each has passed
   */
  boolean check(Draft draft) {
    Optional<Preflight> next = next(draft.seen.journal());
    if (next.isEmpty()) {
      return true;
    }
    Preflight check = next.get();
    Optional<Measurement> answer = draft.seen.checkJob().ended().or(() -> read(check, draft));
    if (answer.isPresent()) {
      judge(check, answer.get(), draft);
    } else if (check.job() != null && draft.seen.checkJob().running().isEmpty()) {
      hold(check, draft);
      draft.perform(new Effect.StartCheck(check));
    } else {
      hold(check, draft);
    }
    draft.wakeIn(RotationPlanner.POLL);
    return false;
  }

  /** A Job that still runs must not outlive what it checks. */
  boolean stopped(Draft draft) {
    CheckJob job = draft.seen.checkJob();
    Optional<Preflight> running =
        job.running().isPresent() ? next(draft.seen.journal()) : Optional.empty();
    running.ifPresent(c -> draft.perform(new Effect.StopCheck(c)));
    return running.isEmpty();
  }

  private static Optional<Measurement> read(Preflight check, Draft draft) {
    return draft.seen.readings().stream()
        .filter(r -> r.name().equals(check.name()))
        .map(Reading::measurement)
        .findFirst();
  }

  private void judge(Preflight check, Measurement answer, Draft draft) {
    Optional<GateProgress> before = draft.check(check.name());
    boolean news = before.map(b -> b.result() != answer.verdict()).orElse(true);
    if (news) {
      draft.noteCheck(
          new GateProgress(
              check.name(),
              answer.verdict(),
              answer.value(),
              answer.verdict() == Verdict.Failed ? 1 : 0,
              draft.now,
              answer.message()));
    }
    switch (answer.verdict()) {
      case Passed ->
          draft.say("The check %s passed: %s.".formatted(check.name(), answer.message()));
      case Failed ->
          draft.rollBack(
              Reasons.PREFLIGHT_FAILED,
              "The check %s failed: %s.".formatted(check.name(), answer.message()));
      case Inconclusive -> {
        hold(check, draft);
        if (draft.seen.checkJob().ended().isPresent()) {
          draft.perform(new Effect.StopCheck(check));
        }
      }
    }
  }

  /** What could not tell is asked again, and until it can the rotation says so. */
  private void hold(Preflight check, Draft draft) {
    Optional<GateProgress> unclear =
        draft.check(check.name()).filter(a -> a.result() == Verdict.Inconclusive);
    if (unclear.isEmpty()) {
      draft.say("The check %s is being made.".formatted(check.name()));
      return;
    }
    draft.hold(
        Reasons.PREFLIGHT_INCONCLUSIVE,
        "The check %s cannot tell, and is made again: %s. Set spec.abort to take the version back."
            .formatted(check.name(), unclear.get().message()));
  }
}
