package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.Scrape;
import io.keyturn.testing.SharedControlPlane;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;

/** The operator as those see it who run it: health, metrics, log, rights, and how it ends. */
class OpsIT {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String LIVE = "/q/health/live";
  private static final String READY = "/q/health/ready";
  private static final String STARTED = "/q/health/started";
  private static final int MOST_SERIES = 2000;

  /** What operators serve here, no other one may. */
  @BeforeAll
  static void stopTheOperatorOfAllNamespaces() {
    SharedWorld.install();
    SharedWorld.stopOperator();
  }

  /**
   * What an operator has told of a rotation that went well, one that failed, and a binding without
   * a source.
   *
   * @param scene whose operator serves nobody else
   * @param baking its metrics while the first rotation bakes
   * @param end its metrics when both have ended
   * @param health each answer of its health when both have ended
   * @param log all lines, to its end
   */
  private record Told(
      Scene scene, Scrape baking, Scrape end, Map<String, String> health, List<String> log) {

    private static Told told;

    static synchronized Told get() {
      if (told == null) {
        told = tell();
      }
      return told;
    }

    private static Told tell() {
      Team team = SharedWorld.teamWithoutOperator("told");
      OperatorProcess operator =
          OperatorProcess.start(
              SharedControlPlane.get(),
              Map.of("KEYTURN_LEADER_ELECTION", "false", "KEYTURN_NAMESPACES", team.namespace()));
      Scene scene;
      Scrape baking;
      Scrape end;
      Map<String, String> health = new HashMap<>();
      try (operator) {
        scene = Scene.of(team, Scene.policy("3s"), Scene.client(2));
        scene.rotate();
        team.awaitStage(2, Stage.Baking);
        baking =
            awaitScrape(operator, s -> is(s, 1, "keyturn_rotations_active", "stage", "baking"));
        team.awaitStage(2, Stage.Complete);
        scene.changePolicy(
            "{canary: {bake: 1s, deadline: 4s}, retirement: {grace: 1s}, retry: {maxAttempts: 1}}");
        scene.rotateToWrongPassword();
        team.awaitStage(3, Stage.Failed);
        scene.run("delete", "secret", Team.UPSTREAM);
        team.apply(BINDING_WITHOUT_SOURCE);
        end =
            awaitScrape(
                operator,
                s ->
                    is(s, 1, "keyturn_bindings", "condition", "Ready", "status", "False")
                        && is(
                            s,
                            1,
                            "keyturn_bindings",
                            "condition",
                            "RotationHealthy",
                            "status",
                            "False")
                        && s.sum("keyturn_rotations_active") == 0
                        && retrievals(s, "served_last_good", "SourceNotFound") > 0);
        Stream.of(LIVE, READY, STARTED).forEach(path -> health.put(path, operator.get(path)));
      }
      return new Told(scene, baking, end, health, lines(operator));
    }

    List<JsonNode> json() {
      return log.stream().map(OpsIT::json).toList();
    }
  }

  private static final String BINDING_WITHOUT_SOURCE =
      """
      apiVersion: keyturn.io/v1alpha1
      kind: SecretBinding
      metadata: {name: without-source}
      spec:
        source: {secret: {name: nobody-writes-it}}
        workloads: [{kind: Deployment, name: payments}]
      """;

  @ConcurrentTest
  void metricsTellOfEachRotationWithItsTrueOutcome() {
    Scrape end = Told.get().end();

    for (String trigger : List.of("source_changed", "manual", "scheduled")) {
      for (String outcome : List.of("complete", "rolled_back", "failed", "aborted", "superseded")) {
        boolean happened =
            trigger.equals("source_changed") && Set.of("complete", "rolled_back").contains(outcome);
        assertThat(end.value("keyturn_rotations_total", "trigger", trigger, "outcome", outcome))
            .as("%s %s", trigger, outcome)
            .isEqualTo(happened ? 1 : 0);
      }
    }
    assertThat(end.value("keyturn_canary_verdicts_total", "verdict", "passed")).isEqualTo(1);
    assertThat(end.value("keyturn_canary_verdicts_total", "verdict", "failed")).isEqualTo(1);
    assertThat(end.value("keyturn_canary_verdicts_total", "verdict", "inconclusive")).isZero();
    assertThat(end.value("keyturn_workload_patches_total", "kind", "Deployment", "outcome", "ok"))
        .isEqualTo(1);
    assertThat(
            end.value("keyturn_workload_patches_total", "kind", "Deployment", "outcome", "error"))
        .isZero();
  }

