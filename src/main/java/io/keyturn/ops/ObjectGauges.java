package io.keyturn.ops;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretStoreStatus;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Census;
import io.keyturn.store.spi.StoreType;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.quarkus.arc.All;
import io.quarkus.runtime.Startup;
import jakarta.annotation.PostConstruct;
import jakarta.inject.Inject;
import jakarta.inject.Singleton;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Gauges over the objects in the caches, counted when somebody asks. */
@Startup
@Singleton
class ObjectGauges {

  private static final List<String> BINDING_CONDITIONS =
      List.of(
          Conditions.READY,
          Conditions.DELIVERED,
          Conditions.ROTATING,
          Conditions.ROTATION_HEALTHY,
          Conditions.LEASE_HEALTHY,
          Conditions.EXPIRING_SOON,
          Conditions.FIELD_CONFLICT,
          Conditions.STALLED);

  private static final List<String> STORE_CONDITIONS =
      List.of(
          Conditions.READY, Conditions.AUTH_VALID, Conditions.QUOTA_EXCEEDED, Conditions.STALLED);

  /** Why a rotation waits because people want it to: it is not its fault, nor that of a server. */
  private static final Set<String> WANTED =
      Set.of(
          Reasons.BUDGET_EXHAUSTED,
          Reasons.STORE_BUDGET_EXHAUSTED,
          Reasons.HELD,
          Reasons.SUSPENDED,
          Reasons.WINDOW_CLOSED,
          Reasons.AWAITING_APPROVAL,
          Reasons.SOURCE_UNCHANGED,
          Reasons.SOURCE_COMPROMISED);

  /** How long a stage may take that has no time of its own in the policy. */
  private static final Duration SHORT_STAGE = Duration.ofMinutes(5);

  private final MeterRegistry registry;
  private final Census census;
  private final OperatorRunner runner;
  private final List<StoreType> types;
  private final Clock clock;
  private final String version;

  @Inject
  ObjectGauges(
      MeterRegistry registry,
      Census census,
      OperatorRunner runner,
      @All List<StoreType> types,
      Clock clock,
      @ConfigProperty(name = "quarkus.application.version", defaultValue = "dev") String version) {
    this.registry = registry;
    this.census = census;
    this.runner = runner;
    this.types = types;
    this.clock = clock;
    this.version = version;
  }

  @PostConstruct
  void register() {
    for (Stage stage : Stage.values()) {
      if (!stage.terminal()) {
        Gauge.builder("keyturn.rotations.active", () -> in(stage))
            .tag("stage", Metrics.label(stage))
            .register(registry);
      }
    }
    for (String condition : BINDING_CONDITIONS) {
      for (Condition.Status status : Condition.Status.values()) {
        Gauge.builder("keyturn.bindings", () -> bindings(condition, status))
            .tags("condition", condition, "status", status.name())
            .register(registry);
      }
    }
    for (String condition : STORE_CONDITIONS) {
      for (Condition.Status status : Condition.Status.values()) {
        Gauge.builder("keyturn.stores", () -> stores(condition, status))
            .tags("condition", condition, "status", status.name())
            .register(registry);
      }
    }
    Gauge.builder("keyturn.rotations.stuck", this::stuck).register(registry);
    for (StoreType type : types) {
      Gauge.builder("keyturn.expiry", () -> nextExpiry(type))
          .tag("store_type", type.name())
          .baseUnit("seconds")
          .register(registry);
    }
    Gauge.builder("keyturn.stragglers", this::stragglers).register(registry);
    Gauge.builder("keyturn.containment.oldest.open", this::oldestOpenCompromise)
        .baseUnit("seconds")
        .register(registry);
    Gauge.builder("keyturn.leader", () -> runner.leading() ? 1 : 0).register(registry);
    Gauge.builder("keyturn.build.info", () -> 1).tag("version", version).register(registry);
  }

