package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;

/** What tests of bindings write and look at. */
final class Bindings {

  private Bindings() {}

  /** A binding to the usual upstream, with more lines of its spec. */
  static String manifest(String name, List<String> spec, String... workloads) {
    return """
    apiVersion: keyturn.io/v1alpha1
    kind: SecretBinding
    metadata: {name: %s}
    spec:
      source: {secret: {name: payments-db-upstream}}
      workloads: [%s]
    %s
    """
        .formatted(
            name,
            Arrays.stream(workloads)
                .map(w -> "{kind: Deployment, name: " + w + "}")
                .collect(Collectors.joining(", ")),
            spec.stream().map(line -> "  " + line).collect(Collectors.joining("\n")));
  }

  static SecretBinding get(Team team, String name) {
    return team.client()
        .resources(SecretBinding.class)
        .inNamespace(team.namespace())
        .withName(name)
        .get();
  }

  static Optional<Condition> condition(Team team, String name, String type) {
    SecretBinding binding = get(team, name);
    return binding == null || binding.getStatus() == null
        ? Optional.empty()
        : binding.getStatus().conditions().stream().filter(c -> c.type().equals(type)).findFirst();
  }

  /** Waits until a binding is stalled, and returns the sentence that says why. */
  static String awaitStalled(Team team, String name, String reason) {
    team.await(
        name + " is stalled by " + reason,
        () ->
            condition(team, name, "Stalled")
                .filter(c -> c.status() == Condition.Status.True && c.reason().equals(reason))
                .isPresent());
    return condition(team, name, "Stalled").orElseThrow().message();
  }

  /** Waits until a binding is Ready and not stalled. */
  static void awaitHealthy(Team team, String name) {
    team.await(
        name + " is healthy",
        () ->
            condition(team, name, "Ready")
                    .filter(c -> c.status() == Condition.Status.True)
                    .isPresent()
                && condition(team, name, "Stalled")
                    .filter(c -> c.status() == Condition.Status.True)
                    .isEmpty());
  }

  /** What may not change if nobody is to notice anything: the pods and the user's objects. */
  record Running(Map<String, Integer> restartsByPod, Map<String, Long> generations) {}

  static Running running(Team team) {
    return new Running(
        team.stablePods().stream()
            .collect(Collectors.toMap(p -> p.getMetadata().getUid(), Bindings::restarts)),
        team.client().apps().deployments().inNamespace(team.namespace()).list().getItems().stream()
            .collect(
                Collectors.toMap(
                    d -> d.getMetadata().getName(), d -> d.getMetadata().getGeneration())));
  }

  private static int restarts(Pod pod) {
    return pod.getStatus().getContainerStatuses().stream().mapToInt(s -> s.getRestartCount()).sum();
  }

  /** The snapshots of a binding. */
  static List<Secret> snapshots(Team team, String binding) {
    return team.client()
        .secrets()
        .inNamespace(team.namespace())
        .withLabel(Names.BINDING, binding)
        .withLabel(Names.NO_BACKUP)
        .list()
        .getItems();
  }

  /** The clones that run for canaries. */
  static List<Deployment> clones(Team team) {
    return team.client()
        .apps()
        .deployments()
        .inNamespace(team.namespace())
        .withLabel(Names.CANARY_FOR)
        .list()
        .getItems();
  }

  static String resourceVersion(Team team, String secret) {
    return team.secret(secret).getMetadata().getResourceVersion();
  }

  static Map<String, String> annotations(Secret secret) {
    return Objects.requireNonNullElse(secret.getMetadata().getAnnotations(), Map.of());
  }

  /** kubectl, which has to work. */
  static void kubectl(Team team, String... arguments) {
    var result = team.kubectl(arguments);
    assertThat(result.succeeded()).as(result.stderr()).isTrue();
  }
}
