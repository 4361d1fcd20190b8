package io.keyturn.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each fault does to a plain client, or to one like the operator's, what it says. */
class FaultProxyIT {

  private static final int ALWAYS = 1000;
  private static ControlPlane plane;
  private static String namespace;
  private static Path direct;

  private FaultProxy proxy = FaultProxy.start(plane, 1, path -> path.contains("/leases"));

  private final HttpClient http = client();

  @BeforeAll
  static void createAnAccount() {
    plane = SharedControlPlane.get();
    namespace = SharedControlPlane.newNamespace("proxy");
    plane.apply(
        """
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: editor, namespace: %1$s}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: editor, namespace: %1$s}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: edit}
        subjects: [{kind: ServiceAccount, name: editor, namespace: %1$s}]
        """
            .formatted(namespace));
    direct = plane.kubeconfigFor(namespace, "editor");
  }

  @AfterEach
  void close() {
    proxy.close();
    http.close();
  }

  private static HttpClient client() {
    try {
      return HttpClient.newBuilder()
          .version(HttpClient.Version.HTTP_1_1)
          .sslContext(FaultProxy.context(plane.directory()))
          .build();
    } catch (IOException | java.security.GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  private HttpRequest.Builder request(String path) {
    return HttpRequest.newBuilder(
            URI.create(proxy.url() + "/api/v1/namespaces/" + namespace + path))
        .timeout(Duration.ofSeconds(20))
        .header("Authorization", "Bearer " + token())
        .header("Content-Type", "application/json");
  }

  private static String token() {
    return Config.fromKubeconfig(direct.toFile()).getAutoOAuthToken();
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    return http.send(request(path).build(), BodyHandlers.ofString());
  }

  private HttpResponse<String> create(String name) throws IOException, InterruptedException {
    String body =
        "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":\"%s\"}}"
            .formatted(name);
    return http.send(
        request("/configmaps").POST(BodyPublishers.ofString(body)).build(),
        BodyHandlers.ofString());
  }

  private static Resource<ConfigMap> stored(String name) {
    return plane.adminClient().configMaps().inNamespace(namespace).withName(name);
  }

  private static void write(String name, String value) {
    plane
        .adminClient()
        .resource(
            new ConfigMapBuilder()
                .withNewMetadata()
                .withNamespace(namespace)
                .withName(name)
                .endMetadata()
                .addToData("key", value)
                .build())
        .createOr(r -> r.update());
  }

  private void always(ApiFault fault) {
    proxy.strike(Map.of(fault, ALWAYS));
  }

  private void assertStruck(ApiFault fault) {
    assertThat(proxy.injected()).containsEntry(fault, 1L);
    assertThat(proxy.injected().values().stream().mapToLong(Long::longValue).sum()).isEqualTo(1);
  }

  @Test
  void passesOnWhatTheOperatorsClientSaysAndWatches() throws Exception {
    try (KubernetesClient client = operatorsClient()) {
      BlockingQueue<String> seen = new LinkedBlockingQueue<>();
      try (Watch _ = client.configMaps().withLabel("calm").watch(names(seen, null))) {
        client
            .configMaps()
            .resource(
                new ConfigMapBuilder()
                    .withNewMetadata()
                    .withName("calm")
                    .addToLabels("calm", "")
                    .endMetadata()
                    .addToData("long", "x".repeat(100_000))
                    .build())
            .create();
        assertThat(seen.poll(10, TimeUnit.SECONDS)).isEqualTo("ADDED calm");
        client.configMaps().withName("calm").delete();
        assertThat(seen.poll(10, TimeUnit.SECONDS)).isEqualTo("DELETED calm");
      }
      assertThat(client.configMaps().withName("calm").get()).isNull();
    }
    assertThat(proxy.injected().values()).containsOnly(0L);
    assertThat(proxy.requests()).isGreaterThanOrEqualTo(4);
  }

  private KubernetesClient operatorsClient() {
    Config config = Config.fromKubeconfig(proxy.kubeconfigFor(namespace, "editor").toFile());
    config.setRequestRetryBackoffLimit(0);
    return new KubernetesClientBuilder().withConfig(config).build();
  }

  private static Watcher<ConfigMap> names(BlockingQueue<String> seen, CountDownLatch gone) {
    return new Watcher<>() {
      @Override
      public void eventReceived(Action action, ConfigMap object) {
        seen.add(action + " " + object.getMetadata().getName());
      }

      @Override
      public void onClose(WatcherException cause) {
        if (gone != null && cause.isHttpGone()) {
          gone.countDown();
        }
      }
    };
  }

  @Test
  void aLostRequestDoesNothing() {
    always(ApiFault.REQUEST_LOST);
    assertThatThrownBy(() -> create("lost")).isInstanceOf(IOException.class);
    assertStruck(ApiFault.REQUEST_LOST);
    assertThat(stored("lost").get()).isNull();
  }

  @Test
  void aLostAnswerHasTakenEffect() {
    always(ApiFault.ANSWER_LOST);
    assertThatThrownBy(() -> create("done")).isInstanceOf(IOException.class);
    assertStruck(ApiFault.ANSWER_LOST);
    assertThat(stored("done").get()).isNotNull();
  }

  @Test
  void aDelayedRequestTakesEffect() throws Exception {
    always(ApiFault.DELAYED);
    assertThat(create("late").statusCode()).isEqualTo(201);
    assertStruck(ApiFault.DELAYED);
  }

  @ParameterizedTest
  @CsvSource({
    "UNAUTHORIZED, 401",
    "FORBIDDEN, 403",
    "CONFLICT, 409",
    "THROTTLED, 429",
    "ERROR, 500",
    "UNAVAILABLE, 503"
  })
  void aRefusedWriteDoesNothing(ApiFault fault, int code) throws Exception {
    always(fault);
    HttpResponse<String> answer = create("refused");
    assertThat(answer.statusCode()).isEqualTo(code);
    assertThat(answer.body()).contains("\"kind\":\"Status\"", "\"code\":" + code);
    assertThat(answer.headers().firstValue("Retry-After").isPresent()).isEqualTo(code == 429);
    assertStruck(fault);
    assertThat(stored("refused").get()).isNull();
  }

  @Test
  void aPageOfAListIsGone() throws Exception {
    always(ApiFault.GONE);
    assertThat(get("/configmaps?limit=500").statusCode()).isEqualTo(410);
    assertThat(get("/configmaps").statusCode()).isEqualTo(200);
    assertStruck(ApiFault.GONE);
  }

  @Test
  void anEarlierAnswerIsGivenAgain() throws Exception {
    write("old", "first");
    get("/configmaps/old");
    get("/configmaps?limit=500");
    write("old", "second");
    get("/configmaps/old");
    get("/configmaps?limit=500");

    proxy.strike(Map.of(ApiFault.OLD_READ, ALWAYS, ApiFault.OLD_LIST, 0));
    assertThat(get("/configmaps/old").body()).contains("first");
    assertThat(get("/configmaps?limit=500").body()).contains("second");
    always(ApiFault.OLD_LIST);
    assertThat(get("/configmaps?limit=500").body()).contains("second");
    proxy.newClient();
    assertThat(get("/configmaps/old").body()).contains("second");
    assertThat(get("/configmaps?limit=500").body()).contains("first");
    assertThat(proxy.injected())
        .containsEntry(ApiFault.OLD_READ, 1L)
        .containsEntry(ApiFault.OLD_LIST, 1L);
  }

  @Test
  void whatIsExemptIsNeverStruck() throws Exception {
    always(ApiFault.ERROR);
    HttpRequest leases =
        HttpRequest.newBuilder(
                URI.create(
                    proxy.url()
                        + "/apis/coordination.k8s.io/v1/namespaces/"
                        + namespace
                        + "/leases"))
            .header("Authorization", "Bearer " + token())
            .build();
    assertThat(http.send(leases, BodyHandlers.ofString()).statusCode()).isNotEqualTo(500);
    assertThat(proxy.injected()).containsEntry(ApiFault.ERROR, 0L);
  }

  @Test
  void aWatchIsCut() throws Exception {
    always(ApiFault.WATCH_CUT);
    assertThatThrownBy(() -> watch("cut")).hasCauseInstanceOf(IOException.class);
    assertStruck(ApiFault.WATCH_CUT);
  }

  @Test
  void aSilentWatchSaysNothingOfWhatHappens() {
    always(ApiFault.WATCH_SILENT);
    List<String> events = new ArrayList<>();
    assertThatThrownBy(() -> watch("silent", events)).hasCauseInstanceOf(IOException.class);
    assertStruck(ApiFault.WATCH_SILENT);
    assertThat(events).noneMatch(e -> e.contains("\"ERROR\""));
    assertThat(stored("silent").get().getData().get("key"))
        .as("changes went on when the watch was silent")
        .isNotEqualTo(String.valueOf(events.size()));
  }

  @Test
  void aWatchIsGone() throws Exception {
    always(ApiFault.WATCH_GONE);
    assertThat(watch("gone")).contains("\"type\":\"ERROR\"", "\"code\":410");
    assertStruck(ApiFault.WATCH_GONE);
  }

  /** What is said last until the watch ends, while an object changes all the time. */
  private String watch(String name) throws Exception {
    List<String> events = new ArrayList<>();
    watch(name, events);
    return events.getLast();
  }

  private void watch(String name, List<String> events) throws Exception {
    Thread changes = Thread.ofVirtual().start(() -> changeAgainAndAgain(name));
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(
                http.send(
                        request("/configmaps?watch=true&fieldSelector=metadata.name%3D" + name)
                            .build(),
                        BodyHandlers.ofInputStream())
                    .body(),
                StandardCharsets.UTF_8))) {
      lines.lines().forEach(events::add);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      changes.interrupt();
      changes.join();
    }
  }

