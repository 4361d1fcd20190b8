package io.keyturn.playground;

import io.keyturn.cluster.Team;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.HollowKubelet;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.VaultServer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.awaitility.Awaitility;

/** Everything that runs: control plane, nodes, PostgreSQL, operator. */
final class World implements AutoCloseable {

  private final Deque<AutoCloseable> open = new ArrayDeque<>();
  private final Set<ProcessHandle> processes = ConcurrentHashMap.newKeySet();
  private final List<OperatorProcess> operators = new ArrayList<>();
  private ControlPlane plane;
  private HollowKubelet kubelet;
  private PostgresServer postgres;
  private boolean closed;

  /** Starts a control plane with three nodes, and a PostgreSQL beside it. */
  void start(Path directory) {
    CompletableFuture<PostgresServer> database =
        CompletableFuture.supplyAsync(() -> opened(PostgresServer.start()));
    plane = opened(ControlPlane.start(directory));
    kubelet = opened(HollowKubelet.start(plane.clientForUser("hollow-kubelet", "system:masters")));
    postgres = database.join();
    noteProcesses();
  }

  /** Applies what is shipped, and starts the operator under its shipped rights. */
  void startOperator() {
    if (operators.isEmpty()) {
      OperatorProcess.install(plane);
    }
    // Nobody else competes for the Lease, and waiting for that of a killed operator shows nothing.
    operators.add(opened(OperatorProcess.start(plane, Map.of("KEYTURN_LEADER_ELECTION", "false"))));
    noteProcesses();
  }

  /** Kills the operator as a lost node does; the result is its process id. */
  long killOperator() {
    OperatorProcess operator = operators.getLast();
    long pid = operator.pid();
    operator.kill();
    Awaitility.await("the operator is gone").until(() -> !operator.isAlive());
    return pid;
  }

  /** Whether there is a Vault on this machine. */
  boolean hasVault() {
    return !System.getProperty("demo.vault", "").isEmpty();
  }

  /** Starts a Vault that asks the control plane who somebody is, and issues users of PostgreSQL. */
  VaultServer startVault() {
    VaultServer vault = opened(VaultServer.start());
    noteProcesses();
    vault.enableKubernetesAuth("kubernetes", plane);
    vault.enableDatabase("database", postgres);
    return vault;
  }

  /** A team in a new namespace. */
  Team team(String namespace) {
    plane.apply("{apiVersion: v1, kind: Namespace, metadata: {name: %s}}".formatted(namespace));
    Team team = new Team(plane, postgres, kubelet, namespace);
    team.await(
        "the default service account",
        () ->
            team.client().serviceAccounts().inNamespace(namespace).withName("default").get()
                != null);
    return team;
  }

  ControlPlane plane() {
    return plane;
  }

  HollowKubelet kubelet() {
    return kubelet;
  }

  PostgresServer postgres() {
    return postgres;
  }

  /** What each operator that ever ran has logged. */
  List<Path> operatorLogs() {
    return operators.stream().map(OperatorProcess::log).toList();
  }

  private <T extends AutoCloseable> T opened(T what) {
    synchronized (open) {
      if (!closed) {
        open.push(what);
        return what;
      }
    }
    close(what);
    throw new IllegalStateException("the demo is ending");
  }

  /** Ends everything, the last first. */
  @Override
  public void close() {
    List<AutoCloseable> all;
    synchronized (open) {
      closed = true;
      all = List.copyOf(open);
      open.clear();
    }
    all.forEach(World::close);
    processes.forEach(World::awaitEnd);
  }

  /** Remembers what runs by now: Ctrl-C reaches the shells between, and then nobody finds it. */
  private void noteProcesses() {
    ProcessHandle.current().descendants().forEach(processes::add);
  }

  private static void awaitEnd(ProcessHandle process) {
    try {
      process.onExit().get(5, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      process.destroyForcibly();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void close(AutoCloseable what) {
    try {
      what.close();
    } catch (Exception e) {
      // It ends with this JVM at the latest.
    }
  }
}
