package io.keyturn.domain.binding;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec.ConcurrencyPolicy;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Previous;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Failure;
import io.keyturn.domain.Finding;
import io.keyturn.domain.binding.BindingObservation.Alias;
import io.keyturn.domain.binding.BindingObservation.Rotation;
import io.keyturn.domain.binding.BindingObservation.Source;
import io.keyturn.domain.lease.Lease;
import io.keyturn.domain.schedule.Timetable.Start;
import io.keyturn.domain.status.ConditionSet;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Says in the status of a binding what was observed of it. */
final class BindingStatusFactory {

  private record Problem(String reason, String message) {}

  /** What a rotation waits for that only a person can resolve. */
  private static final Set<String> CONFLICTS =
      Set.of(Reasons.FIELD_CONFLICT, Reasons.SECRET_NOT_OWNED);

  /** What a rotation waits for that has to be changed where the binding is described. */
  private static final Set<String> NEED_AN_EDIT =
      Set.of(Reasons.OVERLAP_REQUIRED, Reasons.SOURCE_UNCHANGED, Reasons.SOURCE_COMPROMISED);

  private final BindingObservation seen;
  private final Optional<Due> due;
  private final Optional<Failure> failure;
  private final Instant now;

  BindingStatusFactory(
      BindingObservation seen, Optional<Due> due, Optional<Failure> failure, Instant now) {
    this.seen = seen;
    this.due = due;
    this.failure = failure;
    this.now = now;
  }

  SecretBindingStatus status() {
    SecretBindingStatus before = seen.status();
    Optional<Rotation> active = seen.active();
    Optional<Start> next = next();
    return new SecretBindingStatus(
        seen.generation(),
        conditions(),
        seen.aliasName(),
        seen.current().orElse(null),
        previous(active),
        active.map(Rotation::name).orElse(null),
        seen.lastEnded().orElse(null),
        handled(before.lastHandledNonce(), nonce()),
        handled(before.lastHandledRequest(), seen.request()),
        next.map(Start::at).orElse(null),
        next.map(Start::reason).orElse(null),
        seen.lease().map(l -> l.end().truncatedTo(ChronoUnit.SECONDS)).orElse(null),
        seen.lease().map(BindingStatusFactory::lease).orElse(null),
        forbidden(active),
        seen.compromised(),
        seen.workloads());
  }

  private static SecretBindingStatus.Lease lease(Lease lease) {
    return new SecretBindingStatus.Lease(
        lease.renewable(),
        lease.renewAt().orElse(null),
        lease.hardExpiry().map(h -> h.truncatedTo(ChronoUnit.SECONDS)).orElse(null),
        lease.renewedAt().equals(lease.issuedAt())
            ? null
            : lease.renewedAt().truncatedTo(ChronoUnit.SECONDS));
  }

  /** When the next rotation starts, as far as that is known. */
  private Optional<Start> next() {
    SecretBindingStatus before = seen.status();
    if (due.isEmpty()) {
      boolean known = seen.active().isEmpty() && before.nextRotationTime() != null;
      return known
          ? Optional.of(new Start(before.nextRotationTime(), before.nextRotationReason(), ""))
          : Optional.empty();
    }
    return switch (due.get()) {
      case Due.Later(Instant at, String reason, String message) ->
          Optional.of(new Start(at, reason, message));
      case Due.Exhausted(int _, Optional<Start> again) -> again;
      default -> Optional.empty();
    };
  }

  /** A value that came while another one was rotated to, until it has gone or is asked for. */
  private String forbidden(Optional<Rotation> active) {
    if (!(seen.source() instanceof Source.Value(String fingerprint, boolean current)) || current) {
      return null;
    }
    boolean forbids =
        seen.policy().map(p -> p.concurrency().policy()).orElse(null) == ConcurrencyPolicy.Forbid;
    boolean another =
        active.map(Rotation::fingerprint).filter(moving -> !moving.equals(fingerprint)).isPresent();
    boolean known = active.isEmpty() && fingerprint.equals(seen.status().forbidden());
    return forbids && (another || known) ? fingerprint : null;
  }

  private String nonce() {
    return seen.spec().rotate() == null ? null : seen.spec().rotate().nonce();
  }

  /** A request that comes with the first version, was served, or leads nowhere, is handled. */
  private String handled(String before, String request) {
    if (request == null) {
      return before;
    }
    boolean first = seen.status().current() == null && seen.current().isPresent();
    boolean served = seen.rotations().stream().anyMatch(r -> request.equals(r.nonce()));
    boolean pointless =
        due.filter(d -> d instanceof Due.Pointless(String nonce) && nonce.equals(request))
            .isPresent();
    return first || served || pointless ? request : before;
  }

