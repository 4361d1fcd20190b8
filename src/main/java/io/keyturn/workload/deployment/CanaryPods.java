package io.keyturn.workload.deployment;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentCondition;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotationStatus.CanaryPod;
import io.keyturn.domain.rotation.Observation;
import io.keyturn.domain.rotation.Observation.Canary;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** Reads what the kubelet reports on canary pods. */
final class CanaryPods {

  private CanaryPods() {}

  static Canary observe(Deployment clone, List<Pod> pods) {
    String hash = annotations(clone.getMetadata().getAnnotations()).get(Names.BASE_TEMPLATE);
    List<Pod> current =
        pods.stream()
            .filter(p ->
                Objects.equals(
                    hash, annotations(p.getMetadata().getAnnotations()).get(Names.BASE_TEMPLATE)))
            .toList();
    return new Canary(
        Objects.requireNonNullElse(hash, ""),
        current.stream().map(CanaryPods::pod).toList(),
        unschedulable(clone, current),
        current.stream().flatMap(p -> trouble(p).stream()).findFirst());
  }

  private static Observation.Pod pod(Pod pod) {
    Optional<PodCondition> ready = condition(pod, "Ready");
    boolean isReady = ready.filter(c -> "True".equals(c.getStatus())).isPresent();
    Instant readySince =
        ready.map(PodCondition::getLastTransitionTime).map(Instant::parse).orElse(null);
    int restarts =
        containers(pod)
            .map(ContainerStatus::getRestartCount)
            .filter(Objects::nonNull)
            .mapToInt(Integer::intValue)
            .sum();
    return new Observation.Pod(
        new CanaryPod(pod.getMetadata().getUid(), restarts, isReady ? readySince : null),
        isReady,
        pod.getMetadata().getDeletionTimestamp() != null,
        waiting(pod).anyMatch("CrashLoopBackOff"::equals));
  }

  /** A pod that no node takes, or that the namespace's quota does not allow. */
  private static Optional<String> unschedulable(Deployment clone, List<Pod> pods) {
    Optional<String> noNode =
        pods.stream()
            .flatMap(p -> condition(p, "PodScheduled").stream())
            .filter(c -> "False".equals(c.getStatus()) && "Unschedulable".equals(c.getReason()))
            .map(c -> "no node takes it")
            .findFirst();
    return noNode.or(() ->
        clone.getStatus() == null
            ? Optional.empty()
            : clone.getStatus().getConditions().stream()
                .filter(c -> "ReplicaFailure".equals(c.getType()))
                .filter(c -> "True".equals(c.getStatus()))
                .map(DeploymentCondition::getReason)
                .map(r -> "its pod cannot be created (%s)".formatted(r))
                .findFirst());
  }

  /** The kubelet's word for what is wrong; its messages may quote what applications say. */
  private static Optional<String> trouble(Pod pod) {
    return waiting(pod)
        .filter(r -> !"ContainerCreating".equals(r) && !"PodInitializing".equals(r))
        .findFirst()
        .or(() ->
            condition(pod, "Ready")
                .filter(c -> "False".equals(c.getStatus()))
                .map(c -> "its pod is not Ready"));
  }

  private static Stream<String> waiting(Pod pod) {
    return containers(pod)
        .filter(s -> s.getState() != null && s.getState().getWaiting() != null)
        .map(s -> s.getState().getWaiting().getReason())
        .filter(Objects::nonNull);
  }

  private static Stream<ContainerStatus> containers(Pod pod) {
    return pod.getStatus() == null
        ? Stream.empty()
        : Stream.concat(
            pod.getStatus().getInitContainerStatuses().stream(),
            pod.getStatus().getContainerStatuses().stream());
  }

  private static Optional<PodCondition> condition(Pod pod, String type) {
    return pod.getStatus() == null
        ? Optional.empty()
        : pod.getStatus().getConditions().stream()
            .filter(c -> type.equals(c.getType()))
            .findFirst();
  }

  private static Map<String, String> annotations(Map<String, String> annotations) {
    return Objects.requireNonNullElse(annotations, Map.of());
  }
}
