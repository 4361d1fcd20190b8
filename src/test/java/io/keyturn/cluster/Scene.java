package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.RotationPolicy;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.HollowKubelet;
import io.keyturn.testing.LoginCount;
import io.keyturn.testing.SharedControlPlane;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * A team whose first version is delivered and whose Deployments run on it, and what its tests ask
 * of it again and again.
 *
 * @param team whose it is
 * @param first the login of the first version
 */
record Scene(Team team, Team.Login first) {

  /** The Deployment that most scenes have. */
  static final String APP = "payments";

  /** A policy that bakes for a moment and does not try a value twice. */
  static String policy(String bake) {
    return """
    {canary: {bake: %s, deadline: 60s}, retirement: {grace: 1s}, retry: {maxAttempts: 1}}\
    """
        .formatted(bake);
  }

  /** A policy that tries nothing out and does not try a value twice. */
  static String noCanary(String promotion) {
    return """
    {canary: {strategy: None}, promotion: %s, retirement: {grace: 1s}, retry: {maxAttempts: 1}}\
    """
        .formatted(promotion);
  }

  /** One Deployment of clients of PostgreSQL. */
  static Scene of(String name, int replicas, String policy, String... annotations) {
    return of(name, policy, client(replicas, annotations));
  }

  /** Deployments by what they are made of, each bound by its name. */
  static Scene of(String name, String policy, Workload... workloads) {
    return of(SharedWorld.team(name), policy, workloads);
  }

  /** The same for a team that is there already. */
  static Scene of(Team team, String policy, Workload... workloads) {
    Team.Login first = team.newLogin();
    team.writeUpstream(first);
    StringBuilder manifest = new StringBuilder(policyManifest(policy));
    manifest.append(binding(workloads));
    for (Workload w : workloads) {
      manifest.append("---\n").append(w.manifest(team));
    }
    team.apply(manifest.toString());
    team.awaitVersion(1);
    for (Workload w : workloads) {
      team.awaitRolledOut(w.name());
    }
    awaitNextSecond();
    return new Scene(team, first);
  }

  /** Whether a pod that starts in the second of a promotion reads the old value, nobody can say. */
  private static void awaitNextSecond() {
    Instant next = Instant.now().truncatedTo(ChronoUnit.SECONDS).plusSeconds(1);
    Awaitility.await("the next second").until(() -> Instant.now().isAfter(next));
  }

  /** What a Deployment is made of, and in which wave it follows. */
  record Workload(String name, int replicas, String image, List<String> annotations, int wave) {

    Workload inWave(int number) {
      return new Workload(name, replicas, image, annotations, number);
    }

    String manifest(Team team) {
      String lines =
          annotations.stream()
              .map(a -> "        hollow.keyturn.io/" + a)
              .collect(Collectors.joining("\n"));
      return team.deployment(name, replicas, image, lines);
    }
  }

  static Workload client(int replicas, String... annotations) {
    return client(APP, replicas, annotations);
  }

  static Workload client(String name, int replicas, String... annotations) {
    return new Workload(name, replicas, "hollow/postgres-client", List.of(annotations), 0);
  }

  /** Pods that start with the Secret and do nothing with it. */
  static Workload idle(String name, int replicas, String... annotations) {
    return new Workload(name, replicas, "hollow/ready", List.of(annotations), 0);
  }

  static String policyManifest(String spec) {
    return """
    apiVersion: keyturn.io/v1alpha1
    kind: RotationPolicy
    metadata: {name: quick}
    spec: %s
    ---
    """
        .formatted(spec);
  }

  private static String binding(Workload... workloads) {
    return """
    apiVersion: keyturn.io/v1alpha1
    kind: SecretBinding
    metadata: {name: payments-db}
    spec:
      source: {secret: {name: payments-db-upstream}}
      rotationPolicyRef: {name: quick}
      workloads: [%s]
    """
        .formatted(
            List.of(workloads).stream()
                .map(w -> "{kind: Deployment, name: %s, wave: %d}".formatted(w.name(), w.wave()))
                .collect(Collectors.joining(", ")));
  }

  /** Replaces the policy: it counts for the rotations that start later. */
  void changePolicy(String spec) {
    team.apply(policyManifest(spec));
  }

  RotationPolicy policy() {
    return team.client()
        .resources(RotationPolicy.class)
        .inNamespace(team.namespace())
        .withName("quick")
        .get();
  }

  String namespace() {
    return team.namespace();
  }

