package io.keyturn.gate;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvFromSourceBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.workload.SecretReferences;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/** The Job of a check: the user's template, with the candidate in each container. */
final class PreflightTemplate {

  /** Where each container finds the candidate, a file for each key. */
  static final String MOUNT_PATH = "/keyturn/secret";

  /** The volume of the candidate. */
  static final String VOLUME = "keyturn-secret";

  /**
   * A Job that runs into its own deadline loses its pod, and with it every sign of whether it ran.
   * So the deadline is that of the pod, which stays; the Job's is for pods that no node takes.
   */
  static final Duration UNTIL_THE_JOB_ENDS = Duration.ofMinutes(1);

  private static final Duration STAYS = Duration.ofDays(1);

  private PreflightTemplate() {}

  /** Why a template cannot be used, with what to write instead. */
  static Optional<String> obstacle(PodTemplateSpec template) {
    PodSpec spec = template.getSpec();
    if (spec == null || spec.getContainers().isEmpty()) {
      return Optional.of("its template has no container, write one under template.spec.containers");
    }
    if (spec.getRestartPolicy() != null && !spec.getRestartPolicy().equals("Never")) {
      return Optional.of(
          "the restartPolicy of its template must be Never, for a check is made once: leave it"
              + " out");
    }
    if (spec.getVolumes().stream().anyMatch(v -> VOLUME.equals(v.getName()))) {
      return Optional.of(
          "its template has a volume named %s, and that name is Keyturn's: choose another"
              .formatted(VOLUME));
    }
    if (containers(spec)
        .flatMap(c -> c.getVolumeMounts().stream())
        .anyMatch(m -> MOUNT_PATH.equals(m.getMountPath()))) {
      return Optional.of(
          "its template mounts something at %s, where the candidate goes: choose another path"
              .formatted(MOUNT_PATH));
    }
    return Optional.empty();
  }

  static Job job(
      PodTemplateSpec template,
      SecretRotation rotation,
      OwnerReference owner,
      String name,
      Preflight check,
      String alias,
      String snapshot) {
    Map<String, String> mark = Map.of(Names.PREFLIGHT, Names.label(check.name()));
    Duration timeout = Durations.parse(check.timeout());
    complete(template, rotation, mark, timeout, alias, snapshot);
    return new JobBuilder()
        .withNewMetadata()
        .withNamespace(rotation.getMetadata().getNamespace())
        .withName(name)
        .withLabels(mark)
        .addToLabels(Names.MANAGED_BY, Names.KEYTURN)
        .withOwnerReferences(owner)
        .endMetadata()
        .withNewSpec()
        .withBackoffLimit(0)
        .withParallelism(1)
        .withCompletions(1)
        .withActiveDeadlineSeconds(timeout.plus(UNTIL_THE_JOB_ENDS).toSeconds())
        .withTtlSecondsAfterFinished((int) STAYS.toSeconds())
        .withTemplate(template)
        .endSpec()
        .build();
  }

  private static void complete(
      PodTemplateSpec template,
      SecretRotation rotation,
      Map<String, String> mark,
      Duration timeout,
      String alias,
      String snapshot) {
    ObjectMeta metadata = Objects.requireNonNullElseGet(template.getMetadata(), ObjectMeta::new);
    Map<String, String> labels =
        new HashMap<>(Objects.requireNonNullElse(metadata.getLabels(), Map.of()));
    labels.putAll(mark);
    Map<String, String> annotations =
        new HashMap<>(Objects.requireNonNullElse(metadata.getAnnotations(), Map.of()));
    annotations.put(Names.versionAnnotation(alias), Names.versionIdOf(snapshot));
    annotations.put(Names.ROTATION, rotation.getMetadata().getName());
    metadata.setLabels(labels);
    metadata.setAnnotations(annotations);
    template.setMetadata(metadata);

    PodSpec spec = template.getSpec();
    // A check that is written like the workload must not read the value that it is to replace.
    SecretReferences.rename(spec, alias, snapshot);
    spec.setRestartPolicy("Never");
    spec.setActiveDeadlineSeconds(
        Math.min(
            timeout.toSeconds(),
            Objects.requireNonNullElse(spec.getActiveDeadlineSeconds(), Long.MAX_VALUE)));
    spec.getVolumes()
        .add(
            new VolumeBuilder()
                .withName(VOLUME)
                .withNewSecret()
                .withSecretName(snapshot)
                .endSecret()
                .build());
    containers(spec).forEach(c -> give(c, snapshot));
  }

  private static void give(Container container, String snapshot) {
    container
        .getVolumeMounts()
        .add(
            new VolumeMountBuilder()
                .withName(VOLUME)
                .withMountPath(MOUNT_PATH)
                .withReadOnly(true)
                .build());
    // The last one wins: another source must not put the value of today over it.
    container
        .getEnvFrom()
        .add(
            new EnvFromSourceBuilder()
                .withNewSecretRef()
                .withName(snapshot)
                .endSecretRef()
                .build());
  }

  private static Stream<Container> containers(PodSpec spec) {
    return Stream.of(spec.getInitContainers(), spec.getContainers()).flatMap(List::stream);
  }
}
