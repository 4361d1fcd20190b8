package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.ResourceQuota;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Stage;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A team whose rotation to version 2 stands in a stage and stays there for as long as a test needs.
 *
 * @param scene whose it is
 * @param stage where it stands
 * @param candidate the login of version 2
 * @param before the pods that ran before the rotation
 */
record Standing(Scene scene, Stage stage, Team.Login candidate, Set<String> before) {

  /** A pod that mentions the candidate's snapshot, which nobody has asked it to. */
  static final String STRANGER = "stranger";

  private static final String LONG_BAKE =
      "{canary: {bake: 10m, deadline: 20m}, retirement: {grace: 1s}, retry: {maxAttempts: 1}}";
  private static final String LONG_GRACE =
      "{canary: {strategy: None}, retirement: {grace: 1h}, retry: {maxAttempts: 1}}";

  /** Nobody listens there, so the check cannot tell. */
  private static final String UNCLEAR_CHECK =
      "{preflight: [{name: deaf, http: {url: \"http://127.0.0.1:1/\"}}], retry: {maxAttempts: 1}}";

  private static final String SLOW_PROMOTION =
      Scene.noCanary("{maxParallel: 1, stableTimeout: 10m}");

  /** Plays a rotation up to a stage. */
  static Standing in(Stage stage, String prefix, String deletionPolicy) {
    return switch (stage) {
      case Pending -> pending(prefix, deletionPolicy);
      case Staging -> staging(prefix, deletionPolicy);
      case Preflight ->
          begin(scene(prefix, deletionPolicy, UNCLEAR_CHECK), Stage.Preflight).await();
      case Canary -> canary(prefix, deletionPolicy);
      case Baking -> begin(scene(prefix, deletionPolicy, LONG_BAKE), Stage.Baking).await();
      case Promoting -> promoting(prefix, deletionPolicy);
      case Retiring -> begin(scene(prefix, deletionPolicy, LONG_GRACE), Stage.Retiring).await();
      case RollingBack -> rollingBack(prefix, deletionPolicy);
      case Discarding -> discarding(prefix, deletionPolicy);
      default -> throw new IllegalArgumentException("no rotation stands in " + stage);
    };
  }

  /** A rollout that somebody has paused is not interfered with. */
  private static Standing pending(String prefix, String deletionPolicy) {
    Scene scene = scene(prefix, deletionPolicy, LONG_BAKE);
    scene.run("rollout", "pause", "deployment/payments");
    Standing standing = begin(scene, Stage.Pending);
    scene.awaitBlocked(2, "WorkloadUnstable");
    return standing.await();
  }

  /** A quota leaves no room for the snapshot. */
  private static Standing staging(String prefix, String deletionPolicy) {
    Scene scene = scene(prefix, deletionPolicy, LONG_BAKE);
    int secrets =
        scene.team().client().secrets().inNamespace(scene.namespace()).list().getItems().size();
    scene.run("create", "quota", "full", "--hard=count/secrets=" + secrets);
    scene
        .team()
        .await(
            "the quota is counted",
            () -> {
              ResourceQuota quota =
                  scene
                      .team()
                      .client()
                      .resourceQuotas()
                      .inNamespace(scene.namespace())
                      .withName("full")
                      .get();
              return quota.getStatus() != null
                  && quota.getStatus().getUsed() != null
                  && !quota.getStatus().getUsed().isEmpty();
            });
    Standing standing = begin(scene, Stage.Staging);
    scene.awaitBlocked(2, "AccessDenied");
    return standing.await();
  }

  /** A wrong password keeps the canary from becoming Ready. */
  private static Standing canary(String prefix, String deletionPolicy) {
    Scene scene = scene(prefix, deletionPolicy, LONG_BAKE);
    Set<String> before = scene.stableUids();
    Team.Login wrong = scene.rotateToWrongPassword();
    scene.team().await("the canary has tried", () -> scene.team().refused() > 0);
    return new Standing(scene, Stage.Canary, wrong, before).await();
  }

  /** The first of two Deployments has pods on both versions. */
  private static Standing promoting(String prefix, String deletionPolicy) {
    Standing standing = begin(slow(prefix, deletionPolicy), Stage.Promoting);
    standing.awaitMoved();
    // The second Deployment does not begin.
    standing.scene().hold(2, true);
    return standing.await();
  }

  /** The first of two Deployments gets the pods back that it had lost. */
  private static Standing rollingBack(String prefix, String deletionPolicy) {
    Standing standing = begin(slow(prefix, deletionPolicy), Stage.RollingBack);
    Scene scene = standing.scene();
    standing.awaitMoved();
    scene.abort(2);
    scene
        .team()
        .await(
            "the workload is on its way back",
            () ->
                scene.team().rotation(2).getStatus().stage() == Stage.RollingBack
                    && scene.annotation(Scene.APP) == null);
    return standing.await();
  }

