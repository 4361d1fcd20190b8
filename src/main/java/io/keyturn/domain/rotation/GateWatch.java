package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.api.v1alpha1.Gate.GateStage;
import io.keyturn.api.v1alpha1.Gate.OnTimeout;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Approval;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.GateProgress;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.rotation.Observation.Reading;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** What the gates of a policy say while a version is tried and rolled out. */
public final class GateWatch {

  /** What all gates of a stage say together. */
  sealed interface Answer {

    /** Nothing is in the way. */
    record Go() implements Answer {}

    /**
     * There is no answer yet, or none that tells.
     *
     * @param reason why; null: it is too early to tell
     * @param message a sentence
     */
    record Wait(String reason, String message) implements Answer {}

    /**
     * One says no.
     *
     * @param reason why
     * @param message a sentence
     */
    record No(String reason, String message) implements Answer {}
  }

  /** The gates that are to be measured now; an emergency has none. */
  public static List<Gate> measured(SecretRotationStatus journal) {
    return switch (journal.stage()) {
      case Baking -> measured(journal, GateStage.Canary);
      case Promoting -> measured(journal, GateStage.Promote);
      default -> List.of();
    };
  }

  private static List<Gate> measured(SecretRotationStatus journal, GateStage stage) {
    return journal.policy().gates().stream()
        .filter(g -> g.stage() == stage && g.manual() == null)
        .toList();
  }

  /**
   * Notes what is new, and says what all gates of the stage say together.
   *
   * @param since answers from before do not count
   */
  Answer ask(Draft draft, Instant since) {
    List<Gate> gates = draft.emergency() ? List.of() : measured(draft.seen.journal());
    gates.forEach(g -> note(g, draft, since));
    for (Gate gate : gates) {
      Optional<GateProgress> said = draft.gate(gate.name());
      if (said.filter(s -> s.count() >= gate.failureLimit()).isPresent()) {
        return new Answer.No(
            Reasons.GATE_FAILED,
            "The gate %s says no: %s.".formatted(gate.name(), said.get().message()));
      }
    }
    return gates.stream()
        .flatMap(g -> unclear(g, draft, since).stream())
        .findFirst()
        .orElseGet(Answer.Go::new);
  }

  private static Optional<Answer> unclear(Gate gate, Draft draft, Instant since) {
    Optional<GateProgress> said =
        draft.gate(gate.name()).filter(s -> !s.measuredAt().isBefore(since));
    if (said.isEmpty()) {
      return Optional.of(
          new Answer.Wait(null, "Waits for the gate %s to answer.".formatted(gate.name())));
    }
    return switch (said.get().result()) {
      case Passed -> Optional.empty();
      case Failed ->
          Optional.of(
              new Answer.Wait(
                  null,
                  "The gate %s said no %d of %d times: %s."
                      .formatted(
                          gate.name(),
                          said.get().count(),
                          gate.failureLimit(),
                          said.get().message())));
      case Inconclusive ->
          Optional.of(
              new Answer.Wait(
                  Reasons.GATE_INCONCLUSIVE,
                  "The gate %s cannot tell, so nothing goes on and nothing goes back: %s. Set spec.abort to take the version back."
                      .formatted(gate.name(), said.get().message())));
    };
  }

  private static void note(Gate gate, Draft draft, Instant since) {
    Optional<GateProgress> before = draft.gate(gate.name());
    Optional<Reading> reading =
        draft.seen.readings().stream()
            .filter(r -> r.name().equals(gate.name()) && !r.at().isBefore(since))
            .filter(r -> before.map(b -> r.at().isAfter(b.measuredAt())).orElse(true))
            .findFirst();
    if (reading.isEmpty()) {
      return;
    }
    Verdict verdict = reading.get().measurement().verdict();
    boolean news =
        before.isEmpty()
            || before.get().result() != verdict
            || verdict == Verdict.Failed
            || before.get().measuredAt().isBefore(since);
    if (news) {
      int failed = before.map(GateProgress::count).orElse(0);
      draft.noteGate(
          new GateProgress(
              gate.name(),
              verdict,
              reading.get().measurement().value(),
              verdict == Verdict.Failed ? failed + 1 : failed,
              reading.get().at(),
              reading.get().measurement().message()));
    }
  }

  /**
   * Whether people have opened each gate that is theirs.
   *
   * @param since when they were asked
   */
  Answer approved(Draft draft, Instant since) {
    if (draft.emergency()) {
      return new Answer.Go();
    }
    for (Gate gate : draft.policy().gates()) {
      if (gate.manual() == null) {
        continue;
      }
      Optional<Approval> approval =
          draft.seen.approvals().stream().filter(a -> a.gate().equals(gate.name())).findFirst();
      if (approval.isEmpty()) {
        return missing(gate, draft, since);
      }
      if (draft.gate(gate.name()).isEmpty()) {
        draft.noteGate(
            new GateProgress(
                gate.name(), Verdict.Passed, null, 0, draft.now, words(approval.get())));
      }
    }
    return new Answer.Go();
  }

  private static Answer missing(Gate gate, Draft draft, Instant since) {
    Instant until = since.plus(Durations.parse(gate.manual().timeout()));
    if (gate.manual().onTimeout() == OnTimeout.RollBack) {
      draft.wake(until);
      if (!draft.now.isBefore(until)) {
        return new Answer.No(
            Reasons.APPROVAL_TIMEOUT,
            "Nobody opened the gate %s within %s.".formatted(gate.name(), gate.manual().timeout()));
      }
    }
    List<String> unknown =
        draft.seen.approvals().stream()
            .map(Approval::gate)
            .filter(n ->
                draft.policy().gates().stream()
                    .noneMatch(g -> g.name().equals(n) && g.manual() != null))
            .toList();
    return new Answer.Wait(
        Reasons.AWAITING_APPROVAL,
        "The gate %s waits for a person%s: kubectl patch secretrotation %s --type=merge -p '{\"spec\":{\"approvals\":[{\"gate\":\"%s\"}]}}'%s"
            .formatted(
                gate.name(),
                gate.manual().onTimeout() == OnTimeout.RollBack ? " until " + until : "",
                draft.seen.name(),
                gate.name(),
                unknown.isEmpty()
                    ? ""
                    : " (there are approvals for %s, which are no manual gates of the policy)"
                        .formatted(String.join(", ", unknown))));
  }

  private static String words(Approval approval) {
    return "opened by %s%s"
        .formatted(
            approval.by() == null ? "somebody" : approval.by(),
            approval.comment() == null ? "" : ": " + approval.comment());
  }

  /** When people are asked: once nothing else is left to wait for. */
  static Instant askedAt(Draft draft) {
    return draft.stage() == Stage.Baking
        ? draft.timeline().canaryReadyAt().plus(Durations.parse(draft.policy().canary().bake()))
        : draft.timeline().startedAt();
  }
}