  @ConcurrentTest
  void metricsTellHowLongRotationsAndTheirStagesTook() {
    Told told = Told.get();

    for (String outcome : List.of("complete", "rolled_back")) {
      assertThat(
              told.end()
                  .value(
                      "keyturn_rotation_duration_seconds_count",
                      "trigger",
                      "source_changed",
                      "outcome",
                      outcome))
          .isEqualTo(1);
    }
    var timeline = told.scene().team().rotation(2).getStatus().timeline();
    double took = Duration.between(timeline.startedAt(), timeline.finishedAt()).toMillis() / 1000.0;
    assertThat(
            told.end()
                .value(
                    "keyturn_rotation_duration_seconds_sum",
                    "trigger",
                    "source_changed",
                    "outcome",
                    "complete"))
        .isBetween(took - 2, took + 10);
    Map<String, Double> stages =
        told.end().samples().stream()
            .filter(s -> s.name().equals("keyturn_rotation_stage_duration_seconds_count"))
            .collect(Collectors.toMap(s -> s.labels().get("stage"), Scrape.Sample::value));
    assertThat(stages)
        .containsExactlyInAnyOrderEntriesOf(
            Map.of(
                "pending", 2.0,
                "staging", 2.0,
                "canary", 2.0,
                "baking", 1.0,
                "promoting", 1.0,
                "retiring", 1.0,
                "rolling_back", 1.0));
    assertThat(told.end().value("keyturn_rotation_stage_duration_seconds_sum", "stage", "baking"))
        .isBetween(3.0, 10.0);
  }

  @ConcurrentTest
  void metricsTellOfEachRetrievalWhatItWasAnsweredAndHowFast() {
    Scrape end = Told.get().end();

    double good = retrievals(end, "success", "Ready");
    double bad = retrievals(end, "failure", "SourceNotFound");
    double lastGood = retrievals(end, "served_last_good", "SourceNotFound");
    assertThat(good).isGreaterThanOrEqualTo(3);
    assertThat(bad).isPositive();
    assertThat(lastGood).isPositive();
    String[] source = {"store_type", "secret", "via", "store"};
    assertThat(end.value("keyturn_retrieval_duration_seconds_count", source))
        .isEqualTo(good + bad + lastGood)
        .isEqualTo(end.sum("keyturn_retrievals_total"));
    assertThat(
            end.value(
                "keyturn_retrieval_duration_seconds_bucket",
                "store_type",
                "secret",
                "via",
                "store",
                "le",
                "0.5"))
        .isPositive();
  }

  @ConcurrentTest
  void metricsTellHowThingsStandNow() {
    Told told = Told.get();

    assertThat(told.baking().sum("keyturn_rotations_active")).isEqualTo(1);
    assertThat(told.baking().value("keyturn_rotations_active", "stage", "rolling_back")).isZero();
    Scrape end = told.end();
    assertThat(end.value("keyturn_rotations_stuck")).isZero();
    assertThat(end.value("keyturn_stragglers")).isZero();
    assertBindings(end, "Ready", 1, 1, 0);
    assertBindings(end, "Delivered", 1, 1, 0);
    assertBindings(end, "RotationHealthy", 1, 1, 0);
    assertBindings(end, "Rotating", 0, 2, 0);
    assertBindings(end, "FieldConflict", 0, 2, 0);
    assertThat(end.value("keyturn_leader")).isEqualTo(1);
    assertThat(
            end.samples().stream()
                .filter(s -> s.name().equals("keyturn_build_info"))
                .map(s -> s.labels().keySet() + "=" + s.value()))
        .containsExactly("[version]=1.0");
  }

