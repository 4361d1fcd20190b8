package io.keyturn.ops;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetricsTest {

  private static final Instant CREATED = Instant.parse("2026-11-24T10:00:00Z");
  private static final Instant TAKEN_BACK = CREATED.plus(Duration.ofMinutes(40));

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final Metrics metrics = new Metrics(registry);

  @ParameterizedTest
  @CsvSource({
    "CanaryFailed, failed",
    "CanaryDeadlineExceeded, failed",
    "CanaryUnsettled, inconclusive"
  })
  void aCanaryThatEndsTheRotationHasAVerdict(String reason, String verdict) {
    metrics.moved(takenBack(Stage.RollingBack, reason), Stage.Baking, TAKEN_BACK);

    assertThat(verdicts(verdict)).isEqualTo(1);
    assertThat(verdicts("passed") + verdicts("failed") + verdicts("inconclusive")).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({"Aborted", "Superseded", "BindingDeleted"})
  void aCanaryThatPeopleOrTheSourceEndHasNone(String reason) {
    metrics.moved(takenBack(Stage.RollingBack, reason), Stage.Canary, TAKEN_BACK);

    assertThat(verdicts("passed") + verdicts("failed") + verdicts("inconclusive")).isZero();
  }

  @Test
  void aCanaryThatIsMadeAnewIsInconclusive() {
    metrics.moved(rotation("{stage: Canary}"), Stage.Baking, TAKEN_BACK);

    assertThat(verdicts("inconclusive")).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource({
    "Failed, rolled_back",
    "Aborted, aborted",
    "Superseded, superseded",
  })
  void aRotationThatWasTakenBackSaysWhy(Stage end, String outcome) {
    metrics.moved(takenBack(end, "CanaryFailed"), Stage.Discarding, TAKEN_BACK);

    assertThat(rotations(outcome)).isEqualTo(1);
    assertThat(rotations("failed")).isZero();
  }

  @Test
  void aRotationThatFailsWithoutBeingTakenBackIsNotSafe() {
    metrics.moved(rotation("{stage: Failed}"), Stage.Discarding, TAKEN_BACK);

    assertThat(rotations("failed")).isEqualTo(1);
    assertThat(rotations("rolled_back")).isZero();
  }

  @Test
  void theWayBackIsMeasuredFromItsBegin() {
    metrics.moved(
        takenBack(Stage.Discarding, "CanaryFailed"), Stage.RollingBack, TAKEN_BACK.plusSeconds(30));

    assertThat(
            registry
                .get("keyturn.rotation.stage.duration")
                .tag("stage", "rolling_back")
                .timer()
                .totalTime(TimeUnit.SECONDS))
        .isEqualTo(30);
  }

  @ParameterizedTest
  @CsvSource({
    "Pending, '', 9, false",
    "Pending, '', 11, true",
    "Complete, '', 1000, false",
    // The bake takes 10 minutes by its policy, and each workload may take 15.
    "Baking, '', 19, false",
    "Baking, '', 21, true",
    "RollingBack, '', 69, false",
    "RollingBack, '', 71, true",
    "Discarding, '', 69, false",
    "Discarding, '', 71, true",
    "Pending, Held, 1000, false",
    "Pending, BudgetExhausted, 1000, false",
    "Pending, StoreBudgetExhausted, 1000, false",
    "Pending, WorkloadBusy, 11, true",
    "Baking, Suspended, 1000, false",
    "Baking, AccessDenied, 1000, true",
  })
  void aRotationIsStuckAfterTwiceTheUsualTimeUnlessPeopleWantIt(
      Stage stage, String blocked, long minutes, boolean stuck) {
    SecretRotation rotation =
        rotation(
            """
            stage: %s
            policy: {canary: {bake: 10m}, promotion: {stableTimeout: 15m}}
            timeline: {canaryReadyAt: "2026-11-24T10:00:00Z"}
            conditions:
              - {type: RolledBack, status: "True", reason: CanaryFailed, lastTransitionTime: "%s"}
              %s
            """
                .formatted(
                    stage,
                    TAKEN_BACK,
                    blocked.isEmpty()
                        ? ""
                        : "- {type: Blocked, status: \"True\", reason: %s}".formatted(blocked)));

    assertThat(ObjectGauges.stuck(rotation, CREATED.plus(Duration.ofMinutes(minutes))))
        .isEqualTo(stuck);
  }

  private double verdicts(String verdict) {
    return registry.get("keyturn.canary.verdicts").tag("verdict", verdict).counter().count();
  }

  private double rotations(String outcome) {
    return registry
        .get("keyturn.rotations")
        .tag("outcome", outcome)
        .tag("trigger", "manual")
        .counter()
        .count();
  }

  private static SecretRotation takenBack(Stage stage, String reason) {
    return rotation(
        """
        stage: %s
        conditions:
          - {type: RolledBack, status: "True", reason: %s, lastTransitionTime: "%s"}
        """
            .formatted(stage, reason, TAKEN_BACK));
  }

  private static SecretRotation rotation(String status) {
    return new KubernetesSerialization()
        .unmarshal(
            """
            apiVersion: keyturn.io/v1alpha1
            kind: SecretRotation
            metadata: {name: a-2, creationTimestamp: "%s"}
            spec: {bindingRef: {name: a}, trigger: Manual}
            status:
            %s
            """
                .formatted(CREATED, status.indent(2)),
            SecretRotation.class);
  }
}
