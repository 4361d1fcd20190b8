package io.keyturn.ops;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.keyturn.controller.MetadataClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@EnableKubernetesMockClient
class WiringTest {

  private static final String POD = "/api/v1/namespaces/payments/pods/a";

  private static KubernetesMockServer server;
  private static KubernetesClient client;

  private final Wiring wiring = new Wiring();

  @Test
  void theApiServerIsThatOfTheKubeconfig(@TempDir Path directory) throws IOException {
    Path kubeconfig = directory.resolve("kubeconfig");
    Files.writeString(
        kubeconfig,
        """
        apiVersion: v1
        kind: Config
        clusters: [{name: c, cluster: {server: "https://kubeconfig.example:6443"}}]
        contexts: [{name: x, context: {cluster: c}}]
        current-context: x
        """);
    Map<String, String> left = new HashMap<>();
    // A test that runs the application in this JVM may have left them.
    MockApiServer.PROPERTIES.forEach(p -> left.put(p, System.clearProperty(p)));
    System.setProperty(Config.KUBERNETES_KUBECONFIG_FILE, kubeconfig.toString());
    try {
      assertThat(wiring.config("1.2.3").getMasterUrl())
          .startsWith("https://kubeconfig.example:6443");
    } finally {
      System.clearProperty(Config.KUBERNETES_KUBECONFIG_FILE);
      left.values().removeIf(Objects::isNull);
      left.forEach(System::setProperty);
    }
  }

  @Test
  void reconcilesDoNotQueueBehindFiveRequests() {
    Config config = wiring.config("1.2.3");

    assertThat(config.getMaxConcurrentRequests()).isGreaterThanOrEqualTo(64);
    assertThat(config.getMaxConcurrentRequestsPerHost()).isGreaterThanOrEqualTo(64);
  }

  @Test
  void theFieldManagerOfPlainWritesIsKeyturn() {
    assertThat(wiring.config("1.2.3").getUserAgent()).isEqualTo("keyturn/1.2.3");
  }

  @Test
  void clientsWaitAsLongAsABusyApiServerSays() {
    Config config = client.getConfiguration();

    assertWaits(429, wiring.client(config));
    assertWaits(503, wiring.client(config));
    assertWaits(429, new MetadataClient(config).client());
  }

  private static void assertWaits(int code, KubernetesClient client) {
    server.expect().get().withPath(POD).andReturn(code, "").withHeader("Retry-After", "1").once();
    server.expect().get().withPath(POD).andReturn(200, new PodBuilder().build()).once();
    long begin = System.nanoTime();

    try (client) {
      assertThat(client.pods().inNamespace("payments").withName("a").get()).isNotNull();
    }

    assertThat(Duration.ofNanos(System.nanoTime() - begin))
        .isBetween(Duration.ofSeconds(1), Duration.ofSeconds(5));
  }
}
