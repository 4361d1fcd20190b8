package io.keyturn.domain.binding;

import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Failure;
import io.keyturn.domain.Finding;
import io.keyturn.domain.binding.BindingObservation.Alias;
import io.keyturn.domain.binding.BindingObservation.Rotation;
import io.keyturn.domain.binding.BindingObservation.Snapshot;
import io.keyturn.domain.binding.BindingObservation.Source;
import io.keyturn.domain.lease.Lease;
import io.keyturn.domain.schedule.Timetable;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** What a binding needs next: a pure and total function of what was observed and the time. */
public final class BindingPlanner {

  /** How soon to look again at something that no event may announce. */
  private static final Duration POLL = Duration.ofSeconds(30);

  private record Step(Effect effect, Finding finding) {}

  /** The next step; it never throws for anything that a cluster may show. */
  public BindingPlan plan(BindingObservation seen, Instant now) {
    Optional<Due> due =
        seen.current().isPresent()
                && seen.takenBy().isEmpty()
                && seen.policy().isPresent()
                && seen.active().isEmpty()
                && noted(seen)
                && !resting(seen)
            ? Optional.of(Due.of(seen, now))
            : Optional.empty();
    boolean waits = seen.takenBy().isPresent() || seen.predecessor().isPresent();
    Optional<Step> step = waits ? Optional.empty() : next(seen, due, now);
    BindingStatusFactory status = new BindingStatusFactory(seen, due, Optional.empty(), now);
    return new BindingPlan(
        step.map(Step::effect),
        Stream.concat(
                step.stream().map(Step::finding).filter(f -> f != null),
                step.isEmpty() ? status.findings().stream() : Stream.empty())
            .toList(),
        status.status(),
        wakeAt(seen, due, now));
  }

  /** What the status should say when an effect was not done. */
  public BindingPlan failed(BindingObservation seen, Instant now, Failure failure) {
    BindingStatusFactory status =
        new BindingStatusFactory(seen, Optional.empty(), Optional.of(failure), now);
    return new BindingPlan(
        Optional.empty(),
        status.findings(),
        status.status(),
        Optional.of(now.plus(failure.retryIn())));
  }

  private Optional<Step> next(BindingObservation seen, Optional<Due> due, Instant now) {
    return seen.current().isEmpty()
        ? first(seen)
        : renew(seen, now)
            .or(() -> repair(seen, seen.current().get()))
            .or(() -> seen.latecomers().stream().findFirst().map(a -> new Step(a, null)))
            .or(() -> start(seen, due))
            .or(() -> tidy(seen, now));
  }

  private Optional<Step> first(BindingObservation seen) {
    boolean available = !(seen.source() instanceof Source.Unavailable);
    Alias.Content content = seen.alias().content();
    boolean free = content == Alias.Content.Missing || content == Alias.Content.Adoptable;
    if (!available || !free) {
      return Optional.empty();
    }
    long version = leftover(seen).orElseGet(() -> nextVersion(seen));
    Finding finding =
        content == Alias.Content.Missing
            ? Finding.normal(
                Reasons.DELIVERED,
                "Version %d is delivered as the Secret %s.".formatted(version, seen.aliasName()))
            : Finding.normal(
                Reasons.ADOPTED,
                "The Secret %s is taken over as version %d; its data did not change."
                    .formatted(seen.aliasName(), version));
    return Optional.of(new Step(new Effect.DeliverFirst(version), finding));
  }

  /**
   * A snapshot whose alias was not written, or has gone, holds the value that is to be delivered.
   */
  private Optional<Long> leftover(BindingObservation seen) {
    return seen.snapshots().stream()
        .max(Comparator.comparingLong(Snapshot::version))
        .filter(s ->
            !(seen.source() instanceof Source.Value(String fingerprint, boolean _))
                || fingerprint.equals(Names.fingerprintOf(s.name())))
        .map(Snapshot::version);
  }

  private Optional<Step> repair(BindingObservation seen, Current current) {
    VersionRef version = new VersionRef(current.version(), current.snapshot());
    boolean rotationDecides =
        seen.active().map(Rotation::stage).filter(Stage::ownsAlias).isPresent();
    if (rotationDecides) {
      return Optional.empty();
    }
    Finding restored =
        Finding.warning(
            Reasons.ALIAS_RESTORED,
            "The Secret %s was deleted or edited and holds version %d again."
                .formatted(seen.aliasName(), current.version()));
    if (seen.alias().wrong() && seen.currentSnapshotExists()) {
      return Optional.of(new Step(new Effect.WriteAlias(version, !wasAway(seen)), restored));
    }
    if (seen.lost() && seen.sourceHolds(current)) {
      return Optional.of(new Step(new Effect.DeliverFirst(current.version()), restored));
    }
    if (!seen.currentSnapshotExists() && seen.alias().content() == Alias.Content.Current) {
      return Optional.of(new Step(new Effect.RestoreSnapshot(version), null));
    }
    return Optional.empty();
  }

