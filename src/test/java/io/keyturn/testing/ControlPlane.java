package io.keyturn.testing;

import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Node;
import io.fabric8.kubernetes.api.model.NodeBuilder;
import io.fabric8.kubernetes.api.model.Quantity;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.vertx.VertxHttpClientFactory;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;

/**
 * A real Kubernetes control plane on loopback: etcd, kube-apiserver, kube-controller-manager and
 * kube-scheduler, with a few nodes that only exist on paper (a {@link HollowKubelet} plays them).
 * It is ready in about five seconds, counts every request, and ends with this JVM even after {@code
 * kill -9}.
 *
 * <p>The programs come from {@code hack/cluster/build}, which builds them where they are not
 * cached.
 */
public final class ControlPlane implements AutoCloseable {
  /** How many nodes there are unless a test asks for another number. */
  public static final int DEFAULT_NODES = 3;

  /** The first call on a machine builds them, which takes about ten minutes. */
  static final BuiltPrograms PROGRAMS = new BuiltPrograms("hack/cluster/build", "control plane");

  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration KUBECTL_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration TOKEN_LIFETIME = Duration.ofHours(12);

  private static final String AUDIT_POLICY =
      """
      apiVersion: audit.k8s.io/v1
      kind: Policy
      omitStages: [RequestReceived]
      rules:
      - level: Metadata
      """;

  private final Path binaries;
  private final Path directory;
  private final boolean temporary;
  private final ClusterCertificates certificates = new ClusterCertificates();
  private final List<GuardedProcess> processes = new ArrayList<>();
  private final List<KubernetesClient> clients = new ArrayList<>();
  private final String url;
  private final int etcdPort;
  private final int etcdPeerPort;
  private final int port;
  private final AuditLog audit;
  // One for all clients: each would otherwise make its own, with threads that keep the JVM alive
  // and
  // that closing a client does not end.
  private final Vertx network = Vertx.vertx(new VertxOptions().setUseDaemonThread(true));
  private KubernetesClient admin;

  /** What a command said and how it ended. */
  public record Result(int exitCode, String stdout, String stderr) {
    /** Whether it ended with 0. */
    public boolean succeeded() {
      return exitCode == 0;
    }
  }

  private ControlPlane(Path binaries, Path directory, boolean temporary) {
    this.binaries = binaries;
    this.directory = directory.toAbsolutePath();
    this.temporary = temporary;
    int[] ports = freePorts(3);
    etcdPort = ports[0];
    etcdPeerPort = ports[1];
    port = ports[2];
    url = "https://127.0.0.1:" + port;
    audit = new AuditLog(this.directory.resolve("audit.log"));
  }

