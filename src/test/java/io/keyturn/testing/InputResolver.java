package io.keyturn.testing;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.EnvFromSource;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarSource;
import io.fabric8.kubernetes.api.model.KeyToPath;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeProjection;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Reads what the containers of a pod are to be given, by the rules of the kubelet: variables when a
 * container starts, later sources over earlier ones and {@code env} over {@code envFrom}; volumes
 * as a whole. One instance reads each object at most once, so it is used for one container start.
 */
final class InputResolver {
  private final KubernetesClient client;
  private final Pod pod;
  private final Map<String, Optional<Map<String, String>>> secrets = new HashMap<>();
  private final Map<String, Optional<Map<String, String>>> configMaps = new HashMap<>();

  InputResolver(KubernetesClient client, Pod pod) {
    this.client = client;
    this.pod = pod;
  }

  /** The variables of a container. */
  Map<String, String> environment(Container container) throws MissingInput {
    Map<String, String> environment = new LinkedHashMap<>();
    for (EnvFromSource source : container.getEnvFrom()) {
      String prefix = source.getPrefix() == null ? "" : source.getPrefix();
      all(source).forEach((key, value) -> environment.put(prefix + key, value));
    }
    for (EnvVar variable : container.getEnv()) {
      if (variable.getValueFrom() == null) {
        environment.put(variable.getName(), variable.getValue() == null ? "" : variable.getValue());
      } else {
        one(variable.getValueFrom()).ifPresent(value -> environment.put(variable.getName(), value));
      }
    }
    return environment;
  }

  private Map<String, String> all(EnvFromSource source) throws MissingInput {
    if (source.getSecretRef() != null) {
      String name = source.getSecretRef().getName();
      return orMissing(
          secret(name), source.getSecretRef().getOptional(), "secret \"%s\" not found", name);
    }
    if (source.getConfigMapRef() != null) {
      String name = source.getConfigMapRef().getName();
      return orMissing(
          configMap(name),
          source.getConfigMapRef().getOptional(),
          "configmap \"%s\" not found",
          name);
    }
    return Map.of();
  }

  private Optional<String> one(EnvVarSource source) throws MissingInput {
    if (source.getSecretKeyRef() != null) {
      var ref = source.getSecretKeyRef();
      return value(
          orMissing(
              secret(ref.getName()), ref.getOptional(), "secret \"%s\" not found", ref.getName()),
          ref.getKey(),
          ref.getOptional(),
          "couldn't find key %s in Secret %s/%s",
          ref.getName());
    }
    if (source.getConfigMapKeyRef() != null) {
      var ref = source.getConfigMapKeyRef();
      return value(
          orMissing(
              configMap(ref.getName()),
              ref.getOptional(),
              "configmap \"%s\" not found",
              ref.getName()),
          ref.getKey(),
          ref.getOptional(),
          "couldn't find key %s in ConfigMap %s/%s",
          ref.getName());
    }
    if (source.getFieldRef() != null) {
      return Optional.ofNullable(
          switch (source.getFieldRef().getFieldPath()) {
            case "metadata.name" -> pod.getMetadata().getName();
            case "metadata.namespace" -> pod.getMetadata().getNamespace();
            case "metadata.uid" -> pod.getMetadata().getUid();
            case "spec.nodeName" -> pod.getSpec().getNodeName();
            default -> null;
          });
    }
    return Optional.empty();
  }

  private Optional<String> value(
      Map<String, String> data, String key, Boolean optional, String message, String object)
      throws MissingInput {
    if (!data.containsKey(key) && !Boolean.TRUE.equals(optional)) {
      throw MissingInput.variable(message.formatted(key, pod.getMetadata().getNamespace(), object));
    }
    return Optional.ofNullable(data.get(key));
  }

  private static Map<String, String> orMissing(
      Optional<Map<String, String>> data, Boolean optional, String message, String name)
      throws MissingInput {
    if (data.isEmpty() && !Boolean.TRUE.equals(optional)) {
      throw MissingInput.variable(message.formatted(name));
    }
    return data.orElse(Map.of());
  }

