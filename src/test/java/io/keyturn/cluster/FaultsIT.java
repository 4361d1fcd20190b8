package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.docs.FaultMatrixPage;
import io.keyturn.testing.ApiFault;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.FaultProxy;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.SharedControlPlane;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Hundreds of rotations by the packaged operator, while requests and answers are lost, refused,
 * late or old between it and a real API server, watches break, and it is killed again and again.
 */
class FaultsIT {

  /** Of all that happens by chance; a failure names it. */
  private static final long SEED = Long.getLong("faults.seed", 4);

  private static final int ROTATIONS = Integer.getInteger("faults.rotations", 200);
  private static final int TEAMS = 2;
  private static final int BINDINGS = 20;

  /** Of a thousand requests that a fault can strike, how many it does. */
  private static final Map<ApiFault, Integer> MIX =
      Map.ofEntries(
          Map.entry(ApiFault.DELAYED, 15),
          Map.entry(ApiFault.REQUEST_LOST, 5),
          Map.entry(ApiFault.ANSWER_LOST, 8),
          Map.entry(ApiFault.UNAUTHORIZED, 2),
          Map.entry(ApiFault.FORBIDDEN, 2),
          Map.entry(ApiFault.CONFLICT, 20),
          Map.entry(ApiFault.GONE, 2),
          Map.entry(ApiFault.THROTTLED, 4),
          Map.entry(ApiFault.ERROR, 4),
          Map.entry(ApiFault.UNAVAILABLE, 4),
          Map.entry(ApiFault.WATCH_CUT, 250),
          Map.entry(ApiFault.WATCH_SILENT, 200),
          Map.entry(ApiFault.WATCH_GONE, 150),
          Map.entry(ApiFault.OLD_LIST, 300));

  /** Longer than the operator waits before it tries again what was refused. */
  private static final Duration BOUND = Duration.ofMinutes(2);

  private static ControlPlane plane;

  /** What operators serve here, no other one may. */
  @BeforeAll
  static void stopTheOperatorOfAllNamespaces() {
    SharedWorld.install();
    SharedWorld.stopOperator();
    plane = SharedControlPlane.get();
  }

  @Test
  void whateverGoesWrongEachRotationEndsAndNothingHappensTwice() throws Exception {
    System.out.printf("faults: play it again with -Dfaults.seed=%d%n", SEED);
    Instant begin = Instant.now();
    SplittableRandom random = new SplittableRandom(SEED);
    Map<Team, RecordedHistory> seen = new LinkedHashMap<>();
    for (int i = 0; i < TEAMS; i++) {
      Team team = SharedWorld.teamWithoutOperator("faults" + (char) ('a' + i));
      seen.put(team, RecordedHistory.of(team));
    }
    List<Course> courses = courses(seen, random);
    try (FaultProxy proxy = FaultProxy.start(plane, SEED, path -> path.contains("/leases/"));
        Chaos chaos =
            Chaos.start(plane, settings(proxy, seen.keySet()), random.split(), proxy::newClient)) {
      deliver(seen.keySet(), courses);

      Instant storm = Instant.now();
      proxy.strike(MIX);
      chaos.kill();
      Instant calm = rotate(courses, proxy, chaos);
      Instant end = Instant.now();

      System.out.printf(
          "faults: seed %d, %d requests, %s, killed %d times, ended by itself %d, restarted %d;"
              + " delivered in %d s, %d s of faults, %d s until all had ended%n",
          SEED,
          proxy.requests(),
          proxy.injected(),
          chaos.kills(),
          chaos.ended(),
          chaos.restarted(),
          Duration.between(begin, storm).toSeconds(),
          Duration.between(storm, calm).toSeconds(),
          Duration.between(calm, end).toSeconds());
      assertThat(Duration.between(calm, end)).isLessThan(BOUND);
      assertUnharmed(seen, courses);
      assertQuiet(seen.keySet());
      seen.values().forEach(RecordedHistory::assertInvariantsAtRest);
      seen.values().forEach(RecordedHistory::assertMadeOnce);
      Map<Stage, Long> ends = ends(seen);
      System.out.printf("faults: ended as %s%n", ends);
      FaultMatrixPage.CLUSTER.requireSays(page(proxy, chaos, ends));
    } finally {
      seen.values().forEach(RecordedHistory::close);
    }
  }

  private static Map<String, String> settings(FaultProxy proxy, Set<Team> teams) {
    return Map.of(
        "KUBECONFIG",
        proxy.kubeconfigFor(OperatorProcess.NAMESPACE, "keyturn").toString(),
        "KEYTURN_LEADER_ELECTION",
        "false",
        "KEYTURN_NAMESPACES",
        teams.stream().map(Team::namespace).collect(Collectors.joining(",")));
  }

  private static List<Course> courses(Map<Team, RecordedHistory> seen, SplittableRandom random) {
    List<Team> teams = List.copyOf(seen.keySet());
    List<Course> courses = new ArrayList<>();
    for (int i = 0; i < Math.min(BINDINGS, ROTATIONS); i++) {
      Team team = teams.get(i % TEAMS);
      courses.add(
          new Course(
              team,
              "db" + i,
              i < 4 ? 2 : 1,
              i % 4 == 0 ? 2 : 1,
              seen.get(team).rotations(),
              random.split()));
    }
    return courses;
  }

