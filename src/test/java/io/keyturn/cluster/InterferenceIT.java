package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.Pod;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What people and other tools do to workloads and Secrets while a rotation moves them. A rotation
 * then ends, or says whom it waits for; no stable pod is refused a login for it.
 */
class InterferenceIT {

  private static final String SLOW = "ready-after: 3s";
  private static final String PATIENT = Scene.noCanary("{maxParallel: 1, stableTimeout: 5m}");

  /** A Deployment that rolls, and a second one that waits for its turn. */
  private static Scene scene(String name, int replicas) {
    return Scene.of(
        name, PATIENT, Scene.client(Scene.APP, replicas, SLOW), Scene.client("ledger", 1));
  }

  /** A promotion whose first pod has given way, and which does not end before it is let go. */
  private static Team.Login roll(Scene scene) {
    Set<String> before = scene.stableUids();
    Team.Login next = scene.rotate();
    scene
        .team()
        .await(
            "the first pod has given way",
            () -> scene.annotation(Scene.APP) != null && !scene.stableUids().containsAll(before));
    scene.hold(2, true);
    scene.stillIn(2, Stage.Promoting);
    return next;
  }

  /** A canary that bakes until it is let go. */
  private static Team.Login bake(Scene scene) {
    Team.Login next = scene.rotate();
    scene.team().awaitStage(2, s -> s != Stage.Pending);
    scene.hold(2, true);
    scene.team().awaitStage(2, Stage.Baking);
    return next;
  }

  private static WorkloadProgress progress(Scene scene, String workload) {
    return scene.team().rotation(2).getStatus().workloads().stream()
        .filter(w -> w.name().equals(workload))
        .findFirst()
        .orElseThrow();
  }

  /** Whether each pod of the Deployment has started with a login. */
  private static boolean runningOn(Scene scene, Team.Login login) {
    return scene.team().stablePods().stream()
        .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
        .map(p -> p.getMetadata().getUid())
        .allMatch(uid ->
            scene
                .kubelet()
                .anyPodStartedWith(scene.namespace(), p -> p.uid().equals(uid), login.password()));
  }