  private Previous previous(Optional<Rotation> active) {
    Previous before = seen.status().previous();
    Current last = seen.status().current();
    Current current = seen.current().orElse(null);
    if (current == null) {
      return before;
    }
    boolean moved = last != null && last.version() != current.version();
    Previous base =
        moved
            ? new Previous(last.version(), last.snapshot(), Previous.State.Retiring, null)
            : before;
    if (base == null) {
      return null;
    }
    Optional<Rotation> retiring = active.filter(r -> r.stage().retires());
    boolean kept = seen.snapshots().stream().anyMatch(s -> s.version() == base.version());
    if (retiring.isPresent()) {
      return new Previous(
          base.version(),
          base.snapshot(),
          retiring.get().oldState() == null ? Previous.State.Retiring : retiring.get().oldState(),
          retiring.get().users());
    }
    return kept ? new Previous(base.version(), base.snapshot(), became(base), null) : null;
  }

  /**
   * What became of a version; a rotation that failed since then, or whose record has gone, changes
   * nothing of that.
   */
  private Previous.State became(Previous version) {
    return seen.rotations().stream()
        .filter(r -> r.stage() == Stage.Complete && r.version() > version.version())
        .max(Comparator.comparingLong(Rotation::version))
        .map(Rotation::oldState)
        .orElse(
            version.state() == Previous.State.Retiring ? Previous.State.Retired : version.state());
  }

  private List<Condition> conditions() {
    ConditionSet set = new ConditionSet(seen.status().conditions(), seen.generation(), now);
    Optional<Problem> delivery = deliveryProblem();
    Optional<Problem> spec = specProblem();
    boolean delivered = seen.current().isPresent();
    ready(set, delivery, spec, delivered);
    if (delivered && delivery.isEmpty()) {
      set.isTrue(
          Conditions.DELIVERED,
          Reasons.DELIVERED,
          "The Secret %s holds version %d."
              .formatted(seen.aliasName(), seen.current().get().version()));
    } else {
      Problem p =
          delivery
              .or(this::sourceProblem)
              .orElse(new Problem(Reasons.DELIVERING, "Not delivered yet."));
      set.isFalse(Conditions.DELIVERED, p.reason(), p.message());
    }
    rotation(set);
    seen.lease().ifPresent(l -> lease(set, l));
    conflict(set);
    Optional<Problem> stalled =
        failureProblem()
            .or(() -> delivery)
            .or(() -> spec)
            .or(this::sourceProblem)
            .or(this::rotationProblem);
    if (stalled.isPresent()) {
      set.isTrue(Conditions.STALLED, stalled.get().reason(), stalled.get().message());
    }
    return set.toList();
  }

  private void ready(
      ConditionSet set, Optional<Problem> delivery, Optional<Problem> spec, boolean delivered) {
    Optional<Problem> problem =
        delivery
            .or(() -> spec)
            .or(() -> delivered ? endedProblem() : failureProblem().or(this::sourceProblem));
    if (problem.isPresent()) {
      set.isFalse(Conditions.READY, problem.get().reason(), problem.get().message());
    } else if (delivered) {
      set.isTrue(
          Conditions.READY,
          Reasons.READY,
          "The workloads have version %d.".formatted(seen.current().get().version()));
    } else {
      String message =
          seen.predecessor()
              .map(r ->
                  "Waits until %s, which belongs to a deleted SecretBinding of this name, is taken back."
                      .formatted(r))
              .orElse("The first version is being delivered.");
      set.isFalse(Conditions.READY, Reasons.DELIVERING, message);
      set.isTrue(Conditions.RECONCILING, Reasons.DELIVERING, message);
    }
  }