  private static void deliver(Set<Team> teams, List<Course> courses) {
    for (Team team : teams) {
      team.apply(
          Scene.policyManifest(Course.POLICY)
              + courses.stream()
                  .filter(c -> c.team() == team)
                  .map(Course::begin)
                  .collect(Collectors.joining("---\n")));
    }
    courses.forEach(c -> c.workloads().forEach(c.team()::awaitRolledOut));
  }

  /**
   * All bindings rotate at the same time, until there were so many rotations. Faults stop when the
   * last of them begin.
   *
   * @return when that was
   */
  private static Instant rotate(List<Course> courses, FaultProxy proxy, Chaos chaos)
      throws Exception {
    AtomicInteger left = new AtomicInteger(ROTATIONS);
    Instant[] calm = {Instant.now()};
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> runs = new ArrayList<>();
      for (Course course : courses) {
        runs.add(
            threads.submit(() -> {
              for (int n = left.getAndDecrement(); n > 0; n = left.getAndDecrement()) {
                if (n == 1) {
                  calm[0] = Instant.now();
                  proxy.calm();
                  chaos.calm();
                }
                course.move();
              }
            }));
      }
      List<String> failures = new ArrayList<>();
      for (Future<?> run : runs) {
        try {
          run.get();
        } catch (ExecutionException e) {
          failures.add(String.valueOf(e.getCause().getMessage()));
        }
      }
      assertThat(failures).as("with -Dfaults.seed=%d", SEED).isEmpty();
    }
    return calm[0];
  }

  private static void assertUnharmed(Map<Team, RecordedHistory> seen, List<Course> courses) {
    for (Course course : courses) {
      Team team = course.team();
      course.workloads().forEach(team::awaitRolledOut);
      assertThat(course.holds()).as("the alias of " + course.name()).isTrue();
      assertThat(course.rejected()).noneMatch(l -> team.seenOutsideCanary(l.password()));
    }
    seen.forEach((team, history) -> {
      team.await(
          "no canary is left",
          () -> Bindings.clones(team).isEmpty() && team.stablePods().size() == team.pods().size());
      assertThat(ends(history).values()).allMatch(Stage::terminal);
      assertThat(team.refusedOutsideCanary()).isZero();
      assertThat(team.accepted()).isPositive();
    });
  }

  /** With nothing left to do nothing is written. */
  private static void assertQuiet(Set<Team> teams) {
    String[] namespaces = teams.stream().map(Team::namespace).toArray(String[]::new);
    Awaitility.await("the operator has nothing to do")
        .atMost(BOUND)
        .pollInterval(Duration.ofSeconds(1))
        .until(() -> Writes.since(Instant.now().minusSeconds(5), namespaces).isEmpty());
  }

  private static Map<Stage, Long> ends(Map<Team, RecordedHistory> seen) {
    Map<Stage, Long> ends = new EnumMap<>(Stage.class);
    for (Stage stage : Stage.values()) {
      if (stage.terminal()) {
        ends.put(stage, 0L);
      }
    }
    seen.values().forEach(h -> ends(h).values().forEach(e -> ends.merge(e, 1L, Long::sum)));
    return ends;
  }

  /** Where each rotation stands that there ever was. */
  private static Map<String, Stage> ends(RecordedHistory history) {
    Map<String, Stage> ends = new HashMap<>();
    history
        .rotations()
        .states()
        .forEach(r -> ends.put(r.getMetadata().getName(), r.getStatus().stage()));
    return ends;
  }

  private static String page(FaultProxy proxy, Chaos chaos, Map<Stage, Long> ends) {
    StringBuilder page = new StringBuilder(FaultMatrixPage.HEADING);
    page.append(
        """

        Written by `FaultsIT`, which draws by chance from a seed (`-Dfaults.seed`). The packaged
        operator rotates %d bindings at the same time, for some %d rotations – bad values, aborts and
        values that are taken back among them – while a proxy between it and a real API server strikes
        its requests, and `kill -9` ends it. Each password that is replaced dies as soon as its rotation
        has ended. Of one run, with **%d kills and %,d requests**:

        | Fault | What the operator does then | Struck |
        | --- | --- | ---: |
        """
            .formatted(BINDINGS, ROTATIONS, chaos.kills(), proxy.requests()));
    proxy
        .injected()
        .forEach((fault, count) -> {
          if (MIX.containsKey(fault)) {
            page.append("| %s | %s | %,d |%n".formatted(fault.sentence(), fault.expected(), count));
          }
        });
    page.append("\nThe rotations ended as ");
    page.append(
        ends.entrySet().stream()
            .map(e -> "%s (%d)".formatted(e.getKey(), e.getValue()))
            .collect(Collectors.joining(", ")));
    page.append(
        """
        .
        Asserted then, by every state of every object that the API server has told:

        - Each rotation has ended as it had to, the last ones within two minutes after the faults.
        - The invariants above, but for the eleventh: nothing happened twice, each pod template and alias
          moved to a version once, and back from it at most once, and the alias was whole at each moment.
        - No pod but canaries saw a rejected value, and none was refused a login.
        - No canary is left, and nothing is written any more.
        """);
    return page.toString();
  }
}
