package io.keyturn.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Team;
import io.keyturn.testing.AuditedRequest;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.SharedControlPlane;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What many rotations at once cost, and that all of them together keep the pace of {@code
 * KEYTURN_WORKLOAD_PATCHES_PER_SECOND}. It runs with {@code ./mvnw verify -Pbench}; alone with
 * {@code -Dit.test=RotationsBench}.
 */
class RotationsBench {

  private static final int ROTATIONS = Integer.getInteger("bench.rotations", 100);
  private static final int WORKLOADS = Integer.getInteger("bench.workloads", 10);

  /** As many as rotate at once in a namespace by default. */
  private static final int IN_A_NAMESPACE = 10;

  /** The default of the operator. */
  private static final double PACE = 5;

  private static final double TOLERANCE = 0.1;
  private static final Duration WINDOW = Duration.ofSeconds(10);

  private static final String POLICY =
      """
      apiVersion: keyturn.io/v1alpha1
      kind: RotationPolicy
      metadata: {name: quick}
      spec: {canary: {bake: 1s, deadline: 10m}, retirement: {grace: 1s}, retry: {maxAttempts: 1}}
      ---
      """;

  private static ControlPlane plane;
  private static KubernetesClient client;

  @BeforeAll
  static void install() {
    plane = SharedControlPlane.get();
    client = plane.adminClient();
    OperatorProcess.install(plane);
  }

  @Test
  void manyRotationsOfManyWorkloadsAtOnce() {
    try (OperatorProcess operator = MeasuredOperator.start(plane)) {
      List<String> namespaces = new ArrayList<>();
      for (int i = 0; i < ROTATIONS; i += IN_A_NAMESPACE) {
        namespaces.add(SharedControlPlane.newNamespace("rotations"));
      }
      deliver(namespaces);
      MeasuredOperator.awaitRest(plane);

      Instant begin = Instant.now();
      AtOnce.each(ROTATIONS, i -> client.resource(upstream(namespaces, i)).update());
      awaitEnd(namespaces);
      double seconds = Figures.secondsSince(begin);
      MeasuredOperator.awaitRest(plane);

      assertThat(rotations(namespaces))
          .hasSize(ROTATIONS)
          .allMatch(r -> r.getStatus().stage() == Stage.Complete);
      List<AuditedRequest> writes = MeasuredOperator.writesSince(plane, begin);
      assertEachWorkloadMovedOnce(namespaces, writes);
      print(writes, seconds, MeasuredOperator.readsSince(plane, begin).size());
      assertPace(patches(writes));
      assertThat(operator.errors()).isEmpty();
    }
  }

  private static void deliver(List<String> namespaces) {
    AtOnce.each(ROTATIONS, i -> client.resource(upstream(namespaces, i)).create());
    for (int n = 0; n < namespaces.size(); n++) {
      plane.apply(manifests(namespaces.get(n), n * IN_A_NAMESPACE));
    }
    Awaitility.await("all Deployments are rolled out")
        .atMost(Duration.ofMinutes(10))
        .pollInterval(Duration.ofSeconds(2))
        .until(() ->
            workloads(namespaces).filter(d -> ready(d)).count() == (long) ROTATIONS * WORKLOADS);
  }

  private static boolean ready(Deployment deployment) {
    return deployment.getStatus() != null
        && Objects.equals(deployment.getStatus().getReadyReplicas(), 1);
  }

  private static String manifests(String namespace, int first) {
    String objects =
        IntStream.range(first, Math.min(first + IN_A_NAMESPACE, ROTATIONS))
            .boxed()
            .flatMap(i ->
                Stream.concat(
                    Stream.of(binding(i)),
                    IntStream.range(0, WORKLOADS).mapToObj(w -> deployment(i, w))))
            .collect(Collectors.joining("---\n"));
    return (POLICY + objects)
        .replaceAll("metadata: \\{name", "metadata: {namespace: %s, name".formatted(namespace));
  }

  /** The first workload tries a version, for the others, too. */
  private static String binding(int i) {
    return """
    apiVersion: keyturn.io/v1alpha1
    kind: SecretBinding
    metadata: {name: db-%1$d}
    spec:
      source: {secret: {name: upstream-%1$d}}
      rotationPolicyRef: {name: quick}
      workloads: [%2$s]
    """
        .formatted(
            i,
            IntStream.range(0, WORKLOADS)
                .mapToObj(w ->
                    "{kind: Deployment, name: app-%d-%d, wave: %d}".formatted(i, w, w == 0 ? 0 : 1))
                .collect(Collectors.joining(", ")));
  }