  /** Whether the credential lives for as long as it is needed. */
  private void lease(ConditionSet set, Lease lease) {
    long version = lease.version();
    if (lease.dead(now)) {
      set.isFalse(
          Conditions.LEASE_HEALTHY,
          Reasons.LEASE_LOST,
          "The credential of version %d has ended before its time.".formatted(version));
    } else if (lease.atRisk(now)) {
      set.isFalse(
          Conditions.LEASE_HEALTHY,
          Reasons.LEASE_AT_RISK,
          "The credential of version %d ends at %s, because it cannot be renewed: %s"
              .formatted(version, lease.expiresAt(), lease.trouble().orElseThrow().message()));
    } else if (lease.trouble().isPresent()) {
      set.isUnknown(
          Conditions.LEASE_HEALTHY,
          Reasons.LEASE_AT_RISK,
          "The credential of version %d could not be renewed yet, and is tried again: %s"
              .formatted(version, lease.trouble().get().message()));
    } else {
      set.isTrue(
          Conditions.LEASE_HEALTHY,
          Reasons.LEASE_RENEWED,
          lease.renewAt().isPresent()
              ? "The credential of version %d is renewed in time.".formatted(version)
              : "The credential of version %d lives until its end.".formatted(version));
    }
    boolean soon =
        lease.dead(now)
            || lease.atRisk(now)
            || lease.rotateBy(seen.leadTime()).filter(by -> !now.isBefore(by)).isPresent();
    if (soon) {
      set.isTrue(
          Conditions.EXPIRING_SOON,
          Reasons.EXPIRING,
          lease.dead(now)
              ? "The credential of version %d has ended.".formatted(version)
              : "The credential of version %d ends at %s.%s"
                  .formatted(
                      version,
                      lease.atRisk(now) ? lease.expiresAt() : lease.end(),
                      shortage(lease).map(s -> " " + s).orElse("")));
    } else {
      set.isFalse(
          Conditions.EXPIRING_SOON,
          Reasons.NOT_EXPIRING,
          shortage(lease)
              .orElse(
                  "There is time enough to replace the credential of version %d."
                      .formatted(version)));
    }
  }

  /** What to say where the next rotation may not be over before the credential ends. */
  private Optional<String> shortage(Lease lease) {
    return seen.tooLong(lease, now)
        .map(most ->
            "The next rotation may not be over when the credential of version %d ends at %s: past ones took up to %s. Let them take less time, or the credential live longer."
                .formatted(lease.version(), lease.end(), Durations.text(most)));
  }

  private Optional<Problem> failureProblem() {
    return failure.map(f -> new Problem(f.reason(), f.message()));
  }

  /** The workloads have a value that no server takes any more. */
  private Optional<Problem> endedProblem() {
    return seen.lease()
        .filter(l -> l.dead(now))
        .map(l ->
            new Problem(
                Reasons.LEASE_LOST,
                "The credential of version %d has ended before its time; a new one is made."
                    .formatted(l.version())));
  }

  private void rotation(ConditionSet set) {
    Optional<Rotation> active = seen.active();
    if (active.isPresent()) {
      set.isTrue(
          Conditions.ROTATING,
          Reasons.ROTATING,
          "%s moves to version %d.".formatted(active.get().name(), active.get().version()));
    } else if (suspended()) {
      set.isFalse(Conditions.ROTATING, Reasons.SUSPENDED, "Rotations rest while suspend is true.");
    } else if (due.isPresent() && due.get() instanceof Due.Forbidden) {
      set.isFalse(
          Conditions.ROTATING,
          Reasons.CONCURRENCY_FORBIDDEN,
          "The source has a value that came during a rotation, and concurrency.policy is Forbid:"
              + " change spec.rotate.nonce to rotate to it.");
    } else {
      set.isFalse(Conditions.ROTATING, Reasons.IDLE, "No rotation is under way." + nextSentence());
    }
    if (due.isPresent() && due.get() instanceof Due.Compromised) {
      set.isFalse(
          Conditions.ROTATION_HEALTHY,
          Reasons.SOURCE_COMPROMISED,
          "The source holds a value that was reported compromised, and nothing goes back to it: write a new one there.");
    } else if (due.isPresent()
        && due.get() instanceof Due.Exhausted(int attempts, Optional<Start> _)) {
      set.isFalse(
          Conditions.ROTATION_HEALTHY,
          Reasons.RETRIES_EXHAUSTED,
          ("The value of the source was tried %d times and is not tried again: %s Change the value,"
                  + " or change spec.rotate.nonce to try it once more.")
              .formatted(attempts, lastMessage()));
    } else if (seen.last().filter(r -> r.stage() == Stage.Failed).isPresent()) {
      set.isFalse(Conditions.ROTATION_HEALTHY, Reasons.ROTATION_FAILED, lastMessage());
    } else {
      set.isTrue(Conditions.ROTATION_HEALTHY, Reasons.READY, "No rotation has failed.");
    }
  }

  private String nextSentence() {
    return due.isPresent()
        ? next()
            .map(n -> " The next one starts at %s: %s.".formatted(n.at(), n.message()))
            .orElse("")
        : "";
  }

  private String lastMessage() {
    return seen.lastEnded()
        .map(l ->
            seen.last()
                .filter(r -> r.name().equals(l.name()))
                .map(r -> r.name() + ": " + r.message())
                .orElse(l.name() + " was deleted."))
        .orElse("");
  }

