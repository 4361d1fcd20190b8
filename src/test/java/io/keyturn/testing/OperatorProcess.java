package io.keyturn.testing;

import io.fabric8.kubernetes.client.KubernetesClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * The packaged operator as a process of its own, as a user runs it outside a cluster: with a
 * kubeconfig of its shipped ServiceAccount, and no right beyond the shipped ones.
 */
public final class OperatorProcess implements AutoCloseable {

  /** Where the operator's Lease and key lie, unless a test says otherwise. */
  public static final String NAMESPACE = "keyturn-system";

  private static final Path JAR = Path.of("target", "quarkus-app", "quarkus-run.jar");
  private static final Duration READY = Duration.ofSeconds(60);
  private static final Pattern LISTENS =
      Pattern.compile("Management interface listening on http://127\\.0\\.0\\.1:(\\d+)");
  private static final AtomicInteger COUNT = new AtomicInteger();
  private static final HttpClient HTTP =
      HttpClient.newBuilder().connectTimeout(Duration.ofSeconds(2)).build();

  private final GuardedProcess process;
  private final Path log;
  private volatile String managementPort;

  private OperatorProcess(GuardedProcess process, Path log) {
    this.process = process;
    this.log = log;
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
            "crd/secretrotations.keyturn.io",
            "crd/secretstores.keyturn.io",
            "crd/clustersecretstores.keyturn.io"));
  }

  private static void require(ControlPlane.Result result) {
    if (!result.succeeded()) {
      throw new IllegalStateException(result.stderr());
    }
  }

  /**
   * Starts the operator and waits until it is ready.
   *
   * @param settings more of its environment, such as {@code KEYTURN_NAMESPACES}; its ServiceAccount
   *     is that of {@code KEYTURN_OPERATOR_NAMESPACE}
   * @param flags more of its JVM
   */
  public static OperatorProcess start(
      ControlPlane plane, Map<String, String> settings, String... flags) {
    OperatorProcess operator = launch(plane, settings, flags);
    operator.awaitReady();
    return operator;
  }

  /** Starts the operator without waiting for it. */
  public static OperatorProcess launch(
      ControlPlane plane, Map<String, String> settings, String... flags) {
    if (!Files.exists(JAR)) {
      throw new IllegalStateException(JAR + " is missing: run ./mvnw package first");
    }
    Map<String, String> environment = new HashMap<>();
    String namespace = settings.getOrDefault("KEYTURN_OPERATOR_NAMESPACE", NAMESPACE);
    environment.put("KUBECONFIG", plane.kubeconfigFor(namespace, "keyturn").toString());
    // Any that is free when it binds: one that was free before may be taken by then.
    environment.put("QUARKUS_MANAGEMENT_PORT", "0");
    environment.put("QUARKUS_MANAGEMENT_HOST", "127.0.0.1");
    environment.put("KEYTURN_KUBELET_LAG", "1s");
    environment.putAll(settings);
    List<String> command = new ArrayList<>(List.of("env"));
    environment.forEach((key, value) -> command.add(key + "=" + value));
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(ShippedImage.jvmFlags());
    command.addAll(List.of("-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of(flags));
    command.addAll(List.of("-jar", JAR.toString()));
    Path log = plane.directory().resolve("operator-" + COUNT.incrementAndGet() + ".log");
    return new OperatorProcess(GuardedProcess.start("operator", command, log), log);
  }

  /** Waits until it is ready: until its caches are filled, or it waits for the Lease. */
  public void awaitReady() {
    Awaitility.await("the operator is ready, see " + log)
        .atMost(READY)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> !process.isAlive() || get("/q/health/ready").startsWith("200"));
    if (!process.isAlive()) {
      throw new IllegalStateException(process.diagnosis());
    }
  }

  private boolean listens() {
    if (managementPort == null) {
      try (Stream<String> lines = Files.lines(log)) {
        managementPort =
            lines
                .flatMap(line -> LISTENS.matcher(line).results())
                .map(found -> found.group(1))
                .findFirst()
                .orElse(null);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
    return managementPort != null;
  }

  /** Asks the management port; the answer begins with the status code. */
  public String get(String path) {
    if (!listens()) {
      return "unreachable";
    }
    try {
      HttpResponse<String> response =
          HTTP.send(
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

  /** Appends its metrics to a file beside its log, for whoever wants them when it has ended. */
  public void keepMetrics() {
    String answer = get("/q/metrics");
    if (!answer.startsWith("200")) {
      return;
    }
    try {
      Files.writeString(
          log.resolveSibling(log.getFileName().toString().replace(".log", ".metrics")),
          answer,
          StandardOpenOption.CREATE,
          StandardOpenOption.APPEND);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Whether it runs. */
  public boolean isAlive() {
    return process.isAlive();
  }

  /** How it ended; 128 and the number of the signal that ended it. */
  public int exitCode() {
    return process.exitCode();
  }

  /** Its process id. */
  public long pid() {
    return running().orElseThrow(() -> new IllegalStateException("the operator does not run"));
  }

  private Optional<Long> running() {
    return process.pids().stream()
        .filter(pid ->
            ProcessHandle.of(pid)
                .flatMap(h -> h.info().command())
                .filter(c -> c.endsWith("/java"))
                .isPresent())
        .findFirst();
  }

  /** Everything that it has logged. */
  public Path log() {
    return log;
  }

  /** What it has logged as errors, and reconciles that threw something. */
  public List<String> errors() {
    try (Stream<String> lines = Files.lines(log)) {
      return lines
          .filter(l ->
              l.contains("\"level\":\"ERROR\"")
                  || l.contains("\"Uncaught error during event processing"))
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Ends it at once, as a lost node does; when this returns, it has ended. */
  public void kill() {
    keepMetrics();
    signal("KILL");
    awaitEnd(READY);
  }

  /** Sends it a signal by name, unless it has ended. */
  public void signal(String name) {
    try {
      Optional<Long> pid = running();
      if (pid.isPresent()) {
        new ProcessBuilder("kill", "-" + name, pid.get().toString()).start().waitFor();
      }
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
      keepMetrics();
    }
    signal("TERM");
    if (!awaitEnd(Duration.ofSeconds(10))) {
      signal("KILL");
    }
    process.close();
  }
}
