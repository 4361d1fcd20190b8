package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.AuditedRequest;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.SharedControlPlane;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Where there is nothing to do, nothing is written, however often the operator looks. */
class QuietIT {

  private static final Duration QUIET = Duration.ofSeconds(15);

  private static Scene rotated;
  private static Scene failed;
  private static Scene stalled;

  @BeforeAll
  static void settle() {
    rotated = Scene.of("rotated", 2, Scene.policy("1s"));
    failed =
        Scene.of(
            "failed",
            2,
            "{canary: {bake: 1s, deadline: 5s}, retirement: {grace: 1s}, retry: {maxAttempts: 1}}");
    stalled = Scene.of("stalled", 1, Scene.policy("1s"));
    Team.Login second = rotated.rotate();
    failed.rotateToWrongPassword();
    stalled.run(
        "patch",
        "secretbinding",
        Team.SECRET,
        "--type=json",
        "-p=[{op: add, path: /spec/workloads/-, value: {kind: Deployment, name: absent}}]");
    rotated.assertPromoted(2, second);
    rotated.awaitCondition("Rotating", Status.False, "Idle");
    failed.team().awaitStage(2, Stage.Failed);
    failed.awaitCondition("RotationHealthy", Status.False, "RetriesExhausted");
    stalled.awaitCondition("Stalled", Status.True, "WorkloadNotFound");
    for (Scene scene : List.of(rotated, failed)) {
      scene
          .team()
          .await(
              "the rotation is let go, and the policy does not count it",
              () ->
                  scene.team().rotation(2).getMetadata().getFinalizers().isEmpty()
                      && !Integer.valueOf(1).equals(scene.policy().getStatus().rotating()));
    }
  }

  @BeforeEach
  void operate() {
    SharedWorld.operator();
  }

  @Test
  void whatOthersChangeIsLookedAtAndAnsweredWithNothing() {
    Instant begun = Instant.now();
    for (Scene scene : List.of(rotated, failed, stalled)) {
      looksAfter(scene, () -> scene.run("annotate", "deployment/payments", "theirs=one"));
      looksAfter(scene, () -> scene.run("label", "secret", Team.UPSTREAM, "theirs=one"));
      looksAfter(scene, () -> scene.run("annotate", "secret", Team.SECRET, "theirs=one"));
      looksAfter(scene, () -> scene.run("annotate", "rotationpolicy", "quick", "theirs=one"));
      looksAfter(scene, () -> scene.run("delete", "pod", aPod(scene)));
      scene.team().awaitRolledOut(Scene.APP);
      scene.kubelet().restartContainer(scene.namespace(), aPod(scene));
    }

    assertNothingIsWritten(begun);
  }

  @Test
  void aPolicyThatChangesNothingForItsBindingsIsAnsweredWithItsOwnStatusAlone() {
    Instant begun = Instant.now();
    for (Scene scene : List.of(rotated, failed, stalled)) {
      looksAfter(
          scene, () -> scene.patch("rotationpolicy", "quick", "spec: {retry: {maxBackoff: 5h}}"));
      Writes.assertExactly(Map.of("update rotationpolicies/status", 1L), begun, scene.namespace());
    }
    assertThat(Writes.eventsSince(begun, everywhere())).isEmpty();
  }

  @Test
  void aRestartedOperatorLooksAtEverythingAndWritesNothingButItsLease() {
    SharedWorld.stopOperator();
    Instant stopped = Instant.now();
    try (OperatorProcess restarted = OperatorProcess.start(SharedControlPlane.get(), Map.of())) {
      for (Scene scene : List.of(rotated, failed, stalled)) {
        awaitLook(scene, stopped);
      }

      assertNothingIsWritten(stopped);
      assertThat(Writes.since(stopped, OperatorProcess.NAMESPACE))
          .filteredOn(QuietIT::ofLease)
          .isNotEmpty()
          .hasSizeLessThanOrEqualTo(4 + renewalsUntilNow(stopped))
          .allSatisfy(r -> {
            assertThat(r.code()).isLessThan(300);
            assertThat(r.fieldManager()).isEqualTo(Names.KEYTURN);
          });
      assertThat(restarted.log()).content().doesNotContain("\"level\":\"ERROR\"");
    }
  }

  private static void assertNothingIsWritten(Instant since) {
    Awaitility.await("nothing is written")
        .during(QUIET)
        .atMost(QUIET.multipliedBy(2))
        .pollInterval(Duration.ofMillis(500))
        .untilAsserted(() -> {
          assertThat(
                  Writes.counted(
                      Writes.since(since, everywhere()).stream().filter(r -> !ofLease(r)).toList()))
              .isEmpty();
          assertThat(Writes.eventsSince(since, everywhere())).isEmpty();
        });
  }

  /** A leader renews its Lease every second. */
  private static int renewalsUntilNow(Instant since) {
    return (int) Duration.between(since, Instant.now()).toSeconds();
  }

  private static boolean ofLease(AuditedRequest request) {
    return request.resource().equals("leases");
  }

  /** The namespaces of the scenes, that of the operator, and what is in none. */
  private static String[] everywhere() {
    return Stream.concat(
            Stream.of(rotated, failed, stalled).map(Scene::namespace),
            Stream.of(OperatorProcess.NAMESPACE, ""))
        .toArray(String[]::new);
  }

  private static void looksAfter(Scene scene, Runnable change) {
    Instant before = Instant.now();
    change.run();
    awaitLook(scene, before);
  }

  private static void awaitLook(Scene scene, Instant since) {
    scene
        .team()
        .await(
            "the operator looks at the binding",
            () -> Writes.looksSince(since, scene.namespace()) > 0);
  }

  private static String aPod(Scene scene) {
    return scene.team().stablePods().stream()
        .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
        .findFirst()
        .orElseThrow()
        .getMetadata()
        .getName();
  }
}
