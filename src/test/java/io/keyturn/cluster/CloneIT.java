package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.Stage;
import java.util.List;
import java.util.Map;

/** Of which Deployments a canary is cloned, and what the clone looks like. */
class CloneIT {

  @ConcurrentTest
  void aDeploymentThatMustNotRunTwiceIsPromotedWithoutACanaryAndTheRotationSaysSo() {
    Scene scene = Scene.of("recreate", 1, Scene.policy("1s"));
    Team team = scene.team();
    recreate(scene);
    try (History<Deployment> clones = historyOfClones(team)) {
      Team.Login second = scene.rotate();

      scene.assertPromoted(2, second);
      WorkloadProgress workload = team.rotation(2).getStatus().workloads().getFirst();
      assertThat(workload.strategy()).isEqualTo(CanaryStrategy.None);
      assertThat(workload.proof()).isEqualTo(Proof.PreflightOnly);
      assertThat(workload.message()).contains("its strategy is Recreate");
      assertThat(team.rotation(2).getStatus().proof()).isEqualTo(Proof.PreflightOnly);
      scene.assertCondition(2, "CanaryVerified", Status.False, "NoCanary");
      assertThat(clones.states()).isEmpty();
      assertThat(team.refused()).isZero();
    }
  }

  @ConcurrentTest
  void aPolicyThatDemandsACanaryDoesNotRotateWhereNoneIsPossible() {
    Scene scene =
        Scene.of(
            "demand",
            1,
            "{canary: {strategy: Clone, bake: 1s, deadline: 60s}, retirement: {grace: 1s}}");
    Team team = scene.team();
    recreate(scene);
    Team.Login second = scene.rotate();

    scene.awaitBlocked(2, "CanaryNotPossible");
    scene.assertCondition(2, "Stalled", Status.True, "CanaryNotPossible");
    assertThat(scene.condition(2, "Blocked").message())
        .contains("payments")
        .contains("its strategy is Recreate")
        .contains("canary.strategy");
    assertThat(team.rotation(2).getStatus().stage()).isEqualTo(Stage.Pending);
    assertThat(scene.snapshots(2)).isEmpty();
    assertThat(scene.seenByAnyone(second)).isFalse();
    assertThat(scene.condition("Ready").status()).isEqualTo(Status.True);

    scene.changePolicy(Scene.policy("1s"));

    scene.assertPromoted(2, second);
  }

  @ConcurrentTest
  void aLabelKeepsADeploymentFromBeingClonedWhileOthersAre() {
    Scene scene = Scene.of("label", Scene.policy("1s"), Scene.client(1), Scene.client("ledger", 1));
    Team team = scene.team();
    scene.run("label", "deployment/ledger", "keyturn.io/canary=disabled");
    try (History<Deployment> clones = historyOfClones(team)) {
      Team.Login second = scene.rotate();

      scene.assertPromoted(2, second);
      assertThat(clones.states())
          .isNotEmpty()
          .allMatch(d -> d.getMetadata().getLabels().get(Names.CANARY_FOR).equals("payments"));
      Map<String, WorkloadProgress> workloads =
          team.rotation(2).getStatus().workloads().stream()
              .collect(java.util.stream.Collectors.toMap(WorkloadProgress::name, w -> w));
      assertThat(workloads.get("payments").proof()).isEqualTo(Proof.PodCanary);
      assertThat(workloads.get("ledger").proof()).isEqualTo(Proof.WorkloadCanary);
      assertThat(workloads.get("ledger").message()).contains("keyturn.io/canary");
      assertThat(team.rotation(2).getStatus().proof())
          .as("the weakest")
          .isEqualTo(Proof.WorkloadCanary);
      scene.assertCondition(2, "CanaryVerified", Status.True, "CanaryPassed");
      assertThat(team.refused()).isZero();
    }
  }

  @ConcurrentTest
  void aCanaryReceivesRequestsOnlyWhereThePolicyWantsThat() {
    String policy = "{canary: {bake: 2s, deadline: 60s, traffic: %s}, retirement: {grace: 1s}}";
    Scene scene = Scene.of("traffic", 1, policy.formatted("None"));
    Team team = scene.team();
    team.apply(
        """
        apiVersion: v1
        kind: Service
        metadata: {name: payments}
        spec:
          selector: {app: payments}
          ports: [{port: 80}]
        """);
    try (History<Deployment> clones = historyOfClones(team)) {
      Team.Login second = scene.rotate();
      scene.assertPromoted(2, second);
      scene.changePolicy(policy.formatted("Shared"));
      Team.Login third = scene.rotate();
      scene.assertPromoted(3, third);

      List<Map<String, String>> labels =
          clones.changesOf(d -> d.getSpec().getTemplate().getMetadata().getLabels());
      assertThat(labels)
          .containsExactly(
              Map.of(Names.CANARY_FOR, "payments"),
              Map.of(Names.CANARY_FOR, "payments", "app", "payments"));
      assertThat(team.refused()).isZero();
    }
  }

  @ConcurrentTest
  void aCloneIsACopyThatNeitherToolsNorSelectorsOfTheOriginalTakeForTheirs() {
    Scene scene = Scene.of("copy", 2, Scene.policy("10s"));
    Team team = scene.team();
    scene.run("label", "deployment/payments", "argocd.argoproj.io/instance=payments");
    Team.Login second = scene.rotate();
    team.awaitStage(2, Stage.Baking);

    Deployment clone = scene.clones().getFirst();
    assertThat(clone.getMetadata().getLabels())
        .containsOnlyKeys(Names.CANARY_FOR, Names.MANAGED_BY);
    assertThat(clone.getMetadata().getOwnerReferences())
        .singleElement()
        .satisfies(o -> {
          assertThat(o.getKind()).isEqualTo("SecretRotation");
          assertThat(o.getUid()).isEqualTo(team.rotation(2).getMetadata().getUid());
          assertThat(o.getController()).isTrue();
        });
    assertThat(clone.getSpec().getReplicas()).isEqualTo(1);
    assertThat(clone.getSpec().getSelector().getMatchLabels())
        .isEqualTo(Map.of(Names.CANARY_FOR, "payments"));
    String snapshot = team.rotation(2).getStatus().to().snapshot();
    assertThat(
            clone.getSpec().getTemplate().getSpec().getContainers().getFirst().getEnv().stream()
                .filter(e -> e.getValueFrom() != null)
                .map(e -> e.getValueFrom().getSecretKeyRef().getName()))
        .hasSize(2)
        .containsOnly(snapshot);
    assertThat(team.holds(snapshot, second)).isTrue();

    // Else the value, which nobody has rejected, would be tried again at once.
    scene.patch("secretbinding", Team.SECRET, "spec: {suspend: true}");
    scene.run("delete", "secretrotation", "payments-db-2", "--wait=false");

    team.await("the rotation has gone", () -> team.rotation(2) == null);
    scene.awaitNoCanary();
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    assertThat(scene.seenOutsideCanary(second)).isFalse();
  }

  private static void recreate(Scene scene) {
    scene.patch("deployment", Scene.APP, "spec: {strategy: {type: Recreate, rollingUpdate: null}}");
    scene.team().awaitRolledOut(Scene.APP);
  }

  private static History<Deployment> historyOfClones(Team team) {
    return History.of(
        team.client()
            .apps()
            .deployments()
            .inNamespace(team.namespace())
            .withLabel(Names.CANARY_FOR));
  }
}
