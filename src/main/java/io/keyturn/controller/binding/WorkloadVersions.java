package io.keyturn.controller.binding;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretBindingStatus.WorkloadVersion;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.workload.PodUsage;
import io.keyturn.workload.SecretReferences;
import io.keyturn.workload.deployment.Deployments;
import io.keyturn.workload.deployment.Rollout;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Counts which version the pods of a workload use, and finds those that came too early for any. */
@ApplicationScoped
class WorkloadVersions {

  private final Deployments deployments;

  @Inject
  WorkloadVersions(Deployments deployments) {
    this.deployments = deployments;
  }

  /** Counts are those of a workload at rest; while it rolls, the last ones stand. */
  WorkloadVersion of(
      Deployment deployment,
      SecretBinding binding,
      Current current,
      List<SecretRotation> rotations,
      Secret alias,
      List<Effect.Annotate> latecomers) {
    String name = deployment.getMetadata().getName();
    Optional<WorkloadVersion> before =
        binding.getStatus().workloads().stream().filter(w -> w.name().equals(name)).findFirst();
    if (!Rollout.rolledOut(deployment) && before.isPresent()) {
      return before.get();
    }
    stray(deployment, binding.alias(), rotations).ifPresent(latecomers::add);
    String id = Names.versionIdOf(current.snapshot());
    List<Pod> pods =
        deployment.getSpec().getReplicas() == 0
            ? List.of()
            : deployments.pods(deployment).stream()
                .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
                .toList();
    int on =
        (int)
            pods.stream()
                .filter(p -> PodUsage.refers(p, binding.alias()))
                .filter(p -> !PodUsage.mayUseEarlier(p, binding.alias(), id, current.since()))
                .count();
    if (alias != null && cameTooEarly(deployment, pods, binding.alias(), current, alias)) {
      latecomers.add(
          new Effect.Annotate(
              WorkloadKind.Deployment, name, deployment.getMetadata().getUid(), id));
    }
    return new WorkloadVersion(
        WorkloadKind.Deployment,
        name,
        !pods.isEmpty() && on == pods.size() ? current.version() : null,
        on,
        pods.size() - on,
        proof(rotations, current, deployment.getMetadata().getUid()));
  }

  /**
   * The way back for a pod template that names a version which was taken back: a process that stood
   * still in between wrote it.
   */
  private static Optional<Effect.Annotate> stray(
      Deployment deployment, String alias, List<SecretRotation> rotations) {
    String annotation = Names.versionAnnotation(alias);
    String id = annotations(deployment).get(annotation);
    if (id == null || Rollout.annotationOwner(deployment, annotation).isPresent()) {
      return Optional.empty();
    }
    return rotations.stream()
        .map(SecretRotation::getStatus)
        .filter(s -> s.stage().terminal() && s.stage() != Stage.Complete)
        .filter(s -> s.to() != null && s.to().snapshot() != null)
        .filter(s -> id.equals(Names.versionIdOf(s.to().snapshot())))
        .flatMap(s -> s.workloads().stream())
        .filter(w -> w.uid().equals(deployment.getMetadata().getUid()))
        .map(w -> new Effect.Annotate(w.kind(), w.name(), w.uid(), w.previousAnnotation()))
        .findFirst();
  }

  /** Its containers began before the Secret existed, without which they could start, and run on. */
  private boolean cameTooEarly(
      Deployment deployment, List<Pod> pods, String alias, Current current, Secret secret) {
    Instant created = Instant.parse(secret.getMetadata().getCreationTimestamp());
    Instant existed = created.isBefore(current.since()) ? created : current.since();
    boolean annotated = annotations(deployment).containsKey(Names.versionAnnotation(alias));
    return !annotated
        && SecretReferences.onlyOptional(deployment.getSpec().getTemplate().getSpec(), alias)
        && pods.stream().anyMatch(p -> PodUsage.startedWithout(p, alias, existed));
  }

  private static Map<String, String> annotations(Deployment deployment) {
    var metadata = deployment.getSpec().getTemplate().getMetadata();
    return metadata == null || metadata.getAnnotations() == null
        ? Map.of()
        : metadata.getAnnotations();
  }

  private static Proof proof(List<SecretRotation> rotations, Current current, String uid) {
    return rotations.stream()
        .map(SecretRotation::getStatus)
        .filter(s -> s.to() != null && s.to().version() == current.version())
        .flatMap(s -> s.workloads().stream())
        .filter(w -> uid.equals(w.uid()))
        .map(WorkloadProgress::proof)
        .filter(Objects::nonNull)
        .findFirst()
        .orElse(null);
  }
}
