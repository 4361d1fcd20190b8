package io.keyturn.ops;

import io.javaoperatorsdk.operator.monitoring.micrometer.MicrometerMetrics;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Telemetry;
import io.keyturn.store.Via;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.config.MeterFilter;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
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

  private static final List<String> OUTCOMES =
      List.of("complete", "rolled_back", "failed", "aborted", "superseded");

  private final MeterRegistry registry;

  @Inject
  Metrics(MeterRegistry registry) {
    this.registry = registry;
    registerAtZero();
  }

  /** An alert on an increase sees the first case only if the series was there before it. */
  private void registerAtZero() {
    for (Trigger trigger : Trigger.values()) {
      OUTCOMES.forEach(outcome -> rotations(trigger, outcome));
    }
    List.of("passed", "failed", "inconclusive").forEach(this::canaryVerdicts);
    for (WorkloadKind kind : WorkloadKind.values()) {
      List.of("ok", "conflict", "error").forEach(outcome -> workloadPatches(kind, outcome));
    }
    timer("keyturn.containment.duration");
    timer("keyturn.lease.ttl");
    List.of("ok", "error", "lost").forEach(this::renewals);
    registry.counter("keyturn.leases.expired.in.use");
    List.of(true, false).forEach(this::abandonments);
  }

  /** What the framework counts of itself. */
  io.javaoperatorsdk.operator.api.monitoring.Metrics framework() {
    return MicrometerMetrics.withoutPerResourceMetrics(registry);
  }

  /** The framework labels by the number of retries, of which there is no last one. */
  @Produces
  @Singleton
  static MeterFilter withoutNumberOfRetries() {
    return MeterFilter.ignoreTags("reconciliations.retries.number");
  }

  private Counter rotations(Trigger trigger, String outcome) {
    return registry.counter("keyturn.rotations", "trigger", label(trigger), "outcome", outcome);
  }

  private Counter canaryVerdicts(String verdict) {
    return registry.counter("keyturn.canary.verdicts", "verdict", verdict);
  }

  private Counter workloadPatches(WorkloadKind kind, String outcome) {
    return registry.counter("keyturn.workload.patches", "kind", kind.name(), "outcome", outcome);
  }

  @Override
  public void retrieved(String storeType, Retrieval result, String reason, Via via, Duration took) {
    registry
        .counter(
            "keyturn.retrievals",
            "store_type",
            storeType,
            "result",
            result.name().toLowerCase(Locale.ROOT),
            "reason",
            reason)
        .increment();
    Timer.builder("keyturn.retrieval.duration")
        .tags("store_type", storeType, "via", via.name().toLowerCase(Locale.ROOT))
        .serviceLevelObjectives(RETRIEVAL_BUCKETS)
        .register(registry)
        .record(took);
  }

  @Override
  public void moved(SecretRotation rotation, Stage from, Instant now) {
    SecretRotationStatus status = rotation.getStatus();
    begin(rotation, from)
        .ifPresent(since ->
            record(
                "keyturn.rotation.stage.duration",
                Duration.between(since, now),
                "stage",
                label(from)));
    if (from == Stage.Baking || from == Stage.Canary) {
      verdict(status).ifPresent(verdict -> canaryVerdicts(verdict).increment());
    }
    if (status.stage().terminal()) {
      Trigger trigger = rotation.getSpec().trigger();
      String outcome = outcome(status);
      rotations(trigger, outcome).increment();
      record(
          "keyturn.rotation.duration",
          Duration.between(created(rotation), now),
          "trigger",
          label(trigger),
          "outcome",
          outcome);
      if (trigger == Trigger.Compromise && status.stage() == Stage.Complete) {
        record(
            "keyturn.containment.duration",
            Duration.between(
                Objects.requireNonNullElse(rotation.getSpec().reportedAt(), created(rotation)),
                now));
      }
    }
  }

  /** When a stage began; empty if the journal does not tell. */
  static Optional<Instant> begin(SecretRotation rotation, Stage stage) {
    SecretRotationStatus status = rotation.getStatus();
    return Optional.ofNullable(
        switch (stage) {
          case Pending -> created(rotation);
          // It is set when the rotation leaves its way, and stays.
          case RollingBack -> rolledBack(status).map(Condition::lastTransitionTime).orElse(null);
          case Disabling -> status.timeline().disabledAt();
          case Revoking -> status.retirement().revokingSince();
          default -> status.timeline().beginOf(stage);
        });
  }

  private static Instant created(SecretRotation rotation) {
    return Instant.parse(rotation.getMetadata().getCreationTimestamp());
  }

  private void record(String name, Duration duration, String... tags) {
    timer(name, tags).record(duration.isNegative() ? Duration.ZERO : duration);
  }

  private Timer timer(String name, String... tags) {
    return Timer.builder(name)
        .tags(tags)
        .serviceLevelObjectives(ROTATION_BUCKETS)
        .register(registry);
  }

  private static Optional<String> verdict(SecretRotationStatus status) {
    boolean cloned =
        status.workloads().stream().anyMatch(w -> w.strategy() == CanaryStrategy.Clone);
    return switch (status.stage()) {
      case Promoting -> cloned ? Optional.of("passed") : Optional.empty();
      case Canary -> Optional.of("inconclusive");
      case RollingBack ->
          switch (rolledBack(status).map(Condition::reason).orElse("")) {
            case Reasons.CANARY_FAILED, Reasons.CANARY_DEADLINE_EXCEEDED -> Optional.of("failed");
            case Reasons.CANARY_UNSETTLED -> Optional.of("inconclusive");
            default -> Optional.empty();
          };
      default -> Optional.empty();
    };
  }

  private static String outcome(SecretRotationStatus status) {
    return switch (status.stage()) {
      case Complete -> "complete";
      case Aborted -> "aborted";
      case Superseded -> "superseded";
      default -> rolledBack(status).isPresent() ? "rolled_back" : "failed";
    };
  }

  private static Optional<Condition> rolledBack(SecretRotationStatus status) {
    return status.conditions().stream()
        .filter(c -> c.type().equals(Conditions.ROLLED_BACK))
        .findFirst();
  }

  @Override
  public void patched(WorkloadKind kind, String outcome) {
    workloadPatches(kind, outcome).increment();
  }

  @Override
  public void issued(Duration ttl) {
    record("keyturn.lease.ttl", ttl);
  }

  @Override
  public void renewed(String outcome) {
    renewals(outcome).increment();
    if (outcome.equals("lost")) {
      registry.counter("keyturn.leases.expired.in.use").increment();
    }
  }

  @Override
  public void abandoned(boolean ended) {
    abandonments(ended).increment();
  }

  private Counter renewals(String outcome) {
    return registry.counter("keyturn.lease.renewals", "outcome", outcome);
  }

  private Counter abandonments(boolean ended) {
    return registry.counter("keyturn.leases.abandoned", "outcome", ended ? "revoked" : "left");
  }

  /** The value of a label: RollingBack becomes rolling_back. */
  static String label(Enum<?> value) {
    return value.name().replaceAll("([a-z])([A-Z])", "$1_$2").toLowerCase(Locale.ROOT);
  }
}
