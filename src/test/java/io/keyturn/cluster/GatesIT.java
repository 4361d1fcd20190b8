package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.ControlPlane;
import java.io.IOException;
import java.util.Set;

/** Checks before any pod, gates while a version moves, and people who are asked. */
class GatesIT {

  private static final String REST =
      "canary: {bake: 2s, deadline: 60s}, retirement: {grace: 1s}, retry: {maxAttempts: 1}";

  private static String gates(String... gates) {
    return "{gates: [%s], %s}".formatted(String.join(", ", gates), REST);
  }

  private static String preflight(String check) {
    return "{preflight: [%s], %s}".formatted(check, REST);
  }

  private static String login() {
    return """
    {name: login, postgresql: {host: "%s", port: %d, database: postgres, sslMode: disable,\
     usernameKey: username, passwordKey: password, query: "select 1"}}\
    """
        .formatted(SharedWorld.postgres().host(), SharedWorld.postgres().port());
  }

  /** The value works, and yet nobody but the canary ever had it. */
  private static void assertTakenBack(Scene scene, Team.Login candidate, Set<String> before) {
    scene.team().awaitStage(2, Stage.Failed);
    scene.awaitNoCanary();
    assertThat(scene.team().holds(Team.SECRET, scene.first())).isTrue();
    assertThat(scene.seenByCanary(candidate)).isTrue();
    assertThat(scene.seenOutsideCanary(candidate)).isFalse();
    assertThat(scene.stableUids()).isEqualTo(before);
  }

  private static SecretRotation rotation(Scene scene, long version) {
    return scene.team().rotation(version);
  }

  @ConcurrentTest
  void aGateThatSaysNoTakesTheVersionBackFromTheCanary() throws IOException {
    try (HttpService service = HttpService.answering(418)) {
      Scene scene = Scene.of("gate-no", 1, gates(service.gate("smoke", "Canary")));
      var before = scene.stableUids();

      Team.Login second = scene.rotate();

      assertTakenBack(scene, second, before);
      scene.assertCondition(2, "Succeeded", Status.False, "GateFailed");
      assertThat(rotation(scene, 2).getStatus().gates())
          .singleElement()
          .satisfies(g -> assertThat(g.value()).isEqualTo("418"));
    }
  }

  @ConcurrentTest
  void aGateThatCannotTellHoldsUntilItCan() throws IOException {
    try (HttpService service = HttpService.answering(503)) {
      Scene scene = Scene.of("gate-unclear", 1, gates(service.gate("smoke", "Canary")));

      Team.Login second = scene.rotate();

      scene.awaitBlocked(2, "GateInconclusive");
      scene.assertCondition(2, "Stalled", Status.True, "GateInconclusive");
      assertThat(scene.seenOutsideCanary(second)).isFalse();
      service.status().set(200);
      scene.assertPromoted(2, second);
    }
  }

  @ConcurrentTest
  void aGateThatSaysNoInThePromotionTakesItBackEverywhere() throws IOException {
    try (HttpService service = HttpService.answering(200)) {
      Scene scene =
          Scene.of(
              "gate-later",
              "{gates: [%s], promotion: {maxParallel: 1}, %s}"
                  .formatted(service.gate("errors", "Promote"), REST),
              Scene.client("first", 1),
              Scene.client("second", 1, "ready-after: 3s"));
      Team team = scene.team();
      scene.rotate();
      team.await(
          "the second one rolls",
          () -> String.valueOf(scene.annotation("second")).startsWith("v2-"));

      service.status().set(404);

      team.awaitStage(2, Stage.Failed);
      scene.assertCondition(2, "Succeeded", Status.False, "GateFailed");
      assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
      for (String name : new String[] {"first", "second"}) {
        team.awaitRolledOut(name);
      }
      team.await("all are back", () -> scene.runsOn(scene.first()));
    }
  }

  @ConcurrentTest
  void aPersonOpensAGateByTheCommandThatTheStatusShows() {
    Scene scene =
        Scene.of(
            "gate-person",
            1,
            gates("{name: release-manager, stage: Promote, manual: {onTimeout: Hold}}"));
    Team.Login second = scene.rotate();
    SecretRotation waiting = scene.awaitBlocked(2, "AwaitingApproval");
    String message = waiting.getStatus().message();
    String command = message.substring(message.indexOf("kubectl ") + "kubectl ".length());

    ControlPlane.Result wrong =
        scene
            .team()
            .kubectl(
                "patch",
                "secretrotation",
                "payments-db-2",
                "--type=merge",
                "-p",
                "spec: {approvals: [{gate: relaese-manager}]}");
    assertThat(wrong.succeeded()).isFalse();
    assertThat(wrong.stderr()).contains("an approval names a gate that the policy");

    scene.run(
        "patch",
        "secretrotation",
        "payments-db-2",
        "--type=merge",
        "-p",
        command.substring(command.indexOf('\'') + 1, command.lastIndexOf('\'')));
    scene.assertPromoted(2, second);
  }

  @ConcurrentTest
  void nobodyInTimeTakesTheVersionBack() {
    Scene scene =
        Scene.of("gate-late", 1, gates("{name: anna, stage: Promote, manual: {timeout: 3s}}"));
    var before = scene.stableUids();

    Team.Login second = scene.rotate();

    assertTakenBack(scene, second, before);
    scene.assertCondition(2, "Succeeded", Status.False, "ApprovalTimeout");
  }

  @ConcurrentTest
  void aLoginThatDoesNotWorkIsFoundBeforeAnyPodSeesIt() {
    Scene scene = Scene.of("check-login", 1, preflight(login()));
    Team team = scene.team();

    Team.Login wrong = scene.rotateToWrongPassword();

    team.awaitStage(2, Stage.Failed);
    scene.assertCondition(2, "Preflighted", Status.False, "PreflightFailed");
    assertThat(scene.seenByAnyone(wrong)).isFalse();
    assertThat(rotation(scene, 2).getStatus().conditions())
        .anySatisfy(c -> assertThat(c.message()).contains("28P01"));

    Team.Login third = scene.rotate();
    scene.assertPromoted(3, third);
    scene.assertCondition(3, "Preflighted", Status.True, "ChecksPassed");
  }

  @ConcurrentTest
  void aJobOfTheUsersOwnDecides() {
    Scene scene =
        Scene.of(
            "check-job",
            1,
            preflight(
                """
                {name: own, timeout: 30s, job: {template: {spec: {containers: [\
                {name: app, image: hollow/postgres-check, env: [\
                {name: DB_HOST, value: "%s"}, {name: DB_PORT, value: "%d"},\
                {name: DB_USER, valueFrom: {secretKeyRef: {name: payments-db, key: username}}},\
                {name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: payments-db, key: password}}}\
                ]}]}}}}\
                """
                    .formatted(SharedWorld.postgres().host(), SharedWorld.postgres().port())));
    Team team = scene.team();

    Team.Login second = scene.rotate();

    scene.assertPromoted(2, second);
    assertThat(rotation(scene, 2).getStatus().preflight())
        .singleElement()
        .satisfies(c -> assertThat(c.name()).isEqualTo("own"));
    scene.changePolicy(
        preflight(
            "{name: own, timeout: 30s, job: {template: {spec: {containers: [{image: a}]}}}}"));
    scene.rotate();
    SecretRotation refused = scene.awaitBlocked(3, "AccessDenied");
    assertThat(refused.getStatus().message())
        .startsWith("The API server refused the Job of check own (code 422)");
    scene.abort(3);
    team.awaitStage(3, Stage.Aborted);
  }
}