  private boolean suspended() {
    return seen.spec().suspend() || seen.policy().map(p -> p.suspend()).orElse(false);
  }

  private void conflict(ConditionSet set) {
    Optional<Rotation> stuck =
        seen.active().filter(r -> r.reason() != null && CONFLICTS.contains(r.reason()));
    if (stuck.isPresent()) {
      set.isTrue(Conditions.FIELD_CONFLICT, stuck.get().reason(), stuck.get().message());
    } else {
      set.isFalse(Conditions.FIELD_CONFLICT, Reasons.NO_CONFLICT, "Nobody interferes.");
    }
  }

  /** What keeps the alias from holding the current version. */
  private Optional<Problem> deliveryProblem() {
    if (seen.takenBy().isPresent()) {
      return Optional.of(
          new Problem(
              Reasons.ALIAS_TAKEN,
              "The Secret %s belongs to the older SecretBinding %s. Set another spec.secret.name, or delete one of the two."
                  .formatted(seen.aliasName(), seen.takenBy().get())));
    }
    if (seen.alias().content() == Alias.Content.Foreign) {
      return Optional.of(new Problem(Reasons.SECRET_NOT_OWNED, seen.alias().message()));
    }
    if (seen.lost()) {
      return Optional.of(
          new Problem(
              Reasons.SNAPSHOT_LOST,
              ("The Secret %s was deleted or edited, and the snapshot %s that it could be restored"
                      + " from has gone. Create that snapshot again from a copy, or change the source:"
                      + " the next rotation delivers its value.")
                  .formatted(seen.aliasName(), seen.current().orElseThrow().snapshot())));
    }
    return Optional.empty();
  }

  /** What keeps rotations from happening; the workloads have what they have. */
  private Optional<Problem> rotationProblem() {
    Optional<Rotation> stuck =
        seen.active().filter(r -> r.reason() != null && NEED_AN_EDIT.contains(r.reason()));
    if (stuck.isPresent()) {
      return Optional.of(new Problem(stuck.get().reason(), stuck.get().message()));
    }
    return due.isPresent() && due.get() instanceof Due.Unclear(String message)
        ? Optional.of(
            new Problem(
                Reasons.INVALID_SCHEDULE,
                "The RotationPolicy %s cannot be followed: %s."
                    .formatted(seen.spec().rotationPolicyRef().name(), message)))
        : Optional.empty();
  }

  private Optional<Problem> specProblem() {
    if (seen.policy().isEmpty()) {
      return Optional.of(
          new Problem(
              Reasons.POLICY_NOT_FOUND,
              "The RotationPolicy %s does not exist in this namespace: create it, or correct spec.rotationPolicyRef."
                  .formatted(seen.spec().rotationPolicyRef().name())));
    }
    if (!seen.missingWorkloads().isEmpty()) {
      return Optional.of(
          new Problem(
              Reasons.WORKLOAD_NOT_FOUND,
              "Not found in this namespace: %s. Create it, or correct spec.workloads."
                  .formatted(String.join(", ", seen.missingWorkloads()))));
    }
    return Optional.empty();
  }

  private Optional<Problem> sourceProblem() {
    return seen.source() instanceof Source.Unavailable(String reason, String message, var _)
        ? Optional.of(
            new Problem(
                reason,
                seen.current()
                    .map(c -> message + " Version %d stays delivered.".formatted(c.version()))
                    .orElse(message)))
        : Optional.empty();
  }

  /** What changed so that a person should read it. */
  List<Finding> findings() {
    if (due.isPresent()
        && due.get() instanceof Due.Pointless(String nonce)
        && !nonce.equals(seen.status().lastHandledNonce())) {
      return List.of(
          Finding.normal(
              Reasons.NOTHING_TO_ROTATE,
              "A rotation was asked for, and the upstream Secret holds the current value: change it"
                  + " there."));
    }
    return status().conditions().stream()
        .filter(BindingStatusFactory::wantsALook)
        .filter(c -> seen.status().conditions().stream().noneMatch(b -> same(b, c)))
        .map(c -> Finding.warning(c.reason(), c.message()))
        .toList();
  }

  private static boolean wantsALook(Condition c) {
    return switch (c.type()) {
      case Conditions.STALLED, Conditions.EXPIRING_SOON -> c.status() == Status.True;
      case Conditions.ROTATION_HEALTHY, Conditions.LEASE_HEALTHY -> c.status() == Status.False;
      default -> false;
    };
  }

  private static boolean same(Condition before, Condition after) {
    return before.type().equals(after.type())
        && before.status() == after.status()
        && before.reason().equals(after.reason());
  }
}
