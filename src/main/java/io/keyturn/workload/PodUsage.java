package io.keyturn.workload;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.keyturn.api.v1alpha1.Names;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Which version a pod uses. In mode Alias nothing but the time of a container's start tells: it
 * reads the alias then, and keeps what it read. What cannot be known counts as in use.
 */
public final class PodUsage {

  private PodUsage() {}

  /** The version on a pod, put there by its template; null: none. */
  public static String annotation(Pod pod, String alias) {
    return annotations(pod).get(Names.versionAnnotation(alias));
  }

  /**
   * Whether a pod may hold a value that the alias had before a point of time. Terminating pods and
   * pods of Jobs count; pods that have ended do not.
   *
   * @param alias name of the Secret
   * @param current id of the version that the alias has held since then
   * @param since from when each container that starts reads that version
   */
  public static boolean mayUseEarlier(Pod pod, String alias, String current, Instant since) {
    if (ended(pod)
        || current.equals(annotation(pod, alias))
        || !SecretReferences.refers(pod.getSpec(), alias)) {
      return false;
    }
    Set<String> readers = SecretReferences.readers(pod.getSpec(), alias);
    List<ContainerStatus> statuses =
        statuses(pod).filter(s -> readers.contains(s.getName())).toList();
    if (statuses.size() < readers.size()) {
      // A pod that no kubelet has reported on: if it was created later, it will read what is there.
      return Instant.parse(pod.getMetadata().getCreationTimestamp()).isBefore(since);
    }
    return statuses.stream().anyMatch(s -> startedBefore(s, since));
  }

  /** Whether a pod's spec names a Secret, and the pod has not ended. */
  public static boolean refers(Pod pod, String secret) {
    return !ended(pod) && SecretReferences.refers(pod.getSpec(), secret);
  }

  /** Whether a container runs that began before a point of time and reads the Secret. */
  public static boolean startedWithout(Pod pod, String secret, Instant since) {
    Set<String> readers = SecretReferences.readers(pod.getSpec(), secret);
    return statuses(pod)
        .filter(s -> readers.contains(s.getName()))
        .anyMatch(s -> startedBefore(s, since));
  }

  /**
   * Whether a running container read the alias while it held a version that was taken back.
   *
   * @param from when the alias began to hold it
   * @param until when it held the version before it again
   */
  public static boolean startedBetween(Pod pod, String alias, Instant from, Instant until) {
    Set<String> readers = SecretReferences.readers(pod.getSpec(), alias);
    return !ended(pod)
        && statuses(pod)
            .filter(s -> readers.contains(s.getName()))
            .anyMatch(s -> startedBefore(s, until) && !startedBefore(s, from));
  }

  private static boolean startedBefore(ContainerStatus status, Instant since) {
    if (status.getState() == null || status.getState().getRunning() == null) {
      return false;
    }
    String startedAt = status.getState().getRunning().getStartedAt();
    return startedAt == null || Instant.parse(startedAt).isBefore(since);
  }

  private static boolean ended(Pod pod) {
    String phase = pod.getStatus() == null ? null : pod.getStatus().getPhase();
    return "Succeeded".equals(phase) || "Failed".equals(phase);
  }

  /** The reports on all of a pod's containers; none before a kubelet has seen it. */
  static Stream<ContainerStatus> statuses(Pod pod) {
    PodStatus status = pod.getStatus();
    return status == null
        ? Stream.empty()
        : Stream.concat(
            status.getInitContainerStatuses().stream(), status.getContainerStatuses().stream());
  }

  private static Map<String, String> annotations(Pod pod) {
    return Objects.requireNonNullElse(pod.getMetadata().getAnnotations(), Map.of());
  }
}