  private static String deployment(int i, int w) {
    return """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: app-%1$d-%2$d}
    spec:
      replicas: 1
      selector: {matchLabels: {app: app-%1$d-%2$d}}
      strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
      template:
        metadata: {labels: {app: app-%1$d-%2$d}}
        spec:
          terminationGracePeriodSeconds: 0
          containers:
            - name: app
              image: hollow/ready
              env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db-%1$d, key: password}}}]
    """
        .formatted(i, w);
  }

  private static Secret upstream(List<String> namespaces, int i) {
    return new SecretBuilder()
        .withNewMetadata()
        .withNamespace(namespaces.get(i / IN_A_NAMESPACE))
        .withName("upstream-" + i)
        .endMetadata()
        .addToData(
            "password",
            Base64.getEncoder().encodeToString(Team.newValue().getBytes(StandardCharsets.UTF_8)))
        .build();
  }

  private static void awaitEnd(List<String> namespaces) {
    Awaitility.await("all rotations have ended")
        .atMost(Duration.ofMinutes(15))
        .pollInterval(Duration.ofSeconds(1))
        .until(() ->
            rotations(namespaces).stream().filter(r -> r.getStatus().stage().terminal()).count()
                == ROTATIONS);
  }

  private static List<SecretRotation> rotations(List<String> namespaces) {
    return namespaces.stream()
        .flatMap(
            n -> client.resources(SecretRotation.class).inNamespace(n).list().getItems().stream())
        .toList();
  }

  /** Without those of the canaries. */
  private static Stream<Deployment> workloads(List<String> namespaces) {
    return namespaces.stream()
        .flatMap(n -> client.apps().deployments().inNamespace(n).list().getItems().stream())
        .filter(d -> d.getMetadata().getName().startsWith("app-"))
        .filter(d -> d.getMetadata().getOwnerReferences().isEmpty());
  }

  private static void assertEachWorkloadMovedOnce(
      List<String> namespaces, List<AuditedRequest> writes) {
    assertThat(workloads(namespaces))
        .hasSize(ROTATIONS * WORKLOADS)
        .allSatisfy(d -> {
          assertThat(d.getMetadata().getGeneration()).as(d.getMetadata().getName()).isEqualTo(2);
          assertThat(versionOf(d)).startsWith("v2-");
        });
    Map<String, Long> times =
        patched(writes)
            .map(r -> r.namespace() + "/" + r.name())
            .collect(
                Collectors.groupingBy(Function.identity(), TreeMap::new, Collectors.counting()));
    assertThat(times).hasSize(ROTATIONS * WORKLOADS);
    assertThat(times.values()).as("patches of each workload").containsOnly(1L);
  }

  private static String versionOf(Deployment deployment) {
    String binding = "db-" + deployment.getMetadata().getName().split("-")[1];
    return deployment
        .getSpec()
        .getTemplate()
        .getMetadata()
        .getAnnotations()
        .get(Names.versionAnnotation(binding));
  }

  private static Stream<AuditedRequest> patched(List<AuditedRequest> writes) {
    return writes.stream().filter(r -> r.is("patch", "deployments")).filter(r -> r.code() < 300);
  }

  private static Patches patches(List<AuditedRequest> writes) {
    return new Patches(patched(writes).map(AuditedRequest::at).toList());
  }

  private static void print(List<AuditedRequest> writes, double seconds, int reads) {
    Patches patches = patches(writes);
    Figures.print(
        "%d rotations of %d workloads at once".formatted(ROTATIONS, WORKLOADS),
        "%.1f s".formatted(seconds));
    Figures.print(
        "patches of workloads per second (all, in between; target)",
        "%.2f, %.2f; %.0f".formatted(patches.perSecond(), patches.perSecondInBetween(), PACE));
    Figures.print(
        "patches of workloads in any %d s (most; target)".formatted(WINDOW.toSeconds()),
        "%d; %.0f".formatted(patches.mostIn(WINDOW), PACE * WINDOW.toSeconds()));
    Figures.print(
        "writes and reads per rotation",
        "%.1f, %.1f".formatted(writes.size() / (double) ROTATIONS, reads / (double) ROTATIONS));
    Figures.print(
        "writes that the API server refused",
        "%d".formatted(writes.stream().filter(r -> r.code() >= 300).count()));
  }

  private static void assertPace(Patches patches) {
    assertThat((double) patches.mostIn(WINDOW))
        .as("patches in %d s", WINDOW.toSeconds())
        .isLessThanOrEqualTo(PACE * WINDOW.toSeconds() * (1 + TOLERANCE));
    assertThat(patches.perSecondInBetween())
        .as("patches per second")
        .isGreaterThanOrEqualTo(PACE * (1 - TOLERANCE));
  }
}