  private static void changeAgainAndAgain(String name) {
    try {
      for (int i = 1; !Thread.currentThread().isInterrupted(); i++) {
        write(name, String.valueOf(i));
        Thread.sleep(50);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Test
  void theOperatorsClientLearnsThatAWatchIsGone() throws Exception {
    always(ApiFault.WATCH_GONE);
    CountDownLatch gone = new CountDownLatch(1);
    try (KubernetesClient client = operatorsClient();
        Watch _ = client.configMaps().watch(names(new LinkedBlockingQueue<>(), gone))) {
      assertThat(gone.await(20, TimeUnit.SECONDS)).isTrue();
    }
    assertStruck(ApiFault.WATCH_GONE);
  }

  @Test
  void theSameSeedStrikesTheSameRequests() throws Exception {
    List<Integer> first = codes(7);
    assertThat(codes(7)).isEqualTo(first);
    assertThat(codes(8)).isNotEqualTo(first);
    assertThat(first).contains(200, 403, 500);
  }

  private List<Integer> codes(long seed) throws Exception {
    proxy.close();
    proxy = FaultProxy.start(plane, seed, _ -> false);
    proxy.strike(Map.of(ApiFault.FORBIDDEN, 300, ApiFault.ERROR, 300));
    List<Integer> codes = new ArrayList<>();
    for (int i : IntStream.range(0, 30).toArray()) {
      codes.add(get("/configmaps?labelSelector=n%3D" + i).statusCode());
    }
    return codes;
  }
}