  /**
   * While a rejected version waits for its last pods the alias has not held the current one for all
   * the time since that was promoted, and the Secret that knew since when has gone: pods that
   * started in between count.
   */
  private static boolean wasAway(BindingObservation seen) {
    return seen.active().filter(r -> r.stage() == Stage.Discarding).isPresent();
  }

  /** What somebody may use is kept alive, whether or not it is the current version. */
  private static Optional<Step> renew(BindingObservation seen, Instant now) {
    return seen.leases().stream()
        .filter(l -> l.kept() && l.renewAt().filter(at -> !now.isBefore(at)).isPresent())
        .min(Comparator.comparing(Lease::expiresAt))
        .map(l -> new Step(new Effect.RenewLease(l.snapshot()), null));
  }

  private Optional<Step> start(BindingObservation seen, Optional<Due> due) {
    return due.filter(Due.Now.class::isInstance)
        .map(Due.Now.class::cast)
        .map(d -> new Step(startOf(seen, d), null));
  }

  private Effect startOf(BindingObservation seen, Due.Now due) {
    return new Effect.StartRotation(
        nextVersion(seen),
        due.trigger(),
        due.nonce(),
        due.reportedAt(),
        seen.source() instanceof Source.Value(String fingerprint, boolean _) ? fingerprint : null);
  }

  /** Removes what is kept no longer: old snapshots, old records. */
  private Optional<Step> tidy(BindingObservation seen, Instant now) {
    if (!seen.unowned().isEmpty()) {
      return Optional.of(new Step(new Effect.SetOwnership(seen.unowned().getFirst()), null));
    }
    if (seen.active().isPresent() || seen.policy().isEmpty()) {
      return Optional.empty();
    }
    Optional<Step> revoke =
        left(seen)
            .filter(s -> !now.isBefore(s.revokeFrom()))
            .findFirst()
            .map(s -> new Step(new Effect.Revoke(s.name(), endsSessions(seen, s)), null));
    if (revoke.isPresent()) {
      return revoke;
    }
    Optional<Step> snapshot =
        old(seen)
            .filter(s -> !s.inUse() && !needed(seen, s))
            .findFirst()
            .map(s -> new Step(new Effect.DeleteSnapshot(s.name()), null));
    return snapshot.or(() ->
        forgettable(seen)
            .findFirst()
            .map(r -> new Step(new Effect.ForgetRotation(r.name()), null)));
  }

  /**
   * Versions before the current one, or beside it, whose credentials still live and that no
   * rotation ends: it ended early, or a process that stood still made them. Unknown counts as in
   * use.
   */
  private static Stream<Snapshot> left(BindingObservation seen) {
    return seen.active().isPresent() || !seen.earlierUsers().isEmpty()
        ? Stream.empty()
        : toBeEnded(seen).filter(s -> !s.inUse());
  }

  /** Those that are to be ended at some time, whoever may use them now. */
  private static Stream<Snapshot> toBeEnded(BindingObservation seen) {
    if (seen.current().isEmpty() || seen.policy().isEmpty()) {
      return Stream.empty();
    }
    String current = seen.current().get().snapshot();
    boolean revokes = seen.policy().get().retirement().revoke();
    return seen.snapshots().stream()
        .filter(s -> s.revokeFrom() != null && !s.name().equals(current))
        .filter(s -> revokes || compromised(seen, s));
  }

  private static boolean compromised(BindingObservation seen, Snapshot snapshot) {
    return Names.fingerprintOf(snapshot.name()).equals(seen.compromised());
  }

  private static boolean endsSessions(BindingObservation seen, Snapshot snapshot) {
    return seen.policy().orElseThrow().retirement().terminateSessions()
        || compromised(seen, snapshot);
  }

  /** Only its snapshot knows a credential that is to be ended, or renewed until then. */
  private static boolean needed(BindingObservation seen, Snapshot snapshot) {
    return toBeEnded(seen).anyMatch(snapshot::equals)
        || seen.leases().stream().anyMatch(l -> l.kept() && l.snapshot().equals(snapshot.name()));
  }

