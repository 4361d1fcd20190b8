package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.SecretRotationStatus.CanaryPod;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.rotation.Observation.Canary;
import io.keyturn.domain.rotation.Observation.Pod;
import io.keyturn.domain.rotation.Observation.Workload;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/** The stages Canary and Baking: starts the canaries and judges them by what they have counted. */
final class CanaryWatch {

  private static final int MAX_REBUILDS = 3;
  private static final int MAX_RESTARTS_BEFORE_READY = 1;

  private final Promotion promotion = new Promotion();
  private final GateWatch gates = new GateWatch();

  /** Enters Canary, and says at once until when: nothing new is to be said while pods start. */
  void begin(Draft draft) {
    Instant deadline = draft.fromNow.plus(Durations.parse(draft.policy().canary().deadline()));
    draft.moveTo(Stage.Canary, starting(clones(draft), deadline));
  }

  /** Stage Canary: each workload that allows it gets a clone, and each clone becomes Ready. */
  void start(Draft draft) {
    if (settleWorkloads(draft) || waitsForBaseline(draft, w -> crash(w, draft))) {
      return;
    }
    List<WorkloadProgress> clones = clones(draft);
    if (clones.isEmpty()) {
      verified(draft, "No workload is left to try the version on; it is promoted.");
      return;
    }
    Optional<WorkloadProgress> missing =
        clones.stream().filter(w -> !upToDate(w, draft)).findFirst();
    if (missing.isPresent()) {
      draft.perform(new Effect.StartCanary(missing.get(), draft.policy().canary().pods()));
      return;
    }
    Optional<String> crash = clones.stream().flatMap(w -> crash(w, draft).stream()).findFirst();
    if (crash.isPresent()) {
      draft.rollBack(Reasons.CANARY_FAILED, crash.get());
    } else if (clones.stream().allMatch(w -> ready(w, draft))) {
      if (draft.emergency()) {
        verified(
            draft,
            "The canary of %s is Ready, and in an emergency that is enough; the version is promoted."
                .formatted(names(clones)));
      } else {
        beginBake(draft, clones);
      }
    } else {
      awaitReady(draft, clones);
    }
  }

  /**
   * A canary that fails while the other pods of its workload are not healthy either proves nothing:
   * what they share is broken. It goes, and another one is tried when they are.
   *
   * @param trouble what is wrong with the canary of a workload
   * @return whether nothing else is to be done now
   */
  private boolean waitsForBaseline(
      Draft draft, Function<WorkloadProgress, Optional<String>> trouble) {
    Optional<String> held =
        draft.seen.journal().conditions().stream()
            .filter(c ->
                c.type().equals(Conditions.BLOCKED) && c.reason().equals(Reasons.BASELINE_DEGRADED))
            .map(Condition::message)
            .findFirst();
    List<WorkloadProgress> degraded =
        clones(draft).stream().filter(w -> degraded(w, draft)).toList();
    Optional<WorkloadProgress> failing =
        degraded.stream().filter(w -> trouble.apply(w).isPresent()).findFirst();
    if (failing.isEmpty() && held.isEmpty()) {
      return false;
    }
    if (failing.isEmpty() && degraded.isEmpty()) {
      rebuild(draft, "The other pods are healthy again");
      return true;
    }
    draft.hold(
        Reasons.BASELINE_DEGRADED,
        held.orElseGet(() ->
            "The canary of %s failed while its other pods were not healthy either, so nobody can tell why; another one is tried when they are."
                .formatted(failing.orElseThrow().name())));
    failing.ifPresent(w -> draft.perform(new Effect.StopCanary(w)));
    draft.wakeIn(RotationPlanner.POLL);
    return true;
  }

  private static boolean degraded(WorkloadProgress w, Draft draft) {
    Workload seen = draft.observed(w);
    return seen.exists() && seen.replicas() > 0 && !seen.available();
  }

  private void beginBake(Draft draft, List<WorkloadProgress> clones) {
    for (WorkloadProgress w : clones) {
      List<CanaryPod> pods = livePods(w, draft).stream().map(Pod::facts).toList();
      draft.replace(w, Progress.baking(w, pods));
    }
    Instant until = draft.fromNow.plus(Durations.parse(draft.policy().canary().bake()));
    String names = names(clones);
    draft.moveTo(
        Stage.Baking,
        "The canary of %s is Ready; it is promoted at %s if it stays so.".formatted(names, until));
    draft.note(Reasons.CANARY_RUNNING, "The canary of %s is Ready and bakes.".formatted(names));
  }

