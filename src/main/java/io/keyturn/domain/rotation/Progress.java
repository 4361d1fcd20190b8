package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.RotationPolicySpec.Canary;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.RotationPolicySpec.Scope;
import io.keyturn.api.v1alpha1.SecretRotationStatus.CanaryPod;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.domain.rotation.Observation.Workload;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** The steps of one workload's entry in the journal. */
final class Progress {

  private Progress() {}

  /**
   * The plan for workloads as they are, in the order in which they move.
   *
   * @param draft of the rotation
   */
  static List<WorkloadProgress> planned(List<Workload> workloads, Draft draft) {
    OptionalInt firstWave =
        workloads.stream()
            .filter(w -> draft.triesOut() && canBeTried(w))
            .mapToInt(Workload::wave)
            .min();
    String suffix = Names.cloneSuffix(draft.seen.uid());
    boolean all = draft.seen.policy().canary().scope() == Scope.AllWorkloads;
    return workloads.stream()
        .sorted(Comparator.comparingInt(Workload::wave))
        .map(w -> {
          boolean inScope = all || firstWave.isEmpty() || w.wave() <= firstWave.getAsInt();
          return planned(w, draft.triesOut() && inScope, suffix, null);
        })
        .toList();
  }

  /** The plan for a workload that took the place of one of the plan. */
  static WorkloadProgress plannedAnew(WorkloadProgress before, Workload workload, Draft draft) {
    boolean tried = before.strategy() == CanaryStrategy.Clone || before.message() != null;
    return planned(
        workload,
        draft.triesOut() && tried,
        Names.cloneSuffix(draft.seen.uid()),
        before.canaryRef());
  }

  /**
   * The plan for one that took such a place when the canaries had passed. A process that stood
   * still may start the clone of the one before even now, so its name stays known.
   */
  static WorkloadProgress plannedUntried(WorkloadProgress before, Workload workload) {
    return planned(workload, false, null, before.canaryRef());
  }

  private static boolean canBeTried(Workload workload) {
    return workload.obstacle().isEmpty() && workload.replicas() > 0;
  }

  private static WorkloadProgress planned(
      Workload workload, boolean wanted, String cloneSuffix, String canaryBefore) {
    boolean clone = wanted && canBeTried(workload);
    return new WorkloadProgress(
        workload.kind(),
        workload.name(),
        workload.uid(),
        workload.wave(),
        clone ? CanaryStrategy.Clone : CanaryStrategy.None,
        clone ? null : Proof.PreflightOnly,
        WorkloadState.Waiting,
        workload.templateHash(),
        workload.annotation(),
        clone ? Names.clone(workload.name(), cloneSuffix) : canaryBefore,
        null,
        null,
        wanted ? workload.obstacle().map(o -> "No canary: " + o + ".").orElse(null) : null);
  }

  /** How well a version is proven for a workload once its canaries have passed. */
  static Proof reached(WorkloadProgress w, List<WorkloadProgress> all) {
    if (w.strategy() == CanaryStrategy.Clone) {
      return Proof.PodCanary;
    }
    return all.stream().anyMatch(o -> o.strategy() == CanaryStrategy.Clone)
        ? Proof.WorkloadCanary
        : Proof.PreflightOnly;
  }

  /**
   * Why the policy does not allow to promote a version to workloads that could prove no more.
   *
   * @param plan for all workloads
   */
  static Optional<String> shortOfProof(List<WorkloadProgress> plan, Draft draft) {
    return draft.emergency() || draft.cutsOver() || draft.seen.fromEnded()
        ? Optional.empty()
        : plan.stream()
            .filter(w -> draft.observed(w).replicas() > 0)
            .flatMap(w -> shortOfProof(w, plan, draft).stream())
            .min(Comparator.naturalOrder());
  }

  private static Optional<String> shortOfProof(
      WorkloadProgress w, List<WorkloadProgress> plan, Draft draft) {
    Canary policy = draft.policy() == null ? draft.seen.policy().canary() : draft.policy().canary();
    if (policy.strategy() == CanaryStrategy.Clone && w.message() != null) {
      return Optional.of(
          "The policy demands a canary, and %s. Set canary.strategy to Auto or None, or change the workload."
              .formatted(obstacle(w, draft)));
    }
    return reached(w, plan).compareTo(policy.minimumProof()) < 0
        ? Optional.of(
            "The policy demands %s as proof, and of the canaries that it needs %s. Lower canary.minimumProof, set canary.scope to AllWorkloads, or change the workload."
                .formatted(policy.minimumProof(), obstacle(w, draft)))
        : Optional.empty();
  }

  private static String obstacle(WorkloadProgress w, Draft draft) {
    return draft
        .observed(w)
        .obstacle()
        .map(o -> "%s allows none: %s".formatted(w.name(), o))
        .orElseGet(() -> "%s gets none".formatted(w.name()));
  }

  static WorkloadProgress baking(WorkloadProgress w, List<CanaryPod> pods) {
    return with(w, w.strategy(), w.proof(), w.state(), w.baseTemplateHash(), pods, w.message());
  }

  static WorkloadProgress proven(WorkloadProgress w, Proof proof) {
    return with(
        w, w.strategy(), proof, w.state(), w.baseTemplateHash(), w.canaryPods(), w.message());
  }

  static WorkloadProgress rebased(WorkloadProgress w, String templateHash) {
    return with(w, w.strategy(), null, w.state(), templateHash, null, w.message());
  }

  static WorkloadProgress withoutCanary(WorkloadProgress w, boolean exists) {
    return with(
        w,
        CanaryStrategy.None,
        exists ? Proof.PreflightOnly : null,
        exists ? WorkloadState.ScaledToZero : WorkloadState.Gone,
        w.baseTemplateHash(),
        null,
        exists ? "Scaled to zero during the canary." : "Deleted during the canary.");
  }

  static WorkloadProgress in(WorkloadProgress w, WorkloadState state) {
    return in(w, state, w.message());
  }

  static WorkloadProgress in(WorkloadProgress w, WorkloadState state, String message) {
    return with(w, w.strategy(), w.proof(), state, w.baseTemplateHash(), w.canaryPods(), message);
  }

  /** Each of its pods was found on the version. */
  static WorkloadProgress promoted(WorkloadProgress w, String message, Instant at) {
    WorkloadProgress there = in(w, WorkloadState.Promoted, message);
    return new WorkloadProgress(
        there.kind(),
        there.name(),
        there.uid(),
        there.wave(),
        there.strategy(),
        there.proof(),
        there.state(),
        there.baseTemplateHash(),
        there.previousAnnotation(),
        there.canaryRef(),
        there.canaryPods(),
        at,
        there.message());
  }

  private static WorkloadProgress with(
      WorkloadProgress w,
      CanaryStrategy strategy,
      Proof proof,
      WorkloadState state,
      String baseTemplateHash,
      List<CanaryPod> canaryPods,
      String message) {
    return new WorkloadProgress(
        w.kind(),
        w.name(),
        w.uid(),
        w.wave(),
        strategy,
        proof,
        state,
        baseTemplateHash,
        w.previousAnnotation(),
        w.canaryRef(),
        canaryPods,
        w.promotedAt(),
        message);
  }
}
