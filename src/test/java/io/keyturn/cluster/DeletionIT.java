package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Stage;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** What becomes of a rotation, and of everybody around it, when something is deleted meanwhile. */
class DeletionIT {

  /** Every stage that a rotation under way can stand in to a value that no store has issued. */
  @ParameterizedTest
  @EnumSource(
      mode = Mode.EXCLUDE,
      names = {"Disabling", "Revoking", "Complete", "Failed", "Aborted", "Superseded"})
  @Execution(ExecutionMode.CONCURRENT)
  @Retention(RetentionPolicy.RUNTIME)
  @Target(ElementType.METHOD)
  @interface InEachStage {}

  @InEachStage
  void aBindingThatIsDeletedTakesItsRotationBackAndLeavesItsSecrets(Stage stage) {
    Standing standing = Standing.in(stage, "retain", "Retain");
    Scene scene = standing.scene();
    Team team = scene.team();
    Set<String> expected = new HashSet<>(scene.snapshots(1));
    expected.add(Team.SECRET);
    if (standing.promoted() || stage == Stage.Discarding) {
      expected.addAll(scene.snapshots(2));
    }

    scene.run("delete", "secretbinding", Team.SECRET, "--wait=false");

    awaitNoRotation(standing);
    assertThat(standing.secrets()).isEqualTo(expected);
    Team.Login proven = standing.promoted() ? standing.candidate() : scene.first();
    assertThat(team.holds(Team.SECRET, proven)).isTrue();
    assertThat(scene.annotation(Scene.APP) == null).isEqualTo(!standing.promoted());
    standing.awaitAvailable();
    standing.assertRunningOn(proven);
    if (!standing.moving() && !standing.promoted()) {
      assertThat(standing.running()).isEqualTo(standing.before());
    }
    standing.assertNobodyNoticed();
  }

  @InEachStage
  void aBindingThatIsDeletedWithItsSecretsLeavesThePodsAlone(Stage stage) {
    Standing standing = Standing.in(stage, "delete", "Delete");
    Scene scene = standing.scene();
    Team team = scene.team();
    Map<String, Long> generations = generations(team);
    try (History<Pod> pods =
        History.of(
            team.client().pods().inNamespace(team.namespace()).withLabel("app", Scene.APP))) {

      scene.run("delete", "secretbinding", Team.SECRET, "--wait=false");

      awaitNoRotation(standing);
      team.await("its Secrets go", () -> standing.secrets().isEmpty());
      assertThat(team.secret(Team.UPSTREAM)).isNotNull();
      assertThat(generations(team)).isEqualTo(generations);
      if (!standing.moving() && !standing.promoted()) {
        assertThat(standing.running()).isEqualTo(standing.before());
      }
      List<Long> serving =
          pods.moments(all -> all.stream().filter(Standing::serves).count()).stream()
              .dropWhile(n -> n < 2)
              .toList();
      assertThat(serving).isNotEmpty().allMatch(n -> n >= 2);
    }
    standing.assertNobodyNoticed();
  }

  @ConcurrentTest
  void aBindingThatWaitsForWhatItOwnsGoesWhenItsRotationIsTakenBack() {
    Standing standing = Standing.in(Stage.Promoting, "foreground", "Retain");
    Scene scene = standing.scene();

    scene.run("delete", "secretbinding", Team.SECRET, "--cascade=foreground", "--wait=false");

    scene.team().await("the binding goes", () -> scene.team().binding() == null);
    awaitNoRotation(standing);
    assertThat(scene.team().holds(Team.SECRET, scene.first())).isTrue();
    standing.awaitAvailable();
    standing.assertRunningOn(scene.first());
    standing.assertNobodyNoticed();
  }

  @ConcurrentTest
  void aRotationThatABindingLeavesBehindIsTakenBackAndStaysAsARecord() {
    Standing standing = Standing.in(Stage.Baking, "orphan", "Retain");
    Scene scene = standing.scene();
    Team team = scene.team();

    scene.run("delete", "secretbinding", Team.SECRET, "--cascade=orphan");

    team.awaitStage(2, Stage.Aborted);
    team.await(
        "nothing holds the record", () -> team.rotation(2).getMetadata().getFinalizers().isEmpty());
    assertThat(team.holds(Team.SECRET, scene.first())).isTrue();
    assertThat(scene.snapshots(2)).isEmpty();
    assertThat(standing.running()).isEqualTo(standing.before());
    standing.assertNobodyNoticed();
  }

