package io.keyturn.workload;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Where a pod spec refers to Secrets: env, envFrom, volumes, projected volumes, image pulls. */
public final class SecretReferences {

  private SecretReferences() {}

  /** Whether a pod spec refers to a Secret anywhere. */
  public static boolean refers(PodSpec spec, String secret) {
    return allContainers(spec).anyMatch(c -> inEnvironment(c, secret))
        || volumes(spec).anyMatch(v -> inVolume(v, secret))
        || spec.getImagePullSecrets().stream().anyMatch(r -> secret.equals(r.getName()));
  }

  /** The names of the containers, init containers included, that read a Secret. */
  public static Set<String> readers(PodSpec spec, String secret) {
    Set<String> mounted =
        volumes(spec)
            .filter(v -> inVolume(v, secret))
            .map(Volume::getName)
            .collect(Collectors.toSet());
    return allContainers(spec)
        .filter(c ->
            inEnvironment(c, secret)
                || c.getVolumeMounts().stream().anyMatch(m -> mounted.contains(m.getName())))
        .map(Container::getName)
        .collect(Collectors.toSet());
  }

  /** Whether each reference to a Secret is optional, so that containers start without it. */
  public static boolean onlyOptional(PodSpec spec, String secret) {
    List<Boolean> optional = new ArrayList<>();
    allContainers(spec)
        .forEach(c -> {
          c.getEnv().stream()
              .filter(e -> e.getValueFrom() != null)
              .map(e -> e.getValueFrom().getSecretKeyRef())
              .filter(r -> r != null && secret.equals(r.getName()))
              .forEach(r -> optional.add(Boolean.TRUE.equals(r.getOptional())));
          c.getEnvFrom().stream()
              .map(e -> e.getSecretRef())
              .filter(r -> r != null && secret.equals(r.getName()))
              .forEach(r -> optional.add(Boolean.TRUE.equals(r.getOptional())));
        });
    volumes(spec)
        .forEach(v -> {
          if (v.getSecret() != null && secret.equals(v.getSecret().getSecretName())) {
            optional.add(Boolean.TRUE.equals(v.getSecret().getOptional()));
          }
          sources(v)
              .filter(s -> secret.equals(s.getSecret().getName()))
              .forEach(s -> optional.add(Boolean.TRUE.equals(s.getSecret().getOptional())));
        });
    return !optional.isEmpty() && optional.stream().allMatch(o -> o);
  }

  /** Lets each reference to a Secret name another one. The spec is changed in place. */
  public static void rename(PodSpec spec, String secret, String other) {
    allContainers(spec)
        .forEach(c -> {
          c.getEnv().stream()
              .filter(e -> e.getValueFrom() != null)
              .map(e -> e.getValueFrom().getSecretKeyRef())
              .filter(r -> r != null && secret.equals(r.getName()))
              .forEach(r -> r.setName(other));
          c.getEnvFrom().stream()
              .map(e -> e.getSecretRef())
              .filter(r -> r != null && secret.equals(r.getName()))
              .forEach(r -> r.setName(other));
        });
    volumes(spec)
        .forEach(v -> {
          if (v.getSecret() != null && secret.equals(v.getSecret().getSecretName())) {
            v.getSecret().setSecretName(other);
          }
          sources(v)
              .filter(s -> secret.equals(s.getSecret().getName()))
              .forEach(s -> s.getSecret().setName(other));
        });
    for (LocalObjectReference pull : spec.getImagePullSecrets()) {
      if (secret.equals(pull.getName())) {
        pull.setName(other);
      }
    }
  }

  private static boolean inEnvironment(Container container, String secret) {
    return container.getEnv().stream()
            .filter(e -> e.getValueFrom() != null)
            .map(e -> e.getValueFrom().getSecretKeyRef())
            .filter(Objects::nonNull)
            .anyMatch(r -> secret.equals(r.getName()))
        || container.getEnvFrom().stream()
            .map(e -> e.getSecretRef())
            .filter(Objects::nonNull)
            .anyMatch(r -> secret.equals(r.getName()));
  }

  private static boolean inVolume(Volume volume, String secret) {
    return (volume.getSecret() != null && secret.equals(volume.getSecret().getSecretName()))
        || sources(volume).anyMatch(s -> secret.equals(s.getSecret().getName()));
  }

  private static Stream<VolumeProjection> sources(Volume volume) {
    return volume.getProjected() == null
        ? Stream.empty()
        : volume.getProjected().getSources().stream().filter(s -> s.getSecret() != null);
  }

  private static Stream<Volume> volumes(PodSpec spec) {
    return spec.getVolumes().stream();
  }

  private static Stream<Container> allContainers(PodSpec spec) {
    return Stream.concat(spec.getInitContainers().stream(), spec.getContainers().stream());
  }
}
