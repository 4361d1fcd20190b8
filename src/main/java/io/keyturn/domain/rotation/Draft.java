package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.RotationPolicySpec.EmergencyCanary;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.Cutover;
import io.keyturn.api.v1alpha1.SecretRotationStatus.GateProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.RetirementProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.Timeline;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Finding;
import io.keyturn.domain.rotation.Observation.Workload;
import io.keyturn.domain.status.ConditionSet;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A plan in the making: the journal as it should become, and what else comes of this look. */
final class Draft {

  /** What only a person can resolve; kstatus shows it as failed. */
  private static final Set<String> NEEDS_A_PERSON =
      Set.of(
          Reasons.FIELD_CONFLICT,
          Reasons.PROMOTION_FAILED,
          Reasons.ROLLBACK_IMPOSSIBLE,
          Reasons.CANARY_NOT_POSSIBLE,
          Reasons.OVERLAP_REQUIRED,
          Reasons.SOURCE_UNCHANGED,
          Reasons.SOURCE_COMPROMISED,
          Reasons.INVALID_SCHEDULE,
          Reasons.PREFLIGHT_INCONCLUSIVE,
          Reasons.GATE_INCONCLUSIVE,
          Reasons.GATE_FAILED,
          Reasons.NOT_STARTED_BY_KEYTURN,
          Reasons.ACCESS_DENIED,
          Reasons.SECRET_NOT_OWNED);

  /** Why an effect was not done that is tried again. */
  private static final Set<String> REFUSALS =
      Set.of(
          Reasons.ACCESS_DENIED,
          Reasons.SECRET_NOT_OWNED,
          Reasons.SOURCE_NOT_FOUND,
          Reasons.STORE_NOT_FOUND,
          Reasons.STORE_NOT_ALLOWED,
          Reasons.STORE_MISCONFIGURED,
          Reasons.STORE_UNAVAILABLE,
          Reasons.STORE_CIRCUIT_OPEN,
          Reasons.STORE_THROTTLED,
          Reasons.STORE_DENIED,
          Reasons.STORE_CONFLICT,
          Reasons.STORE_ANSWER_INVALID,
          Reasons.QUOTA_EXCEEDED,
          Reasons.SLOT_IN_USE);

  private record Because(String reason, String message) {}

  private record Who(WorkloadKind kind, String name) {}

  final Observation seen;
  final Instant now;

  /** Rounded up, so that what is to last a time from here on never lasts less. */
  final Instant fromNow;

  private final Map<Who, Workload> observed = new HashMap<>();
  private final List<Finding> findings = new ArrayList<>();
  private final List<WorkloadProgress> workloads;
  private final List<GateProgress> preflight;
  private final List<GateProgress> gates;
  private Stage stage;
  private String message;
  private String token;
  private Long policyGeneration;
  private RotationPolicySpec policy;
  private VersionRef from;
  private VersionRef to;
  private int rebuilds;
  private RetirementProgress retirement;
  private Cutover cutover;
  private String timeToContain;
  private String notRevoked;
  private Timeline timeline;
  private Because blocked;
  private Because takenBack;
  private Effect effect;
  private Instant wakeAt;

  Draft(Observation seen, Instant now) {
    this.seen = seen;
    this.now = now.truncatedTo(ChronoUnit.SECONDS);
    this.fromNow = now.equals(this.now) ? now : this.now.plusSeconds(1);
    seen.workloads().forEach(w -> observed.putIfAbsent(new Who(w.kind(), w.name()), w));
    SecretRotationStatus journal = seen.journal();
    stage = journal.stage();
    message = journal.message();
    token = journal.token();
    policyGeneration = journal.policyGeneration();
    policy = journal.policy();
    from = journal.from();
    to = journal.to();
    workloads = new ArrayList<>(journal.workloads());
    preflight = new ArrayList<>(journal.preflight());
    gates = new ArrayList<>(journal.gates());
    rebuilds = journal.rebuilds();
    retirement = journal.retirement();
    cutover = journal.cutover();
    timeToContain = journal.timeToContain();
    timeline = journal.timeline();
    takenBack =
        journal.conditions().stream()
            .filter(c -> c.type().equals(Conditions.ROLLED_BACK))
            .map(c -> new Because(c.reason(), c.message()))
            .findFirst()
            .orElse(null);
  }

