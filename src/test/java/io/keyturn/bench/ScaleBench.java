package io.keyturn.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Team;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.HollowKubelet;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.SharedControlPlane;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Measures what the performance targets name and prints it; it asserts that the work was done, and
 * no time. Run it with {@code ./mvnw verify -Pbench} on a machine that does nothing else.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@SuppressWarnings("try") // resources that only have to be there
class ScaleBench {

  private static final int BINDINGS = Integer.getInteger("bench.bindings", 2000);
  private static final int STARTS = 5;
  private static final int TEAMS = 5;
  private static final int ROUNDS = 10;

  @BeforeAll
  static void install() {
    OperatorProcess.install(SharedControlPlane.get());
  }

  @Test
  @Order(1)
  void startOfTheProcessToReady() {
    ControlPlane plane = SharedControlPlane.get();
    List<Long> millis = new ArrayList<>();
    for (int i = 0; i <= STARTS; i++) {
      Instant begin = Instant.now();
      try (OperatorProcess operator = MeasuredOperator.start(plane)) {
        millis.add(Duration.between(begin, Instant.now()).toMillis());
        assertThat(operator.isAlive()).isTrue();
      }
    }
    // The first start fills the page cache.
    List<Long> counted = millis.subList(1, millis.size()).stream().sorted().toList();
    Figures.print(
        "start of the process to ready (min, median, max of " + STARTS + ")",
        "%d ms, %d ms, %d ms"
            .formatted(counted.getFirst(), counted.get(STARTS / 2), counted.getLast()));
  }

  @Test
  @Order(2)
  void changeOfTheUpstreamToCanaryPod() {
    ControlPlane plane = SharedControlPlane.get();
    HollowKubelet kubelet = SharedControlPlane.kubelet();
    Map<String, Instant> created = new ConcurrentHashMap<>();
    List<Long> millis = new ArrayList<>();
    try (PostgresServer postgres = PostgresServer.start();
        OperatorProcess operator = MeasuredOperator.start(plane);
        Watch watch = canaryPods(plane.adminClient(), created)) {
      assertThat(operator.isAlive()).isTrue();
      List<Team> teams = new ArrayList<>();
      for (int i = 0; i < TEAMS; i++) {
        teams.add(team(plane, postgres, kubelet));
      }
      for (int round = 0; round < ROUNDS; round++) {
        long version = round + 2L;
        for (Team team : teams) {
          Team.Login login = team.newLogin();
          Instant begin = Instant.now();
          team.writeUpstream(login);
          String key = team.namespace() + "/" + Names.rotation(Team.SECRET, version);
          team.await("a canary pod", () -> created.containsKey(key));
          millis.add(Duration.between(begin, created.get(key)).toMillis());
        }
        teams.forEach(t -> t.awaitStage(version, Stage.Complete));
      }
      assertThat(teams).allMatch(t -> t.refused() == 0);
    }
    List<Long> sorted = millis.stream().sorted().toList();
    Figures.print(
        "change of the upstream to canary pod (median, p99 of " + sorted.size() + ")",
        "%d ms, %d ms"
            .formatted(
                sorted.get(sorted.size() / 2),
                sorted.get((int) Math.ceil(sorted.size() * 0.99) - 1)));
  }

  private static Team team(ControlPlane plane, PostgresServer postgres, HollowKubelet kubelet) {
    Team team = new Team(plane, postgres, kubelet, SharedControlPlane.newNamespace("latency"));
    team.writeUpstream(team.newLogin());
    team.quickPolicy("1s", "  historyLimit: 2");
    team.bind("payments");
    team.deploy("payments", 2);
    team.awaitVersion(1);
    team.awaitRolledOut("payments");
    return team;
  }

  /** Notes when the first pod of each rotation's canary was created, as a watcher sees it. */
  private static Watch canaryPods(KubernetesClient client, Map<String, Instant> created) {
    return client
        .pods()
        .inAnyNamespace()
        .withLabel(Names.CANARY_FOR)
        .watch(
            new Watcher<>() {
              @Override
              public void eventReceived(Action action, Pod pod) {
                if (action == Action.ADDED) {
                  created.putIfAbsent(
                      pod.getMetadata().getNamespace()
                          + "/"
                          + pod.getMetadata().getAnnotations().get(Names.ROTATION),
                      Instant.now());
                }
              }

              @Override
              public void onClose(WatcherException cause) {
                throw new IllegalStateException("the watch ended", cause);
              }
            });
  }

  @Test
  @Order(3)
  void manyBindingsCreatedAtOnce() throws IOException, InterruptedException {
    ControlPlane plane = SharedControlPlane.get();
    try (OperatorProcess operator = MeasuredOperator.start(plane)) {
      IdleBindings bindings = IdleBindings.in(plane, BINDINGS).prepare();
      long before = heap(operator);
      Instant begin = Instant.now();
      bindings.create();
      double creation = Figures.secondsSince(begin);
      bindings.awaitFirstVersion();
      int reads = MeasuredOperator.readsSince(plane, begin).size();
      Figures.print(
          BINDINGS + " bindings created at once (creation alone, converged)",
          "%.1f s, %.1f s".formatted(creation, Figures.secondsSince(begin)));
      MeasuredOperator.awaitRest(plane);
      long after = heap(operator);
      Figures.print(
          "heap per idle binding after GC, at " + BINDINGS,
          "%.1f kB".formatted((after - before) / 1000.0 / BINDINGS));
      Figures.print(
          "writes per created binding", "%.2f".formatted(writes(plane, begin) / BINDINGS));
      Figures.print("reads per created binding", "%.1f".formatted(reads / (double) BINDINGS));
      Figures.print(
          "resident memory of the operator", "%d MiB".formatted(resident(operator.pid())));
    }
  }

  private static double writes(ControlPlane plane, Instant begin) {
    return MeasuredOperator.writesSince(plane, begin).stream()
        .filter(r -> r.namespace().startsWith("scale-"))
        .count();
  }

  /** Bytes of heap in use after two collections, as the JVM itself tells. */
  private static long heap(OperatorProcess operator) throws IOException, InterruptedException {
    jcmd(operator, "GC.run");
    jcmd(operator, "GC.run");
    String histogram = jcmd(operator, "GC.class_histogram");
    java.nio.file.Files.writeString(java.nio.file.Path.of("target", "heap.txt"), histogram);
    Matcher total = Pattern.compile("Total\\s+\\d+\\s+(\\d+)").matcher(histogram);
    assertThat(total.find()).as(histogram).isTrue();
    return Long.parseLong(total.group(1));
  }

  private static String jcmd(OperatorProcess operator, String command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                System.getProperty("java.home") + "/bin/jcmd",
                Long.toString(operator.pid()),
                command)
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output;
  }

  private static long resident(long pid) throws IOException {
    String status =
        java.nio.file.Files.readString(java.nio.file.Path.of("/proc/" + pid + "/status"));
    Matcher rss = Pattern.compile("VmRSS:\\s+(\\d+) kB").matcher(status);
    assertThat(rss.find()).isTrue();
    return Long.parseLong(rss.group(1)) / 1024;
  }
}