  private void awaitReady(Draft draft, List<WorkloadProgress> clones) {
    Instant deadline = deadline(draft);
    Optional<String> unschedulable =
        clones.stream()
            .flatMap(w -> canaryOf(w, draft).flatMap(Canary::unschedulable).stream())
            .findFirst();
    if (unschedulable.isPresent()) {
      // No verdict on the value: it is neither promoted nor rejected on this.
      draft.block(
          Reasons.CANARY_UNSCHEDULABLE,
          ("The canary cannot be scheduled, which says nothing about the value: %s. It goes on when"
                  + " there is room; set spec.abort to take it back.")
              .formatted(unschedulable.get()));
      draft.wakeIn(RotationPlanner.POLL);
    } else if (!draft.now.isBefore(deadline)) {
      String trouble =
          clones.stream()
              .flatMap(w -> canaryOf(w, draft).flatMap(Canary::trouble).stream())
              .findFirst()
              .map(t -> ": " + t)
              .orElse("");
      draft.rollBack(
          Reasons.CANARY_DEADLINE_EXCEEDED,
          "The canary of %s was not verified within %s%s."
              .formatted(names(clones), draft.policy().canary().deadline(), trouble));
    } else {
      draft.say(starting(clones, deadline));
      draft.wake(deadline);
      draft.wakeIn(RotationPlanner.POLL);
    }
  }

  private String starting(List<WorkloadProgress> clones, Instant deadline) {
    return "The canary of %s starts; it must be verified by %s.".formatted(names(clones), deadline);
  }

  /** Stage Baking: nothing may happen to the canary pods until the bake is over. */
  void bake(Draft draft) {
    if (settleWorkloads(draft) || waitsForBaseline(draft, w -> failure(w, draft))) {
      return;
    }
    List<WorkloadProgress> clones = clones(draft);
    Optional<String> failure = clones.stream().flatMap(w -> failure(w, draft).stream()).findFirst();
    if (failure.isPresent()) {
      draft.rollBack(Reasons.CANARY_FAILED, failure.get());
      return;
    }
    Optional<String> replaced =
        clones.stream().flatMap(w -> replaced(w, draft).stream()).findFirst();
    if (replaced.isPresent()) {
      rebuild(draft, replaced.get());
      return;
    }
    Instant until =
        draft.timeline().canaryReadyAt().plus(Durations.parse(draft.policy().canary().bake()));
    GateWatch.Answer answer = gates.ask(draft, draft.timeline().canaryReadyAt());
    if (answer instanceof GateWatch.Answer.No(String reason, String message)) {
      draft.rollBack(reason, message);
    } else if (draft.now.isBefore(until)) {
      if (!draft.now.isBefore(deadline(draft))) {
        draft.rollBack(
            Reasons.CANARY_DEADLINE_EXCEEDED,
            "The canary of %s became Ready too late to bake %s within its deadline of %s."
                .formatted(
                    names(clones),
                    draft.policy().canary().bake(),
                    draft.policy().canary().deadline()));
        return;
      }
      draft.wake(until);
      draft.wake(deadline(draft));
      draft.wakeIn(RotationPlanner.POLL);
    } else if (answer instanceof GateWatch.Answer.Wait(String reason, String message)) {
      if (reason == null) {
        draft.say(message);
      } else {
        draft.hold(reason, message);
      }
      draft.wakeIn(RotationPlanner.POLL);
    } else {
      verified(
          draft,
          "The canary of %s stayed healthy for %s; the version is promoted."
              .formatted(names(clones), draft.policy().canary().bake()));
    }
  }

  private void verified(Draft draft, String sentence) {
    if (!mayPromote(draft)) {
      return;
    }
    List<WorkloadProgress> all = draft.workloads();
    all.stream()
        .filter(w -> w.state() == WorkloadState.Waiting)
        .forEach(w -> draft.replace(w, Progress.proven(w, Progress.reached(w, all))));
    draft.note(Reasons.CANARY_PASSED, sentence);
    promotion.begin(draft, sentence);
  }

  /** Promotes what no canary tries, once people let it. */
  void promote(Draft draft, String sentence) {
    if (mayPromote(draft)) {
      promotion.begin(draft, sentence);
    }
  }

  private boolean mayPromote(Draft draft) {
    if (draft.waitsForPeople()) {
      draft.block(
          draft.seen.wishes().hold() ? Reasons.HELD : Reasons.SUSPENDED,
          "The promotion waits while the rotation is held or suspended.");
      draft.wakeIn(RotationPlanner.POLL);
      return false;
    }
    return switch (gates.approved(draft, GateWatch.askedAt(draft))) {
      case GateWatch.Answer.Go() -> true;
      case GateWatch.Answer.Wait(String reason, String message) -> {
        draft.hold(reason, message);
        draft.wakeIn(RotationPlanner.POLL);
        yield false;
      }
      case GateWatch.Answer.No(String reason, String message) -> {
        draft.rollBack(reason, message);
        yield false;
      }
    };
  }

