package io.keyturn.workload.deployment;

import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.keyturn.api.v1alpha1.Names;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** Reads from a Deployment how far its rollout is, and who wrote its pod template. */
public final class Rollout {

  private Rollout() {}

  /** As {@code kubectl rollout status} sees it. */
  public static boolean rolledOut(Deployment deployment) {
    DeploymentStatus status = deployment.getStatus();
    int wanted = Objects.requireNonNullElse(deployment.getSpec().getReplicas(), 1);
    return status != null
        && status.getObservedGeneration() != null
        && status.getObservedGeneration() >= deployment.getMetadata().getGeneration()
        && zero(status.getUpdatedReplicas()) == wanted
        && zero(status.getReplicas()) == wanted
        && zero(status.getAvailableReplicas()) == wanted;
  }

  /** Whether as many pods as it wants are available, whichever template they were made from. */
  static boolean available(Deployment deployment) {
    int wanted = Objects.requireNonNullElse(deployment.getSpec().getReplicas(), 1);
    return deployment.getStatus() != null
        && zero(deployment.getStatus().getAvailableReplicas()) >= wanted;
  }

  /**
   * Why a Deployment cannot be judged now: its rollout is on its way, or paused. Pods that became
   * unavailable after a complete rollout are no reason: the value that is to come may heal them.
   */
  static Optional<String> unsettled(Deployment deployment) {
    if (Boolean.TRUE.equals(deployment.getSpec().getPaused())) {
      return Optional.of("it is paused, so no pod would be replaced");
    }
    DeploymentStatus status = deployment.getStatus();
    boolean observed =
        status != null
            && status.getObservedGeneration() != null
            && status.getObservedGeneration() >= deployment.getMetadata().getGeneration();
    boolean complete =
        observed
            && status.getConditions().stream()
                .anyMatch(c ->
                    "Progressing".equals(c.getType())
                        && "NewReplicaSetAvailable".equals(c.getReason()));
    boolean empty = Objects.equals(deployment.getSpec().getReplicas(), 0);
    return complete || rolledOut(deployment) || (observed && empty)
        ? Optional.empty()
        : Optional.of("its rollout is not complete");
  }

  static Optional<String> stuck(Deployment deployment) {
    DeploymentStatus status = deployment.getStatus();
    boolean current =
        status != null
            && status.getObservedGeneration() != null
            && status.getObservedGeneration() >= deployment.getMetadata().getGeneration();
    return !current
        ? Optional.empty()
        : status.getConditions().stream()
            .filter(c -> "Progressing".equals(c.getType()) && "False".equals(c.getStatus()))
            .map(c -> "its rollout has exceeded its progress deadline")
            .findFirst();
  }

  /** When a field manager wrote the pod template last; the time is the API server's. */
  static Optional<Instant> writtenBy(Deployment deployment, String manager) {
    return deployment.getMetadata().getManagedFields().stream()
        .filter(f -> manager.equals(f.getManager()) && f.getTime() != null)
        .map(f -> Instant.parse(f.getTime()))
        .max(Comparator.naturalOrder());
  }

  static String lastWriter(Deployment deployment) {
    return deployment.getMetadata().getManagedFields().stream()
        .filter(f -> f.getSubresource() == null || f.getSubresource().isEmpty())
        .filter(f -> f.getTime() != null && !"kube-controller-manager".equals(f.getManager()))
        .max(Comparator.comparing(f -> Instant.parse(f.getTime())))
        .map(ManagedFieldsEntry::getManager)
        .orElse(null);
  }

  /** Who else than Keyturn owns an annotation of the pod template (KEP-555, managed fields). */
  public static Optional<String> annotationOwner(Deployment deployment, String annotation) {
    return deployment.getMetadata().getManagedFields().stream()
        .filter(f -> !Names.KEYTURN.equals(f.getManager()))
        .filter(f -> owns(f, annotation))
        .map(ManagedFieldsEntry::getManager)
        .findFirst();
  }

  private static boolean owns(ManagedFieldsEntry entry, String annotation) {
    Object node =
        entry.getFieldsV1() == null ? null : entry.getFieldsV1().getAdditionalProperties();
    for (String step :
        List.of("f:spec", "f:template", "f:metadata", "f:annotations", "f:" + annotation)) {
      node = node instanceof Map<?, ?> fields ? fields.get(step) : null;
    }
    return node != null;
  }

  private static int zero(Integer count) {
    return count == null ? 0 : count;
  }
}