  /**
   * Starts a control plane with {@link #DEFAULT_NODES} nodes in a temporary directory.
   *
   * @throws IllegalStateException if its programs cannot be had, or it does not become ready; the
   *     message says why, or has the end of the log of the program that failed
   */
  public static ControlPlane start() {
    try {
      return start(Files.createTempDirectory("keyturn-cluster"), DEFAULT_NODES, true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Like {@link #start()}, with its files in {@code directory}, where logs stay after {@link
   * #close()}.
   */
  public static ControlPlane start(Path directory) {
    return start(directory, DEFAULT_NODES);
  }

  /** Like {@link #start(Path)}, with another number of nodes: {@code node-1} and so on. */
  public static ControlPlane start(Path directory, int nodes) {
    return start(directory, nodes, false);
  }

  private static ControlPlane start(Path directory, int nodes, boolean temporary) {
    Path binaries =
        PROGRAMS.locate().orElseThrow(() -> new IllegalStateException(PROGRAMS.whyNot()));
    ControlPlane plane = new ControlPlane(binaries, directory, temporary);
    try {
      plane.startProcesses();
      plane.addNodes(nodes);
      return plane;
    } catch (RuntimeException e) {
      plane.close();
      throw e;
    }
  }

  private void startProcesses() {
    try {
      Files.createDirectories(directory);
      deleteTree(directory.resolve("etcd"));
      Files.deleteIfExists(audit.file());
      certificates.writeServerFiles(directory);
      Files.writeString(directory.resolve("audit-policy.yaml"), AUDIT_POLICY);
      writeKubeconfig("admin", "admin", List.of("system:masters"));
      writeKubeconfig("controller-manager", "system:kube-controller-manager", List.of());
      writeKubeconfig("scheduler", "system:kube-scheduler", List.of());
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write to " + directory, e);
    }

    String etcdUrl = "http://127.0.0.1:" + etcdPort;
    String peerUrl = "http://127.0.0.1:" + etcdPeerPort;
    GuardedProcess etcd =
        run(
            "etcd",
            "--data-dir=" + directory.resolve("etcd"),
            "--listen-client-urls=" + etcdUrl,
            "--advertise-client-urls=" + etcdUrl,
            "--listen-peer-urls=" + peerUrl,
            "--initial-advertise-peer-urls=" + peerUrl,
            "--initial-cluster=default=" + peerUrl,
            // Nobody mourns this data after a power cut.
            "--unsafe-no-fsync=true");
    await(etcd, "listens", () -> listens(etcdPort));

    GuardedProcess apiServer =
        run(
            "kube-apiserver",
            "--etcd-servers=" + etcdUrl,
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            "--secure-port=" + port,
            "--tls-cert-file=" + directory.resolve("server.crt"),
            "--tls-private-key-file=" + directory.resolve("server.key"),
            "--client-ca-file=" + directory.resolve("ca.crt"),
            "--service-account-key-file=" + directory.resolve("sa.key"),
            "--service-account-signing-key-file=" + directory.resolve("sa.key"),
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--authorization-mode=Node,RBAC",
            "--allow-privileged=true",
            "--max-requests-inflight=3000",
            "--max-mutating-requests-inflight=1500",
            "--audit-policy-file=" + directory.resolve("audit-policy.yaml"),
            "--audit-log-path=" + audit.file(),
            // In MB. The default rotates at 100, and a count must see everything.
            "--audit-log-maxsize=100000");
    admin = connect(Config.fromKubeconfig(kubeconfig().toFile()));
    await(apiServer, "is ready", this::isReady);

    GuardedProcess controllers =
        run(
            "kube-controller-manager",
            "--kubeconfig=" + directory.resolve("controller-manager.kubeconfig"),
            "--service-account-private-key-file=" + directory.resolve("sa.key"),
            "--root-ca-file=" + directory.resolve("ca.crt"),
            "--use-service-account-credentials=true",
            // Without it nodes need no heartbeats.
            "--controllers=*,-node-lifecycle-controller",
            "--leader-elect=false",
            "--secure-port=0",
            // The default of 20 requests a second slows rollouts of hundreds of pods.
            "--kube-api-qps=500",
            "--kube-api-burst=1000");
    run(
        "kube-scheduler",
        "--kubeconfig=" + directory.resolve("scheduler.kubeconfig"),
        "--leader-elect=false",
        "--secure-port=0",
        "--kube-api-qps=500",
        "--kube-api-burst=1000");
    await(controllers, "has made the default service account", () -> hasServiceAccount("default"));
  }

  private GuardedProcess run(String program, String... arguments) {
    List<String> command = new ArrayList<>(List.of(binaries.resolve(program).toString()));
    command.addAll(Arrays.asList(arguments));
    GuardedProcess process =
        GuardedProcess.start(program, command, directory.resolve(program + ".log"));
    processes.add(process);
    return process;
  }

  /** Waits for a condition, and gives up as soon as any of our processes has ended. */
  private void await(GuardedProcess process, String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
    while (!condition.getAsBoolean()) {
      for (GuardedProcess each : processes) {
        if (!each.isAlive()) {
          throw new IllegalStateException(each.diagnosis());
        }
      }
      if (System.nanoTime() > deadline) {
        throw new IllegalStateException(
            "waited %d s until it %s: %s"
                .formatted(START_TIMEOUT.toSeconds(), what, process.diagnosis()));
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
  }

  private boolean isReady() {
    try {
      return listens(port) && "ok".equals(admin.raw("/readyz"));
    } catch (KubernetesClientException e) {
      return false; // still starting: 403 until RBAC is there, 500 until all hooks have run
    }
  }

  private boolean hasServiceAccount(String namespace) {
    return admin.serviceAccounts().inNamespace(namespace).withName("default").get() != null;
  }

  private void addNodes(int count) {
    for (int i = 1; i <= count; i++) {
      Map<String, Quantity> capacity =
          Map.of(
              "cpu", new Quantity("1000"),
              "memory", new Quantity("1000Gi"),
              "pods", new Quantity("5000"));
      String name = "node-" + i;
      Node node =
          new NodeBuilder()
              .withNewMetadata()
              .withName(name)
              .addToLabels("kubernetes.io/hostname", name)
              .addToLabels("kubernetes.io/os", "linux")
              .endMetadata()
              .withNewStatus()
              .withCapacity(capacity)
              .withAllocatable(capacity)
              .addNewCondition()
              .withType("Ready")
              .withStatus("True")
              .withReason("HollowKubelet")
              .endCondition()
              .endStatus()
              .build();
      admin.resource(node).create();
      // An admission plugin taints each new node, and the controller that would take it away is
      // off. Others write nodes, too, so this names no resourceVersion.
      admin
          .nodes()
          .withName(name)
          .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"taints\":null}}");
    }
  }

  /** The address of the API server, {@code https://127.0.0.1:<port>}. */
  public String url() {
    return url;
  }

  /** Where the certificates, the logs and the data are. */
  public Path directory() {
    return directory;
  }

  /** The kubeconfig of an administrator. */
  public Path kubeconfig() {
    return directory.resolve("admin.kubeconfig");
  }

  /** A client of an administrator, shared: do not close it. */
  public KubernetesClient adminClient() {
    return admin;
  }

  /** The requests that the API server has answered. */
  public AuditLog audit() {
    return audit;
  }

  /** Ends the API server at once and for good: to its clients that is an outage. */
  public void stopApiServer() {
    processes.get(1).close();
  }

  /** The processes of this control plane, each with the shell that guards it. */
  public List<Long> pids() {
    return processes.stream().flatMap(process -> process.pids().stream()).toList();
  }

  /**
   * Creates a namespace that pods can be created in: its default service account is there.
   *
   * @param prefix a few words; the API server makes the name unique
   * @return the name
   */
  public String createNamespace(String prefix) {
    Namespace namespace =
        admin
            .resource(
                new NamespaceBuilder()
                    .withNewMetadata()
                    .withGenerateName(prefix + "-")
                    .endMetadata()
                    .build())
            .create();
    String name = namespace.getMetadata().getName();
    await(processes.get(2), "serves " + name, () -> hasServiceAccount(name));
    return name;
  }

  /**
   * Runs kubectl as administrator.
   *
   * @return how it went; a failure of kubectl is a result, not an exception
   * @throws IllegalStateException if it has not ended after a minute
   */
  public Result kubectl(String... arguments) {
    return kubectlWithInput("", arguments);
  }

  /** Like {@link #kubectl}, with something on its stdin. */
  public Result kubectlWithInput(String stdin, String... arguments) {
    return kubectl(kubeconfig(), stdin, arguments);
  }

  /** Runs kubectl as whoever the kubeconfig says. */
  public Result kubectl(Path kubeconfig, String stdin, String... arguments) {
    List<String> command =
        new ArrayList<>(
            List.of(binaries.resolve("kubectl").toString(), "--kubeconfig=" + kubeconfig));
    command.addAll(Arrays.asList(arguments));
    Path out = null;
    Path err = null;
    try {
      // Files, because two pipes that nobody reads at the same time can block each other.
      out = Files.createTempFile(directory, "kubectl", ".out");
      err = Files.createTempFile(directory, "kubectl", ".err");
      ProcessBuilder builder =
          new ProcessBuilder(command).redirectOutput(out.toFile()).redirectError(err.toFile());
      builder.environment().put("KUBECACHEDIR", directory.resolve("kubectl-cache").toString());
      Process process = builder.start();
      try (OutputStream in = process.getOutputStream()) {
        in.write(stdin.getBytes(StandardCharsets.UTF_8));
      } catch (IOException e) {
        // It ended without reading everything; its exit code and stderr say why.
      }
      if (!process.waitFor(KUBECTL_TIMEOUT.toSeconds(), TimeUnit.SECONDS)) {
        process.destroyForcibly();
        throw new IllegalStateException(
            "kubectl %s has not ended after %d s"
                .formatted(arguments.length > 0 ? arguments[0] : "", KUBECTL_TIMEOUT.toSeconds()));
      }
      return new Result(process.exitValue(), Files.readString(out), Files.readString(err));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot run kubectl", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while kubectl was running", e);
    } finally {
      delete(out);
      delete(err);
    }
  }

  /**
   * Applies manifests as administrator.
   *
   * @throws IllegalStateException with what kubectl said, if it refuses
   */
  public void apply(Path manifests) {
    mustSucceed(kubectl("apply", "--server-side", "--force-conflicts", "-f", manifests.toString()));
  }

  /** Like {@link #apply(Path)}, with the manifests themselves. */
  public void apply(String yaml) {
    mustSucceed(kubectlWithInput(yaml, "apply", "--server-side", "--force-conflicts", "-f", "-"));
  }

  // Server-side, because a client-side apply that fails prints the patch, and with it a Secret's
  // data.
  private static void mustSucceed(Result result) {
    if (!result.succeeded()) {
      throw new IllegalStateException("kubectl apply failed: " + result.stderr().strip());
    }
  }

  /**
   * A client that acts as a service account, with a token that the API server issued for it. It is
   * closed with this control plane.
   */
  public KubernetesClient clientFor(String namespace, String serviceAccount) {
    return connect(Config.fromKubeconfig(tokenKubeconfig(namespace, serviceAccount)));
  }

  /** A kubeconfig file with a token of a service account, valid for {@code 12 h}. */
  public Path kubeconfigFor(String namespace, String serviceAccount) {
    Path file = directory.resolve(namespace + "." + serviceAccount + ".kubeconfig");
    try {
      // Moved as a whole: somebody may be reading the one that is there.
      Path written = Files.createTempFile(directory, "token", ".kubeconfig");
      Files.writeString(written, tokenKubeconfig(namespace, serviceAccount));
      return Files.move(written, file, StandardCopyOption.ATOMIC_MOVE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * A client of a user who proves a name and groups by certificate. It is closed with this control
   * plane.
   */
  public KubernetesClient clientForUser(String user, String... groups) {
    return connect(
        Config.fromKubeconfig(certificates.kubeconfig(url, user, Arrays.asList(groups))));
  }

  private String tokenKubeconfig(String namespace, String serviceAccount) {
    return certificates.kubeconfigWithToken(url, namespace, token(namespace, serviceAccount));
  }

  /**
   * A token that the API server issues for a service account, valid for {@code 12 h}.
   *
   * @param audiences who is to take it; nobody named is the API server itself
   */
  public String token(String namespace, String serviceAccount, String... audiences) {
    return admin
        .serviceAccounts()
        .inNamespace(namespace)
        .withName(serviceAccount)
        .tokenRequest(
            new TokenRequestBuilder()
                .withNewSpec()
                .withAudiences(audiences)
                .withExpirationSeconds(TOKEN_LIFETIME.toSeconds())
                .endSpec()
                .build())
        .getStatus()
        .getToken();
  }

  private void writeKubeconfig(String file, String user, List<String> groups) throws IOException {
    Files.writeString(
        directory.resolve(file + ".kubeconfig"), certificates.kubeconfig(url, user, groups));
  }

  private KubernetesClient connect(Config config) {
    config.setMaxConcurrentRequests(1000);
    config.setMaxConcurrentRequestsPerHost(1000);
    // Dozens of tests at once keep two cores busy; what is slow is not wrong.
    config.setRequestTimeout(60_000);
    KubernetesClient client =
        new KubernetesClientBuilder()
            .withConfig(config)
            .withHttpClientFactory(new VertxHttpClientFactory(network))
            .build();
    synchronized (clients) {
      clients.add(client);
    }
    return client;
  }

  /**
   * Ends every process at once and deletes the data; the logs stay in a directory that a test
   * named.
   */
  @Override
  public void close() {
    synchronized (clients) {
      clients.forEach(KubernetesClient::close);
      clients.clear();
    }
    network.close();
    // Clients first: nobody logs that its server is gone.
    processes.reversed().forEach(GuardedProcess::close);
    deleteTree(temporary ? directory : directory.resolve("etcd"));
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), 200);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static int[] freePorts(int count) {
    List<ServerSocket> sockets = new ArrayList<>();
    try {
      // All open at once, so that they differ.
      for (int i = 0; i < count; i++) {
        sockets.add(new ServerSocket(0, 1, InetAddress.getLoopbackAddress()));
      }
      int[] ports = sockets.stream().mapToInt(ServerSocket::getLocalPort).toArray();
      for (ServerSocket socket : sockets) {
        socket.close();
      }
      return ports;
    } catch (IOException e) {
      throw new UncheckedIOException("no free port on loopback", e);
    }
  }

  private static void delete(Path file) {
    if (file != null) {
      file.toFile().delete();
    }
  }

  static void deleteTree(Path directory) {
    if (!Files.exists(directory)) {
      return;
    }
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    } catch (IOException | UncheckedIOException e) {
      // Only rubbish is left, in a temporary place.
    }
  }
}
