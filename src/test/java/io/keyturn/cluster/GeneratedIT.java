package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;

/** Values that Keyturn makes: on request, by annotation, by schedule. */
class GeneratedIT {

  private static final String QUICK =
      "{canary: {bake: 1s, deadline: 60s}, retirement: {grace: 1s}, schedule: {%s}}";

  @ConcurrentTest
  void aGeneratedSecretHasRandomStaticAndTemplateKeys() {
    Team team = deliver("shape", QUICK.formatted(""));

    assertThat(value(team, "password")).matches("[A-Za-z0-9]{24}");
    assertThat(value(team, "pin")).matches("[0-9a-f]{16}");
    assertThat(value(team, "username")).isEqualTo("app");
    assertThat(value(team, "url"))
        .isEqualTo("postgresql://app:%s@db/payments".formatted(value(team, "password")));
    assertThat(team.secret(Team.SECRET).getData())
        .containsOnlyKeys("password", "pin", "username", "url");
  }

  @ConcurrentTest
  void eachNewRequestRotatesOnceAndTheSameOneNeverAgain() {
    Team team = deliver("request", QUICK.formatted(""));
    Scene scene = new Scene(team, null);
    String first = value(team, "password");

    scene.patch("secretbinding", Team.SECRET, "spec: {rotate: {nonce: monday}}");

    complete(team, 2);
    String second = value(team, "password");
    assertThat(second).matches("[A-Za-z0-9]{24}").isNotEqualTo(first);
    assertThat(value(team, "username")).isEqualTo("app");
    assertThat(value(team, "url")).contains(second);
    assertThat(team.rotation(2).getSpec().trigger()).isEqualTo(Trigger.Manual);
    assertThat(team.binding().getStatus().lastHandledNonce()).isEqualTo("monday");
    assertThat(scene.kubelet().anyPodStartedWith(team.namespace(), p -> true, second)).isTrue();

    scene.patch("secretbinding", Team.SECRET, "spec: {rotate: {nonce: monday}}");
    scene.patch("secretbinding", Team.SECRET, "metadata: {labels: {looked: again}}");
    scene.run("annotate", "secretbinding", Team.SECRET, "keyturn.io/rotate=tuesday");

    complete(team, 3);
    assertThat(scene.versions()).containsExactly(2L, 3L);
    String third = value(team, "password");
    assertThat(third).isNotEqualTo(second);
    team.await(
        "the annotation is handled",
        () -> "tuesday".equals(team.binding().getStatus().lastHandledRequest()));

    scene.run("annotate", "--overwrite", "secretbinding", Team.SECRET, "keyturn.io/rotate=tuesday");
    scene.patch("secretbinding", Team.SECRET, "spec: {rotate: {nonce: wednesday}}");

    complete(team, 4);
    scene.awaitCondition("Rotating", Status.False, "Idle");
    assertThat(scene.versions()).containsExactly(2L, 3L, 4L);
    assertThat(scene.snapshots(1)).as("two previous snapshots stay").isEmpty();
    assertThat(scene.snapshots(2)).hasSize(1);
  }

  @ConcurrentTest
  void aScheduleRotatesByItselfUntilItIsSuspended() {
    Team team = deliver("schedule", QUICK.formatted("every: 8s, jitter: 0%"));
    Scene scene = new Scene(team, null);
    String first = value(team, "password");
    team.await(
        "the next rotation is announced",
        () -> {
          SecretBindingStatus seen = team.binding().getStatus();
          return seen.current().since().plusSeconds(8).equals(seen.nextRotationTime());
        });

    complete(team, 2);
    SecretRotation rotation = team.rotation(2);
    assertThat(rotation.getSpec().trigger()).isEqualTo(Trigger.Scheduled);
    assertThat(value(team, "password")).isNotEqualTo(first);
    complete(team, 3);
    assertThat(team.rotation(3).getStatus().timeline().startedAt())
        .isAfterOrEqualTo(rotation.getStatus().timeline().verifiedAt().plus(Duration.ofSeconds(8)));

    scene.patch("secretbinding", Team.SECRET, "spec: {suspend: true}");

    scene.awaitCondition("Rotating", Status.False, "Suspended");
    long last = team.binding().getStatus().current().version();
    scene.patch("rotationpolicy", "quick", "spec: {schedule: {every: 1s}}");
    scene.patch("secretbinding", Team.SECRET, "metadata: {labels: {looked: again}}");
    scene.awaitCondition("Rotating", Status.False, "Suspended");
    assertThat(team.binding().getStatus().current().version()).isEqualTo(last);
  }

  @ConcurrentTest
  void aGeneratedValueThatNoCanarySurvivesIsRejectedAndANewOneIsTriedLater() {
    Team team =
        deliver(
            "reject",
            "{canary: {bake: 1s, deadline: 4s}, retirement: {grace: 1s},"
                + " retry: {maxAttempts: 2, initialBackoff: 1s}}");
    Scene scene = new Scene(team, null);
    String first = value(team, "password");
    scene.patch("secretbinding", Team.SECRET, "spec: {rotate: {nonce: now}}");
    team.awaitStage(2, s -> s == Stage.Canary || s == Stage.Baking);
    // No canary of the new template becomes Ready, whatever its value.
    scene.run("set", "image", "deployment/payments", "app=hollow/never-ready");

    team.awaitStage(2, Stage.Failed);

    assertThat(scene.condition(2, "Succeeded").reason()).isEqualTo("CanaryDeadlineExceeded");
    assertThat(value(team, "password")).isEqualTo(first);
    assertThat(scene.snapshots(2)).isEmpty();
    scene.run("rollout", "undo", "deployment/payments");
    complete(team, 3);
    assertThat(value(team, "password")).isNotEqualTo(first);
  }

  private static void complete(Team team, long version) {
    team.awaitStage(version, Stage.Complete);
    team.await(
        "version " + version + " is current",
        () -> team.binding().getStatus().current().version() >= version);
  }

  private static Team deliver(String name, String policy) {
    Team team = SharedWorld.team(name);
    team.apply(
        Scene.policyManifest(policy)
            + """
            apiVersion: keyturn.io/v1alpha1
            kind: SecretBinding
            metadata: {name: payments-db}
            spec:
              source:
                generated:
                  keys: {password: {length: 24}, pin: {length: 16, alphabet: hex}}
                  static: {username: app}
              secret:
                keys:
                  - {name: username, from: username}
                  - {name: password, from: password}
                  - {name: pin, from: pin}
                  - {name: url, template: "postgresql://{username}:{password}@db/payments"}
              rotationPolicyRef: {name: quick}
              workloads: [{kind: Deployment, name: payments}]
            ---
            """
            + team.deployment(Scene.APP, 1, "hollow/ready", ""));
    team.awaitVersion(1);
    team.awaitRolledOut(Scene.APP);
    Team.VALUES.add(value(team, "password"));
    return team;
  }

  private static String value(Team team, String key) {
    return new String(
        Base64.getDecoder().decode(team.secret(Team.SECRET).getData().get(key)),
        StandardCharsets.UTF_8);
  }
}
