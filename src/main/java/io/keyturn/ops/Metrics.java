package io.keyturn.ops;

import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetrics;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Telemetry;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.util.Locale;
import java.util.Optional;

/**
 * Counts what the telemetry contract names. Prometheus adds {@code _total} and {@code _seconds}.
 */
@ApplicationScoped
public class Metrics implements Telemetry {

  /** The objective for retrievals is half a second, so there must be a bucket that ends there. */
  private static final Duration[] RETRIEVAL_BUCKETS = {
    Duration.ofMillis(10),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(250),
    Duration.ofMillis(500),
    Duration.ofSeconds(1),
    Duration.ofSeconds(5)
  };

  private static final Duration[] ROTATION_BUCKETS = {
    Duration.ofSeconds(1),
    Duration.ofSeconds(10),
    Duration.ofMinutes(1),
    Duration.ofMinutes(5),
    Duration.ofMinutes(15),
    Duration.ofMinutes(30),
    Duration.ofHours(1),
    Duration.ofHours(2),
    Duration.ofHours(6),
    Duration.ofHours(24)
  };

  private final MeterRegistry registry;

  @Inject
  Metrics(MeterRegistry registry) {
    this.registry = registry;
  }

  /** What the framework counts of itself. */
  io.javaoperatorsdk.operator.api.monitoring.Metrics framework() {
    return MicrometerMetrics.withoutPerResourceMetrics(registry);
  }

  @Override
  public void retrieved(String storeType, String reason, Duration took) {
    String result = reason.equals(Reasons.READY) ? "success" : "failure";
    registry
        .counter("keyturn.retrievals", "store_type", storeType, "result", result, "reason", reason)
        .increment();
    Timer.builder("keyturn.retrieval.duration")
        .tags("store_type", storeType, "via", "store")
        .serviceLevelObjectives(RETRIEVAL_BUCKETS)
        .register(registry)
        .record(took);
  }

  @Override
  public void moved(SecretRotation rotation, Stage from, Instant now) {
    SecretRotationStatus status = rotation.getStatus();
    stageDuration(from, status, now);
    if (from == Stage.Baking || from == Stage.Canary) {
      verdict(status)
          .ifPresent(v -> registry.counter("keyturn.canary.verdicts", "verdict", v).increment());
    }
    if (status.stage().terminal()) {
      String trigger = lower(rotation.getSpec().trigger().name());
      String outcome = outcome(status);
      registry.counter("keyturn.rotations", "trigger", trigger, "outcome", outcome).increment();
      Instant start = Instant.parse(rotation.getMetadata().getCreationTimestamp());
      record(
          "keyturn.rotation.duration",
          Duration.between(start, now),
          "trigger",
          trigger,
          "outcome",
          outcome);
    }
  }

  private void stageDuration(Stage from, SecretRotationStatus status, Instant now) {
    Instant since = status.timeline().beginOf(from);
    if (since != null) {
      record(
          "keyturn.rotation.stage.duration",
          Duration.between(since, now),
          "stage",
          lower(from.name()));
    }
  }

  private void record(String name, Duration duration, String... tags) {
    Timer.builder(name)
        .tags(tags)
        .serviceLevelObjectives(ROTATION_BUCKETS)
        .register(registry)
        .record(duration.isNegative() ? Duration.ZERO : duration);
  }

  private static Optional<String> verdict(SecretRotationStatus status) {
    boolean cloned =
        status.workloads().stream().anyMatch(w -> w.strategy() == CanaryStrategy.Clone);
    return switch (status.stage()) {
      case Promoting -> cloned ? Optional.of("passed") : Optional.empty();
      case Canary -> Optional.of("inconclusive");
      case RollingBack ->
          reason(status).startsWith("Canary") ? Optional.of("failed") : Optional.empty();
      default -> Optional.empty();
    };
  }

  private static String outcome(SecretRotationStatus status) {
    return switch (status.stage()) {
      case Complete -> "complete";
      case Aborted -> "aborted";
      case Superseded -> "superseded";
      default -> status.to() == null ? "failed" : "rolled_back";
    };
  }

  private static String reason(SecretRotationStatus status) {
    return status.conditions().stream()
        .filter(c -> c.type().equals(Conditions.ROLLED_BACK))
        .map(Condition::reason)
        .findFirst()
        .orElse("");
  }

  @Override
  public void patched(WorkloadKind kind, String outcome) {
    registry
        .counter("keyturn.workload.patches", "kind", kind.name(), "outcome", outcome)
        .increment();
  }

  private static String lower(String camelCase) {
    return camelCase.replaceAll("([a-z])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
  }
}
