package io.keyturn.testing;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * The packaged operator as a process of its own, as a user runs it outside a cluster: with a
 * kubeconfig of its shipped ServiceAccount, and no right beyond the shipped ones.
 */
public final class OperatorProcess implements AutoCloseable {

  /** Where the operator's Lease and key lie. */
  public static final String NAMESPACE = "keyturn-system";

  private static final Path JAR = Path.of("target", "quarkus-app", "quarkus-run.jar");
  private static final Duration READY = Duration.ofSeconds(60);
  private static final AtomicInteger COUNT = new AtomicInteger();

  private final GuardedProcess process;
  private final Path log;
  private final int managementPort;

  private OperatorProcess(GuardedProcess process, Path log, int managementPort) {
    this.process = process;
    this.log = log;
    this.managementPort = managementPort;
  }

  /** Applies the shipped CRDs and the shipped roles, as an administrator does. */
  public static void install(ControlPlane plane) {
    KubernetesClient admin = plane.adminClient();
    if (admin.namespaces().withName(NAMESPACE).get() == null) {
      require(plane.kubectl("create", "namespace", NAMESPACE));
    }
    require(plane.kubectl("apply", "--server-side", "-k", "config/crd"));
    require(plane.kubectl("apply", "--server-side", "-k", "config/rbac"));
    require(
        plane.kubectl(
            "wait",
            "--for=condition=Established",
            "--timeout=30s",
            "crd/secretbindings.keyturn.io",
            "crd/rotationpolicies.keyturn.io",
            "crd/secretrotations.keyturn.io"));
  }

  private static void require(ControlPlane.Result result) {
    if (!result.succeeded()) {
      throw new IllegalStateException(result.stderr());
    }
  }

  /**
   * Starts the operator and waits until it is ready.
   *
   * @param settings more of its environment, such as {@code KEYTURN_NAMESPACES}
   */
  public static OperatorProcess start(ControlPlane plane, Map<String, String> settings) {
    OperatorProcess operator = launch(plane, settings);
    operator.awaitReady();
    return operator;
  }

  /** Starts the operator without waiting for it. */
  public static OperatorProcess launch(ControlPlane plane, Map<String, String> settings) {
    if (!Files.exists(JAR)) {
      throw new IllegalStateException(JAR + " is missing: run ./mvnw package first");
    }
    int port = freePort();
    Map<String, String> environment = new HashMap<>();
    environment.put("KUBECONFIG", plane.kubeconfigFor(NAMESPACE, "keyturn").toString());
    environment.put("QUARKUS_MANAGEMENT_PORT", Integer.toString(port));
    environment.put("QUARKUS_MANAGEMENT_HOST", "127.0.0.1");
    environment.put("KEYTURN_KUBELET_LAG", "1s");
    environment.putAll(settings);
    List<String> command = new ArrayList<>(List.of("env"));
    environment.forEach((key, value) -> command.add(key + "=" + value));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-jar", JAR.toString()));
    Path log = plane.directory().resolve("operator-" + COUNT.incrementAndGet() + ".log");
    return new OperatorProcess(GuardedProcess.start("operator", command, log), log, port);
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Waits until it is ready: until its caches are filled, or it waits for the Lease. */
  public void awaitReady() {
    Awaitility.await("the operator is ready, see " + log)
        .atMost(READY)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> !process.isAlive() || get("/q/health/ready").startsWith("200"));
    if (!process.isAlive()) {
      throw new IllegalStateException("the operator ended, see " + log);
    }
  }

  /** Asks the management port; the answer begins with the status code. */
  public String get(String path) {
    try (HttpClient http = HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build()) {
      HttpResponse<String> response =
          http.send(
              HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + managementPort + path))
                  .timeout(Duration.ofSeconds(5))
                  .build(),
              HttpResponse.BodyHandlers.ofString());
      return response.statusCode() + " " + response.body();
    } catch (IOException e) {
      return "unreachable";
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return "interrupted";
    }
  }

  /** Whether it runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** Its process id. */
  public long pid() {
    return process.pids().stream()
        .filter(pid ->
            ProcessHandle.of(pid)
                .flatMap(h -> h.info().command())
                .filter(c -> c.endsWith("/java"))
                .isPresent())
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the operator does not run"));
  }

  /** Everything that it has logged. */
  public Path log() {
    return log;
  }

  /** Ends it at once, as a lost node does. */
  public void kill() {
    signal("KILL");
  }

  /** Sends it a signal by name. */
  public void signal(String name) {
    try {
      new ProcessBuilder("kill", "-" + name, Long.toString(pid())).start().waitFor();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Waits until it has ended. */
  public boolean awaitEnd(Duration atMost) {
    try {
      Awaitility.await().atMost(atMost).until(() -> !process.isAlive());
      return true;
    } catch (ConditionTimeoutException e) {
      return false;
    }
  }

  /** Ends it as Kubernetes does, with SIGTERM. */
  @Override
  public void close() {
    if (isAlive()) {
      signal("TERM");
    }
    if (!awaitEnd(Duration.ofSeconds(10))) {
      kill();
    }
    process.close();
  }
}