  private static void assertBindings(
      Scrape scrape, String condition, int yes, int no, int unknown) {
    Map.of("True", yes, "False", no, "Unknown", unknown)
        .forEach((status, count) ->
            assertThat(scrape.value("keyturn_bindings", "condition", condition, "status", status))
                .as("%s=%s", condition, status)
                .isEqualTo((double) count));
  }

  @ConcurrentTest
  void metricsOfTheFrameworkAreThereAndNoLabelNamesAnObject() {
    Told told = Told.get();
    Scrape end = told.end();

    assertThat(end.types())
        .containsEntry("operator_sdk_reconciliations_started_total", "counter")
        .containsEntry("operator_sdk_reconciliations_success_total", "counter")
        .containsEntry("operator_sdk_controllers_execution_reconcile_seconds", "histogram");
    assertThat(end.sum("operator_sdk_reconciliations_started_total")).isGreaterThan(10);
    Team team = told.scene().team();
    List<String> names = new ArrayList<>(List.of(team.namespace(), "without-source"));
    team.rotations().forEach(r -> names.add(r.getMetadata().getName()));
    team.pods().forEach(p -> names.add(p.getMetadata().getName()));
    names.addAll(List.of(Team.SECRET, Team.UPSTREAM, Scene.APP, "quick"));
    assertThat(end.samples())
        .allSatisfy(s -> {
          if (s.name().startsWith("keyturn_") || s.name().startsWith("operator_sdk_")) {
            assertThat(s.labels().keySet()).doesNotContain("name", "namespace");
          }
          assertThat(s.labels().values()).doesNotContainAnyElementsOf(names);
        });
    assertThat(end.samples().stream().flatMap(s -> s.labels().keySet().stream()))
        .as("the framework's retries have no last number")
        .doesNotContain("reconciliations_retries_number");
    assertThat(end.samples()).hasSizeLessThan(MOST_SERIES);
  }

  @ConcurrentTest
  void aMissingSourceMakesItsBindingUnhappyAndNeverTheOperatorUnready() {
    Told told = Told.get();

    assertThat(told.end().value("keyturn_bindings", "condition", "Stalled", "status", "True"))
        .isPositive();
    assertThat(told.health().get(READY)).startsWith("200").doesNotContain("waitsFor");
    assertThat(told.health().get(LIVE)).startsWith("200");
    assertThat(told.health().get(STARTED)).startsWith("200");
  }

  @ConcurrentTest
  void eachLineOfTheLogIsJsonAndNoneHasAStackTraceOrAValue() {
    Told told = Told.get();

    assertThat(told.json())
        .isNotEmpty()
        // A machine that is too busy to load classes in two seconds says so with a stack trace.
        .filteredOn(line -> !line.path("loggerName").asText().endsWith("BlockedThreadChecker"))
        .allSatisfy(line -> {
          assertThat(line.path("timestamp").asText()).isNotEmpty();
          assertThat(line.path("level").asText()).isIn("INFO", "WARN");
          assertThat(line.path("message").asText()).isNotBlank();
          assertThat(line.has("exception") || line.has("stackTrace")).isFalse();
        });
    assertThat(told.log()).noneMatch(line -> Team.VALUES.stream().anyMatch(line::contains));
  }

