package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.ControlPlane.Result;
import io.keyturn.testing.SharedControlPlane;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What the API server answers to manifests, applied with kubectl as users do. A wrong manifest lies
 * in {@code invalid/}, or, if it is wrong as a change of another, in {@code immutable/}; its first
 * line says what the answer must contain.
 */
class InvalidManifestsIT {

  private static final Path INVALID = Path.of("src/test/resources/invalid");
  private static final Path IMMUTABLE = Path.of("src/test/resources/immutable");
  private static final Path SAMPLES = Path.of("config/samples");
  private static final String EXPECT = "# expect: ";
  private static final String STORE =
      "spec: {provider: {postgresql: {host: db, database: a, adminSecretRef: {name: a}}}}";

  private static ControlPlane plane;
  private static String namespace;

  @BeforeAll
  static void applyTheCrds() {
    plane = SharedControlPlane.get();
    // Server-side, because other tests of this control plane install the same CRDs.
    mustSucceed(plane.kubectl("apply", "--server-side", "--force-conflicts", "-k", "config/crd"));
    mustSucceed(
        plane.kubectl(
            "wait",
            "crd",
            "--selector=app.kubernetes.io/name=keyturn",
            "--for=condition=Established",
            "--timeout=30s"));
    namespace = SharedControlPlane.newNamespace("manifests");
  }

  @ParameterizedTest
  @MethodSource("invalidManifests")
  void aWrongManifestIsRefusedWithASentence(Path manifest) {
    assertRefused(manifest, applyText(read(manifest)));
  }

  @ParameterizedTest
  @MethodSource("immutableFields")
  void whatIsImmutableStaysAsItIs(Path manifest) {
    List<String> steps = List.of(read(manifest).split("(?m)^---$"));
    assertThat(steps).as("the object before and after").hasSize(2);

    mustSucceed(applyText(steps.getFirst()));
    assertRefused(manifest, applyText(steps.getLast()));
    // Applying the first again is no change of it.
    mustSucceed(applyText(steps.getFirst()));
  }

  @ParameterizedTest
  @MethodSource("samples")
  void aSampleIsAccepted(Path sample) {
    Result result = plane.kubectl("apply", "-n", namespace, "-f", sample.toString());

    mustSucceed(result);
    assertThat(result.stderr()).as("warnings").isEmpty();
  }

  @ParameterizedTest
  @MethodSource("pages")
  void theManifestsOfAPageAreAccepted(Path page) {
    List<String> manifests =
        Stream.of(read(page).split("(?m)^```"))
            .filter(block -> block.startsWith("yaml\napiVersion: keyturn.io"))
            .map(block -> block.substring("yaml\n".length()))
            .toList();

    assertThat(manifests).as("manifests of %s", page).isNotEmpty();
    manifests.forEach(m -> mustSucceed(applyText(m)));
  }

  @Test
  void everyFieldIsExplained() {
    // The server publishes its schemas a moment after it has begun to serve them.
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> plane.kubectl("explain", "secretbinding.spec").succeeded());
    for (String kind :
        List.of(
            "secretbinding",
            "rotationpolicy",
            "secretrotation",
            "secretstore",
            "clustersecretstore")) {
      Result explained = plane.kubectl("explain", kind + ".spec", "--recursive");
      mustSucceed(explained);
      assertThat(plane.kubectl("explain", kind).stdout()).doesNotContain("<empty>");
    }
    assertThat(plane.kubectl("explain", "secretbinding.spec").stdout())
        .contains("source\t<Object> -required-")
        .contains("Where the value comes from.")
        .doesNotContain("<no description>");
  }

  @Test
  void theColumnsAreThoseOfTheContract() {
    assertThat(columns("secretbindings"))
        .containsExactly(
            "NAME", "SECRET", "VERSION", "READY", "ROTATING", "EXPIRES", "NEXT", "AGE");
    assertThat(columns("rotationpolicies"))
        .containsExactly("NAME", "READY", "CANARY", "BAKE", "BINDINGS", "ROTATING", "NEXT", "AGE");
    assertThat(columns("secretstores"))
        .containsExactly("NAME", "PROVIDER", "READY", "REASON", "AGE");
    assertThat(columns("clustersecretstores"))
        .containsExactly("NAME", "PROVIDER", "READY", "REASON", "AGE");
    assertThat(columns("secretrotations"))
        .containsExactly(
            "NAME",
            "BINDING",
            "TRIGGER",
            "STAGE",
            "WORKLOADS",
            "SUCCEEDED",
            "REASON",
            "AGE",
            "FROM",
            "TO",
            "PROOF",
            "MESSAGE");
  }

  /** The header of {@code kubectl get -o wide}, with an object to show. */
  private static List<String> columns(String resource) {
    String object =
        switch (resource) {
          case "secretbindings" ->
              "kind: SecretBinding\nspec: {source: {secret: {name: a}}, workloads: [{kind: Deployment, name: a}]}";
          case "secretstores" -> "kind: SecretStore\n" + STORE;
          case "clustersecretstores" -> "kind: ClusterSecretStore\n" + STORE;
          case "rotationpolicies" -> "kind: RotationPolicy\nspec: {}";
          default -> "kind: SecretRotation\nspec: {bindingRef: {name: shown}, trigger: Manual}";
        };
    mustSucceed(
        applyText("apiVersion: keyturn.io/v1alpha1\nmetadata: {name: shown}\n" + object + "\n"));
    Result shown = plane.kubectl("get", resource, "shown", "-n", namespace, "-o=wide");
    mustSucceed(shown);
    return List.of(shown.stdout().lines().findFirst().orElseThrow().split("\\s+"));
  }

  private static void assertRefused(Path manifest, Result result) {
    assertThat(result.exitCode()).as("exit code of kubectl apply").isNotZero();
    assertThat(result.stderr()).contains(expectation(manifest));
  }

  private static Result applyText(String manifest) {
    return plane.kubectlWithInput(manifest, "apply", "-n", namespace, "-f", "-");
  }

  private static void mustSucceed(Result result) {
    assertThat(result.succeeded()).as(result.stderr()).isTrue();
  }

  private static String expectation(Path manifest) {
    String first = read(manifest).lines().findFirst().orElseThrow();
    assertThat(first).as("the first line of %s", manifest).startsWith(EXPECT);
    return first.substring(EXPECT.length());
  }

  static Stream<Path> invalidManifests() {
    return manifests(INVALID);
  }

  static Stream<Path> immutableFields() {
    return manifests(IMMUTABLE);
  }

  static Stream<Path> samples() {
    return manifests(SAMPLES).filter(file -> !file.endsWith("kustomization.yaml"));
  }

  /** The pages that show manifests. */
  static Stream<Path> pages() {
    return Stream.of("gates", "schedules", "waves", "emergencies", "stores", "leases")
        .map(name -> Path.of("docs", name + ".md"));
  }

  private static Stream<Path> manifests(Path directory) {
    try (Stream<Path> files = Files.list(directory)) {
      List<Path> manifests =
          files.filter(file -> file.toString().endsWith(".yaml")).sorted().toList();
      assertThat(manifests).as("manifests in %s", directory).isNotEmpty();
      return manifests.stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
