package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Base64;
import java.util.Set;
import org.junit.jupiter.api.extension.ExtendWith;

/** What happens when somebody reports that the current value is known to others. */
@ExtendWith(HeldInvariants.class)
class EmergencyIT {

  private static final String UNHURRIED =
      "canary: {bake: 10m, deadline: 20m}, retirement: {grace: 1h, keepSnapshots: 2},"
          + " windows: [{cron: \"0 0 29 2 *\", duration: 1m}]";

  private static final Duration AGO = Duration.ofMinutes(5);

  /** What the one at the keyboard does; the result is the time of the report. */
  private static Instant report(Scene scene) {
    Instant reportedAt = Instant.now().minus(AGO).truncatedTo(ChronoUnit.SECONDS);
    scene.patch(
        "secretbinding",
        Team.SECRET,
        "spec: {rotate: {nonce: leaked, reason: Compromise, reportedAt: \"%s\"}}",
        reportedAt);
    return reportedAt;
  }

  @ConcurrentTest
  void aCompromisedValueIsReplacedAsSoonAsTheSourceHoldsAnotherOneAndNeverComesBack() {
    Scene scene = Scene.of("leak", "{" + UNHURRIED + "}", Scene.client(2));
    Team team = scene.team();
    Set<String> before = scene.stableUids();

    Instant reportedAt = report(scene);

    SecretRotation waiting = scene.awaitBlocked(2, "SourceUnchanged");
    assertThat(waiting.getSpec().trigger()).isEqualTo(Trigger.Compromise);
    assertThat(waiting.getSpec().reportedAt()).isEqualTo(reportedAt);
    scene.assertCondition(2, "Stalled", Status.True, "SourceUnchanged");
    assertThat(Bindings.awaitStalled(team, Team.SECRET, "SourceUnchanged"))
        .contains("write a new one there");
    assertThat(scene.stableUids()).isEqualTo(before);

    Team.Login second = scene.rotate();

    scene.assertPromoted(2, second);
    SecretRotation done = team.rotation(2);
    assertThat(scene.seenByCanary(second)).as("it was tried out").isTrue();
    scene.assertCondition(2, "CanaryVerified", Status.True, "CanaryPassed");
    assertThat(scene.stableUids()).hasSize(2).doesNotContainAnyElementsOf(before);
    assertThat(done.getStatus().retirement().usersRemaining()).isZero();
    assertThat(Durations.parse(done.getStatus().timeToContain()))
        .isBetween(AGO, AGO.plusSeconds(90));
    scene.assertCondition(2, "OldRevoked", Status.False, "RevokeAtIssuer");
    team.await("the compromised snapshot is deleted", () -> scene.snapshots(1).isEmpty());
    Bindings.awaitHealthy(team, Team.SECRET);
    assertThat(team.refused()).isZero();

    team.writeUpstream(scene.first());

    scene.awaitCondition("RotationHealthy", Status.False, "SourceCompromised");
    assertThat(scene.versions()).containsExactly(2L);
    scene.patch(
        "secretbinding",
        Team.SECRET,
        "spec: {rotate: {nonce: all-the-same, reason: Manual, reportedAt: null}}");
    scene.awaitBlocked(3, "SourceCompromised");
    scene.assertCondition(3, "Stalled", Status.True, "SourceCompromised");
    assertThat(team.holds(Team.SECRET, second)).isTrue();
    team.writeUpstream(second);
    team.awaitStage(3, Stage.Superseded);
    scene.awaitCondition("RotationHealthy", Status.True, "Ready");
  }

  @ConcurrentTest
  void aCompromiseDoesNotWaitForTheBakeOfAnotherRotation() {
    Scene scene =
        Scene.of(
            "overtake",
            1,
            "{canary: {bake: 10m, deadline: 20m}, retirement: {grace: 1h, keepSnapshots: 2}}");
    Team team = scene.team();
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Baking);

    report(scene);

    team.awaitStage(2, Stage.Superseded);
    scene.assertPromoted(3, second);
    assertThat(team.rotation(3).getSpec().trigger()).isEqualTo(Trigger.Compromise);
    team.await("the compromised snapshot is deleted", () -> scene.snapshots(1).isEmpty());
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aPodThatKeepsTheOldValueIsNamedAndKeepsTheEmergencyOpenUntilItsDeadlineAlone() {
    Scene scene =
        Scene.of(
            "straggler",
            "{"
                + UNHURRIED
                + ", emergency: {canary: None, revokeDeadline: 10s, containmentObjective: 5m}}",
            Scene.client(1));
    Team team = scene.team();
    team.apply(STRAGGLER);
    team.await(
        "the straggler runs",
        () ->
            team.pods().stream()
                .filter(p -> p.getMetadata().getName().equals("straggler"))
                .anyMatch(p -> "Running".equals(p.getStatus().getPhase())));
    report(scene);
    scene.awaitBlocked(2, "SourceUnchanged");
    scene.assertCondition(2, "RemediationOverdue", Status.True, "RemediationOverdue");
    team.await(
        "an event tells of it",
        () -> team.events().stream().anyMatch(e -> e.startsWith("RemediationOverdue: ")));

    Team.Login second = scene.rotate();

    team.awaitStage(2, Stage.Retiring);
    assertThat(team.rotation(2).getStatus().retirement().stragglers()).containsExactly("straggler");
    scene.assertPromoted(2, second);
    var status = team.rotation(2).getStatus();
    assertThat(status.retirement().stragglers()).containsExactly("straggler");
    assertThat(Duration.between(status.timeline().startedAt(), status.timeline().finishedAt()))
        .isBetween(Duration.ofSeconds(10), Duration.ofSeconds(20));
    assertThat(scene.condition(2, "RemediationOverdue")).isNull();
    scene.assertCondition(2, "CanaryVerified", Status.False, "NoCanary");
    team.await("the compromised snapshot is deleted", () -> scene.snapshots(1).isEmpty());
  }