  @ConcurrentTest
  void eachTransitionOfARotationIsALineWithItsKeysAsFields() {
    Told told = Told.get();

    List<JsonNode> good = ofRotation(told, "payments-db-2");
    assertThat(
            good.stream()
                .map(l -> l.path("stage").asText())
                .distinct()
                .filter(s -> !s.equals("Pending")))
        .containsExactly("Staging", "Canary", "Baking", "Promoting", "Retiring", "Complete");
    assertThat(good)
        .filteredOn(l -> !l.path("stage").asText().equals("Pending"))
        .allSatisfy(line -> {
          assertThat(line.path("namespace").asText()).isEqualTo(told.scene().namespace());
          assertThat(line.path("name").asText()).isEqualTo("payments-db-2");
          assertThat(line.path("version").asText()).isEqualTo("2");
          assertThat(line.path("reason").asText()).matches("[A-Z][A-Za-z]+");
          assertThat(line.path("message").asText()).doesNotContain("kind=");
          assertThat(line.path("level").asText()).isEqualTo("INFO");
        });
    assertThat(good)
        .filteredOn(l -> l.path("stage").asText().equals("Complete"))
        .extracting(l -> l.path("reason").asText())
        .contains("Complete");
    assertThat(ofRotation(told, "payments-db-3"))
        .filteredOn(l -> l.path("level").asText().equals("WARN"))
        .extracting(l -> l.path("stage").asText() + " " + l.path("reason").asText())
        .containsExactly("RollingBack CanaryDeadlineExceeded", "Failed CanaryDeadlineExceeded");
    assertThat(told.json())
        .filteredOn(l -> l.path("kind").asText().equals("SecretBinding"))
        .extracting(l ->
            l.path("level").asText()
                + " "
                + l.path("name").asText()
                + " "
                + l.path("reason").asText())
        .contains(
            "INFO payments-db DeliverFirst",
            "INFO payments-db StartRotation",
            "WARN without-source SourceNotFound");
  }

  private static List<JsonNode> ofRotation(Told told, String name) {
    return told.json().stream()
        .filter(l -> l.path("kind").asText().equals("SecretRotation"))
        .filter(l -> l.path("rotation").asText().equals(name))
        .toList();
  }

  @ConcurrentTest
  @SuppressWarnings("try") // the replica only has to be there, at first
  void theNamespacedOverlayServesItsNamespaceWithNoRightElsewhere() {
    ControlPlane plane = SharedControlPlane.get();
    Team served = SharedWorld.teamWithoutOperator("served");
    Team other = SharedWorld.teamWithoutOperator("other");
    String home = "keyturn-" + Team.random(4);
    Map<String, String> settings = installOverlay(plane, home, served.namespace());
    assertThat(settings).containsEntry("KEYTURN_NAMESPACES", served.namespace());
    settings.put("KEYTURN_OPERATOR_NAMESPACE", home);
    settings.put("QUARKUS_LOG_CONSOLE_JSON_ENABLED", "false");
    other.quickPolicy("1s", "");
    other.writeUpstream(other.newLogin());
    other.bind(Scene.APP);
    String untouched = other.binding().getMetadata().getResourceVersion();

    try (OperatorProcess leader = OperatorProcess.start(plane, settings)) {
      awaitAnswer(leader, READY, "\"leader\": true");
      try (OperatorProcess replica = OperatorProcess.start(plane, settings)) {
        assertWaitsForTheLease(replica);
        Scene scene = Scene.of(served, Scene.policy("1s"), Scene.client(2));
        scene.assertPromoted(2, scene.rotate());
        assertWaitsForTheLease(replica);
        assertCrashLeavesNothing(replica);
      }
      assertThat(leader.get(LIVE)).startsWith("200");
      assertThat(lines(leader))
          .as("plain lines have the keys, too")
          .anyMatch(l ->
              l.contains(
                  "SecretRotation %s payments-db-2 payments-db-2 Complete 2 Complete Version 2 is current"
                      .formatted(served.namespace())));
      assertThat(lines(leader)).noneMatch(l -> Team.VALUES.stream().anyMatch(l::contains));
    }

    assertThat(other.binding().getMetadata().getResourceVersion()).isEqualTo(untouched);
    assertThat(other.binding().getStatus()).isEqualTo(SecretBindingStatus.EMPTY);
    assertThat(other.secret(Team.SECRET)).isNull();
    assertThat(other.rotations()).isEmpty();
    String identity = "system:serviceaccount:" + home + ":keyturn";
    assertThat(mayDo(plane, identity, served.namespace())).contains("get secrets", "list pods");
    assertThat(mayDo(plane, identity, other.namespace())).isEmpty();
    assertThat(mayDo(plane, identity, "default")).isEmpty();
    assertThat(plane.audit().requests(r -> r.user().equals(identity)))
        .isNotEmpty()
        .allSatisfy(r -> {
          assertThat(r.code()).as(r.toString()).isNotEqualTo(403);
          assertThat(r.namespace()).as(r.toString()).isIn(home, served.namespace(), "");
        });
  }