  Stage stage() {
    return stage;
  }

  RotationPolicySpec policy() {
    return policy;
  }

  VersionRef from() {
    return from;
  }

  VersionRef to() {
    return to;
  }

  String token() {
    return token;
  }

  Timeline timeline() {
    return timeline;
  }

  int rebuilds() {
    return rebuilds;
  }

  /** What a check has said; empty: nothing yet. */
  Optional<GateProgress> check(String name) {
    return preflight.stream().filter(g -> g.name().equals(name)).findFirst();
  }

  /** What a gate has said of this canary; empty: nothing yet. */
  Optional<GateProgress> gate(String name) {
    return gates.stream().filter(g -> g.name().equals(name)).findFirst();
  }

  void noteCheck(GateProgress answer) {
    note(preflight, answer);
  }

  void noteGate(GateProgress answer) {
    note(gates, answer);
  }

  private static void note(List<GateProgress> answers, GateProgress answer) {
    int at = answers.stream().map(GateProgress::name).toList().indexOf(answer.name());
    if (at < 0) {
      answers.add(answer);
    } else {
      answers.set(at, answer);
    }
  }

  List<WorkloadProgress> workloads() {
    return List.copyOf(workloads);
  }

  /** What was observed of the workload of an entry, or of one that took its place. */
  Workload observed(WorkloadProgress w) {
    Workload there = observed.get(new Who(w.kind(), w.name()));
    return there == null ? Workload.gone(w.kind(), w.name(), w.uid(), Optional.empty()) : there;
  }

  Optional<String> takenBackReason() {
    return Optional.ofNullable(takenBack).map(Because::reason);
  }

  boolean waitsForPeople() {
    return seen.wishes().hold() || seen.wishes().suspended();
  }

  /** Whether the value is known to others: then all of it goes at once, and never back. */
  boolean emergency() {
    return seen.trigger() == Trigger.Compromise;
  }

  /** Whether the old value has ended with the new one, so that nothing can go back to it. */
  boolean cutsOver() {
    return stage == Stage.Pending ? seen.overlap() == Overlap.None : cutover != null;
  }

  /** Whether the version that the rotation began with is of no use any more. */
  boolean nothingToGoBackTo() {
    return emergency() || cutsOver() || seen.fromEnded();
  }

  /** Whether a canary is wanted at all. */
  boolean triesOut() {
    if (cutsOver() || seen.fromEnded()) {
      return false;
    }
    return emergency()
        ? seen.policy().emergency().canary() == EmergencyCanary.ReadyOnly
        : seen.policy().canary().strategy() != CanaryStrategy.None;
  }

  /** Writes the plan of the whole rotation down, before anything is done. */
  void admit(VersionRef current, List<WorkloadProgress> planned) {
    token = seen.uid();
    policy = seen.policy();
    policyGeneration = seen.policyGeneration();
    from = current;
    to = new VersionRef(seen.version(), null);
    workloads.clear();
    workloads.addAll(planned);
    timeline = new Timeline(now, null, null, null, null, null, null, null, null);
    cutover = cutsOver() ? new Cutover(seen.createdAt(), null, null) : null;
  }

  void snapshotMade(String name) {
    to = new VersionRef(to.version(), name);
  }

  void moveTo(Stage next, String sentence) {
    stage = Transitions.move(stage, next);
    message = sentence;
    switch (next) {
      case Canary -> timeline = stamp(null, null, null);
      case Baking -> timeline = stamp(fromNow, null, null);
      case Promoting -> timeline = stamp(timeline.canaryReadyAt(), now, null);
      case Retiring -> promoted();
      default -> {
        if (next.terminal()) {
          Instant revokedAt = next == Stage.Complete ? seen.going().revokedAt() : null;
          timeline = past(timeline.disabledAt(), revokedAt, now);
          if (next == Stage.Complete && emergency()) {
            timeToContain = Durations.text(Duration.between(seen.reportedAt(), now));
          }
        }
      }
    }
  }