  @ConcurrentTest
  void whoSuspendsABindingOrHoldsARotationHoldsAnEmergencyToo() {
    Scene scene = Scene.of("held", "{" + UNHURRIED + "}", Scene.client(1));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    scene.patch("secretbinding", Team.SECRET, "spec: {suspend: true}");
    report(scene);
    scene.awaitCondition("Rotating", Status.False, "Suspended");
    assertThat(scene.versions()).isEmpty();

    scene.patch("secretbinding", Team.SECRET, "spec: {suspend: false}");
    scene.awaitBlocked(2, "SourceUnchanged");
    scene.patch("secretrotation", "payments-db-2", "spec: {hold: true}");
    Team.Login second = scene.rotate();
    scene.awaitBlocked(2, "Held");
    assertThat(scene.stableUids()).isEqualTo(before);
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();

    scene.patch("secretrotation", "payments-db-2", "spec: {hold: false}");
    scene.assertPromoted(2, second);
  }

  private static final String STRAGGLER =
      """
      apiVersion: v1
      kind: Pod
      metadata: {name: straggler, labels: {app: by-hand}}
      spec:
        terminationGracePeriodSeconds: 1
        containers:
          - name: app
            image: hollow/ready
            env:
              - name: DB_PASSWORD
                valueFrom: {secretKeyRef: {name: payments-db, key: password}}
      """;

  @ConcurrentTest
  void anEmergencyWhoseCanaryCrashesIsStoppedAndTriedAgainAsOne() {
    Scene scene =
        Scene.of(
            "stopped",
            "{" + UNHURRIED + ", retry: {maxAttempts: 3, initialBackoff: 8s}}",
            Scene.idle(Scene.APP, 1));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Instant reportedAt = report(scene);
    scene.awaitBlocked(2, "SourceUnchanged");
    // Its rollout does not come to an end, and an emergency does not wait for that.
    scene.run("set", "image", "deployment/payments", "app=hollow/crash");

    Team.Login second = scene.rotate();

    team.awaitStage(2, Stage.Failed);
    scene.assertCondition(2, "Succeeded", Status.False, "CanaryFailed");
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    assertThat(scene.stableUids()).containsAll(before);
    scene.run("rollout", "undo", "deployment/payments");

    scene.assertPromoted(3, second);
    assertThat(team.rotation(3).getSpec().trigger()).isEqualTo(Trigger.Compromise);
    assertThat(team.rotation(3).getSpec().reportedAt()).isEqualTo(reportedAt);
    team.await("the compromised snapshot is deleted", () -> scene.snapshots(1).isEmpty());
  }

  @ConcurrentTest
  void aCompromisedValueThatKeyturnMadeIsReplacedAtOnce() {
    Team team = SharedWorld.team("made");
    Scene scene = new Scene(team, null);
    team.apply(
        Scene.policyManifest("{" + UNHURRIED + "}")
            + """
            apiVersion: keyturn.io/v1alpha1
            kind: SecretBinding
            metadata: {name: payments-db}
            spec:
              source: {generated: {keys: {password: {length: 24}}, static: {username: app}}}
              rotationPolicyRef: {name: quick}
              workloads: [{kind: Deployment, name: payments}]
            ---
            """
            + team.deployment(Scene.APP, 2, "hollow/ready", ""));
    team.awaitVersion(1);
    team.awaitRolledOut(Scene.APP);
    String first = password(team);
    Team.VALUES.add(first);
    Set<String> before = scene.stableUids();

    scene.patch(
        "secretbinding", Team.SECRET, "spec: {rotate: {nonce: leaked, reason: Compromise}}");

    team.awaitStage(2, Stage.Complete);
    team.awaitVersion(2);
    String second = password(team);
    Team.VALUES.add(second);
    assertThat(second).isNotEqualTo(first);
    assertThat(scene.stableUids()).hasSize(2).doesNotContainAnyElementsOf(before);
    assertThat(team.rotation(2).getSpec().reportedAt()).isNotNull();
    assertThat(team.rotation(2).getStatus().timeToContain()).matches("[0-9]+s");
    team.await("the compromised snapshot is deleted", () -> scene.snapshots(1).isEmpty());
    assertThat(scene.versions()).containsExactly(2L);
  }

  private static String password(Team team) {
    return new String(
        Base64.getDecoder().decode(team.secret(Team.SECRET).getData().get("password")),
        StandardCharsets.UTF_8);
  }
}
