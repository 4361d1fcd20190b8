package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import java.util.List;
import java.util.Optional;

/** When a rotation may happen: windows, deadlines, budgets, and values that overtake each other. */
class ScheduleIT {

  private static final String REST =
      "canary: {bake: 1s, deadline: 60s}, retirement: {grace: 1s}, retry: {maxAttempts: 1}";
  private static final String NEVER_TODAY = "windows: [{cron: \"0 0 29 2 *\", duration: 1m}]";

  private static void awaitPolicy(Scene scene, String type, Status status, String reason) {
    scene
        .team()
        .await(
            "the policy is %s=%s because of %s".formatted(type, status, reason),
            () ->
                policyCondition(scene, type)
                    .filter(c -> c.status() == status && c.reason().equals(reason))
                    .isPresent());
  }

  private static Optional<Condition> policyCondition(Scene scene, String type) {
    return scene.policy().getStatus().conditions().stream()
        .filter(c -> c.type().equals(type))
        .findFirst();
  }

  @ConcurrentTest
  void aChangedSourceWaitsForItsWindowAndAPersonDoesNot() {
    Scene scene = Scene.of("window", 1, "{" + NEVER_TODAY + ", " + REST + "}");
    Team team = scene.team();

    Team.Login second = scene.rotate();

    SecretRotation waiting = scene.awaitBlocked(2, "WindowClosed");
    assertThat(waiting.getStatus().message())
        .startsWith("Waits for the window that opens at 2028-02-29T00:00:00Z.");
    scene.changePolicy("{" + REST + "}");
    scene.assertPromoted(2, second);

    scene.changePolicy("{" + NEVER_TODAY + ", " + REST + "}");
    Team.Login third = scene.rotate();
    scene.awaitBlocked(3, "WindowClosed");
    scene.abort(3);
    team.awaitStage(3, Stage.Aborted);
    scene.patch("secretbinding", Team.SECRET, "spec: {rotate: {nonce: now}}");
    scene.assertPromoted(4, third);
  }

  @ConcurrentTest
  void theAgeOutranksTheWindowAndTheEventsSaySo() {
    Scene scene =
        Scene.of("override", 1, "{schedule: {maxAge: 1s}, " + NEVER_TODAY + ", " + REST + "}");

    Team.Login second = scene.rotate();

    scene.assertPromoted(2, second);
    assertThat(scene.run("get", "events", "--field-selector=reason=WindowOverridden"))
        .contains("Version 1 is 1s old, so the rotation starts although no window is open.");
  }

  @ConcurrentTest
  void aPolicySaysWhetherItCanBeFollowed() {
    Scene scene = Scene.of("feasible", 1, "{" + REST + "}");
    Team team = scene.team();
    awaitPolicy(scene, "ScheduleFeasible", Status.True, "Feasible");

    scene.changePolicy(
        "{schedule: {every: 7d, maxAge: 8d}, windows: [{cron: \"0 0 1 * *\", duration: 4h}]}");
    awaitPolicy(scene, "ScheduleFeasible", Status.False, "Infeasible");
    assertThat(policyCondition(scene, "Ready").orElseThrow().status()).isEqualTo(Status.True);

    scene.changePolicy("{schedule: {cron: \"0 0 30 2 *\"}}");
    awaitPolicy(scene, "Stalled", Status.True, "InvalidSchedule");
    assertThat(policyCondition(scene, "Ready").orElseThrow().message())
        .contains("the cron \"0 0 30 2 *\" names a day that no month has");

    scene.changePolicy("{windows: [{cron: \"0 2 * * *\", duration: 1h, timeZone: Mars/Olympus}]}");
    team.await(
        "the zone is named",
        () ->
            policyCondition(scene, "Stalled")
                .filter(c -> c.message().contains("Mars/Olympus"))
                .isPresent());
    scene.rotate();
    scene.awaitBlocked(2, "InvalidSchedule");

    scene.changePolicy("{" + REST + "}");
    awaitPolicy(scene, "Ready", Status.True, "Ready");
    assertThat(policyCondition(scene, "Stalled")).isEmpty();
    team.awaitStage(2, Stage.Complete);
  }

  @ConcurrentTest
  void noMoreRotationsMovePodsThanTheNamespaceMay() {
    Scene scene =
        Scene.of(
            "budget",
            "{concurrency: {perNamespace: 1}, canary: {bake: 10m}, retirement: {grace: 1s}}",
            Scene.idle("payments", 1));
    Team team = scene.team();
    team.apply(
        team.deployment("other", 1, "hollow/ready", "")
            + "---\n"
            + Bindings.manifest(
                "other", List.of("rotationPolicyRef: {name: quick}", "suspend: true"), "other"));
    Bindings.awaitHealthy(team, "other");
    scene.rotate();
    team.awaitStage(2, Stage.Baking);

    scene.patch("secretbinding", "other", "spec: {suspend: false}");

    team.await(
        "the other one waits",
        () -> other(team).filter(r -> blockedBy(r, "BudgetExhausted")).isPresent());
    scene.abort(2);
    team.await(
        "the other one follows",
        () -> other(team).filter(r -> r.getStatus().stage() == Stage.Complete).isPresent());
  }

  private static Optional<SecretRotation> other(Team team) {
    return team.rotations().stream()
        .filter(r -> r.getMetadata().getName().equals("other-2"))
        .findFirst();
  }

  private static boolean blockedBy(SecretRotation rotation, String reason) {
    return rotation.getStatus().conditions().stream()
        .anyMatch(c -> c.type().equals("Blocked") && c.reason().equals(reason));
  }

  @ConcurrentTest
  void aNewerValueReplacesACandidateThatIsNotProven() {
    Scene scene =
        Scene.of(
            "replace",
            1,
            "{concurrency: {policy: Replace}, canary: {bake: 20s}, retirement: {grace: 1s}}");
    Team team = scene.team();
    scene.rotate();
    team.awaitStage(2, s -> s == Stage.Baking);

    scene.changePolicy("{" + REST + "}");
    Team.Login third = scene.rotate();

    team.awaitStage(2, Stage.Superseded);
    scene.assertPromoted(3, third);
  }

  @ConcurrentTest
  void aValueThatComesDuringARotationWaitsForAPersonWhereThePolicyForbidsIt() {
    Scene scene = Scene.of("forbid", 1, "{concurrency: {policy: Forbid}, " + REST + "}");
    Team team = scene.team();
    Team.Login second = scene.rotate();
    team.awaitStage(2, s -> s == Stage.Canary || s == Stage.Baking);
    scene.hold(2, true);

    Team.Login third = scene.rotate();

    team.await("the value is noted", () -> team.binding().getStatus().forbidden() != null);
    scene.hold(2, false);
    team.awaitStage(2, Stage.Complete);
    scene.awaitCondition("Rotating", Status.False, "ConcurrencyForbidden");
    assertThat(team.holds(Team.SECRET, second)).isTrue();
    assertThat(team.rotation(3)).isNull();

    scene.patch("secretbinding", Team.SECRET, "spec: {rotate: {nonce: go-on}}");
    scene.assertPromoted(3, third);
    assertThat(Names.versionOfRotation(team.binding().getStatus().lastRotation().name()))
        .isEqualTo(3);
  }
}