  /** It is promoted once, also where the version before comes back from being disabled. */
  private void promoted() {
    if (seen.journal().stage() != Stage.Promoting) {
      return;
    }
    timeline = stamp(timeline.canaryReadyAt(), timeline.verifiedAt(), now);
    if (cutover != null) {
      cutover =
          new Cutover(cutover.since(), now, Durations.text(Duration.between(cutover.since(), now)));
    }
  }

  private Timeline stamp(Instant canaryReadyAt, Instant verifiedAt, Instant promotedAt) {
    Instant staged = timeline.stagedAt() == null ? now : timeline.stagedAt();
    return new Timeline(
        timeline.startedAt(),
        timeline.preflightedAt() == null && checked() ? now : timeline.preflightedAt(),
        stage == Stage.Canary ? fromNow : staged,
        canaryReadyAt,
        verifiedAt,
        promotedAt,
        null,
        null,
        null);
  }

  /** The canaries begin anew, with all of their time. */
  void rebuildCanaries() {
    rebuilds++;
    gates.clear();
    timeline =
        new Timeline(
            timeline.startedAt(),
            timeline.preflightedAt(),
            fromNow,
            null,
            null,
            null,
            null,
            null,
            null);
  }

  void say(String sentence) {
    message = sentence;
  }

  /** Nothing goes on until the reason has gone. */
  void block(String reason, String sentence) {
    blocked = new Because(reason, sentence);
    message = sentence;
  }

  /** The same, and people are told of it once. */
  void hold(String reason, String sentence) {
    boolean told =
        seen.journal().conditions().stream()
            .anyMatch(c -> c.type().equals(Conditions.BLOCKED) && c.reason().equals(reason));
    block(reason, sentence);
    if (!told) {
      warn(reason, sentence);
    }
  }

  void rollBack(String reason, String sentence) {
    takenBack = new Because(reason, sentence);
    moveTo(Stage.RollingBack, sentence);
    warn(reason, sentence);
  }

  void retire(Instant graceUntil, List<String> users) {
    retirement =
        new RetirementProgress(
            graceUntil,
            retirement == null ? null : retirement.revokingSince(),
            users.size(),
            users.stream().limit(20).toList());
  }

  /** Revocation begins; it is tried until it works, or for long enough. */
  void revoke() {
    retirement =
        new RetirementProgress(
            retirement.graceUntil(), now, retirement.usersRemaining(), retirement.stragglers());
  }

  /** When the previous version was disabled, or that it is not any more. */
  void disabled(Instant at) {
    timeline = past(at, null, null);
  }

  /** The same, and what came after the promotion. */
  private Timeline past(Instant disabledAt, Instant revokedAt, Instant finishedAt) {
    return new Timeline(
        timeline.startedAt(),
        timeline.preflightedAt(),
        timeline.stagedAt(),
        timeline.canaryReadyAt(),
        timeline.verifiedAt(),
        timeline.promotedAt(),
        disabledAt,
        revokedAt,
        finishedAt);
  }

  /** The previous version could not be revoked, and the rotation ends without that. */
  void revokeFailed(String sentence) {
    notRevoked = sentence;
    warn(Reasons.REVOKE_FAILED, sentence);
  }

  RetirementProgress retirement() {
    return retirement;
  }

  void replace(WorkloadProgress before, WorkloadProgress after) {
    workloads.set(workloads.indexOf(before), after);
  }

  /** The workloads that have not moved, and have pods. */
  List<String> leftBehind() {
    return workloads.stream()
        .filter(w -> Promotion.UNDER_WAY.contains(w.state()))
        .map(WorkloadProgress::name)
        .toList();
  }

  void perform(Effect next) {
    effect = next;
  }

  void wake(Instant at) {
    if (wakeAt == null || at.isBefore(wakeAt)) {
      wakeAt = at;
    }
  }

  void wakeIn(Duration delay) {
    wake(now.plus(delay));
  }

  void note(String reason, String sentence) {
    findings.add(Finding.normal(reason, sentence));
  }

  void warn(String reason, String sentence) {
    findings.add(Finding.warning(reason, sentence));
  }

