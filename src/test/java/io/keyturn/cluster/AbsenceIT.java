package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Stage;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/**
 * What is deleted while no operator runs. What is idle goes without one; what is under way waits
 * for one, and then ends.
 */
class AbsenceIT {

  @AfterAll
  static void startTheOperatorAgain() {
    SharedWorld.operator();
  }

  @Test
  void whatIsIdleGoesAtOnceAndWhatIsUnderWayWhenAnOperatorStarts() {
    SharedWorld.operator();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Future<Scene> idle = threads.submit(() -> Scene.of("idle", 1, Scene.policy("1s")));
      Future<Standing> owned = threads.submit(() -> Standing.in(Stage.Retiring, "owned", "Delete"));
      Future<Standing> baking = threads.submit(() -> Standing.in(Stage.Baking, "baking", "Retain"));
      Future<Standing> moving =
          threads.submit(() -> Standing.in(Stage.Promoting, "moving", "Retain"));
      Future<Standing> ending =
          threads.submit(() -> Standing.in(Stage.Promoting, "ending", "Delete"));
      play(result(idle), result(owned), result(baking), result(moving), result(ending));
    }
  }

  private static void play(
      Scene idle, Standing owned, Standing baking, Standing moving, Standing ending) {
    List<Standing> underWay = List.of(owned, baking, moving, ending);
    SharedWorld.stopOperator();

    idle.run("delete", "secretbinding", Team.SECRET, "--timeout=50s");
    assertThat(idle.team().holds(Team.SECRET, idle.first())).isTrue();
    assertThat(idle.snapshots(1)).hasSize(1);
    idle.run("delete", "namespace", idle.namespace(), "--timeout=50s");
    owned.scene().run("delete", "secretbinding", Team.SECRET, "--timeout=50s");
    owned.scene().team().await("its Secrets go", () -> owned.secrets().isEmpty());
    baking.scene().run("delete", "secretbinding", Team.SECRET, "--timeout=50s");
    moving.scene().run("delete", "secretbinding", Team.SECRET, "--timeout=50s");
    ending.scene().run("delete", "namespace", ending.scene().namespace(), "--wait=false");
    for (Standing standing : underWay) {
      standing
          .scene()
          .team()
          .await(
              "the rotation waits for an operator",
              () ->
                  standing.scene().team().rotation(2).getMetadata().getDeletionTimestamp() != null);
    }
    assertThat(moving.scene().team().holds(Team.SECRET, moving.candidate())).isTrue();

    SharedWorld.operator();

    for (Standing standing : underWay) {
      Team team = standing.scene().team();
      team.await("no rotation is left", () -> team.rotations().isEmpty());
      standing.assertNobodyNoticed();
    }
    assertThat(baking.running()).isEqualTo(baking.before());
    for (Standing standing : List.of(baking, moving)) {
      assertThat(standing.scene().team().holds(Team.SECRET, standing.scene().first())).isTrue();
      assertThat(standing.scene().snapshots(2)).isEmpty();
      standing.awaitAvailable();
      standing.assertRunningOn(standing.scene().first());
    }
    ending
        .scene()
        .team()
        .await(
            "the namespace goes",
            () ->
                ending
                        .scene()
                        .team()
                        .client()
                        .namespaces()
                        .withName(ending.scene().namespace())
                        .get()
                    == null);
  }

  private static <T> T result(Future<T> future) {
    try {
      return future.get();
    } catch (ExecutionException e) {
      throw new AssertionError(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError(e);
    }
  }
}
