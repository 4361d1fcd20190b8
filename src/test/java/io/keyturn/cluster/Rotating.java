package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentList;
import io.fabric8.kubernetes.client.dsl.NonNamespaceOperation;
import io.fabric8.kubernetes.client.dsl.RollableScalableResource;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.IntStream;

/**
 * A team that rotates again and again, and whose database refuses the old password as soon as a
 * rotation is complete: whoever still used it would fail.
 */
final class Rotating {

  private static final int PODS = 2;

  /** A good value has time enough, whatever happens to the operator. */
  private static final String PATIENT = "10m";

  /** The canary of a bad value never becomes Ready. */
  private static final String IMPATIENT = "2s";

  private final Scene scene;
  private final List<String> workloads;
  private final List<Stage> expected = new CopyOnWriteArrayList<>();
  private final List<String> rejected = new ArrayList<>();
  private String deadline = PATIENT;
  private Team.Login current;
  private Team.Login next;

  private Rotating(Scene scene, List<String> workloads) {
    this.scene = scene;
    this.workloads = workloads;
    this.current = scene.first();
  }

  /** Delivers the first version to the given Deployments of some pods each. */
  static Rotating start(Team team, String... workloads) {
    return new Rotating(
        Scene.of(
            team,
            policy(PATIENT),
            List.of(workloads).stream()
                .map(w -> Scene.client(w, PODS, "login-every: 1s"))
                .toArray(Scene.Workload[]::new)),
        List.of(workloads));
  }

  private static String policy(String deadline) {
    return """
    {canary: {bake: 1s, deadline: %s}, promotion: {maxParallel: 2}, retirement: {grace: 1s},
     retry: {maxAttempts: 1}, historyLimit: 50}\
    """
        .formatted(deadline);
  }

  /** The team's tool writes a login that works. */
  Rotating rotateWell() {
    return rotate(true);
  }

  /** The team's tool writes a login that works, or one that does not. */
  Rotating rotate(boolean good) {
    String wanted = good ? PATIENT : IMPATIENT;
    if (!wanted.equals(deadline)) {
      scene.changePolicy(policy(wanted));
      deadline = wanted;
    }
    next = good ? scene.rotate() : scene.rotateToWrongPassword();
    expected.add(good ? Stage.Complete : Stage.Failed);
    return this;
  }

  private long version() {
    return expected.size() + 1L;
  }

  /** Waits until the rotation stands in a stage, or in one that only comes after it. */
  void awaitPast(Stage stage) {
    scene.team().awaitStage(version(), s -> s.compareTo(stage) >= 0);
  }

  /**
   * Waits until the rotation has ended as it has to, and lets the password that it replaced die.
   */
  void awaitEnd() {
    scene.team().awaitStage(version(), expected.getLast());
    if (expected.getLast() == Stage.Complete) {
      SharedWorld.postgres().setPassword(current.user(), Team.random(16));
      current = next;
    } else {
      rejected.add(next.password());
    }
  }

  /** Notes where the rotation stands, if it is under way. */
  void addStageTo(List<Stage> stages) {
    SecretRotation rotation = scene.team().rotation(version());
    if (rotation != null && !rotation.getStatus().stage().terminal()) {
      stages.add(rotation.getStatus().stage());
    }
  }

  /** Every state of the canaries' Deployments from now on. */
  History<Deployment> clones() {
    return History.of(deployments().withLabel(Names.CANARY_FOR));
  }

  /** Every state of a Deployment from now on. */
  History<Deployment> workload(String name) {
    return History.of(deployments().withField("metadata.name", name));
  }

  private NonNamespaceOperation<Deployment, DeploymentList, RollableScalableResource<Deployment>>
      deployments() {
    return scene.team().client().apps().deployments().inNamespace(scene.namespace());
  }

  /**
   * Asserts that each rotation ended as it had to under a number of its own, that every pod runs on
   * the last good value, and that no pod but canaries ever saw a bad one or was refused.
   */
  void assertUnharmed() {
    Team team = scene.team();
    scene.awaitNoCanary();
    assertThat(team.rotations())
        .extracting(r -> r.getStatus().stage())
        .containsExactlyElementsOf(expected);
    assertThat(scene.versions())
        .containsExactlyElementsOf(
            IntStream.rangeClosed(2, expected.size() + 1).mapToObj(Long::valueOf).toList());
    assertThat(team.holds(Team.SECRET, current)).isTrue();
    workloads.forEach(team::awaitRolledOut);
    assertThat(team.refusedOutsideCanary()).isZero();
    assertThat(rejected).noneMatch(team::seenOutsideCanary);
    assertThat(team.accepted()).isPositive();
    assertThat(scene.stableUids()).hasSize(PODS * workloads.size());
    assertThat(scene.runsOn(current)).isTrue();
  }
}
