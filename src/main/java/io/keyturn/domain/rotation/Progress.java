package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.SecretRotationStatus.CanaryPod;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.domain.rotation.Observation.Workload;
import java.util.List;
import java.util.Optional;

/** The steps of one workload's entry in the journal. */
final class Progress {

  private Progress() {}

  /** What was observed of the workload of an entry, or of one that took its place. */
  static Workload observed(WorkloadProgress w, Observation seen) {
    return seen.workloads().stream()
        .filter(o -> o.kind() == w.kind() && o.name().equals(w.name()))
        .findFirst()
        .orElseGet(() -> Workload.gone(w.kind(), w.name(), w.uid(), Optional.empty()));
  }

  /**
   * How the version is to be tried on a workload, as it is.
   *
   * @param policy of the rotation
   * @param rotation its UID
   */
  static WorkloadProgress planned(Workload workload, RotationPolicySpec policy, String rotation) {
    boolean clone =
        policy.canary().strategy() != CanaryStrategy.None
            && workload.obstacle().isEmpty()
            && workload.replicas() > 0;
    return new WorkloadProgress(
        workload.kind(),
        workload.name(),
        workload.uid(),
        clone ? CanaryStrategy.Clone : CanaryStrategy.None,
        clone ? null : Proof.PreflightOnly,
        WorkloadState.Waiting,
        workload.templateHash(),
        workload.annotation(),
        clone ? Names.clone(workload.name(), rotation) : null,
        null,
        workload.obstacle().map(o -> "No canary: " + o + ".").orElse(null));
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
    return with(
        w, w.strategy(), w.proof(), state, w.baseTemplateHash(), w.canaryPods(), w.message());
  }

  static WorkloadProgress in(WorkloadProgress w, WorkloadState state, String message) {
    return with(w, w.strategy(), w.proof(), state, w.baseTemplateHash(), w.canaryPods(), message);
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
        strategy,
        proof,
        state,
        baseTemplateHash,
        w.previousAnnotation(),
        w.canaryRef(),
        canaryPods,
        message);
  }
}