  /**
   * Those that are kept no longer: what is known to others, what is too old, and what was never
   * promoted: a process that stood still may have made it when its rotation had ended. One in use
   * does not keep those before it.
   */
  private static Stream<Snapshot> old(BindingObservation seen) {
    Current current = seen.current().orElseThrow();
    List<Snapshot> others =
        seen.snapshots().stream()
            .filter(s -> !s.name().equals(current.snapshot()))
            .sorted(Comparator.comparingLong(Snapshot::version).reversed())
            .toList();
    List<Snapshot> previous = others.stream().filter(s -> s.version() < current.version()).toList();
    return Stream.of(
            others.stream().filter(s -> s.version() >= current.version()),
            previous.stream().filter(s -> compromised(seen, s)),
            previous.stream().skip(seen.policy().orElseThrow().retirement().keepSnapshots()))
        .flatMap(s -> s);
  }

  /** Records beyond the limit; those of a value that is still being retried count its attempts. */
  private Stream<Rotation> forgettable(BindingObservation seen) {
    List<Rotation> ended =
        seen.rotations().stream()
            .filter(r -> r.stage().terminal())
            .sorted(Comparator.comparingLong(Rotation::version).reversed())
            .toList();
    int attempts = seen.policy().orElseThrow().retry().maxAttempts();
    long failing =
        ended.stream().takeWhile(r -> r.stage() != Stage.Complete).limit(attempts).count();
    long keep = Math.max(seen.policy().get().historyLimit(), failing);
    return ended.stream().skip(keep).sorted(Comparator.comparingLong(Rotation::version));
  }

  /** One more than each number that was ever seen: a failed candidate keeps its number. */
  static long nextVersion(BindingObservation seen) {
    LongStream used =
        Stream.of(
                seen.current().stream().map(Current::version),
                seen.snapshots().stream().map(Snapshot::version),
                seen.rotations().stream().map(Rotation::version),
                Optional.ofNullable(seen.status().lastRotation())
                    .map(r -> Names.versionOfRotation(r.name()))
                    .stream())
            .flatMap(s -> s)
            .mapToLong(Long::longValue);
    return LongStream.iterate(used.max().orElse(0) + 1, n -> n + 1)
        .filter(n -> !seen.takenVersions().contains(n))
        .findFirst()
        .orElseThrow();
  }

  /** A rotation goes back to what the status calls current, so that has to be said before. */
  private static boolean noted(BindingObservation seen) {
    Current noted = seen.status().current();
    return noted != null && noted.version() == seen.current().orElseThrow().version();
  }

  private boolean resting(BindingObservation seen) {
    return seen.spec().suspend() || seen.policy().orElseThrow().suspend();
  }

  private Optional<Instant> wakeAt(BindingObservation seen, Optional<Due> due, Instant now) {
    boolean waits =
        !seen.missingWorkloads().isEmpty()
            || seen.snapshots().stream().anyMatch(Snapshot::inUse)
            || seen.takenBy().isPresent()
            || seen.alias().content() == Alias.Content.Foreign
            || !seen.earlierUsers().isEmpty();
    return Stream.of(
            due.flatMap(BindingPlanner::start),
            waits ? Optional.of(now.plus(POLL)) : Optional.<Instant>empty(),
            unavailableUntil(seen, now),
            seen.nextLook(),
            seen.leases().stream()
                .filter(Lease::kept)
                .flatMap(l -> l.renewAt().stream())
                .filter(now::isBefore)
                .min(Comparator.naturalOrder()),
            seen.lease().flatMap(l -> l.rotateBy(seen.leadTime())).filter(now::isBefore),
            seen.lease().map(Lease::lastCall).filter(now::isBefore),
            seen.lease().map(Lease::expiresAt).filter(now::isBefore),
            left(seen).map(Snapshot::revokeFrom).filter(now::isBefore).min(Instant::compareTo))
        .flatMap(Optional::stream)
        .min(Comparator.naturalOrder());
  }

  private static Optional<Instant> start(Due due) {
    return switch (due) {
      case Due.Later later -> Optional.of(later.at());
      case Due.Exhausted(int _, Optional<Timetable.Start> next) -> next.map(Timetable.Start::at);
      default -> Optional.empty();
    };
  }

  private static Optional<Instant> unavailableUntil(BindingObservation seen, Instant now) {
    return seen.source() instanceof Source.Unavailable(String _, String _, var retryIn)
        ? Optional.of(now.plus(retryIn.orElse(POLL)))
        : Optional.empty();
  }
}