  /** A pod that nobody ends names the snapshot of the rejected version. */
  private static Standing discarding(String prefix, String deletionPolicy) {
    Standing standing = begin(scene(prefix, deletionPolicy, LONG_BAKE), Stage.Discarding);
    Scene scene = standing.scene();
    Team team = scene.team();
    team.awaitStage(2, Stage.Baking);
    team.apply(stranger(scene.snapshots(2).getFirst()));
    team.await("the stranger runs", () -> running(team, STRANGER));
    scene.abort(2);
    scene.awaitNoCanary();
    team.await(
        "the stranger is named", () -> team.rotation(2).getStatus().message().contains(STRANGER));
    return standing.await();
  }

  private static boolean running(Team team, String pod) {
    return team.pods().stream()
        .filter(p -> p.getMetadata().getName().equals(pod))
        .anyMatch(p -> "Running".equals(p.getStatus().getPhase()));
  }

  private static String stranger(String snapshot) {
    return """
    apiVersion: v1
    kind: Pod
    metadata: {name: %s}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: app
          image: hollow/ready
          env:
            - name: DB_PASSWORD
              valueFrom: {secretKeyRef: {name: %s, key: password}}
    """
        .formatted(STRANGER, snapshot);
  }

  private static Scene scene(String prefix, String deletionPolicy, String policy) {
    return owned(Scene.of(prefix, 2, policy), deletionPolicy);
  }

  private static Scene slow(String prefix, String deletionPolicy) {
    return owned(
        Scene.of(
            prefix,
            SLOW_PROMOTION,
            Scene.client(Scene.APP, 2, "ready-after: 3s"),
            Scene.client("ledger", 1)),
        deletionPolicy);
  }

  private static Scene owned(Scene scene, String deletionPolicy) {
    if (deletionPolicy.equals("Delete")) {
      scene.patch("secretbinding", Team.SECRET, "spec: {secret: {deletionPolicy: Delete}}");
      scene
          .team()
          .await(
              "the binding owns its Secrets",
              () ->
                  List.of(Team.SECRET, scene.snapshots(1).getFirst()).stream()
                      .map(scene.team()::secret)
                      .noneMatch(s -> s.getMetadata().getOwnerReferences().isEmpty()));
    }
    return scene;
  }

  private static Standing begin(Scene scene, Stage stage) {
    Set<String> before = scene.stableUids();
    return new Standing(scene, stage, scene.rotate(), before);
  }

  private void awaitMoved() {
    scene
        .team()
        .await(
            "the first of its pods has given way",
            () ->
                !scene.stableUids().containsAll(before)
                    && !Objects.isNull(scene.annotation(Scene.APP)));
  }

  private Standing await() {
    scene.team().awaitStage(2, stage);
    return this;
  }

  /** Whether the candidate is what the alias is to hold when all is over. */
  boolean promoted() {
    return stage == Stage.Retiring;
  }

  /** Whether pods had begun to move. */
  boolean moving() {
    return stage == Stage.Promoting || stage == Stage.RollingBack;
  }

  /** The pods of Deployments that run now, those that end left out. */
  Set<String> running() {
    return scene.team().stablePods().stream()
        .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
        .filter(p -> !p.getMetadata().getName().equals(STRANGER))
        .map(Pod::getMetadata)
        .map(m -> m.getUid())
        .collect(Collectors.toSet());
  }

  /** Waits until each Deployment has all of its pods, and no more. */
  void awaitAvailable() {
    Team team = scene.team();
    int wanted =
        team
            .client()
            .apps()
            .deployments()
            .inNamespace(team.namespace())
            .withLabel("team", "payments")
            .list()
            .getItems()
            .stream()
            .mapToInt(d -> d.getSpec().getReplicas())
            .sum();
    team.await(
        "every Deployment has its pods",
        () ->
            running().size() == wanted
                && team.stablePods().stream().filter(Standing::serves).count() >= wanted);
  }

  /** Whether a pod is Ready and stays. */
  static boolean serves(Pod pod) {
    return pod.getMetadata().getDeletionTimestamp() == null
        && pod.getStatus() != null
        && pod.getStatus().getConditions().stream()
            .anyMatch(c -> c.getType().equals("Ready") && c.getStatus().equals("True"));
  }

  /** Asserts that each running pod of a Deployment has started with a login. */
  void assertRunningOn(Team.Login login) {
    assertThat(running())
        .isNotEmpty()
        .allMatch(uid ->
            scene
                .kubelet()
                .anyPodStartedWith(scene.namespace(), p -> p.uid().equals(uid), login.password()));
  }

  /** Asserts that nothing is left of the canary, and that no login failed outside of it. */
  void assertNobodyNoticed() {
    scene.awaitNoCanary();
    assertThat(scene.team().refusedOutsideCanary()).isZero();
    assertThat(scene.team().accepted()).isPositive();
  }

  /** The names of all Secrets that Keyturn made. */
  Set<String> secrets() {
    return scene
        .team()
        .client()
        .secrets()
        .inNamespace(scene.namespace())
        .withLabel(Names.MANAGED_BY, Names.KEYTURN)
        .list()
        .getItems()
        .stream()
        .map(s -> s.getMetadata().getName())
        .collect(Collectors.toSet());
  }
}