  /**
   * The volumes of the pod that come from Secrets: by the volume's name, each file's path in it and
   * its text.
   */
  Map<String, Map<String, String>> volumes() throws MissingInput {
    Map<String, Map<String, String>> volumes = new HashMap<>();
    for (Volume volume : pod.getSpec().getVolumes()) {
      if (volume.getSecret() != null) {
        var source = volume.getSecret();
        volumes.put(
            volume.getName(),
            project(source.getSecretName(), source.getItems(), source.getOptional()));
      } else if (volume.getProjected() != null) {
        Map<String, String> files = new HashMap<>();
        for (VolumeProjection projection : volume.getProjected().getSources()) {
          if (projection.getSecret() != null) {
            var source = projection.getSecret();
            files.putAll(project(source.getName(), source.getItems(), source.getOptional()));
          }
        }
        volumes.put(volume.getName(), files);
      }
    }
    return volumes;
  }

  private Map<String, String> project(String name, List<KeyToPath> items, Boolean optional)
      throws MissingInput {
    Optional<Map<String, String>> data = secret(name);
    if (data.isEmpty() && !Boolean.TRUE.equals(optional)) {
      throw MissingInput.volume();
    }
    if (items == null || items.isEmpty()) {
      return data.orElse(Map.of());
    }
    Map<String, String> files = new HashMap<>();
    for (KeyToPath item : items) {
      String value = data.orElse(Map.of()).get(item.getKey());
      if (value != null) {
        files.put(item.getPath(), value);
      } else if (!Boolean.TRUE.equals(optional)) {
        throw MissingInput.volume();
      }
    }
    return files;
  }

  /** Whether a pod reads a Secret as a volume, so that a change of it reaches its files. */
  static boolean mounts(Pod pod, String secret) {
    return pod.getSpec().getVolumes().stream()
        .anyMatch(volume ->
            volume.getSecret() != null && secret.equals(volume.getSecret().getSecretName())
                || volume.getProjected() != null
                    && volume.getProjected().getSources().stream()
                        .anyMatch(source ->
                            source.getSecret() != null
                                && secret.equals(source.getSecret().getName())));
  }

  /**
   * The files of a container by absolute path.
   *
   * @param atStart the volumes when the container started: a file mounted by subPath never changes
   * @param now the volumes now
   */
  static Map<String, String> files(
      Container container,
      Map<String, Map<String, String>> atStart,
      Map<String, Map<String, String>> now) {
    Map<String, String> files = new HashMap<>();
    for (VolumeMount mount : container.getVolumeMounts()) {
      String at = mount.getMountPath();
      if (mount.getSubPath() != null && !mount.getSubPath().isEmpty()) {
        String file = atStart.getOrDefault(mount.getName(), Map.of()).get(mount.getSubPath());
        if (file != null) {
          files.put(at, file);
        }
      } else {
        String directory = at.endsWith("/") ? at : at + "/";
        now.getOrDefault(mount.getName(), Map.of())
            .forEach((path, text) -> files.put(directory + path, text));
      }
    }
    return files;
  }

  private Optional<Map<String, String>> secret(String name) {
    return secrets.computeIfAbsent(
        name,
        n -> {
          Secret secret =
              client.secrets().inNamespace(pod.getMetadata().getNamespace()).withName(n).get();
          return Optional.ofNullable(secret).map(InputResolver::decode);
        });
  }

  private Optional<Map<String, String>> configMap(String name) {
    return configMaps.computeIfAbsent(
        name,
        n -> {
          ConfigMap map =
              client.configMaps().inNamespace(pod.getMetadata().getNamespace()).withName(n).get();
          return Optional.ofNullable(map)
              .map(found -> found.getData() == null ? Map.of() : found.getData());
        });
  }

  private static Map<String, String> decode(Secret secret) {
    Map<String, String> plain = new HashMap<>();
    if (secret.getData() != null) {
      secret
          .getData()
          .forEach((key, value) ->
              plain.put(
                  key, new String(Base64.getDecoder().decode(value), StandardCharsets.UTF_8)));
    }
    return plain;
  }
}
