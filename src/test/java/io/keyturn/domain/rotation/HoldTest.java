package io.keyturn.domain.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.Stage;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A rotation that a person holds, or whose binding or policy is suspended, takes no next step. */
class HoldTest {

  private static final String NO_CANARY = "{canary: {strategy: None}, promotion: {maxParallel: 1}}";

  private static void hold(Scene scene, String reason, boolean wanted) {
    if (reason.equals(Reasons.HELD)) {
      scene.hold = wanted;
    } else {
      scene.suspended = wanted;
    }
  }

  private static String blocked(Scene scene) {
    return scene.journal.conditions().stream()
        .filter(c -> c.type().equals(Conditions.BLOCKED))
        .findFirst()
        .map(c -> c.reason())
        .orElse(null);
  }

  @ParameterizedTest
  @ValueSource(strings = {Reasons.HELD, Reasons.SUSPENDED})
  void itDoesNotStart(String reason) {
    Scene scene = Scene.of("a");
    hold(scene, reason, true);
    assertThat(scene.settle().after(Duration.ofDays(1)).settle().stage()).isEqualTo(Stage.Pending);
    assertThat(blocked(scene)).isEqualTo(reason);

    hold(scene, reason, false);
    scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
  }

  @ParameterizedTest
  @ValueSource(strings = {Reasons.HELD, Reasons.SUSPENDED})
  void aVersionWithoutACanaryIsMadeAndNotPromoted(String reason) {
    Scene scene = Scene.of("a").policy(NO_CANARY).until(Stage.Staging);
    hold(scene, reason, true);
    scene.settle().after(Duration.ofDays(1)).settle();

    assertThat(scene.did()).containsExactly("create snapshot");
    assertThat(scene.stage()).isEqualTo(Stage.Staging);
    assertThat(blocked(scene)).isEqualTo(reason);

    hold(scene, reason, false);
    scene.until(Stage.Promoting);
    assertThat(blocked(scene)).isNull();
  }

  @ParameterizedTest
  @ValueSource(strings = {Reasons.HELD, Reasons.SUSPENDED})
  void aCanaryThatHasPassedIsNotPromoted(String reason) {
    Scene scene = Scene.of("a").until(Stage.Baking);
    hold(scene, reason, true);
    scene.after(Duration.ofMinutes(15)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Baking);
    assertThat(blocked(scene)).isEqualTo(reason);
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));

    hold(scene, reason, false);
    scene.step();
    assertThat(scene.stage()).isEqualTo(Stage.Promoting);
  }

  @ParameterizedTest
  @ValueSource(strings = {Reasons.HELD, Reasons.SUSPENDED})
  void theWorkloadThatIsRollingGoesOnAndNoOtherBegins(String reason) {
    Scene scene = Scene.of("a", "b").policy(NO_CANARY);
    scene.service("a").rollsOut = false;
    scene.until(Stage.Promoting);
    hold(scene, reason, true);
    scene.settle().after(Duration.ofSeconds(3)).settle();
    assertThat(scene.did()).last().isEqualTo("annotate a v7-00000007");
    assertThat(blocked(scene)).isNull();

    scene.service("a").rollsOut = true;
    scene.settle().after(Duration.ofHours(1)).settle();
    assertThat(scene.did()).doesNotContain("annotate b v7-00000007");
    assertThat(blocked(scene)).isEqualTo(reason);
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));

    hold(scene, reason, false);
    scene.until(Stage.Retiring);
    assertThat(scene.did()).contains("annotate b v7-00000007");
  }

  @ParameterizedTest
  @ValueSource(strings = {Reasons.HELD, Reasons.SUSPENDED})
  void theVersionBeforeStaysBeyondItsGrace(String reason) {
    Scene scene = Scene.of("a").until(Stage.Retiring);
    hold(scene, reason, true);
    scene.after(Duration.ofHours(3)).settle();
    assertThat(scene.stage()).isEqualTo(Stage.Retiring);
    assertThat(scene.step().wakeAt()).contains(scene.now.plus(RotationPlanner.POLL));

    hold(scene, reason, false);
    scene.settle();
    assertThat(scene.stage()).isEqualTo(Stage.Complete);
  }
}