  private static void assertWaitsForTheLease(OperatorProcess replica) {
    assertThat(replica.get(READY)).startsWith("200").contains("\"leader\": false");
    assertThat(replica.get(LIVE)).startsWith("200");
    assertThat(replica.get(STARTED)).startsWith("200");
    assertThat(Scrape.parse(replica.get("/q/metrics")).value("keyturn_leader")).isZero();
  }

  /** What the JVM knows when it crashes would hold values: with the shipped flags it keeps it. */
  private static void assertCrashLeavesNothing(OperatorProcess operator) {
    long pid = operator.pid();
    String user = System.getProperty("user.name");
    assertThat(Path.of(System.getProperty("java.io.tmpdir"), "hsperfdata_" + user, "" + pid))
        .doesNotExist();

    operator.signal("SEGV");

    assertThat(operator.awaitEnd(Duration.ofSeconds(10))).isTrue();
    assertThat(lines(operator)).anyMatch(l -> l.contains("CreateCoredumpOnCrash turned off"));
    for (String directory : List.of(".", System.getProperty("java.io.tmpdir"))) {
      assertThat(Path.of(directory, "hs_err_pid" + pid + ".log")).doesNotExist();
      assertThat(Path.of(directory, "core." + pid)).doesNotExist();
    }
  }

  /**
   * Applies what the overlay builds, with another namespace for the operator and for the team.
   *
   * @return the environment of its Deployment, as far as it names values
   */
  private static Map<String, String> installOverlay(
      ControlPlane plane, String home, String served) {
    ControlPlane.Result built = plane.kubectl("kustomize", "config/overlays/namespaced");
    assertThat(built.succeeded()).as(built.stderr()).isTrue();
    List<String> objects =
        Arrays.stream(built.stdout().split("(?m)^---$"))
            .filter(o -> !o.contains("kind: CustomResourceDefinition"))
            .map(o -> o.replace("keyturn-system", home))
            // What belongs to no namespace is there already, for the operator of all of them.
            .map(o ->
                o.contains("kind: ClusterRoleBinding")
                    ? o.replaceFirst("name: keyturn-cluster-stores", "name: " + home)
                    : o)
            .map(o -> o.replaceAll("(namespace|value): payments\\b", "$1: " + served))
            .toList();
    String deployment =
        objects.stream().filter(o -> o.contains("kind: Deployment\n")).findFirst().orElseThrow();
    plane.apply(
        objects.stream().filter(o -> o != deployment).collect(Collectors.joining("\n---\n")));
    return new KubernetesSerialization()
            .unmarshal(deployment, Deployment.class)
            .getSpec()
            .getTemplate()
            .getSpec()
            .getContainers()
            .getFirst()
            .getEnv()
            .stream()
            .filter(e -> e.getValue() != null)
            .collect(Collectors.toMap(EnvVar::getName, EnvVar::getValue));
  }