  /** There are no caches to count in before the operator has started. */
  private Stream<SecretRotation> rotations() {
    return runner.started() ? census.rotations() : Stream.empty();
  }

  private long in(Stage stage) {
    return rotations().filter(r -> r.getStatus().stage() == stage).count();
  }

  private long bindings(String condition, Condition.Status status) {
    return (runner.started() ? census.bindings() : Stream.<SecretBinding>empty())
        .filter(b -> has(b.getStatus().conditions(), condition, status))
        .count();
  }

  private long stores(String condition, Condition.Status status) {
    return (runner.started() ? census.stores() : Stream.<SecretStoreStatus>empty())
        .filter(s -> has(s.conditions(), condition, status))
        .count();
  }

  private static boolean has(List<Condition> conditions, String type, Condition.Status status) {
    return conditions.stream().anyMatch(c -> c.type().equals(type) && c.status() == status);
  }

  /** Until the credential of a kind of store ends that ends first; infinite if none does. */
  private double nextExpiry(StoreType type) {
    return (runner.started() ? census.bindings() : Stream.<SecretBinding>empty())
        .filter(b -> type.serves(b.getSpec().source()))
        .map(b -> b.getStatus().expiresAt())
        .filter(Objects::nonNull)
        .mapToDouble(at -> Duration.between(clock.instant(), at).toSeconds())
        .min()
        .orElse(Double.POSITIVE_INFINITY);
  }

  /** How long ago the oldest compromise was reported that has not ended; 0: there is none. */
  private long oldestOpenCompromise() {
    return rotations()
        .filter(r -> r.getSpec().reportedAt() != null && !r.getStatus().stage().terminal())
        .mapToLong(r -> Duration.between(r.getSpec().reportedAt(), clock.instant()).toSeconds())
        .max()
        .orElse(0);
  }

  /** Pods that may use a version which should be gone, because its grace is over. */
  private int stragglers() {
    return rotations()
        .map(SecretRotation::getStatus)
        .filter(s -> s.stage() == Stage.Retiring && s.retirement() != null)
        .filter(s -> clock.instant().isAfter(s.retirement().graceUntil()))
        .map(s -> s.retirement().usersRemaining())
        .filter(Objects::nonNull)
        .mapToInt(Integer::intValue)
        .sum();
  }

  private long stuck() {
    return rotations().filter(r -> stuck(r, clock.instant())).count();
  }

  /**
   * Whether a rotation has stood in its stage for over twice the usual time, and nobody wants it.
   */
  static boolean stuck(SecretRotation rotation, Instant now) {
    SecretRotationStatus status = rotation.getStatus();
    boolean wanted =
        status.conditions().stream()
            .anyMatch(c -> c.type().equals(Conditions.BLOCKED) && WANTED.contains(c.reason()));
    // The journal has no time for Discarding: it counts with the stage before.
    Stage since = status.stage() == Stage.Discarding ? Stage.RollingBack : status.stage();
    return !status.stage().terminal()
        && !wanted
        && Metrics.begin(rotation, since)
            .map(begin -> begin.plus(usual(status).multipliedBy(2)))
            .filter(now::isAfter)
            .isPresent();
  }

  private static Duration usual(SecretRotationStatus status) {
    if (status.policy() == null) {
      return SHORT_STAGE;
    }
    return switch (status.stage()) {
      case Canary -> Durations.parse(status.policy().canary().deadline());
      case Baking -> Durations.parse(status.policy().canary().bake());
      case Promoting, RollingBack, Discarding ->
          Durations.parse(status.policy().promotion().stableTimeout())
              .multipliedBy(Math.max(1, status.workloads().size()));
      case Disabling ->
          Durations.parse(status.policy().retirement().disableSoak()).plus(SHORT_STAGE);
      case Retiring -> Durations.parse(status.policy().retirement().grace()).plus(SHORT_STAGE);
      default -> SHORT_STAGE;
    };
  }
}