  @ConcurrentTest
  void aDeploymentThatIsDeletedWhileItRollsIsDropped() {
    Scene scene = scene("gone", 2);
    Team team = scene.team();
    Team.Login second = roll(scene);

    scene.run("delete", "deployment", Scene.APP, "--wait=false");
    scene.hold(2, false);

    team.awaitStage(2, Stage.Complete);
    assertThat(progress(scene, Scene.APP).state()).isEqualTo(WorkloadState.Gone);
    assertThat(progress(scene, "ledger").state()).isEqualTo(WorkloadState.Promoted);
    assertThat(team.rotation(2).getStatus().progress()).isEqualTo("1/1");
    assertThat(team.holds(Team.SECRET, second)).isTrue();
    scene.awaitCondition("Ready", Status.False, "WorkloadNotFound");
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aDeploymentThatIsCreatedAnewWhileItRollsRunsOnTheNewVersion() {
    Scene scene = scene("anew", 2);
    Team team = scene.team();
    Team.Login second = roll(scene);

    scene.run("delete", "deployment", Scene.APP);
    team.apply(Scene.client(Scene.APP, 2, SLOW).manifest(team));
    scene.hold(2, false);

    team.awaitRolledOut(Scene.APP);
    scene.assertPromoted(2, second);
    assertThat(runningOn(scene, second)).isTrue();
    assertThat(team.rotation(2).getStatus().retirement().usersRemaining()).isZero();
    team.await(
        "its pods are counted",
        () ->
            team.binding().getStatus().workloads().stream()
                .anyMatch(w -> w.podsOnCurrent() == 2 && w.podsOnOther() == 0));
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aDeploymentThatIsCreatedAnewDuringTheBakeGetsAVerdictOfItsOwn() {
    Scene scene =
        Scene.of(
            "rebirth", Scene.policy("2s"), Scene.client(Scene.APP, 2), Scene.idle("ledger", 1));
    Team team = scene.team();
    Team.Login second = bake(scene);
    scene.run("delete", "deployment", Scene.APP);
    team.await("it is dropped", () -> progress(scene, Scene.APP).state() == WorkloadState.Gone);

    team.apply(Scene.client(Scene.APP, 2).manifest(team));

    team.await("its canary is made anew", () -> scene.clones().size() == 2);
    assertThat(team.rotation(2).getStatus().rebuilds()).isEqualTo(1);
    assertThat(progress(scene, Scene.APP).uid())
        .isEqualTo(team.workload(Scene.APP).getMetadata().getUid());
    scene.hold(2, false);
    scene.assertPromoted(2, second);
    assertThat(progress(scene, Scene.APP).proof()).isEqualTo(Proof.PodCanary);
    assertThat(runningOn(scene, second)).isTrue();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aDeploymentThatIsScaledToZeroWhileItRollsComesBackOnTheNewVersion() {
    Scene scene = scene("zero", 2);
    Team team = scene.team();
    Team.Login second = roll(scene);

    scene.run("scale", "deployment/payments", "--replicas=0");
    scene.hold(2, false);

    scene.assertPromoted(2, second);
    scene.run("scale", "deployment/payments", "--replicas=2");
    team.awaitRolledOut(Scene.APP);
    assertThat(runningOn(scene, second)).isTrue();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void podsThatAreAddedWhileADeploymentRollsAreOnTheNewVersion() {
    Scene scene = scene("more", 2);
    Team team = scene.team();
    Team.Login second = roll(scene);

    scene.run("scale", "deployment/payments", "--replicas=4");
    scene.hold(2, false);

    scene.assertPromoted(2, second);
    team.awaitRolledOut(Scene.APP);
    assertThat(team.workload(Scene.APP).getStatus().getReadyReplicas()).isEqualTo(4);
    assertThat(runningOn(scene, second)).isTrue();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aDeploymentThatIsEditedWhileItRollsGetsBothChanges() {
    Scene scene = scene("edit", 2);
    Team team = scene.team();
    Team.Login second = roll(scene);

    scene.run("set", "env", "deployment/payments", "FEATURE=on");
    scene.hold(2, false);

    scene.assertPromoted(2, second);
    team.awaitRolledOut(Scene.APP);
    assertThat(runningOn(scene, second)).isTrue();
    assertThat(team.stablePods()).filteredOn(InterferenceIT::hasFeature).hasSize(2);
    assertThat(scene.annotation(Scene.APP)).startsWith("v2-");
    assertThat(team.refused()).isZero();
  }

  private static boolean hasFeature(Pod pod) {
    return pod.getSpec().getContainers().getFirst().getEnv().stream()
        .map(EnvVar::getName)
        .anyMatch("FEATURE"::equals);
  }

  @ConcurrentTest
  void aRolloutThatIsPausedIsWaitedForAndGoesOnWhenItIsResumed() {
    Scene scene = scene("pause", 3);
    Team team = scene.team();
    Team.Login second = roll(scene);

    scene.run("rollout", "pause", "deployment/payments");
    team.await(
        "the pause is seen",
        () ->
            team.workload(Scene.APP).getStatus().getConditions().stream()
                .anyMatch(c -> "DeploymentPaused".equals(c.getReason())));

    scene.stillIn(2, Stage.Promoting);
    assertThat(team.rotation(2).getStatus().message()).contains(Scene.APP);
    scene.assertCondition(2, "Promoted", Status.False, "Promoting");

    scene.run("rollout", "resume", "deployment/payments");
    scene.hold(2, false);

    scene.assertPromoted(2, second);
    team.awaitRolledOut(Scene.APP);
    assertThat(runningOn(scene, second)).isTrue();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aRolloutThatStaysPausedIsTakenBackAndThePodsInTheWayAreNamed() {
    Scene scene =
        Scene.of(
            "paused",
            Scene.noCanary("{stableTimeout: 30s}"),
            Scene.client(Scene.APP, 3, "ready-after: 6s"));
    Team team = scene.team();
    roll(scene);

    scene.run("rollout", "pause", "deployment/payments");

    team.awaitStage(2, Stage.Discarding);
    team.await(
        "the pods are named",
        () -> team.rotation(2).getStatus().message().contains(Scene.APP + "-"));
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();

    scene.run("rollout", "resume", "deployment/payments");

    team.awaitStage(2, Stage.Failed);
    scene.assertCondition(2, "RolledBack", Status.True, "PromotionFailed");
    team.awaitRolledOut(Scene.APP);
    assertThat(runningOn(scene, scene.first())).isTrue();
    assertThat(scene.snapshots(2)).isEmpty();
    assertThat(team.refused()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"null", "v9-12345678"})
  @Execution(ExecutionMode.CONCURRENT)
  void aVersionAnnotationThatSomebodyEditsIsNotFoughtOver(String edited) {
    Scene scene = scene("annotation", 3);
    Team team = scene.team();
    roll(scene);

    scene.patch(
        "deployment",
        Scene.APP,
        "spec: {template: {metadata: {annotations: {%s: %s}}}}",
        Names.versionAnnotation(Team.SECRET),
        edited);

    scene.awaitBlocked(2, "FieldConflict");
    scene.assertCondition(2, "Stalled", Status.True, "FieldConflict");
    assertThat(progress(scene, Scene.APP).state()).isEqualTo(WorkloadState.Reverted);
    assertThat(progress(scene, Scene.APP).message()).contains("kubectl");

    scene.abort(2);

    team.await(
        "the pods are named that read the version meanwhile",
        () -> {
          var status = team.rotation(2).getStatus();
          return status.stage() == Stage.Discarding && status.message().contains(Scene.APP + "-");
        });
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    assertThat(scene.annotation(Scene.APP)).isEqualTo(edited.equals("null") ? null : edited);
    scene.run("rollout", "restart", "deployment/payments");

    team.awaitStage(2, Stage.Aborted);
    team.awaitRolledOut(Scene.APP);
    assertThat(runningOn(scene, scene.first())).isTrue();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void anAliasThatIsDeletedOrEditedDuringTheCanaryIsSetRightAndTheCanaryGoesOn() {
    Scene scene = Scene.of("canary-alias", 2, Scene.policy("4s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login second = bake(scene);

    scene.run("delete", "secret", Team.SECRET);
    team.await("it is there again", () -> team.holds(Team.SECRET, scene.first()));
    team.writeSecretData(Team.SECRET, team.secret(Team.UPSTREAM).getData());
    team.await(
        "both are told of",
        () -> team.events().stream().filter(e -> e.startsWith("AliasRestored")).count() >= 2);
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    scene.stillIn(2, Stage.Baking);
    assertThat(scene.stableUids()).isEqualTo(before);
    scene.hold(2, false);

    scene.assertPromoted(2, second);
    assertThat(team.rotation(2).getStatus().rebuilds()).isZero();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void anAliasThatIsDeletedOrEditedDuringThePromotionIsSetRightAndThePromotionGoesOn() {
    Scene scene = scene("moving-alias", 3);
    Team team = scene.team();
    Team.Login second = roll(scene);

    scene.run("delete", "secret", Team.SECRET);
    team.await("it is there again", () -> team.holds(Team.SECRET, second));
    team.writeSecretData(Team.SECRET, team.secret(scene.snapshots(1).getFirst()).getData());
    scene.run("label", "--overwrite", "secret", Team.SECRET, Names.VERSION + "=latest");
    team.await(
        "the label is set right",
        () -> "2".equals(team.secret(Team.SECRET).getMetadata().getLabels().get(Names.VERSION)));
    scene.hold(2, false);

    scene.assertPromoted(2, second);
    team.awaitRolledOut(Scene.APP);
    assertThat(team.events()).anyMatch(e -> e.startsWith("AliasRestored"));
    assertThat(team.refused()).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"Canary", "Baking"})
  @Execution(ExecutionMode.CONCURRENT)
  void aCandidateThatIsDeletedBeforeItIsProvenIsTakenBackAndTriedAgain(Stage stage) {
    Scene scene =
        Scene.of(
            "lost",
            2,
            "{canary: {bake: 4s, deadline: 60s}, retirement: {grace: 1s},"
                + " retry: {maxAttempts: 2, initialBackoff: 1s}}",
            "ready-after: 2s");
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login second = stage == Stage.Canary ? scene.rotate() : bake(scene);
    team.awaitStage(2, stage);

    scene.run("delete", "secret", scene.snapshots(2).getFirst());

    team.awaitStage(2, Stage.Failed);
    scene.assertCondition(2, "Succeeded", Status.False, "SnapshotLost");
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    assertThat(scene.stableUids()).isEqualTo(before);
    scene.assertPromoted(3, second);
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aCandidateThatIsDeletedDuringThePromotionIsWrittenAgainFromTheAlias() {
    Scene scene = scene("promoted-lost", 3);
    Team team = scene.team();
    Team.Login second = roll(scene);
    String snapshot = scene.snapshots(2).getFirst();

    scene.run("delete", "secret", snapshot);

    team.await("it is there again", () -> team.holds(snapshot, second));
    scene.hold(2, false);
    scene.assertPromoted(2, second);
    team.awaitRolledOut(Scene.APP);
    assertThat(runningOn(scene, second)).isTrue();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aVersionToGoBackToThatIsDeletedIsAskedForUntilSomebodyLetsGoOfTheRotation() {
    Scene scene = scene("no-way-back", 3);
    Team team = scene.team();
    Team.Login second = roll(scene);
    scene.run("delete", "secret", scene.snapshots(1).getFirst());
    scene.abort(2);

    scene.awaitBlocked(2, "RollbackImpossible");
    scene.assertCondition(2, "Stalled", Status.True, "RollbackImpossible");
    assertThat(team.holds(Team.SECRET, second)).isTrue();
    Team.Login third = scene.rotate();
    scene.run("delete", "secretrotation", "payments-db-2", "--timeout=50s");

    scene.assertPromoted(3, third);
    team.awaitRolledOut(Scene.APP);
    assertThat(runningOn(scene, third)).isTrue();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aCloneThatSomebodyDeletesDuringTheBakeIsMadeAnew() {
    Scene scene = Scene.of("clone", 2, Scene.policy("4s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();
    Team.Login second = bake(scene);
    String clone = scene.clones().getFirst().getMetadata().getUid();

    scene.run("delete", "deployment", scene.clones().getFirst().getMetadata().getName());

    team.await(
        "there is another",
        () -> Scene.uids(scene.clones()).stream().anyMatch(uid -> !uid.equals(clone)));
    assertThat(scene.stableUids()).isEqualTo(before);
    scene.hold(2, false);
    scene.assertPromoted(2, second);
    assertThat(team.rotation(2).getStatus().rebuilds()).isEqualTo(1);
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aCloneWhoseOwnerSomebodyTakesOffIsCleanedUpAllTheSame() {
    Scene scene = Scene.of("orphan", 1, Scene.policy("4s"));
    Team.Login second = bake(scene);

    scene.patch(
        "deployment",
        scene.clones().getFirst().getMetadata().getName(),
        "metadata: {ownerReferences: null}");
    scene.hold(2, false);

    scene.assertPromoted(2, second);
  }

  @ConcurrentTest
  void aTemplateThatNamesARejectedSnapshotIsNamedAndDoesNotKeepANewerValueWaiting() {
    Scene scene = Scene.of("template", 1, Scene.policy("4s"));
    Team team = scene.team();
    bake(scene);
    String snapshot = scene.snapshots(2).getFirst();
    team.apply(
        team.deployment("reporter", 0, "hollow/ready", "")
            .replace("name: payments-db,", "name: " + snapshot + ","));

    scene.abort(2);

    team.await(
        "the Deployment is named",
        () -> team.rotation(2).getStatus().message().contains("the Deployment reporter"));
    scene.stillIn(2, Stage.Discarding);
    Team.Login third = scene.rotate();

    scene.assertPromoted(3, third);
    team.awaitStage(2, Stage.Aborted);
    assertThat(team.rotation(2).getStatus().message()).contains("the Deployment reporter");
    assertThat(scene.snapshots(2)).containsExactly(snapshot);
    assertThat(team.refused()).isZero();
  }

  @ParameterizedTest
  @EnumSource(names = {"Canary", "Baking", "Promoting"})
  @Execution(ExecutionMode.CONCURRENT)
  void aSourceThatIsDeletedMeanwhileKeepsNothingFromItsEnd(Stage stage) {
    Scene scene = Scene.of("upstream", 2, Scene.policy("3s"), "ready-after: 2s");
    Team team = scene.team();
    Team.Login second = scene.rotate();
    team.awaitStage(2, stage);

    scene.run("delete", "secret", Team.UPSTREAM);

    scene.awaitCondition("Stalled", Status.True, "SourceNotFound");
    scene.assertPromoted(2, second);
    team.awaitRolledOut(Scene.APP);
    assertThat(runningOn(scene, second)).isTrue();
    scene.awaitCondition("Stalled", Status.True, "SourceNotFound");
    assertThat(scene.condition("Stalled").message()).contains("Version 2 stays delivered");
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void labelsAndAnnotationsThatSomebodyChangesAreSetRightOrDoNotMatter() {
    Scene scene = Scene.of("labels", 2, Scene.policy("4s"));
    Team team = scene.team();
    scene.run("label", "--overwrite", "secret", Team.SECRET, Names.VERSION + "=latest");
    scene.run("annotate", "--overwrite", "secret", Team.SECRET, Names.SINCE + "=yesterday");
    scene.run("label", "--overwrite", "secret", scene.snapshots(1).getFirst(), Names.VERSION + "-");
    team.await(
        "the alias is set right",
        () -> "1".equals(team.secret(Team.SECRET).getMetadata().getLabels().get(Names.VERSION)));

    Team.Login second = bake(scene);
    scene.run("annotate", "--overwrite", "secret", Team.SECRET, Names.SINCE + "=tomorrow");
    scene.run(
        "label",
        "--overwrite",
        "secret",
        scene.snapshots(2).getFirst(),
        Names.VERSION + "=the-new-one");
    scene.hold(2, false);

    scene.assertPromoted(2, second);
    team.awaitRolledOut(Scene.APP);
    assertThat(runningOn(scene, second)).isTrue();
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aBindingTakesOverAnAliasWhoseVersionSomebodyHasRubbedOut() {
    Scene scene = Scene.of("rubbed-out", 1, Scene.policy("1s"));
    Team team = scene.team();
    Team.Login second = scene.rotate();
    scene.assertPromoted(2, second);
    team.awaitRolledOut(Scene.APP);
    Set<String> before = scene.stableUids();
    scene.run("delete", "secretbinding", Team.SECRET);
    team.await("the history goes", () -> team.rotations().isEmpty());
    scene.run("label", "secret", Team.SECRET, Names.VERSION + "-");

    team.bind(Scene.APP);

    team.awaitVersion(2);
    assertThat(team.secret(Team.SECRET).getMetadata().getLabels())
        .containsEntry(Names.VERSION, "2");
    assertThat(scene.stableUids()).isEqualTo(before);
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void everySecretThatKeyturnMadeMayBeDeletedAtOnce() {
    Scene scene = Scene.of("all", 2, Scene.policy("1s"));
    Team team = scene.team();
    Set<String> before = scene.stableUids();

    scene.run("delete", "secret", "-l", Names.MANAGED_BY + "=" + Names.KEYTURN);

    team.await("the Secret is there again", () -> team.holds(Team.SECRET, scene.first()));
    team.await("and its snapshot", () -> scene.snapshots(1).size() == 1);
    team.awaitVersion(1);
    assertThat(team.rotations()).isEmpty();
    assertThat(scene.stableUids()).isEqualTo(before);
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void whatCannotBeRestoredIsSaidUntilTheNextValueIsDelivered() {
    Scene scene = Scene.of("nothing-left", 2, Scene.policy("1s"));
    Team team = scene.team();
    scene.patch("secretbinding", Team.SECRET, "spec: {suspend: true}");
    scene.awaitCondition("Rotating", Status.False, "Suspended");
    Team.Login second = scene.rotate();

    scene.run("delete", "secret", "-l", Names.MANAGED_BY + "=" + Names.KEYTURN);

    assertThat(Bindings.awaitStalled(team, Team.SECRET, "SnapshotLost")).contains("copy");
    scene.awaitCondition("Delivered", Status.False, "SnapshotLost");

    scene.patch("secretbinding", Team.SECRET, "spec: {suspend: false}");

    scene.assertPromoted(2, second);
    Bindings.awaitHealthy(team, Team.SECRET);
    assertThat(team.refused()).isZero();
  }

  @ConcurrentTest
  void aRotationThatAPersonMakesIsInNobodysWay() {
    Scene scene = Scene.of("byhand", 1, Scene.policy("1s"));
    Team team = scene.team();
    for (String name : List.of("payments-db-2", "try-me", "payments-db-99999999999999999999")) {
      team.apply(
          """
          apiVersion: keyturn.io/v1alpha1
          kind: SecretRotation
          metadata: {name: %s, finalizers: [keyturn.io/rotation]}
          spec: {bindingRef: {name: payments-db}, trigger: Manual}
          """
              .formatted(name));
    }
    team.await(
        "they say that they do nothing",
        () ->
            team.rotations().stream()
                .allMatch(r -> Team.is(r.getStatus().conditions(), "Stalled", Status.True)));

    Team.Login second = scene.rotate();

    scene.assertPromoted(3, second);
    scene.run("delete", "secretrotation", "payments-db-2", "try-me", "--timeout=50s");
    scene.run("delete", "secretrotation", "payments-db-99999999999999999999", "--timeout=50s");
    assertThat(scene.versions()).containsExactly(3L);
    assertThat(team.refused()).isZero();
  }
}