  HollowKubelet kubelet() {
    return SharedControlPlane.kubelet();
  }

  /** A new login is written to the upstream Secret. */
  Team.Login rotate() {
    Team.Login next = team.newLogin();
    team.writeUpstream(next);
    return next;
  }

  /** A password that is wrong is written to the upstream Secret. */
  Team.Login rotateToWrongPassword() {
    Team.Login next = team.wrong(first);
    team.writeUpstream(next);
    return next;
  }

  /** A login that PostgreSQL does not know yet is written to the upstream Secret. */
  Team.Login rotateToUnknownLogin() {
    Team.Login next = new Team.Login("u" + Team.random(6), Team.newValue());
    team.writeUpstream(next);
    return next;
  }

  /** Deployments, without those of the canaries. */
  History<Deployment> historyOfWorkloads() {
    return History.of(
        team.client().apps().deployments().inNamespace(namespace()).withLabel("team", "payments"));
  }

  /** The Deployments of the canaries. */
  History<Deployment> historyOfClones() {
    return History.of(
        team.client().apps().deployments().inNamespace(namespace()).withLabel(Names.CANARY_FOR));
  }

  void abort(long version) {
    patch("secretrotation", Names.rotation(Team.SECRET, version), "spec: {abort: true}");
  }

  void hold(long version, boolean hold) {
    patch("secretrotation", Names.rotation(Team.SECRET, version), "spec: {hold: %s}", hold);
  }

  void patch(String kind, String name, String patch, Object... arguments) {
    run("patch", kind, name, "--type=merge", "-p", patch.formatted(arguments));
  }

  /** kubectl in the namespace; it has to work. */
  String run(String... arguments) {
    var result = team.kubectl(arguments);
    assertThat(result.succeeded()).as(result.stderr()).isTrue();
    return result.stdout();
  }

  List<Pod> canaryPods() {
    return team.pods().stream()
        .filter(p -> p.getMetadata().getLabels().containsKey(Names.CANARY_FOR))
        .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
        .toList();
  }

  List<Deployment> clones() {
    return team.client()
        .apps()
        .deployments()
        .inNamespace(namespace())
        .withLabel(Names.CANARY_FOR)
        .list()
        .getItems();
  }

  Set<String> stableUids() {
    return uids(team.stablePods());
  }

  static Set<String> uids(List<? extends HasMetadata> objects) {
    return objects.stream().map(o -> o.getMetadata().getUid()).collect(Collectors.toSet());
  }

  /** Whether any container ever started with a value. */
  boolean seenByAnyone(Team.Login login) {
    return kubelet().anyPodStartedWith(namespace(), p -> true, login.password());
  }

  /** Whether every pod that is no canary has started with a login. */
  boolean runsOn(Team.Login login) {
    return stableUids().stream()
        .allMatch(uid ->
            kubelet().anyPodStartedWith(namespace(), p -> p.uid().equals(uid), login.password()));
  }

  boolean seenByCanary(Team.Login login) {
    return kubelet()
        .anyPodStartedWith(
            namespace(), p -> p.labels().containsKey(Names.CANARY_FOR), login.password());
  }

  boolean seenOutsideCanary(Team.Login login) {
    return team.seenOutsideCanary(login.password());
  }

  /** Logins that PostgreSQL refused to certain pods. */
  long refusedTo(Set<String> uids) {
    return kubelet().logins(namespace()).stream()
        .filter(l -> uids.contains(l.podUid()))
        .mapToLong(LoginCount::refused)
        .sum();
  }

  /** The version annotation of a pod template; null if there is none. */
  String annotation(String workload) {
    return annotation(team.workload(workload));
  }

  static String annotation(Deployment deployment) {
    var annotations = deployment.getSpec().getTemplate().getMetadata().getAnnotations();
    return annotations == null ? null : annotations.get(Names.versionAnnotation(Team.SECRET));
  }

  /** The names of the snapshots of a version. */
  List<String> snapshots(long version) {
    return team
        .client()
        .secrets()
        .inNamespace(namespace())
        .withLabel(Names.VERSION, Long.toString(version))
        .list()
        .getItems()
        .stream()
        .filter(s -> Boolean.TRUE.equals(s.getImmutable()))
        .map(s -> s.getMetadata().getName())
        .toList();
  }

  /** The versions of all rotations that there are. */
  List<Long> versions() {
    return team.rotations().stream()
        .map(r -> Names.versionOfRotation(r.getMetadata().getName()))
        .toList();
  }