  @ConcurrentTest
  void aBindingThatIsDeletedAndCreatedAnewDuringAPromotionBeginsWhenThatIsTakenBack() {
    Standing standing = Standing.in(Stage.Promoting, "again", "Retain");
    Scene scene = standing.scene();
    Team team = scene.team();
    try (History<Secret> aliases =
        History.of(
            team.client()
                .secrets()
                .inNamespace(team.namespace())
                .withField("metadata.name", Team.SECRET))) {

      scene.run("delete", "secretbinding", Team.SECRET);
      team.bind(Scene.APP, "ledger");

      team.awaitVersion(2);
      scene.assertPromoted(2, standing.candidate());
      assertThat(aliases.changesOf(s -> s.getMetadata().getLabels().get(Names.VERSION)))
          .as("taken back once, then moved once")
          .containsExactly("2", "1", "2");
      standing.awaitAvailable();
      standing.assertRunningOn(standing.candidate());
    }
    standing.assertNobodyNoticed();
  }

  @InEachStage
  void aNamespaceThatIsDeletedIsNotHeldUp(Stage stage) {
    Standing standing = Standing.in(stage, "namespace", "Retain");
    Team team = standing.scene().team();

    standing.scene().run("delete", "namespace", team.namespace(), "--wait=false");

    team.await(
        "the namespace goes",
        () -> team.client().namespaces().withName(team.namespace()).get() == null);
    assertThat(team.refusedOutsideCanary()).isZero();
  }

  @InEachStage
  void aRotationThatIsDeletedIsTakenBackAndItsValueIsNotTriedAgainByItself(Stage stage) {
    Standing standing = Standing.in(stage, "record", "Retain");
    Scene scene = standing.scene();
    Team team = scene.team();

    scene.run("delete", "secretrotation", "payments-db-2", "--wait=false");

    team.await("the record goes", () -> team.rotations().isEmpty());
    Team.Login proven = standing.promoted() ? standing.candidate() : scene.first();
    if (standing.promoted()) {
      scene.awaitCondition("Rotating", Status.False, "Idle");
    } else {
      scene.awaitCondition("RotationHealthy", Status.False, "RetriesExhausted");
    }
    assertThat(team.rotations()).isEmpty();
    assertThat(team.binding().getStatus().activeRotation()).isNull();
    assertThat(team.binding().getStatus().lastRotation().name()).isEqualTo("payments-db-2");
    assertThat(team.holds(Team.SECRET, proven)).isTrue();
    assertThat(scene.condition("Ready").status()).isEqualTo(Status.True);
    assertThat(scene.snapshots(2))
        .hasSize(standing.promoted() || stage == Stage.Discarding ? 1 : 0);
    standing.awaitAvailable();
    standing.assertRunningOn(proven);
    standing.assertNobodyNoticed();

    letItGo(standing);
    scene.changePolicy(Scene.noCanary("{}"));
    Team.Login third = scene.rotate();

    scene.assertPromoted(3, third);
    assertThat(scene.versions()).containsExactly(3L);
    assertThat(team.refusedOutsideCanary()).isZero();
  }

  /** Takes away what kept the rotation where it stood. */
  private static void letItGo(Standing standing) {
    if (standing.stage() == Stage.Pending) {
      standing.scene().run("rollout", "resume", "deployment/payments");
    } else if (standing.stage() == Stage.Staging) {
      standing.scene().run("delete", "quota", "full");
    }
  }

  private static void awaitNoRotation(Standing standing) {
    Team team = standing.scene().team();
    team.await("no rotation is left", () -> team.rotations().isEmpty());
    assertThat(team.binding()).isNull();
  }

  private static Map<String, Long> generations(Team team) {
    return team
        .client()
        .apps()
        .deployments()
        .inNamespace(team.namespace())
        .withLabel("team", "payments")
        .list()
        .getItems()
        .stream()
        .collect(
            Collectors.toMap(d -> d.getMetadata().getName(), d -> d.getMetadata().getGeneration()));
  }
}