  /** What of the operator's work an identity may do in a namespace. */
  private static List<String> mayDo(ControlPlane plane, String identity, String namespace) {
    return Stream.of(
            "get secrets",
            "list secrets",
            "create secrets",
            "delete secrets",
            "list pods",
            "patch deployments.apps",
            "list secretbindings.keyturn.io",
            "create secretrotations.keyturn.io",
            "create events.events.k8s.io")
        .filter(right -> {
          String[] words = right.split(" ");
          ControlPlane.Result answer =
              plane.kubectl(
                  "auth", "can-i", words[0], words[1], "--as=" + identity, "-n", namespace);
          return answer.stdout().strip().equals("yes");
        })
        .toList();
  }

  @ConcurrentTest
  void whatIsMissingIsSaidOnceAndTheOperatorBecomesReadyByItselfAndOutlivesTheApiServer() {
    Path directory = Path.of("target", "control-plane-bare-" + ProcessHandle.current().pid());
    try (ControlPlane plane = ControlPlane.start(directory, 0)) {
      succeed(plane.kubectl("create", "namespace", OperatorProcess.NAMESPACE));
      succeed(
          plane.kubectl("create", "serviceaccount", "keyturn", "-n", OperatorProcess.NAMESPACE));
      try (OperatorProcess operator =
          OperatorProcess.launch(plane, Map.of("KEYTURN_LEADER_ELECTION", "false"))) {

        awaitAnswer(operator, READY, "may not list secretbindings.keyturn.io in every namespace");
        assertThat(operator.get(READY)).startsWith("503").contains("config/rbac");
        assertThat(operator.get(LIVE)).startsWith("200");
        assertThat(operator.get(STARTED)).startsWith("200");

        succeed(plane.kubectl("apply", "--server-side", "-k", "config/rbac"));
        awaitAnswer(operator, READY, "does not serve secretbindings.keyturn.io");
        assertThat(operator.get(READY)).startsWith("503").contains("config/crd");

        succeed(plane.kubectl("apply", "--server-side", "-k", "config/crd"));
        operator.awaitReady();
        assertThat(operator.get(READY)).doesNotContain("waitsFor");
        assertThat(operator.get(LIVE)).startsWith("200");
        assertThat(lines(operator).stream().map(OpsIT::json))
            .filteredOn(l -> !l.path("level").asText().equals("INFO"))
            .extracting(l -> l.path("message").asText())
            .satisfiesExactly(
                m -> assertThat(m).contains("may not list", "config/rbac"),
                m -> assertThat(m).contains("does not serve", "kubectl apply -k config/crd"));

        plane.stopApiServer();
        awaitAnswer(operator, READY, "Watches of the API server are interrupted");
        assertThat(operator.get(READY)).startsWith("503");
        assertThat(operator.get(LIVE)).startsWith("200");
        assertThat(operator.isAlive()).isTrue();
      }
    }
  }

  private static void succeed(ControlPlane.Result result) {
    assertThat(result.succeeded()).as(result.stderr()).isTrue();
  }

  private static void awaitAnswer(OperatorProcess operator, String path, String part) {
    Awaitility.await(path + " says: " + part)
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(100))
        .until(() -> operator.get(path), answer -> answer.contains(part));
  }

  private static Scrape awaitScrape(
      OperatorProcess operator, java.util.function.Predicate<Scrape> condition) {
    return Awaitility.await("metrics")
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(100))
        .until(() -> Scrape.parse(operator.get("/q/metrics")), condition);
  }

  private static boolean is(Scrape scrape, double value, String name, String... labels) {
    Double found = scrape.value(name, labels);
    return found != null && found == value;
  }

  private static double retrievals(Scrape scrape, String result, String reason) {
    Double value =
        scrape.value(
            "keyturn_retrievals_total", "store_type", "secret", "result", result, "reason", reason);
    return value == null ? 0 : value;
  }

  private static List<String> lines(OperatorProcess operator) {
    try {
      return Files.readAllLines(operator.log());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode json(String line) {
    try {
      return JSON.readTree(line);
    } catch (IOException e) {
      throw new AssertionError("no JSON: " + line, e);
    }
  }
}