  /** Drops workloads that have gone, and starts anew where one was edited or created anew. */
  private boolean settleWorkloads(Draft draft) {
    for (WorkloadProgress w : draft.workloads()) {
      Workload seen = draft.observed(w);
      boolean cloned = isCloned(w);
      if (seen.exists() && !seen.uid().equals(w.uid())) {
        planAnew(draft, w, seen);
        return true;
      }
      if (cloned && (!seen.exists() || seen.replicas() == 0)) {
        if (seen.canary().isPresent()) {
          draft.perform(new Effect.StopCanary(w));
        } else {
          draft.replace(w, Progress.withoutCanary(w, seen.exists()));
        }
        return true;
      }
      if (cloned && !seen.templateHash().equals(w.baseTemplateHash())) {
        draft.replace(w, Progress.rebased(w, seen.templateHash()));
        rebuild(draft, "%s was edited".formatted(w.name()));
        return true;
      }
    }
    return false;
  }

  /** The clone of the one before goes first: the new one may allow none, and name none. */
  private void planAnew(Draft draft, WorkloadProgress w, Workload seen) {
    if (seen.canary().isPresent()) {
      draft.perform(new Effect.StopCanary(w));
    } else {
      draft.replace(w, Progress.plannedAnew(w, seen, draft));
      Optional<String> shortOfProof = Progress.shortOfProof(draft.workloads(), draft);
      if (shortOfProof.isPresent()) {
        draft.rollBack(Reasons.CANARY_NOT_POSSIBLE, shortOfProof.get());
      } else {
        rebuild(draft, "%s was created anew".formatted(w.name()));
      }
    }
  }

  private void rebuild(Draft draft, String why) {
    if (draft.rebuilds() >= MAX_REBUILDS) {
      draft.rollBack(
          Reasons.CANARY_UNSETTLED,
          "The canary was made anew %d times and there is still no verdict: %s."
              .formatted(MAX_REBUILDS, why));
      return;
    }
    draft.rebuildCanaries();
    String sentence = "%s, so the canary starts anew.".formatted(why);
    if (draft.stage() == Stage.Baking) {
      draft.moveTo(Stage.Canary, sentence);
    } else {
      draft.say(sentence);
    }
    draft.note(Reasons.CANARY_REBUILT, sentence);
  }

  private boolean upToDate(WorkloadProgress w, Draft draft) {
    return canaryOf(w, draft)
        .filter(c -> c.baseTemplateHash().equals(w.baseTemplateHash()))
        .isPresent();
  }

  private boolean ready(WorkloadProgress w, Draft draft) {
    List<Pod> pods = livePods(w, draft);
    return pods.size() == draft.policy().canary().pods() && pods.stream().allMatch(Pod::ready);
  }

  private Optional<String> crash(WorkloadProgress w, Draft draft) {
    boolean crashed =
        livePods(w, draft).stream()
            .anyMatch(p -> p.crashLooping() || p.facts().restarts() > MAX_RESTARTS_BEFORE_READY);
    return crashed
        ? Optional.of(
            "The canary of %s crashes on version %d.".formatted(w.name(), draft.seen.version()))
        : Optional.empty();
  }

  /** A pod that is still the same one, and restarted or was not Ready for a moment. */
  private Optional<String> failure(WorkloadProgress w, Draft draft) {
    for (Pod pod : livePods(w, draft)) {
      Optional<CanaryPod> before =
          w.canaryPods().stream().filter(p -> p.uid().equals(pod.facts().uid())).findFirst();
      if (before.isEmpty()) {
        continue;
      }
      if (pod.facts().restarts() > before.get().restarts()) {
        return Optional.of("The canary of %s restarted during its bake.".formatted(w.name()));
      }
      if (!pod.ready() || !pod.facts().readySince().equals(before.get().readySince())) {
        return Optional.of("The canary of %s was not Ready during its bake.".formatted(w.name()));
      }
    }
    return Optional.empty();
  }

  /** Pods that went for a reason of their own, such as a drained node: no verdict. */
  private Optional<String> replaced(WorkloadProgress w, Draft draft) {
    boolean same =
        livePods(w, draft).stream()
            .map(p -> p.facts().uid())
            .collect(Collectors.toSet())
            .equals(w.canaryPods().stream().map(CanaryPod::uid).collect(Collectors.toSet()));
    return same && upToDate(w, draft)
        ? Optional.empty()
        : Optional.of("A canary pod of %s was replaced".formatted(w.name()));
  }

  private List<Pod> livePods(WorkloadProgress w, Draft draft) {
    return canaryOf(w, draft).stream()
        .flatMap(c -> c.pods().stream())
        .filter(p -> !p.terminating())
        .toList();
  }

  private Optional<Canary> canaryOf(WorkloadProgress w, Draft draft) {
    return draft.observed(w).canary();
  }

  private List<WorkloadProgress> clones(Draft draft) {
    return draft.workloads().stream().filter(CanaryWatch::isCloned).toList();
  }

  private static boolean isCloned(WorkloadProgress w) {
    return w.strategy() == CanaryStrategy.Clone && w.state() == WorkloadState.Waiting;
  }

  private Instant deadline(Draft draft) {
    return draft.timeline().stagedAt().plus(Durations.parse(draft.policy().canary().deadline()));
  }

  private String names(List<WorkloadProgress> clones) {
    return clones.stream().map(WorkloadProgress::name).sorted().collect(Collectors.joining(", "));
  }
}
