package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.list;
import static io.keyturn.api.v1alpha1.Api.or;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.time.Instant;
import java.util.List;

/**
 * How rotations are rolled out. Each field has a default, and {@code spec: {}} means canary first.
 *
 * @param schedule when to rotate without being asked
 * @param windows when a rotation that no person asked for may start; empty: at any time
 * @param blackouts when it may not
 * @param concurrency what may happen at the same time
 * @param canary how a version is tried
 * @param promotion how it is rolled out
 * @param retirement how the previous one goes
 * @param cutover what is done where a source has no overlap
 * @param emergency how a compromised value is replaced
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
    @Size(max = 16)
        @JsonPropertyDescription(
            "When a rotation that no person asked for may start. Default: at any time. One that is"
                + " under way is not stopped when a window closes, and schedule.maxAge outranks"
                + " windows and blackouts.")
        List<Window> windows,
    @Size(max = 64)
        @JsonPropertyDescription("When a rotation that no person asked for may not start.")
        List<Blackout> blackouts,
    @JsonPropertyDescription("What may happen at the same time.") Concurrency concurrency,
    @JsonPropertyDescription("How a new version is tried.") Canary canary,
    @JsonPropertyDescription("How a proven version is rolled out.") Promotion promotion,
    @JsonPropertyDescription("How the previous version goes.") Retirement retirement,
    @JsonPropertyDescription("What is done where the source has no overlap.") Cutover cutover,
    @JsonPropertyDescription("How a value that was reported compromised is replaced.")
        Emergency emergency,
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
      new RotationPolicySpec(
          null, null, null, null, null, null, null, null, null, null, null, null, null, null);

  /** Fills in what the user left out. */
  public RotationPolicySpec {
    schedule = or(schedule, new Schedule(null, null, null, null, null, null, null));
    windows = list(windows);
    blackouts = list(blackouts);
    concurrency = or(concurrency, new Concurrency(null, null, null));
    canary = or(canary, new Canary(null, null, null, null, null, null, null));
    promotion = or(promotion, new Promotion(null, null, null, null));
    retirement = or(retirement, new Retirement(null, null, null, null, null));
    cutover = or(cutover, new Cutover(null));
    emergency = or(emergency, new Emergency(null, null, null));
    retry = or(retry, new Retry(null, null, null));
    historyLimit = or(historyLimit, 10);
    suspend = or(suspend, false);
    preflight = list(preflight);
    gates = list(gates);
  }

  /**
   * When to rotate without being asked.
   *
   * @param every time from one promotion to the next rotation; null: see cron
   * @param cron five fields, read in the time zone; null: see every
   * @param timeZone IANA name
   * @param maxAge a version that is older is rotated outside of windows, too; null: no limit
   * @param leadTime how long before its hard expiry a credential is rotated, at least
   * @param jitter spreads bindings of one schedule, each by a share of the time between two
   *     rotations that is its own and stays the same
   * @param missedRuns what becomes of a run whose time passed while nobody could start it
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "!(has(self.every) && has(self.cron))",
      message =
          "schedule takes either every, counted from the last promotion, or cron, at fixed times:"
              + " remove one of them")
  @ValidationRule(
      value = "!has(self.timeZone) || has(self.cron)",
      message = "schedule.timeZone says how to read schedule.cron: add cron, or remove timeZone")
  @ValidationRule(
      value =
          "!has(self.every) || !has(self.maxAge) || !self.every.matches('"
              + Durations.PATTERN
              + "') || !self.maxAge.matches('"
              + Durations.PATTERN
              + "') || int(self.maxAge.substring(0, self.maxAge.size() - 1))"
              + " * (self.maxAge.endsWith('d') ? 86400"
              + " : self.maxAge.endsWith('h') ? 3600 : self.maxAge.endsWith('m') ? 60 : 1)"
              + " >= int(self.every.substring(0, self.every.size() - 1))"
              + " * (self.every.endsWith('d') ? 86400"
              + " : self.every.endsWith('h') ? 3600 : self.every.endsWith('m') ? 60 : 1)",
      message =
          "schedule.maxAge is the deadline of schedule.every and cannot be shorter: raise maxAge or"
              + " shorten every")
  public record Schedule(
      @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @ValidationRule(
              value = "!self.matches('^0+[smhd]$')",
              message = "every must be longer than zero: write for example 30d, or leave it out")
          @JsonPropertyDescription(
              "Time from the promotion of a version to the next rotation, such as 30d. With neither"
                  + " every nor cron: rotate only when the source changes or on request.")
          String every,
      @Size(min = 9, max = 128)
          @ValidationRule(value = CRON, message = CRON_MESSAGE)
          @JsonPropertyDescription(
              "Fixed times in five fields: minute, hour, day of month, month, day of week; such as"
                  + " 0 3 1 * * for 3:00 on the first of each month.")
          String cron,
      @Size(min = 1, max = 64)
          @ValidationRule(value = ZONE, message = ZONE_MESSAGE)
          @JsonPropertyDescription(
              "IANA time zone of cron, such as Europe/Berlin. Default: Etc/UTC.")
          String timeZone,
      @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @ValidationRule(
              value = "!self.matches('^0+[smhd]$')",
              message = "maxAge must be longer than zero: write for example 45d, or leave it out")
          @JsonPropertyDescription(
              "The age at which a version is rotated even outside of windows. Default: no limit.")
          String maxAge,
      @Default("1h")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @ValidationRule(
              value = "!self.matches('^0+[smhd]$')",
              message = "leadTime must be longer than zero: write for example 1h")
          @JsonPropertyDescription(
              "How long before a credential ends for good it is rotated, at least; earlier where past"
                  + " rotations took longer than half of it, and never before two thirds of its life.")
          String leadTime,
      @Size(max = 3)
          @ValidationRule(
              value = "self.matches('^([0-9]|[1-4][0-9]|50)%$')",
              message = "jitter is a share of the time between two rotations, from 0% to 50%")
          @JsonPropertyDescription(
              "Spreads the bindings of one schedule: each rotates by a share of its own, up to this"
                  + " one, of the time between two rotations earlier (every) or later (cron)."
                  + " Default: 10% with every, 0% with cron.")
          String jitter,
      @JsonPropertyDescription(
              "A run whose time passed while nothing could start it: RunOnce makes up for it once,"
                  + " however many were missed; Skip waits for the next. Default: RunOnce.")
          MissedRuns missedRuns) {

    /** Fills in what the user left out. */
    public Schedule {
      leadTime = or(leadTime, "1h");
      timeZone = cron == null ? timeZone : or(timeZone, "Etc/UTC");
    }
  }

  private static final String CRON =
      "self.matches('^ *[0-9*,/-]+ +[0-9*,/-]+ +[0-9*,/-]+ +[0-9A-Za-z*,/-]+ +[0-9A-Za-z*,/-]+ *$')";
  private static final String CRON_MESSAGE =
      "cron takes five fields: minute, hour, day of month, month and day of week, such as '0 2 * *"
          + " 1-5'";
  private static final String ZONE = "self.matches('^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+)*$')";
  private static final String ZONE_MESSAGE =
      "timeZone is a name of the IANA database, such as Europe/Berlin or Etc/UTC";

  /** What becomes of a run whose time passed while nothing could start it. */
  public enum MissedRuns {
    /** It is made up for, once, however many were missed. */
    RunOnce,
    /** It is dropped; the next one counts. */
    Skip
  }

  /**
   * A time that comes again and again, in which rotations may start.
   *
   * @param cron when it opens
   * @param duration how long it is open
   * @param timeZone IANA name
   */
  public record Window(
      @Required
          @Size(min = 9, max = 128)
          @ValidationRule(value = CRON, message = CRON_MESSAGE)
          @JsonPropertyDescription("When it opens, in five fields, such as 0 2 * * 1-5.")
          String cron,
      @Required
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @ValidationRule(
              value = "!self.matches('^0+[smhd]$')",
              message = "a window must be open for longer than zero: write for example 3h")
          @JsonPropertyDescription("How long it is open, such as 3h.")
          String duration,
      @Size(min = 1, max = 64)
          @ValidationRule(value = ZONE, message = ZONE_MESSAGE)
          @JsonPropertyDescription(
              "IANA time zone of cron, such as Europe/Berlin. Default: Etc/UTC.")
          String timeZone) {

    /** Fills in what the user left out. */
    public Window {
      timeZone = or(timeZone, "Etc/UTC");
    }
  }

  /**
   * A time in which no rotation starts that no person asked for, such as a change freeze.
   *
   * @param from when it begins
   * @param to when it is over
   */
  @ValidationRule(
      value = "self.from < self.to",
      message = "a blackout begins at from and is over at to: from must be earlier")
  public record Blackout(
      @Required @JsonPropertyDescription("When it begins, such as 2026-12-24T00:00:00Z.")
          Instant from,
      @Required @JsonPropertyDescription("When it is over, such as 2027-01-02T00:00:00Z.")
          Instant to) {}

  /**
   * What may happen at the same time.
   *
   * @param policy what a newer value does to the rotation under way
   * @param perStore how many rotations of the namespace with the same store move pods at once
   * @param perNamespace how many rotations of the namespace move pods at once
   */
  public record Concurrency(
      @Default("Queue")
          @JsonPropertyDescription(
              "What happens when the source has a newer value while a rotation is under way. Queue:"
                  + " it is next, and of several the newest. Replace: an unproven candidate is"
                  + " taken back for it. Forbid: it is not rotated to until a person asks or the"
                  + " source changes once more.")
          ConcurrencyPolicy policy,
      @Default("5")
          @Min(1)
          @Max(1000)
          @JsonPropertyDescription(
              "How many rotations of the namespace whose sources are of the same SecretStore or"
                  + " ClusterSecretStore move pods at once. Default: 5.")
          Integer perStore,
      @Default("10")
          @Min(1)
          @Max(1000)
          @JsonPropertyDescription("How many rotations of the namespace move pods at once.")
          Integer perNamespace) {

    /** Fills in what the user left out. */
    public Concurrency {
      policy = or(policy, ConcurrencyPolicy.Queue);
      perStore = or(perStore, 5);
      perNamespace = or(perNamespace, 10);
    }
  }

  /** What a newer value does to the rotation under way. */
  public enum ConcurrencyPolicy {
    /** It waits; of several the newest is next. */
    Queue,
    /** An unproven candidate is taken back for it. */
    Replace,
    /** It is not rotated to. */
    Forbid
  }

  /**
   * How a new version is tried.
   *
   * @param strategy by which means
   * @param pods how many pods try it, per workload
   * @param bake how long they must stay healthy
   * @param deadline time from the start of the canary to its verdict
   * @param traffic whether they receive requests
   * @param scope which workloads try it
   * @param minimumProof without which a version is not promoted
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
          Traffic traffic,
      @Default("FirstWave")
          @JsonPropertyDescription(
              "FirstWave: the workloads of the first wave that allows a canary try the version, for"
                  + " the others, too. AllWorkloads: each tries it itself.")
          Scope scope,
      @Default("PreflightOnly")
          @JsonPropertyDescription(
              "No rotation starts that would promote a version to running pods on less. PodCanary: a"
                  + " pod of each workload ran on it. WorkloadCanary: a pod of one of them did."
                  + " PreflightOnly: none need have.")
          Proof minimumProof) {

    /** Fills in what the user left out. */
    public Canary {
      strategy = or(strategy, CanaryStrategy.Auto);
      pods = or(pods, 1);
      bake = or(bake, "10m");
      deadline = or(deadline, "30m");
      traffic = or(traffic, Traffic.Shared);
      scope = or(scope, Scope.FirstWave);
      minimumProof = or(minimumProof, Proof.PreflightOnly);
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

  /** Which workloads try a version. */
  public enum Scope {
    /** Those of the first wave that allows a canary. */
    FirstWave,
    /** All of them. */
    AllWorkloads
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
   * @param pauseBetweenWaves how long a wave must have run before the next one follows
   * @param onFailure what to do when one does not become stable
   * @param stableTimeout how long one may take
   */
  public record Promotion(
      @Default("5")
          @Min(1)
          @Max(64)
          @JsonPropertyDescription("How many workloads of the binding roll at once.")
          Integer maxParallel,
      @Default("0s")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @JsonPropertyDescription(
              "How long the workloads of a wave must have run on the version before those of the"
                  + " next one follow.")
          String pauseBetweenWaves,
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
      pauseBetweenWaves = or(pauseBetweenWaves, "0s");
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
   * @param disableSoak how long it is disabled before it is revoked, where its store can disable
   * @param revoke whether it is revoked at its store
   * @param terminateSessions whether sessions end, too, that were opened with it
   * @param keepSnapshots how many previous snapshots stay
   */
  public record Retirement(
      @Default("1h")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @JsonPropertyDescription(
              "How long the previous version stays at least, once the new one is promoted.")
          String grace,
      @Default("10m")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @JsonPropertyDescription(
              "Where its store can disable it, how long the previous version is disabled before it is"
                  + " revoked. If somebody uses it in that time it is enabled again.")
          String disableSoak,
      @Default("true")
          @JsonPropertyDescription(
              "Whether the previous version is revoked at the store that issued it, once nobody uses"
                  + " it. After a compromise it always is.")
          Boolean revoke,
      @Default("false")
          @JsonPropertyDescription(
              "Whether sessions end, too, that were opened with the previous version, where the store"
                  + " can end them.")
          Boolean terminateSessions,
      @Default("2")
          @Min(0)
          @Max(50)
          @JsonPropertyDescription("How many snapshots of previous versions stay.")
          Integer keepSnapshots) {

    /** Fills in what the user left out. */
    public Retirement {
      grace = or(grace, "1h");
      disableSoak = or(disableSoak, "10m");
      revoke = or(revoke, true);
      terminateSessions = or(terminateSessions, false);
      keepSnapshots = or(keepSnapshots, 2);
    }
  }

  /**
   * What is done where a source has no overlap: the old value ends when the new one is made.
   *
   * @param acknowledgeOutage whether somebody knows that logins are refused until all pods have
   *     restarted
   */
  public record Cutover(
      @Default("false")
          @JsonPropertyDescription(
              "Whether you accept that logins are refused until all pods have restarted. Needed"
                  + " where the source has no overlap; all workloads then restart at once.")
          Boolean acknowledgeOutage) {

    /** Fills in what the user left out. */
    public Cutover {
      acknowledgeOutage = or(acknowledgeOutage, false);
    }
  }

  /**
   * How a compromised value is replaced.
   *
   * @param canary whether one pod has to become Ready on the new one first
   * @param revokeDeadline from the start of the rotation: then the old version ends, whoever still
   *     uses it
   * @param containmentObjective from the report to the end
   */
  public record Emergency(
      @Default("ReadyOnly")
          @JsonPropertyDescription(
              "ReadyOnly: a canary has to become Ready, and does not bake. None: no canary.")
          EmergencyCanary canary,
      @Default("30m")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @ValidationRule(
              value = "!self.matches('^0+[smhd]$')",
              message = "revokeDeadline must be longer than zero: write for example 30m")
          @JsonPropertyDescription(
              "How long after its start the rotation ends at the latest, although pods may still"
                  + " use the compromised version. Their names stay in its status.")
          String revokeDeadline,
      @Default("60m")
          @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @ValidationRule(
              value = "!self.matches('^0+[smhd]$')",
              message = "containmentObjective must be longer than zero: write for example 60m")
          @JsonPropertyDescription(
              "How long after its report a compromise should have ended. RemediationOverdue tells"
                  + " of it when four fifths have passed.")
          String containmentObjective) {

    /** Fills in what the user left out. */
    public Emergency {
      canary = or(canary, EmergencyCanary.ReadyOnly);
      revokeDeadline = or(revokeDeadline, "30m");
      containmentObjective = or(containmentObjective, "60m");
    }
  }

  /** Whether a value is tried out in an emergency. */
  public enum EmergencyCanary {
    /** A canary has to become Ready. */
    ReadyOnly,
    /** It is not. */
    None
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
