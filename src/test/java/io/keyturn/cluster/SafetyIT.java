package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.dsl.Resource;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.SharedControlPlane;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.ResourceLock;

/**
 * What teams notice when the operator is killed, started twice, frozen, told to go, or robbed of
 * its Lease: nothing but time. Each test's operators serve the namespaces of that test alone.
 */
@ExtendWith(HeldInvariants.class)
class SafetyIT {

  private static final int TEAMS = 3;
  private static final int KILLS = 20;

  /** Every fifth kill comes within a second of the beginning of one of them. */
  private static final List<Stage> STAGES =
      List.of(Stage.Pending, Stage.Canary, Stage.Baking, Stage.Promoting, Stage.Retiring);

  private static final String LEASE = "Lease";
  private static final DateTimeFormatter MICRO_TIME =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX");

  @BeforeAll
  static void endTheSharedOperator() {
    SharedWorld.install();
    SharedWorld.stopOperator();
  }

  @ConcurrentTest
  void killsAtAnyMomentOfARotationCostNothingButTime() throws Exception {
    List<Stage> interrupted = Collections.synchronizedList(new ArrayList<>());
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> teams = new ArrayList<>();
      for (int team = 0; team < TEAMS; team++) {
        int first = team;
        teams.add(threads.submit(() -> killAgainAndAgain(first, interrupted)));
      }
      for (Future<?> team : teams) {
        team.get();
      }
    }
    assertThat(interrupted).as("kills of a rotation under way").hasSizeGreaterThan(KILLS / 2);
    assertThat(interrupted.stream().distinct()).hasSizeGreaterThanOrEqualTo(3);
  }

  private static void killAgainAndAgain(int first, List<Stage> interrupted) {
    Random random = new Random();
    Team team = SharedWorld.teamWithoutOperator("kills");
    OperatorProcess operator = alone(team);
    try {
      Rotating rotating = Rotating.start(team, Scene.APP);
      for (int kill = first; kill < KILLS; kill += TEAMS) {
        rotating.rotate(kill % 4 != 3).awaitPast(STAGES.get(kill % STAGES.size()));
        awaitInstant(Instant.now().plusMillis(random.nextInt(1000)));
        operator.kill();
        rotating.addStageTo(interrupted);
        assertThat(operator.errors()).isEmpty();
        operator = alone(team);
        rotating.awaitEnd();
      }
      rotating.assertUnharmed();
    } finally {
      operator.close();
    }
  }

  @ConcurrentTest
  void anOperatorOfTwoNamespacesThatIsStartedAnewServesBoth() {
    Team payments = SharedWorld.teamWithoutOperator("first");
    Team ledger = SharedWorld.teamWithoutOperator("second");
    String both = payments.namespace() + "," + ledger.namespace();
    OperatorProcess operator = alone(both);
    try {
      List<Rotating> teams =
          List.of(Rotating.start(payments, Scene.APP), Rotating.start(ledger, Scene.APP));
      for (int round = 0; round < 3; round++) {
        teams.forEach(Rotating::rotateWell);
        teams.forEach(Rotating::awaitEnd);
        operator.kill();
        operator = alone(both);
      }
      teams.forEach(Rotating::assertUnharmed);
    } finally {
      operator.close();
    }
  }

  @ConcurrentTest
  void twoOperatorsWithoutElectionDoNoHarm() {
    Team team = SharedWorld.teamWithoutOperator("twice");
    try (OperatorProcess one = alone(team);
        OperatorProcess two = alone(team)) {
      Rotating rotating = Rotating.start(team, Scene.APP, "ledger");
      try (History<Deployment> clones = rotating.clones();
          History<Deployment> payments = rotating.workload(Scene.APP)) {
        for (boolean good : List.of(true, true, false, true, true)) {
          rotating.rotate(good).awaitEnd();
        }
        rotating.assertUnharmed();
        assertThat(clones.moments(List::size)).contains(1, 2).allMatch(n -> n <= 2);
        assertThat(payments.changesOf(Scene::annotation).stream().skip(1))
            .extracting(id -> id.substring(0, 2))
            .as("a template is changed once for each good version")
            .containsExactly("v2", "v3", "v5", "v6");
        assertThat(payments.changesOf(d -> d.getMetadata().getGeneration())).hasSize(5);
      }
      assertThat(one.isAlive() && two.isAlive()).isTrue();
      assertThat(one.errors()).isEmpty();
      assertThat(two.errors()).isEmpty();
    }
  }

  @ConcurrentTest
  @ResourceLock(LEASE)
  void anOperatorThatIsToldToGoHandsOverWithinSeconds() {
    Team team = SharedWorld.teamWithoutOperator("handover");
    try (OperatorProcess leader = leading(team);
        OperatorProcess next = elected(team)) {
      assertThat(leads(next)).isFalse();
      Rotating rotating = Rotating.start(team, Scene.APP);
      rotating.rotateWell().awaitPast(Stage.Staging);

      leader.signal("TERM");

      assertThat(leader.awaitEnd(Duration.ofSeconds(5))).isTrue();
      assertThat(leader.exitCode()).isEqualTo(143);
      Duration gap = timed(() -> awaitLeading(next));
      assertThat(gap).as("the Lease was let go").isLessThan(Duration.ofSeconds(8));
      rotating.awaitEnd();
      rotating.assertUnharmed();
      assertThat(leader.errors()).isEmpty();
      assertThat(next.errors()).isEmpty();
      assertThat(requestsForLeases())
          .as("renewals and the release are allowed by the shipped role")
          .contains("patch 200", "update 200")
          .noneMatch(r -> r.endsWith("403"));
    }
  }

  @ConcurrentTest
  @ResourceLock(LEASE)
  void aSecondOperatorGoesOnWhereAKilledLeaderStopped() {
    Team team = SharedWorld.teamWithoutOperator("takeover");
    try (OperatorProcess leader = leading(team);
        OperatorProcess next = elected(team)) {
      Rotating rotating = Rotating.start(team, Scene.APP);
      rotating.rotateWell().awaitPast(Stage.Staging);

      leader.kill();

      Duration gap = timed(() -> awaitLeading(next));
      assertThat(gap).isLessThan(Duration.ofSeconds(30));
      rotating.awaitEnd();
      rotating.assertUnharmed();
      assertThat(next.errors()).isEmpty();
    }
  }

  @ConcurrentTest
  @ResourceLock(LEASE)
  void aLeaderThatStandsStillWhileAnotherActsRepeatsNothingAndEnds() {
    Team team = SharedWorld.teamWithoutOperator("frozen");
    try (OperatorProcess leader = leading(team);
        OperatorProcess next = elected(team)) {
      Rotating rotating = Rotating.start(team, Scene.APP);
      try (History<Deployment> clones = rotating.clones();
          History<Deployment> payments = rotating.workload(Scene.APP)) {
        rotating.rotateWell().awaitPast(Stage.Canary);

        leader.signal("STOP");
        Instant goesOn = Instant.now().plusSeconds(60);
        awaitLeading(next);
        rotating.awaitEnd();
        rotating.rotateWell().awaitEnd();
        awaitInstant(goesOn);
        leader.signal("CONT");

        assertThat(leader.awaitEnd(Duration.ofSeconds(15))).isTrue();
        assertThat(leader.exitCode()).isEqualTo(1);
        rotating.assertUnharmed();
        assertThat(clones.moments(List::size)).contains(1).allMatch(n -> n <= 1);
        assertThat(payments.changesOf(Scene::annotation).stream().skip(1))
            .extracting(id -> id.substring(0, 2))
            .as("a template is changed once for each version")
            .containsExactly("v2", "v3");
      }
      assertThat(next.isAlive()).isTrue();
      assertThat(next.errors()).isEmpty();
    }
  }

  @ConcurrentTest
  @ResourceLock(LEASE)
  void anOperatorWhoseLeaseIsTakenEnds() {
    Team team = SharedWorld.teamWithoutOperator("deposed");
    try (OperatorProcess leader = leading(team)) {
      takeLease("somebody-else");

      assertThat(leader.awaitEnd(Duration.ofSeconds(15))).isTrue();
      assertThat(leader.exitCode()).isEqualTo(1);
      assertThat(leader.errors()).singleElement().asString().contains("the Lease was lost");
    } finally {
      lease().delete();
    }
  }

  private static OperatorProcess alone(Team team) {
    return alone(team.namespace());
  }

  private static OperatorProcess alone(String namespaces) {
    return OperatorProcess.start(
        SharedControlPlane.get(),
        Map.of("KEYTURN_LEADER_ELECTION", "false", "KEYTURN_NAMESPACES", namespaces));
  }

  private static OperatorProcess elected(Team team) {
    return OperatorProcess.start(
        SharedControlPlane.get(), Map.of("KEYTURN_NAMESPACES", team.namespace()));
  }

  private static OperatorProcess leading(Team team) {
    OperatorProcess operator = elected(team);
    awaitLeading(operator);
    return operator;
  }

  private static boolean leads(OperatorProcess operator) {
    return operator.get("/q/health/ready").replace(" ", "").contains("\"leader\":true");
  }

  private static void awaitLeading(OperatorProcess operator) {
    Awaitility.await("it leads, see " + operator.log())
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(100))
        .until(() -> leads(operator));
  }

  private static Resource<Lease> lease() {
    return SharedControlPlane.get()
        .adminClient()
        .leases()
        .inNamespace(OperatorProcess.NAMESPACE)
        .withName(Names.KEYTURN);
  }

  private static List<String> requestsForLeases() {
    return SharedControlPlane.get().audit().requests(r -> r.resource().equals("leases")).stream()
        .filter(r -> r.user().equals("system:serviceaccount:keyturn-system:keyturn"))
        .map(r -> r.verb() + " " + r.code())
        .distinct()
        .toList();
  }

  private static void takeLease(String holder) {
    ZonedDateTime later = ZonedDateTime.now(ZoneOffset.UTC).plusMinutes(5);
    lease()
        .patch(
            PatchContext.of(PatchType.JSON_MERGE),
            "{\"spec\": {\"holderIdentity\": \"%s\", \"renewTime\": \"%s\"}}"
                .formatted(holder, MICRO_TIME.format(later)));
  }

  private static Duration timed(Runnable work) {
    Instant begin = Instant.now();
    work.run();
    return Duration.between(begin, Instant.now());
  }

  private static void awaitInstant(Instant moment) {
    Awaitility.await()
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofMillis(10))
        .until(() -> !Instant.now().isBefore(moment));
  }
}
