package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.list;
import static io.keyturn.api.v1alpha1.Api.or;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;

/**
 * How rotations are rolled out. Each field has a default, and {@code spec: {}} means canary first.
 *
 * @param schedule when to rotate without being asked
 * @param canary how a version is tried
 * @param promotion how it is rolled out
 * @param retirement how the previous one goes
 * @param retry when a rejected value is tried again
 * @param historyLimit how many ended rotations stay
 * @param suspend whether rotations rest
 * @param preflight checks before any pod sees a version
 * @param gates what is asked while a version is tried and rolled out
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record RotationPolicySpec(
    @JsonPropertyDescription(
            "When to rotate without being asked. It concerns values that Keyturn makes: a Secret"
                + " that something else keeps current is rotated when it changes.")
        Schedule schedule,
    @JsonPropertyDescription("How a new version is tried.") Canary canary,
    @JsonPropertyDescription("How a proven version is rolled out.") Promotion promotion,
    @JsonPropertyDescription("How the previous version goes.") Retirement retirement,
    @JsonPropertyDescription("When a value that was rejected is tried again.") Retry retry,
    @Default("10")
        @Min(1)
        @Max(100)
        @JsonPropertyDescription("How many ended rotations of a binding stay to be read.")
        Integer historyLimit,
    @Default("false")
        @JsonPropertyDescription(
            "Starts no rotation, and lets those under way take no further step, while true.")
        Boolean suspend,
    @Size(max = 16)
        @ValidationRule(
            value = "self.all(one, self.exists_one(other, other.name == one.name))",
            message = "two checks have the same name: results are told apart by it, choose another")
        @JsonPropertyDescription("Checks of a new version before any pod sees it, in this order.")
        List<Preflight> preflight,
    @Size(max = 16)
        @ValidationRule(
            value = "self.all(one, self.exists_one(other, other.name == one.name))",
            message = "two gates have the same name: results are told apart by it, choose another")
        @JsonPropertyDescription(
            "What is asked while a version is tried and rolled out. Readiness and restarts are"
                + " always looked at.")
        List<Gate> gates) {

  /** What applies to a binding without a policy. */
  public static final RotationPolicySpec BUILT_IN =
      new RotationPolicySpec(null, null, null, null, null, null, null, null, null);

  /** Fills in what the user left out. */
  public RotationPolicySpec {
    schedule = or(schedule, new Schedule(null));
    canary = or(canary, new Canary(null, null, null, null, null));
    promotion = or(promotion, new Promotion(null, null, null));
    retirement = or(retirement, new Retirement(null, null));
    retry = or(retry, new Retry(null, null, null));
    historyLimit = or(historyLimit, 10);
    suspend = or(suspend, false);
    preflight = list(preflight);
    gates = list(gates);
  }

  /**
   * When to rotate without being asked.
   *
   * @param every time from one promotion to the next rotation; null: never by itself
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Schedule(
      @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @ValidationRule(
              value = "!self.startsWith('0')",
              message = "every must be longer than zero: write for example 30d, or leave it out")
          @JsonPropertyDescription(
              "Time from the promotion of a version to the next rotation, such as 30d. Default:"
                  + " rotate only when the source changes or on request.")
          String every) {}

  /**
   * How a new version is tried.
   *
   * @param strategy by which means
   * @param pods how many pods try it, per workload
   * @param bake how long they must stay healthy
   * @param deadline time from the start of the canary to its verdict
   * @param traffic whether they receive requests
   */
  @ValidationRule(
      value =
          "!self.deadline.matches('"
              + Durations.PATTERN
              + "') || !self.bake.matches('"
              + Durations.PATTERN
              + "') || int(self.deadline.substring(0, self.deadline.size() - 1))"
              + " * (self.deadline.endsWith('d') ? 86400"
              + " : self.deadline.endsWith('h') ? 3600 : self.deadline.endsWith('m') ? 60 : 1)"
              + " > int(self.bake.substring(0, self.bake.size() - 1))"
              + " * (self.bake.endsWith('d') ? 86400"
              + " : self.bake.endsWith('h') ? 3600 : self.bake.endsWith('m') ? 60 : 1)",
      message =
          "canary.deadline must be longer than canary.bake, else no canary could ever pass: raise"
              + " the deadline (default 30m) or shorten the bake (default 10m)")
  public record Canary(
      @Default("Auto")
          @JsonPropertyDescription(
              "Auto: a clone where the workload allows it, else none, and the rotation says so."
                  + " Clone: a clone, and no rotation where it is not possible. None: promote"
                  + " without a canary.")
          CanaryStrategy strategy,
      @Default("1")
          @Min(1)
          @Max(10)
          @JsonPropertyDescription("Pods that try the version, per workload.")
          Integer pods,
      @Default("10m")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @JsonPropertyDescription("How long the canary must stay healthy.")
          String bake,
      @Default("30m")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @JsonPropertyDescription(
              "Time from the start of the canary to its verdict; must be longer than bake.")
          String deadline,
      @Default("Shared")
          @JsonPropertyDescription(
              "Shared: the canary receives requests as the other pods do. None: it carries no"
                  + " label that a Service selects.")
          Traffic traffic) {

    /** Fills in what the user left out. */
    public Canary {
      strategy = or(strategy, CanaryStrategy.Auto);
      pods = or(pods, 1);
      bake = or(bake, "10m");
      deadline = or(deadline, "30m");
      traffic = or(traffic, Traffic.Shared);
    }
  }

  /** By which means a version is tried. */
  public enum CanaryStrategy {
    /** A clone where the workload allows it, else none. */
    Auto,
    /** A clone, and no rotation where it is not possible. */
    Clone,
    /** No canary. */
    None
  }

  /** Whether canary pods receive requests. */
  public enum Traffic {
    /** As the other pods do. */
    Shared,
    /** They carry no label that a Service selects. */
    None
  }

  /**
   * How a proven version is rolled out.
   *
   * @param maxParallel how many workloads roll at once
   * @param onFailure what to do when one does not become stable
   * @param stableTimeout how long one may take
   */
  public record Promotion(
      @Default("5")
          @Min(1)
          @Max(64)
          @JsonPropertyDescription("How many workloads of the binding roll at once.")
          Integer maxParallel,
      @Default("RollBack")
          @JsonPropertyDescription(
              "What to do when a workload does not become stable: RollBack takes the version back"
                  + " everywhere, Pause waits for a person.")
          OnFailure onFailure,
      @Default("15m")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @JsonPropertyDescription(
              "How long a workload may take until each of its pods runs on the version.")
          String stableTimeout) {

    /** Fills in what the user left out. */
    public Promotion {
      maxParallel = or(maxParallel, 5);
      onFailure = or(onFailure, OnFailure.RollBack);
      stableTimeout = or(stableTimeout, "15m");
    }
  }

  /** What to do when a workload does not become stable on a version. */
  public enum OnFailure {
    /** Take the version back everywhere. */
    RollBack,
    /** Wait for a person. */
    Pause
  }

  /**
   * How the previous version goes.
   *
   * @param grace how long it stays at least
   * @param keepSnapshots how many previous snapshots stay
   */
  public record Retirement(
      @Default("1h")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @JsonPropertyDescription(
              "How long the previous version stays at least, once the new one is promoted.")
          String grace,
      @Default("2")
          @Min(0)
          @Max(50)
          @JsonPropertyDescription("How many snapshots of previous versions stay.")
          Integer keepSnapshots) {

    /** Fills in what the user left out. */
    public Retirement {
      grace = or(grace, "1h");
      keepSnapshots = or(keepSnapshots, 2);
    }
  }

  /**
   * When a value that was rejected is tried again.
   *
   * @param maxAttempts how often it is tried in all
   * @param initialBackoff time from the first failure to the second attempt; it doubles
   * @param maxBackoff at most this long
   */
  public record Retry(
      @Default("3")
          @Min(1)
          @Max(10)
          @JsonPropertyDescription("How often a value is tried in all, each time as a new version.")
          Integer maxAttempts,
      @Default("1m")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @JsonPropertyDescription("Time from the first failure to the next attempt; it doubles.")
          String initialBackoff,
      @Default("6h")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @JsonPropertyDescription("The longest time between two attempts.")
          String maxBackoff) {

    /** Fills in what the user left out. */
    public Retry {
      maxAttempts = or(maxAttempts, 3);
      initialBackoff = or(initialBackoff, "1m");
      maxBackoff = or(maxBackoff, "6h");
    }
  }
}
