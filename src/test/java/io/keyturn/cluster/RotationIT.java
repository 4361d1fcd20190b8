package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Previous;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** Rotations from their first to their last step, as the team and its applications see them. */
class RotationIT {

  @ConcurrentTest
  void aGoodValueIsTriedByOnePodBakedPromotedAndRetiredWithoutOneRefusedLogin() {
    Scene scene = Scene.of("good", 3, Scene.policy("3s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    try (History<SecretBinding> bindings = historyOfBindings(team)) {
      Team.Login second = scene.rotate();

      team.awaitStage(2, Stage.Baking);
      List<Pod> canaries = scene.canaryPods();
      assertThat(canaries).hasSize(1);
      assertThat(scene.seenByCanary(second)).isTrue();
      assertThat(scene.seenOutsideCanary(second)).isFalse();
      assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
      assertThat(scene.annotation(Scene.APP)).isNull();
      assertThat(scene.stableUids()).isEqualTo(before);
      assertThat(team.workload(Scene.APP).getSpec().getReplicas()).isEqualTo(3);
      scene.stillIn(2, Stage.Baking);

      scene.assertPromoted(2, second);
      team.awaitRolledOut(Scene.APP);
      assertThat(scene.stableUids()).hasSize(3).doesNotContainAnyElementsOf(before);
      assertThat(scene.annotation(Scene.APP))
          .matches("v2-[0-9a-f]{8}")
          .isEqualTo(Names.versionIdOf(team.binding().getStatus().current().snapshot()));
      assertThat(team.refused()).isZero();
      assertThat(team.accepted()).isPositive();

      SecretRotation rotation = team.rotation(2);
      var timeline = rotation.getStatus().timeline();
      assertThat(timeline.verifiedAt())
          .isAfterOrEqualTo(timeline.canaryReadyAt().plus(Duration.ofSeconds(3)));
      assertThat(rotation.getStatus().proof()).isEqualTo(Proof.PodCanary);
      assertThat(rotation.getStatus().progress()).isEqualTo("1/1");
      assertThat(rotation.getSpec().trigger()).isEqualTo(Trigger.SourceChanged);
      scene.assertCondition(2, "CanaryVerified", Status.True, "CanaryPassed");
      scene.assertCondition(2, "Promoted", Status.True, "Promoted");
      scene.assertCondition(2, "Succeeded", Status.True, "Complete");
      team.await(
          "version 1 is retired",
          () -> {
            Previous previous = team.binding().getStatus().previous();
            return previous != null
                && previous.version() == 1
                && previous.state() == Previous.State.Retired;
          });
      assertThat(scene.snapshots(1)).hasSize(1);
      assertThat(bindings.states())
          .isNotEmpty()
          .allMatch(b -> Team.is(b.getStatus().conditions(), "Ready", Status.True));
      assertThat(
              bindings.changesOf(b -> Team.is(b.getStatus().conditions(), "Rotating", Status.True)))
          .containsExactly(false, true, false);
    }
  }

  @ConcurrentTest
  void aWrongPasswordIsTriedAsOftenAsThePolicySaysAndReachesNobodyAndTheNextGoodOneIsPromoted() {
    String impatient =
        "{canary: {bake: 1s, deadline: %s}, retirement: {grace: 1s}, retry: {maxAttempts: 2, initialBackoff: 2s}}";
    Scene scene = Scene.of("wrong", 2, impatient.formatted("6s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    try (History<SecretBinding> bindings = historyOfBindings(team)) {
      Team.Login wrong = scene.rotateToWrongPassword();

      team.awaitStage(2, Stage.Failed);
      scene.assertCondition(2, "Succeeded", Status.False, "CanaryDeadlineExceeded");
      scene.assertCondition(2, "CanaryVerified", Status.False, "CanaryDeadlineExceeded");
      scene.assertCondition(2, "RolledBack", Status.True, "CanaryDeadlineExceeded");
      team.awaitStage(3, Stage.Failed);
      scene.assertRejected(3, wrong, before);
      assertThat(scene.snapshots(2)).isEmpty();
      assertThat(scene.seenByCanary(wrong)).isTrue();
      assertThat(team.refused()).isPositive();
      assertThat(scene.annotation(Scene.APP)).isNull();
      assertThat(team.rotation(3).getStatus().timeline().startedAt())
          .isAfterOrEqualTo(
              team.rotation(2).getStatus().timeline().finishedAt().plus(Duration.ofSeconds(2)));
      scene.awaitCondition("RotationHealthy", Status.False, "RetriesExhausted");
      assertThat(scene.versions()).containsExactly(2L, 3L);

      scene.changePolicy(impatient.formatted("60s"));
      Team.Login good = scene.rotate();

      scene.assertPromoted(4, good);
      assertThat(scene.versions()).containsExactly(2L, 3L, 4L);
      assertThat(team.rotation(4).getStatus().from().version()).isEqualTo(1);
      assertThat(scene.seenOutsideCanary(wrong)).isFalse();
      assertThat(team.refusedOutsideCanary()).isZero();
      assertThat(bindings.states())
          .allMatch(b -> Team.is(b.getStatus().conditions(), "Ready", Status.True));
    }
  }

  @ConcurrentTest
  void ofTwoChangesDuringOneRotationOnlyTheNewerIsUsedAndItGoesNext() {
    Scene scene = Scene.of("newest", 2, Scene.policy("4s"));
    Team team = scene.team();
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Baking);

    Team.Login middle = scene.rotate();
    Team.Login newest = scene.rotate();
    scene.stillIn(2, Stage.Baking);

    scene.assertPromoted(3, newest);
    assertThat(team.rotation(2).getStatus().stage()).isEqualTo(Stage.Complete);
    assertThat(team.rotation(3).getStatus().from().version()).isEqualTo(2);
    assertThat(scene.versions()).containsExactly(2L, 3L);
    assertThat(scene.seenOutsideCanary(second)).isTrue();
    assertThat(scene.seenByAnyone(middle)).isFalse();
    assertThat(
            team.client().secrets().inNamespace(scene.namespace()).list().getItems().stream()
                .map(s -> s.getMetadata().getName())
                .filter(name -> team.holds(name, middle)))
        .isEmpty();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aSourceThatReturnsToTheCurrentValueEndsTheRotationAndRestartsNobody() {
    Scene scene = Scene.of("return", 2, Scene.policy("20s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Baking);

    team.writeUpstream(scene.first());

    team.awaitStage(2, Stage.Superseded);
    scene.assertRejected(2, second, before);
    scene.assertCondition(2, "Succeeded", Status.False, "Superseded");
    scene.awaitCondition("RotationHealthy", Status.True, "Ready");
    scene.awaitCondition("Rotating", Status.False, "Idle");
    assertThat(team.refused()).isZero();

    scene.changePolicy(Scene.policy("1s"));
    Team.Login third = scene.rotate();

    scene.assertPromoted(3, third);
    assertThat(team.rotation(3).getStatus().from().version()).isEqualTo(1);
  }

  @ConcurrentTest
  void aHeldRotationIsBakedAndPromotedOnlyWhenItIsLetGo() {
    Scene scene = Scene.of("hold", 2, Scene.policy("2s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login second = scene.rotate();
    team.awaitStage(2, s -> s != Stage.Pending);

    scene.hold(2, true);

    scene.awaitBlocked(2, "Held");
    scene.stillIn(2, Stage.Baking);
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    assertThat(scene.stableUids()).isEqualTo(before);
    assertThat(scene.canaryPods()).hasSize(1);

    scene.hold(2, false);

    scene.assertPromoted(2, second);
    assertThat(scene.condition(2, "Blocked")).isNull();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aRotationThatIsAbortedDuringTheCanaryIsTakenBackAndTriedAgainOnRequestOnly() {
    Scene scene = Scene.of("abort", 2, Scene.policy("2s"), "ready-after: 3s");
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Canary);

    scene.abort(2);

    team.awaitStage(2, Stage.Aborted);
    scene.assertRejected(2, second, before);
    scene.assertCondition(2, "Succeeded", Status.False, "Aborted");
    scene.awaitCondition("RotationHealthy", Status.False, "RetriesExhausted");
    assertThat(scene.versions()).containsExactly(2L);

    scene.patch("secretbinding", Team.SECRET, "spec: {rotate: {nonce: once-more}}");

    scene.assertPromoted(3, second);
    assertThat(team.rotation(3).getSpec().trigger()).isEqualTo(Trigger.Manual);
    team.await(
        "the request is handled",
        () -> "once-more".equals(team.binding().getStatus().lastHandledNonce()));
  }

  @ConcurrentTest
  void aSuspendedBindingStartsNoRotationAndGoesOnWithTheNewestValue() {
    Scene scene = Scene.of("suspend", 1, Scene.policy("1s"));
    Team team = scene.team();
    scene.patch("secretbinding", Team.SECRET, "spec: {suspend: true}");
    scene.awaitCondition("Rotating", Status.False, "Suspended");

    Team.Login middle = scene.rotate();
    Team.Login newest = scene.rotate();
    // A later change of the spec has been looked at, and with it the new value.
    scene.patch("secretbinding", Team.SECRET, "spec: {rotate: {nonce: later}}");
    team.await(
        "the request is seen",
        () ->
            team.binding()
                .getMetadata()
                .getGeneration()
                .equals(team.binding().getStatus().observedGeneration()));
    assertThat(scene.versions()).isEmpty();
    assertThat(scene.condition("Ready").status()).isEqualTo(Status.True);

    scene.patch("secretbinding", Team.SECRET, "spec: {suspend: false}");

    scene.assertPromoted(2, newest);
    assertThat(scene.versions()).containsExactly(2L);
    assertThat(scene.seenByAnyone(middle)).isFalse();
  }

  @ConcurrentTest
  void aSuspendedPolicyHoldsTheRotationUnderWayBeforeItsPromotion() {
    Scene scene = Scene.of("policy", 1, Scene.policy("2s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login second = scene.rotate();
    team.awaitStage(2, s -> s != Stage.Pending);

    scene.patch("rotationpolicy", "quick", "spec: {suspend: true}");

    scene.awaitBlocked(2, "Suspended");
    assertThat(team.rotation(2).getStatus().stage()).isEqualTo(Stage.Baking);
    assertThat(scene.stableUids()).isEqualTo(before);
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();

    scene.patch("rotationpolicy", "quick", "spec: {suspend: false}");

    scene.assertPromoted(2, second);
  }

  @ConcurrentTest
  void twoBindingsOfOneDeploymentRotateOneAfterTheOther() {
    Team team = SharedWorld.team("two");
    Team.Login first = team.newLogin();
    team.writeUpstream(first);
    team.writeSecret("ledger-upstream", first);
    team.apply(
        Scene.policyManifest(Scene.policy("3s"))
            + bindingTo(Team.SECRET, Team.UPSTREAM)
            + bindingTo("ledger", "ledger-upstream")
            + team.deployment(Scene.APP, 2, "hollow/postgres-client", "")
            + """
                        - name: LEDGER_PASSWORD
                          valueFrom: {secretKeyRef: {name: ledger, key: password}}
            """);
    team.awaitVersion(1);
    team.awaitRolledOut(Scene.APP);
    Scene scene = new Scene(team, first);
    try (History<Deployment> clones =
        History.of(
            team.client()
                .apps()
                .deployments()
                .inNamespace(team.namespace())
                .withLabel(Names.CANARY_FOR))) {
      Team.Login second = team.newLogin();
      Team.Login ledger = team.newLogin();
      team.writeUpstream(second);
      team.writeSecret("ledger-upstream", ledger);

      scene.assertPromoted(2, second);
      team.await(
          "the ledger is rotated",
          () -> {
            SecretRotation r = rotationOf(team, "ledger-2");
            return r != null && r.getStatus().stage() == Stage.Complete;
          });
      scene.awaitNoCanary();
      assertThat(clones.moments(List::size)).contains(1).allMatch(n -> n <= 1);
      assertThat(team.holds("ledger", ledger)).isTrue();
      var annotations =
          team.workload(Scene.APP).getSpec().getTemplate().getMetadata().getAnnotations();
      assertThat(annotations.get("version.keyturn.io/payments-db")).startsWith("v2-");
      assertThat(annotations.get("version.keyturn.io/ledger")).startsWith("v2-");
      team.awaitRolledOut(Scene.APP);
      assertThat(team.refused()).isZero();
      SecretRotation a = team.rotation(2);
      SecretRotation b = rotationOf(team, "ledger-2");
      boolean serial =
          !a.getStatus().timeline().startedAt().isBefore(b.getStatus().timeline().promotedAt())
              || !b.getStatus()
                  .timeline()
                  .startedAt()
                  .isBefore(a.getStatus().timeline().promotedAt());
      assertThat(serial).isTrue();
    }
  }

  private static SecretRotation rotationOf(Team team, String name) {
    return team.client()
        .resources(SecretRotation.class)
        .inNamespace(team.namespace())
        .withName(name)
        .get();
  }

  private static String bindingTo(String name, String upstream) {
    return """
    apiVersion: keyturn.io/v1alpha1
    kind: SecretBinding
    metadata: {name: %s}
    spec:
      source: {secret: {name: %s}}
      rotationPolicyRef: {name: quick}
      workloads: [{kind: Deployment, name: payments}]
    ---
    """
        .formatted(name, upstream);
  }

  private static History<SecretBinding> historyOfBindings(Team team) {
    return History.of(team.client().resources(SecretBinding.class).inNamespace(team.namespace()));
  }
}
