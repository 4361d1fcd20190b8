package io.keyturn.ops;

import static java.util.stream.Collectors.toMap;
import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Telemetry;
import io.keyturn.store.Operation;
import io.keyturn.store.StoreObserver;
import io.keyturn.store.Via;
import io.keyturn.testing.Scrape;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.common.http.TestHTTPResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** The application boots as a whole and does its work, without a cluster. */
@QuarkusTest
@QuarkusTestResource(value = MockApiServer.class, restrictToAnnotatedClass = true)
class ApplicationTest {

  private static final String NAMESPACE = "payments";
  private static final Path METRICS = Path.of("docs/metrics.md");
  private static final Pattern NAME = Pattern.compile("`([^`]+)`");

  @TestHTTPResource(value = "/", management = true)
  URI management;

  @Inject KubernetesClient client;
  @Inject OperatorConfig config;
  @Inject Telemetry telemetry;
  @Inject StoreObserver stores;

  @Test
  void theOperatorIsStartedAliveAndReadyOnItsManagementPort() {
    assertThat(config.leaderElection()).isFalse();
    assertThat(config.operatorNamespace()).isEqualTo("keyturn-system");

    awaitReady();

    assertThat(get("/health/started")).startsWith("200").contains("\"process\"");
    assertThat(get("/health/live")).startsWith("200").contains("\"informers\"");
    assertThat(get("/health/ready")).contains("\"caches\"", "\"leader\": true");
    assertThat(client.secrets().inNamespace("keyturn-system").withName(InstallationKey.NAME).get())
        .isNotNull();
  }

  @Test
  void aBindingGetsItsFirstDelivery() {
    String value = UUID.randomUUID().toString();
    Secret upstream =
        new SecretBuilder()
            .withMetadata(
                new ObjectMetaBuilder()
                    .withNamespace(NAMESPACE)
                    .withName("payments-db-upstream")
                    .build())
            .addToStringData("password", value)
            .addToData("password", encode(value))
            .build();
    client.resource(upstream).create();
    client.resource(deployment()).create();
    client.resource(binding()).create();

    awaitReady();
    Awaitility.await("the first version is delivered")
        .atMost(Duration.ofSeconds(20))
        .until(
            () -> client.resource(binding()).get().getStatus().current(),
            current -> current != null && current.version() == 1);

    Secret alias = client.secrets().inNamespace(NAMESPACE).withName("payments-db").get();
    assertThat(alias.getData().equals(Map.of("password", encode(value)))).isTrue();
    String snapshot = client.resource(binding()).get().getStatus().current().snapshot();
    assertThat(client.secrets().inNamespace(NAMESPACE).withName(snapshot).get().getImmutable())
        .isTrue();
    assertThat(
            scrape()
                .value(
                    "keyturn_retrievals_total",
                    "store_type",
                    "secret",
                    "result",
                    "success",
                    "reason",
                    "Ready"))
        .isPositive();
  }

  @Test
  void docsAndMetricsAgreeOnNamesTypesAndLabels() throws IOException {
    telemetry.retrieved(
        "secret", Telemetry.Retrieval.FAILURE, "SourceNotFound", Via.STORE, Duration.ofMillis(1));
    stores.asked("vault", "payments/vault", Operation.READ, "ok", Duration.ofMillis(1));
    telemetry.moved(rotation(Stage.Canary), Stage.Pending, Instant.now());
    telemetry.moved(rotation(Stage.Complete), Stage.Retiring, Instant.now());

    Scrape scrape = scrape();

    Map<String, String> types = new TreeMap<>();
    Map<String, Set<String>> labels = new TreeMap<>();
    for (String line : Files.readAllLines(METRICS)) {
      if (line.startsWith("| `keyturn_")) {
        String[] cells = line.split("\\|");
        String name = cells[1].strip().replace("`", "");
        types.put(name, cells[2].strip());
        labels.put(name, NAME.matcher(cells[3]).results().map(m -> m.group(1)).collect(toSet()));
      }
    }
    assertThat(scrape.own()).isEqualTo(types);
    assertThat(labels.keySet().stream().collect(toMap(n -> n, n -> labels(scrape, n))))
        .isEqualTo(labels);
  }

  /** The labels of a metric; of a histogram without that of its buckets. */
  private static Set<String> labels(Scrape scrape, String metric) {
    String samples = scrape.types().get(metric).equals("histogram") ? metric + "_count" : metric;
    return scrape.samples().stream()
        .filter(s -> s.name().equals(samples))
        .flatMap(s -> s.labels().keySet().stream())
        .collect(toSet());
  }

  private static SecretRotation rotation(Stage stage) {
    return new KubernetesSerialization()
        .unmarshal(
            """
            apiVersion: keyturn.io/v1alpha1
            kind: SecretRotation
            metadata: {name: a-2, creationTimestamp: "2026-11-24T00:00:00Z"}
            spec: {bindingRef: {name: a}, trigger: Manual}
            status: {stage: %s}
            """
                .formatted(stage),
            SecretRotation.class);
  }

  private static Deployment deployment() {
    return new DeploymentBuilder()
        .withMetadata(new ObjectMetaBuilder().withNamespace(NAMESPACE).withName("payments").build())
        .withNewSpec()
        .withReplicas(0)
        .withNewTemplate()
        .withNewMetadata()
        .endMetadata()
        .withNewSpec()
        .endSpec()
        .endTemplate()
        .endSpec()
        .build();
  }

  private static SecretBinding binding() {
    return new KubernetesSerialization()
        .unmarshal(
            """
            apiVersion: keyturn.io/v1alpha1
            kind: SecretBinding
            metadata: {name: payments-db, namespace: payments}
            spec:
              source: {secret: {name: payments-db-upstream}}
              workloads: [{kind: Deployment, name: payments}]
            """,
            SecretBinding.class);
  }

  private static String encode(String value) {
    return java.util.Base64.getEncoder().encodeToString(value.getBytes());
  }

  private void awaitReady() {
    Awaitility.await("the operator is ready")
        .atMost(Duration.ofSeconds(20))
        .until(() -> get("/health/ready"), answer -> answer.startsWith("200"));
  }

  private Scrape scrape() {
    return Scrape.parse(get("/metrics"));
  }

  private String get(String path) {
    try (HttpClient http = HttpClient.newHttpClient()) {
      HttpResponse<String> response =
          http.send(
              HttpRequest.newBuilder(URI.create(management.toString().replaceAll("/$", "") + path))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      return response.statusCode() + " " + response.body();
    } catch (IOException e) {
      throw new AssertionError(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