  Condition condition(long version, String type) {
    return find(team.rotation(version).getStatus().conditions(), type);
  }

  Condition condition(String type) {
    return find(team.binding().getStatus().conditions(), type);
  }

  private static Condition find(List<Condition> conditions, String type) {
    return conditions.stream().filter(c -> c.type().equals(type)).findFirst().orElse(null);
  }

  /** Waits until a rotation is blocked for a reason. */
  SecretRotation awaitBlocked(long version, String reason) {
    team.await(
        "rotation " + version + " is blocked: " + reason,
        () -> {
          if (team.rotation(version) == null) {
            return false;
          }
          Condition blocked = condition(version, "Blocked");
          return blocked != null && blocked.reason().equals(reason);
        });
    return team.rotation(version);
  }

  /** Waits until a condition of the binding has a status and a reason. */
  void awaitCondition(String type, Condition.Status status, String reason) {
    team.await(
        "%s is %s: %s".formatted(type, status, reason),
        () -> {
          Condition c = condition(type);
          return c != null && c.status() == status && c.reason().equals(reason);
        });
  }

  /** Waits until the binding tells of pods of each workload, and of the current version alone. */
  void awaitCounted() {
    team.await(
        "the pods are counted",
        () -> {
          var counts = team.binding().getStatus().workloads();
          return !counts.isEmpty()
              && counts.stream().allMatch(w -> w.podsOnCurrent() > 0 && w.podsOnOther() == 0);
        });
  }

  /** Waits until nothing is left of the canaries. */
  void awaitNoCanary() {
    team.await("no canary is left", () -> clones().isEmpty() && canaryPods().isEmpty());
  }

  /** Asserts that a rotation still stands somewhere, so that what was seen before was seen then. */
  void stillIn(long version, Stage stage) {
    assertThat(team.rotation(version).getStatus().stage()).isEqualTo(stage);
  }

  /** Asserts that a rotation has ended well, and everything is as users expect. */
  void assertPromoted(long version, Team.Login login) {
    team.awaitStage(version, Stage.Complete);
    team.awaitVersion(version);
    var current = team.binding().getStatus().current();
    assertThat(current.snapshot()).startsWith(Team.SECRET + "-v" + version + "-");
    assertThat(team.holds(Team.SECRET, login)).isTrue();
    assertThat(team.holds(current.snapshot(), login)).isTrue();
    awaitNoCanary();
    SecretRotation rotation = team.rotation(version);
    assertThat(Team.is(rotation.getStatus().conditions(), "Succeeded", Condition.Status.True))
        .isTrue();
    assertThat(Team.is(rotation.getStatus().conditions(), "Promoted", Condition.Status.True))
        .isTrue();
    assertThat(condition(version, "RolledBack")).isNull();
    awaitCondition("RotationHealthy", Condition.Status.True, "Ready");
  }

  /**
   * Asserts that a candidate was rejected without a trace: its snapshot has gone, the alias holds
   * the first login, and the same pods as ever run, with not one login refused.
   *
   * @param candidate the login that was tried
   * @param before the UIDs of the pods before the rotation
   */
  void assertRejected(long version, Team.Login candidate, Set<String> before) {
    awaitNoCanary();
    SecretRotation rotation = team.rotation(version);
    assertThat(Team.is(rotation.getStatus().conditions(), "Succeeded", Condition.Status.False))
        .isTrue();
    assertThat(Team.is(rotation.getStatus().conditions(), "RolledBack", Condition.Status.True))
        .isTrue();
    assertThat(snapshots(version)).isEmpty();
    assertThat(team.holds(Team.SECRET, first)).isTrue();
    assertThat(team.binding().getStatus().current().version()).isEqualTo(1);
    assertThat(Team.is(team.binding().getStatus().conditions(), "Ready", Condition.Status.True))
        .isTrue();
    assertThat(stableUids()).isEqualTo(before);
    assertThat(seenOutsideCanary(candidate)).isFalse();
    assertThat(team.refusedOutsideCanary()).isZero();
  }

  /** Asserts that a condition says something and why. */
  void assertCondition(long version, String type, Condition.Status status, String reason) {
    Condition condition = condition(version, type);
    assertThat(condition).as(type).isNotNull();
    assertThat(condition.status()).as(condition.toString()).isEqualTo(status);
    assertThat(Objects.toString(condition.reason())).as(condition.toString()).isEqualTo(reason);
  }
}