  Plan toPlan() {
    if (effect != null && blocked == null) {
      keepRefusal();
    }
    SecretRotationStatus journal =
        new SecretRotationStatus(
            seen.generation(),
            conditions(),
            stage,
            message,
            progress(),
            proof(),
            seen.journal().epoch(),
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
    boolean written = journal.equals(seen.journal());
    return new Plan(
        journal,
        written ? Optional.ofNullable(effect) : Optional.empty(),
        written ? List.of() : List.copyOf(findings),
        Optional.ofNullable(wakeAt));
  }

  /** An effect that was refused is tried again; until it works the refusal stands. */
  private void keepRefusal() {
    seen.journal().conditions().stream()
        .filter(c -> c.type().equals(Conditions.BLOCKED))
        .filter(c -> REFUSALS.contains(c.reason()))
        .findFirst()
        .ifPresent(c -> block(c.reason(), c.message()));
  }

  private String progress() {
    long done =
        workloads.stream()
            .filter(
                w -> w.state() == WorkloadState.Promoted || w.state() == WorkloadState.ScaledToZero)
            .count();
    long all = workloads.stream().filter(w -> w.state() != WorkloadState.Gone).count();
    return workloads.isEmpty() ? null : done + "/" + all;
  }

  private Proof proof() {
    return workloads.stream()
        .map(WorkloadProgress::proof)
        .filter(p -> p != null)
        .min(Enum::compareTo)
        .orElse(null);
  }

  private List<Condition> conditions() {
    ConditionSet set = new ConditionSet(seen.journal().conditions(), seen.generation(), now);
    if (!stage.terminal()) {
      set.isUnknown(Conditions.SUCCEEDED, Reasons.IN_PROGRESS, "The rotation is under way.");
      // kstatus looks at Reconciling first, so it must not hide what only a person can resolve.
      if (!needsAPerson()) {
        set.isTrue(Conditions.RECONCILING, stage.name(), message);
      }
    } else if (stage == Stage.Complete) {
      set.isTrue(Conditions.SUCCEEDED, Reasons.COMPLETE, message);
    } else {
      set.isFalse(Conditions.SUCCEEDED, takenBack.reason(), takenBack.message());
    }
    preflighted(set);
    canaryVerified(set);
    if (timeline.promotedAt() != null && !leftBehind().isEmpty()) {
      set.isFalse(
          Conditions.PROMOTED,
          Reasons.PROMOTION_FAILED,
          "The version is current, and these were left before they ran on it: %s."
              .formatted(String.join(", ", leftBehind())));
    } else if (timeline.promotedAt() != null) {
      set.isTrue(Conditions.PROMOTED, Reasons.PROMOTED, "Each workload is on the new version.");
    } else if (timeline.verifiedAt() != null) {
      boolean back = takenBack != null;
      set.isFalse(
          Conditions.PROMOTED,
          back ? takenBack.reason() : Reasons.PROMOTING,
          back ? takenBack.message() : "Workloads move to the new version.");
    }
    oldRevoked(set);
    if (emergency()) {
      remediation(set);
    }
    if (takenBack != null) {
      set.isTrue(Conditions.ROLLED_BACK, takenBack.reason(), takenBack.message());
    }
    if (blocked != null) {
      set.isTrue(Conditions.BLOCKED, blocked.reason(), blocked.message());
    }
    if (needsAPerson()) {
      set.isTrue(Conditions.STALLED, blocked.reason(), blocked.message());
    } else if (stage == Stage.Failed) {
      set.isTrue(Conditions.STALLED, takenBack.reason(), takenBack.message());
    }
    return set.toList();
  }

  /** What became of the previous version at its store; once it is said, it stands. */
  private void oldRevoked(ConditionSet set) {
    boolean ended = seen.journal().stage().terminal();
    if (ended || !stage.promoted()) {
      seen.journal().conditions().stream()
          .filter(c -> c.type().equals(Conditions.OLD_REVOKED))
          .forEach(set::keep);
      return;
    }
    long version = from.version();
    if (seen.going().revokedAt() != null) {
      set.isTrue(
          Conditions.OLD_REVOKED,
          Reasons.REVOKED,
          seen.going().refused()
              ? "Version %d was revoked, and it was shown that it is refused.".formatted(version)
              : "Version %d was revoked.".formatted(version));
    } else if (notRevoked != null) {
      set.isFalse(Conditions.OLD_REVOKED, Reasons.REVOKE_FAILED, notRevoked);
    } else if (stage == Stage.Disabling || stage == Stage.Revoking) {
      set.isUnknown(
          Conditions.OLD_REVOKED,
          Reasons.REVOKING,
          "Version %d is being ended.".formatted(version));
    } else if (stage == Stage.Complete && seen.going().revocable()) {
      set.isFalse(
          Conditions.OLD_REVOKED,
          revokes() ? Reasons.REVOKING : Reasons.REVOKE_NOT_WANTED,
          revokes()
              ? "Version %d is revoked as soon as no pod uses it.".formatted(version)
              : "The policy says that nothing is revoked (retirement.revoke).");
    } else if (stage == Stage.Complete && emergency()) {
      set.isFalse(
          Conditions.OLD_REVOKED,
          Reasons.REVOKE_AT_ISSUER,
          "Keyturn cannot revoke version %d, because it did not issue it: revoke it at its issuer."
              .formatted(version));
    }
  }

  /** Whether the previous version is to be ended at its store. */
  boolean revokes() {
    return emergency() || policy.retirement().revoke();
  }

  private void remediation(ConditionSet set) {
    if (stage.terminal()) {
      return;
    }
    Duration objective = Durations.parse(seen.policy().emergency().containmentObjective());
    Instant overdue = seen.reportedAt().plus(objective.multipliedBy(4).dividedBy(5));
    if (now.isBefore(overdue)) {
      wake(overdue);
      return;
    }
    String sentence =
        "The compromise was reported at %s and is to end within %s. Look at what the rotation waits for."
            .formatted(seen.reportedAt(), seen.policy().emergency().containmentObjective());
    set.isTrue(Conditions.REMEDIATION_OVERDUE, Reasons.REMEDIATION_OVERDUE, sentence);
    boolean told =
        seen.journal().conditions().stream()
            .anyMatch(c -> c.type().equals(Conditions.REMEDIATION_OVERDUE));
    if (!told) {
      warn(Reasons.REMEDIATION_OVERDUE, sentence);
    }
  }

  private boolean needsAPerson() {
    return blocked != null && NEEDS_A_PERSON.contains(blocked.reason());
  }

  /** Whether the policy has checks, and each has passed. */
  private boolean checked() {
    return policy != null
        && !policy.preflight().isEmpty()
        && policy.preflight().stream()
            .allMatch(c -> check(c.name()).filter(a -> a.result() == Verdict.Passed).isPresent());
  }

  private void preflighted(ConditionSet set) {
    if (policy == null || policy.preflight().isEmpty() || stage == Stage.Staging) {
      return;
    }
    if (checked()) {
      set.isTrue(
          Conditions.PREFLIGHTED,
          Reasons.CHECKS_PASSED,
          "Each check passed before any pod saw the version.");
    } else if (takenBack != null) {
      set.isFalse(Conditions.PREFLIGHTED, takenBack.reason(), takenBack.message());
    } else if (blocked != null) {
      set.isUnknown(Conditions.PREFLIGHTED, blocked.reason(), blocked.message());
    } else {
      set.isUnknown(Conditions.PREFLIGHTED, Reasons.CHECKING, "The checks are being made.");
    }
  }

  private void canaryVerified(ConditionSet set) {
    if (timeline.stagedAt() == null) {
      return;
    }
    boolean cloned = workloads.stream().anyMatch(w -> w.strategy() == CanaryStrategy.Clone);
    if (!cloned) {
      set.isFalse(
          Conditions.CANARY_VERIFIED, Reasons.NO_CANARY, "No canary was possible or wanted.");
    } else if (timeline.verifiedAt() != null) {
      set.isTrue(Conditions.CANARY_VERIFIED, Reasons.CANARY_PASSED, "The canary stayed healthy.");
    } else if (takenBack != null) {
      set.isFalse(Conditions.CANARY_VERIFIED, takenBack.reason(), takenBack.message());
    } else {
      set.isUnknown(
          Conditions.CANARY_VERIFIED, Reasons.CANARY_RUNNING, "The canary is being watched.");
    }
  }
}
