package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.list;
import static io.keyturn.api.v1alpha1.Api.or;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.time.Instant;
import java.util.List;

/**
 * The journal of one attempt: whoever reads it can go on where the last one stopped.
 *
 * @param observedGeneration the generation of the spec that this status is about
 * @param conditions see {@link Conditions}
 * @param stage where it stands
 * @param message what happens now and what comes next
 * @param progress workloads on the new version, of all: 3/7
 * @param proof the weakest proof among the workloads
 * @param epoch generation of the leader that wrote last; null: there are no generations
 * @param token idempotency token of this attempt
 * @param policyGeneration generation of the policy that was copied
 * @param policy the policy, copied at the start
 * @param from the version that was current at the start
 * @param to the version that is to become current
 * @param workloads who moves, and how far each is
 * @param rebuilds how often canaries were made anew because a workload was edited
 * @param preflight what the checks said that came before any pod
 * @param gates what the gates said
 * @param retirement how the previous version goes
 * @param cutover how long neither value was everywhere, where the source has no overlap
 * @param timeToContain from the report of a compromise to its end
 * @param timeline when it reached what
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record SecretRotationStatus(
    @JsonPropertyDescription("The generation of the spec that this status is about.")
        Long observedGeneration,
    @JsonPropertyDescription("What is observed of the rotation.") List<Condition> conditions,
    @JsonPropertyDescription("Where the rotation stands.") Stage stage,
    @JsonPropertyDescription("What happens now and what comes next.") String message,
    @JsonPropertyDescription("Workloads on the new version, of all.") String progress,
    @JsonPropertyDescription("The weakest proof among the workloads.") Proof proof,
    @JsonPropertyDescription("Generation of the leader that wrote last.") Long epoch,
    @JsonPropertyDescription("Idempotency token of this attempt.") String token,
    @JsonPropertyDescription("Generation of the policy that was copied; absent: built in.")
        Long policyGeneration,
    @JsonPropertyDescription(
            "The policy, copied at the start: edits act on the next attempt, except suspend.")
        RotationPolicySpec policy,
    @JsonPropertyDescription("The version that was current at the start.") VersionRef from,
    @JsonPropertyDescription("The version that is to become current.") VersionRef to,
    @JsonPropertyDescription("Who moves, and how far each is.") List<WorkloadProgress> workloads,
    @JsonPropertyDescription("How often canaries were made anew because a workload was edited.")
        Integer rebuilds,
    @JsonPropertyDescription("What the checks said that came before any pod.")
        List<GateProgress> preflight,
    @JsonPropertyDescription("What the gates said.") List<GateProgress> gates,
    @JsonPropertyDescription("How the previous version goes.") RetirementProgress retirement,
    @JsonPropertyDescription(
            "How long pods had a value that was no longer valid, where the source has no overlap.")
        Cutover cutover,
    @JsonPropertyDescription("Time from the report of a compromise to its end, such as 41m.")
        String timeToContain,
    @JsonPropertyDescription("When the rotation reached what.") Timeline timeline) {

  /** The status of a rotation that nobody has looked at yet. */
  public static final SecretRotationStatus EMPTY =
      new SecretRotationStatus(
          null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
          null, null, null, null, null);

  /** Fills in what was left out. */
  public SecretRotationStatus {
    conditions = list(conditions);
    stage = or(stage, Stage.Pending);
    workloads = list(workloads);
    rebuilds = or(rebuilds, 0);
    preflight = list(preflight);
    gates = list(gates);
    timeline = or(timeline, Timeline.EMPTY);
  }

  /** The same, written by the leader of a generation. */
  public SecretRotationStatus writtenIn(Long generation) {
    return new SecretRotationStatus(
        observedGeneration,
        conditions,
        stage,
        message,
        progress,
        proof,
        generation,
        token,
        policyGeneration,
        policy,
        from,
        to,
        workloads,
        rebuilds,
        preflight,
        gates,
        retirement,
        cutover,
        timeToContain,
        timeline);
  }

  /**
   * A version and where its value lies.
   *
   * @param version its number
   * @param snapshot the immutable Secret; null: not made yet
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record VersionRef(
      @JsonPropertyDescription("Number of the version.") long version,
      @JsonPropertyDescription("The immutable Secret that holds it.") String snapshot) {}

  /**
   * One workload of the rotation.
   *
   * @param kind its kind
   * @param name its name
   * @param uid its UID: a namesake is another workload
   * @param wave the workloads of lower waves move before it
   * @param strategy how the version is tried on it
   * @param proof how well it was proven
   * @param state how far it is
   * @param baseTemplateHash keyed MAC of the pod template that the proof is about
   * @param previousAnnotation the version on its pod template before; null: none
   * @param canaryRef name of its clone
   * @param canaryPods the canary pods, as they were when the bake began
   * @param promotedAt when each of its pods was found on the version
   * @param message what a person should know of it
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record WorkloadProgress(
      @JsonPropertyDescription("Kind of the workload.") SecretBindingSpec.WorkloadKind kind,
      @JsonPropertyDescription("Name of the workload.") String name,
      @JsonPropertyDescription("UID of the workload.") String uid,
      @JsonPropertyDescription("The workloads of lower waves move before it.") Integer wave,
      @JsonPropertyDescription("How the version is tried on it: Clone or None.")
          RotationPolicySpec.CanaryStrategy strategy,
      @JsonPropertyDescription("How well the version was proven for it.") Proof proof,
      @JsonPropertyDescription("How far it is.") WorkloadState state,
      @JsonPropertyDescription("Keyed MAC of the pod template that the proof is about.")
          String baseTemplateHash,
      @JsonPropertyDescription("The version on its pod template before; absent: none.")
          String previousAnnotation,
      @JsonPropertyDescription("Name of the Deployment that tries the version.") String canaryRef,
      @JsonPropertyDescription("The canary pods, as they were when the bake began.")
          List<CanaryPod> canaryPods,
      @JsonPropertyDescription("When each of its pods was found on the version.")
          Instant promotedAt,
      @JsonPropertyDescription("What a person should know of it.") String message) {

    /** Copies the list. */
    public WorkloadProgress {
      wave = or(wave, 0);
      canaryPods = canaryPods == null ? null : List.copyOf(canaryPods);
    }
  }

  /**
   * A canary pod when the bake began; whatever differs later happened during the bake.
   *
   * @param uid its UID
   * @param restarts restarts of its containers, added up
   * @param readySince when it became Ready, by its kubelet's clock
   */
  public record CanaryPod(
      @JsonPropertyDescription("UID of the pod.") String uid,
      @JsonPropertyDescription("Restarts of its containers, added up.") int restarts,
      @JsonPropertyDescription("When it became Ready, by its kubelet's clock.")
          Instant readySince) {}

  /** How far a workload is. */
  public enum WorkloadState {
    /** It runs on the previous version. */
    Waiting,
    /** Its pods are being replaced. */
    Promoting,
    /** Each of its pods runs on the new version. */
    Promoted,
    /** It has no pods: those that come read the new version. */
    ScaledToZero,
    /** It was deleted. */
    Gone,
    /** Somebody set it back during the promotion; Keyturn leaves it alone. */
    Reverted,
    /** Its pods are being set back. */
    RollingBack,
    /** It runs on the previous version again. */
    RolledBack
  }

  /**
   * What a check or a gate said. The same answer again is not written again.
   *
   * @param name of the check or gate
   * @param result its last answer
   * @param value what was measured; null: nothing
   * @param count how many measurements have failed
   * @param measuredAt when it first gave its last answer
   * @param message what it said, in words
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record GateProgress(
      @JsonPropertyDescription("Name of the check or gate.") String name,
      @JsonPropertyDescription("Its last answer.") Verdict result,
      @JsonPropertyDescription("What was measured.") String value,
      @JsonPropertyDescription("How many measurements have failed.") int count,
      @JsonPropertyDescription("When it first gave its last answer.") Instant measuredAt,
      @JsonPropertyDescription("What it said, in words.") String message) {}

  /**
   * How the previous version goes.
   *
   * @param graceUntil it stays until then at least
   * @param revokingSince since when it is being revoked; null: it is not
   * @param usersRemaining pods that may still use it
   * @param stragglers the names of up to 20 of them
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record RetirementProgress(
      @JsonPropertyDescription("The previous version stays until then at least.")
          Instant graceUntil,
      @JsonPropertyDescription("Since when it is being revoked.") Instant revokingSince,
      @JsonPropertyDescription("Pods that may still use it.") Integer usersRemaining,
      @JsonPropertyDescription("The names of up to 20 of them.") List<String> stragglers) {

    /** Copies the list. */
    public RetirementProgress {
      stragglers = list(stragglers);
    }
  }

  /**
   * How long pods had a value that was no longer valid.
   *
   * @param since when the new value was seen, which ended the old one
   * @param until when each workload was on the new one; null: not yet
   * @param outage the time between them; null: not known yet
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Cutover(
      @JsonPropertyDescription("When the new value was seen, which ended the old one.")
          Instant since,
      @JsonPropertyDescription("When each workload was on the new one.") Instant until,
      @JsonPropertyDescription("The time between them, such as 14s.") String outage) {}

  /**
   * When a rotation reached what.
   *
   * @param startedAt admitted
   * @param preflightedAt each check has passed; null: there are none
   * @param stagedAt its snapshot exists; the canary starts
   * @param canaryReadyAt each canary is Ready; the bake begins
   * @param verifiedAt the canary has passed
   * @param promotedAt each workload is on the new version
   * @param disabledAt the previous version was disabled; null: it was not
   * @param revokedAt the previous version was revoked; null: it was not
   * @param finishedAt ended
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Timeline(
      @JsonPropertyDescription("When it was admitted.") Instant startedAt,
      @JsonPropertyDescription("When each check had passed.") Instant preflightedAt,
      @JsonPropertyDescription("When its snapshot existed and the canary was started.")
          Instant stagedAt,
      @JsonPropertyDescription("When each canary was Ready and the bake began.")
          Instant canaryReadyAt,
      @JsonPropertyDescription("When the canary had passed.") Instant verifiedAt,
      @JsonPropertyDescription("When each workload was on the new version.") Instant promotedAt,
      @JsonPropertyDescription("When the previous version was disabled at its store.")
          Instant disabledAt,
      @JsonPropertyDescription("When the previous version was revoked at its store.")
          Instant revokedAt,
      @JsonPropertyDescription("When it ended.") Instant finishedAt) {

    /** When a stage began; null if it has not begun, or the timeline does not tell. */
    public Instant beginOf(Stage stage) {
      return switch (stage) {
        case Staging -> startedAt;
        case Canary -> stagedAt;
        case Baking -> canaryReadyAt;
        case Promoting -> verifiedAt;
        case Retiring -> promotedAt;
        default -> null;
      };
    }

    /** Nothing reached yet. */
    public static final Timeline EMPTY =
        new Timeline(null, null, null, null, null, null, null, null, null);
  }
}
