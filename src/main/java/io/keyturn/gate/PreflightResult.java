package io.keyturn.gate;

import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobCondition;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.gate.PreflightJobs.State;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Reads what a Job says of a version. Only a container that ran can fail it: what cannot start, or
 * is taken away, says nothing of the version (as with the Job metric of Argo Rollouts).
 *
 * <p>Reasons are the words of kubelet and scheduler; their messages may quote what applications
 * say.
 */
final class PreflightResult {

  /** A container that was made and whose program could not be run. */
  private static final Set<String> NEVER_RAN = Set.of("StartError", "ContainerCannotRun");

  private static final Set<String> TAKEN_AWAY =
      Set.of("Evicted", "Preempting", "NodeLost", "NodeShutdown", "Terminated", "NodeAffinity");

  private static final Set<String> STARTING = Set.of("ContainerCreating", "PodInitializing");

  private PreflightResult() {}

  static State of(Job job, List<Pod> pods, Preflight check) {
    String subject = PreflightJobs.subject(check);
    Optional<Pod> newest =
        pods.stream().max(Comparator.comparing(p -> p.getMetadata().getCreationTimestamp()));
    if (condition(job, "Complete").isPresent()) {
      return new State.Ended(Measurement.passed(subject + " passed"));
    }
    Optional<JobCondition> failed = condition(job, "Failed");
    if (failed.isEmpty()) {
      return new State.Running(
          newest.map(p -> progress(p, subject)).orElseGet(() -> subject + " has no pod yet"));
    }
    if ("DeadlineExceeded".equals(failed.get().getReason())) {
      return new State.Ended(
          Measurement.inconclusive(
              "%s did not start within %s: its pod was not created, or no node took it, see kubectl"
                      .formatted(subject, check.timeout())
                  + " describe job "
                  + job.getMetadata().getName()));
    }
    return new State.Ended(
        newest
            .map(p -> judge(p, check, subject))
            .orElseGet(() ->
                Measurement.inconclusive(
                    subject + " has failed, and its pod, which would say why, is gone")));
  }

  private static Measurement judge(Pod pod, Preflight check, String subject) {
    String reason = pod.getStatus() == null ? null : pod.getStatus().getReason();
    if (TAKEN_AWAY.contains(String.valueOf(reason)) || disrupted(pod)) {
      return Measurement.inconclusive(
          subject + " was interrupted: its pod was taken from its node");
    }
    Optional<ContainerStatus> unable =
        terminated(pod).filter(s -> NEVER_RAN.contains(ended(s).getReason())).findFirst();
    if (unable.isPresent()) {
      return Measurement.inconclusive(
          "%s cannot start: the program of container %s cannot be run"
              .formatted(subject, unable.get().getName()));
    }
    if ("DeadlineExceeded".equals(reason)) {
      return ran(pod)
          ? Measurement.failed("%s did not end within %s".formatted(subject, check.timeout()))
          : Measurement.inconclusive(
              "%s did not start within %s%s"
                  .formatted(subject, check.timeout(), waiting(pod).map(w -> ": " + w).orElse("")));
    }
    return terminated(pod)
        .filter(s -> ended(s).getExitCode() != 0)
        .findFirst()
        .map(s -> exited(s, subject))
        .orElseGet(() ->
            Measurement.inconclusive(
                subject + " has failed without an exit code: its pod may have been deleted"));
  }

  private static Measurement exited(ContainerStatus status, String subject) {
    int code = ended(status).getExitCode();
    return Measurement.failed(
            "%s failed: container %s ended with exit code %d%s"
                .formatted(
                    subject,
                    status.getName(),
                    code,
                    "OOMKilled".equals(ended(status).getReason()) ? ", out of memory" : ""))
        .of("exit code " + code);
  }

  private static String progress(Pod pod, String subject) {
    if (podCondition(pod, "PodScheduled")
        .filter(c -> "False".equals(c.getStatus()))
        .filter(c -> "Unschedulable".equals(c.getReason()))
        .isPresent()) {
      return subject + " cannot start: no node takes its pod";
    }
    return waiting(pod).map(w -> subject + " cannot start: " + w).orElse(subject + " runs");
  }

  /** What keeps a container from starting. */
  private static Optional<String> waiting(Pod pod) {
    return statuses(pod)
        .filter(s -> s.getState() != null && s.getState().getWaiting() != null)
        .filter(s -> s.getState().getWaiting().getReason() != null)
        .filter(s -> !STARTING.contains(s.getState().getWaiting().getReason()))
        .map(s ->
            "container %s has %s".formatted(s.getName(), s.getState().getWaiting().getReason()))
        .findFirst();
  }

  /** Whether a container of the check ran; init containers make ready for it. */
  private static boolean ran(Pod pod) {
    return pod.getStatus() != null
        && pod.getStatus().getContainerStatuses().stream()
            .anyMatch(s ->
                s.getState() != null
                    && (s.getState().getRunning() != null
                        || (s.getState().getTerminated() != null
                            && s.getState().getTerminated().getStartedAt() != null)));
  }

  private static boolean disrupted(Pod pod) {
    return podCondition(pod, "DisruptionTarget")
        .filter(c -> "True".equals(c.getStatus()))
        .isPresent();
  }

  private static Stream<ContainerStatus> terminated(Pod pod) {
    return statuses(pod)
        .filter(s -> s.getState() != null && s.getState().getTerminated() != null)
        .filter(s -> s.getState().getTerminated().getExitCode() != null);
  }

  private static ContainerStateTerminated ended(ContainerStatus status) {
    return status.getState().getTerminated();
  }

  private static Stream<ContainerStatus> statuses(Pod pod) {
    return pod.getStatus() == null
        ? Stream.empty()
        : Stream.concat(
            pod.getStatus().getInitContainerStatuses().stream(),
            pod.getStatus().getContainerStatuses().stream());
  }

  private static Optional<PodCondition> podCondition(Pod pod, String type) {
    return pod.getStatus() == null
        ? Optional.empty()
        : pod.getStatus().getConditions().stream()
            .filter(c -> type.equals(c.getType()))
            .findFirst();
  }

  private static Optional<JobCondition> condition(Job job, String type) {
    return job.getStatus() == null
        ? Optional.empty()
        : job.getStatus().getConditions().stream()
            .filter(c -> type.equals(c.getType()) && "True".equals(c.getStatus()))
            .findFirst();
  }
}
