package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.RotationPolicySpec.OnFailure;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.domain.rotation.Observation.Reading;
import io.keyturn.domain.rotation.Observation.Source;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One scene for each legal move, and a loud failure for each other one. */
class TransitionsTest {

  private record Move(Stage from, Stage to) {}

  /** A scene that stands in the first stage, and in which the next steps lead to the second. */
  private record Case(Move move, Supplier<Scene> scene) {
    @Override
    public String toString() {
      return move.from() + " to " + move.to();
    }
  }

  private static Case when(Stage from, Stage to, Supplier<Scene> scene) {
    return new Case(new Move(from, to), scene);
  }

  private static Scene checked(String strategy) {
    return Scene.of("a")
        .policy(
            "{canary: {strategy: %s}, preflight: [{name: port, tcp: {host: db, port: 5432}}]}"
                .formatted(strategy));
  }

  private static Scene checked(String strategy, Measurement answer) {
    Scene scene = checked(strategy).until(Stage.Preflight);
    scene.readings.add(new Reading("port", answer, scene.now));
    return scene;
  }

  static List<Case> legalMoves() {
    return List.of(
        when(Stage.Pending, Stage.Staging, () -> Scene.of("a")),
        when(
            Stage.Pending,
            Stage.RollingBack,
            () -> {
              Scene scene = Scene.of("a");
              scene.abort = true;
              return scene;
            }),
        when(Stage.Staging, Stage.Canary, () -> Scene.of("a").until(Stage.Staging)),
        when(
            Stage.Staging,
            Stage.Promoting,
            () ->
                Scene.of("a")
                    .policy(CanaryStrategy.None, 5, OnFailure.RollBack)
                    .until(Stage.Staging)),
        when(
            Stage.Staging,
            Stage.RollingBack,
            () -> {
              Scene scene = Scene.of("a").until(Stage.Staging);
              scene.source = new Source.Current();
              return scene;
            }),
        when(Stage.Staging, Stage.Preflight, () -> checked("Auto").until(Stage.Staging)),
        when(
            Stage.Preflight,
            Stage.Canary,
            () -> checked("Auto", Measurement.passed("it is there"))),
        when(
            Stage.Preflight,
            Stage.Promoting,
            () -> checked("None", Measurement.passed("it is there"))),
        when(
            Stage.Preflight,
            Stage.RollingBack,
            () -> checked("Auto", Measurement.failed("nobody listens"))),
        when(Stage.Canary, Stage.Baking, () -> Scene.of("a").until(Stage.Canary)),
        when(
            Stage.Canary,
            Stage.Promoting,
            () -> {
              Scene scene = Scene.of("a").until(Stage.Canary);
              scene.service("a").replicas = 0;
              return scene;
            }),
        when(
            Stage.Canary,
            Stage.RollingBack,
            () -> {
              Scene scene = Scene.of("a").until(Stage.Canary);
              scene.service("a").crashLooping = true;
              return scene;
            }),
        when(
            Stage.Baking,
            Stage.Promoting,
            () -> Scene.of("a").until(Stage.Baking).after(Duration.ofMinutes(10))),
        when(
            Stage.Baking,
            Stage.Canary,
            () -> {
              Scene scene = Scene.of("a").until(Stage.Baking);
              scene.service("a").hash = "edited";
              return scene;
            }),
        when(
            Stage.Baking,
            Stage.RollingBack,
            () -> {
              Scene scene = Scene.of("a").until(Stage.Baking);
              scene.service("a").restarts = 1;
              return scene;
            }),
        when(
            Stage.Promoting,
            Stage.Retiring,
            () -> Scene.of("a").until(Stage.Promoting).after(Duration.ofSeconds(10))),
        when(
            Stage.Promoting,
            Stage.RollingBack,
            () -> {
              Scene scene = Scene.of("a").until(Stage.Promoting);
              scene.service("a").stuck = "its pods crash";
              return scene;
            }),
        when(
            Stage.Retiring,
            Stage.Complete,
            () -> Scene.of("a").until(Stage.Retiring).after(Duration.ofHours(1))),
        when(
            Stage.Retiring,
            Stage.Disabling,
            () -> Scene.of("a").issued(true).until(Stage.Retiring).after(Duration.ofHours(1))),
        when(
            Stage.Retiring,
            Stage.Revoking,
            () -> Scene.of("a").issued(false).until(Stage.Retiring).after(Duration.ofHours(1))),
        when(
            Stage.Disabling,
            Stage.Revoking,
            () ->
                Scene.of("a")
                    .policy("retirement: {disableSoak: 3s}")
                    .issued(true)
                    .until(Stage.Disabling)),
        when(
            Stage.Disabling,
            Stage.Retiring,
            () -> {
              Scene scene = Scene.of("a").issued(true).until(Stage.Disabling).settle();
              scene.users = List.of("job-1");
              return scene;
            }),
        when(
            Stage.Revoking,
            Stage.Complete,
            () -> Scene.of("a").issued(false).until(Stage.Revoking)),
        when(
            Stage.RollingBack,
            Stage.Discarding,
            () -> {
              Scene scene = Scene.of("a").until(Stage.Baking);
              scene.abort = true;
              return scene.until(Stage.RollingBack);
            }),
        when(
            Stage.Discarding,
            Stage.Aborted,
            () -> {
              Scene scene = Scene.of("a").until(Stage.Baking);
              scene.abort = true;
              return scene.until(Stage.Discarding);
            }),
        when(
            Stage.Discarding,
            Stage.Failed,
            () -> {
              Scene scene = Scene.of("a").until(Stage.Baking);
              scene.service("a").cloneReady = false;
              return scene.until(Stage.Discarding);
            }),
        when(
            Stage.Discarding,
            Stage.Superseded,
            () -> {
              Scene scene = Scene.of("a").until(Stage.Baking);
              scene.source = new Source.Current();
              return scene.until(Stage.Discarding);
            }));
  }

  @ParameterizedTest
  @MethodSource("legalMoves")
  void thePlannerMakesEachLegalMove(Case move) {
    Scene scene = move.scene().get();
    assertThat(scene.stage()).isEqualTo(move.move().from());
    scene.stages.clear();

    scene.settle();
    if (scene.stages.isEmpty()) {
      scene.after(Duration.ofSeconds(3)).settle();
    }

    assertThat(scene.stages).first().isEqualTo(move.move().to());
  }

  @Test
  void eachMoveOfTheTableHasAScene() {
    Set<Move> table =
        pairs().filter(m -> Transitions.legal(m.from(), m.to())).collect(Collectors.toSet());

    assertThat(legalMoves().stream().map(Case::move)).containsExactlyInAnyOrderElementsOf(table);
  }

  static List<Move> illegalMoves() {
    return pairs().filter(m -> !Transitions.legal(m.from(), m.to())).toList();
  }

  @ParameterizedTest
  @MethodSource("illegalMoves")
  void anyOtherMoveIsALoudFailure(Move move) {
    assertThatThrownBy(() -> Transitions.move(move.from(), move.to()))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining(move.from().name())
        .hasMessageContaining(move.to().name());
  }

  @Test
  void nothingFollowsAnEnd() {
    assertThat(pairs().filter(m -> m.from().terminal()))
        .noneMatch(m -> Transitions.legal(m.from(), m.to()));
  }

  private static Stream<Move> pairs() {
    return Arrays.stream(Stage.values())
        .flatMap(from -> Arrays.stream(Stage.values()).map(to -> new Move(from, to)));
  }
}
