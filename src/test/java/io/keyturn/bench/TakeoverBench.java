package io.keyturn.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.testing.AuditedRequest;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.SharedControlPlane;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * How long nobody acts when the leader is killed among many bindings. It runs with {@code ./mvnw
 * verify -Pbench}; alone with {@code -Dit.test=TakeoverBench}.
 */
class TakeoverBench {

  private static final int BINDINGS = Integer.getInteger("bench.bindings", 2000);
  private static final int KILLS = Integer.getInteger("bench.kills", 3);

  /** Longer than a leader waits between two renewals: where in between it dies is chance. */
  private static final Duration RENEWAL = Duration.ofSeconds(5);

  private static ControlPlane plane;
  private static IdleBindings bindings;

  @BeforeAll
  static void install() {
    plane = SharedControlPlane.get();
    OperatorProcess.install(plane);
    bindings = IdleBindings.in(plane, BINDINGS).prepare();
  }

  /**
   * What follows a kill.
   *
   * @param lease until the other one has taken the Lease, in seconds
   * @param action until it has written something that serves a binding
   */
  private record Gap(double lease, double action) {}

  @Test
  void killOfTheLeaderToTheNextUsefulAction() {
    List<Gap> gaps = new ArrayList<>();
    OperatorProcess leader = MeasuredOperator.startElected(plane);
    try {
      bindings.create();
      bindings.awaitFirstVersion();
      for (int kill = 0; kill < KILLS; kill++) {
        int binding = (kill * BINDINGS + BINDINGS / 2) / KILLS;
        OperatorProcess next = MeasuredOperator.startElected(plane);
        try {
          gaps.add(kill(leader, binding));
        } finally {
          leader.close();
          leader = next;
        }
        assertRotatedOnce(binding, kill + 1);
      }
      assertThat(leader.errors()).isEmpty();
    } finally {
      leader.close();
    }
    for (Gap gap : gaps) {
      Figures.print(
          "kill of the leader at %d bindings (Lease taken, useful action)".formatted(BINDINGS),
          "%.1f s, %.1f s".formatted(gap.lease(), gap.action()));
    }
    Figures.print(
        "kill of the leader to the next useful action (max of %d)".formatted(KILLS),
        "%.1f s".formatted(gaps.stream().mapToDouble(Gap::action).max().orElseThrow()));
  }

  /** An upstream changes when nobody leads. */
  private static Gap kill(OperatorProcess leader, int binding) {
    MeasuredOperator.awaitRest(plane);
    awaitAnyMomentOfARenewal();
    Instant begin = Instant.now();
    leader.signal("KILL");
    assertThat(leader.awaitEnd(Duration.ofSeconds(10))).isTrue();
    Instant dead = Instant.now();
    bindings.changeUpstream(binding);
    Awaitility.await("the next leader acts")
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofMillis(200))
        .until(() -> !MeasuredOperator.writesSince(plane, dead).isEmpty());
    AuditedRequest lease = first(MeasuredOperator.leaseWritesSince(plane, dead));
    AuditedRequest action = first(MeasuredOperator.writesSince(plane, dead));
    assertThat(action.namespace()).as(action.toString()).isEqualTo(IdleBindings.namespace(binding));
    return new Gap(between(begin, lease), between(begin, action));
  }

  private static void awaitAnyMomentOfARenewal() {
    Instant moment =
        Instant.now().plusMillis(ThreadLocalRandom.current().nextLong(RENEWAL.toMillis()));
    Awaitility.await()
        .pollInterval(Duration.ofMillis(10))
        .until(() -> !Instant.now().isBefore(moment));
  }

  private static AuditedRequest first(List<AuditedRequest> writes) {
    return writes.stream()
        .filter(r -> r.code() < 300)
        .min(Comparator.comparing(AuditedRequest::at))
        .orElseThrow();
  }

  private static double between(Instant begin, AuditedRequest request) {
    return Figures.seconds(Duration.between(begin, request.at()));
  }

  private static void assertRotatedOnce(int binding, int rotations) {
    String name = Names.rotation(IdleBindings.name(binding), 2);
    Awaitility.await(name + " is promoted")
        .atMost(Duration.ofMinutes(2))
        .until(() -> {
          SecretRotation rotation = rotation(binding, name);
          return rotation != null && rotation.getStatus().stage().promoted();
        });
    assertThat(
            MeasuredOperator.writesSince(plane, Instant.EPOCH).stream()
                .filter(r -> r.is("create", "secretrotations"))
                .filter(r -> r.code() < 300))
        .as("rotations that were started")
        .hasSize(rotations);
  }

  private static SecretRotation rotation(int binding, String name) {
    return plane
        .adminClient()
        .resources(SecretRotation.class)
        .inNamespace(IdleBindings.namespace(binding))
        .withName(name)
        .get();
  }
}
