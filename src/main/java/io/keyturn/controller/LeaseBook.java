package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.controller.Credentials.Known;
import io.keyturn.domain.lease.Lease;
import io.keyturn.domain.lease.Lease.Trouble;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.StoreException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * How long each credential lives after its renewals. It only saves questions: an operator that
 * starts anew knows from the status of the binding until when the current one lives, and asks the
 * store about the others.
 */
@ApplicationScoped
public class LeaseBook {

  /** How long a line stays that nobody asks for: long enough for any rotation. */
  private static final Duration FORGET = Duration.ofDays(1);

  /** How soon to try again where the store does not say. */
  private static final Duration AGAIN = Duration.ofSeconds(15);

  /** A wait before another try takes this part of the time that is left at most. */
  private static final int TRIES = 3;

  private static final Duration SOONEST = Duration.ofSeconds(1);

  private record Line(
      Credential credential,
      Instant renewedAt,
      boolean ended,
      Optional<Trouble> trouble,
      Optional<Instant> revokeAgain) {

    /** With the later times of what is written down; what a store has said stays said. */
    Line or(Optional<Line> written) {
      return written
          .filter(w -> w.renewedAt.isAfter(renewedAt))
          .map(w -> new Line(w.credential, w.renewedAt, ended, trouble, revokeAgain))
          .orElse(this);
    }
  }

  private final Map<String, Line> lines = new ConcurrentHashMap<>();
  private final Clock clock;

  /** Reads the given clock. */
  @Inject
  public LeaseBook(Clock clock) {
    this.clock = clock;
  }

  /** The credential of a snapshot as it is now. */
  Credential credential(ObjectMeta snapshot, Known known) {
    Line line = lines.get(snapshot.getUid());
    return line == null ? known.credential() : line.credential();
  }

  /** It was renewed. */
  void renewed(ObjectMeta snapshot, Credential credential) {
    Instant now = now();
    lines
        .values()
        .removeIf(l ->
            l.credential().expiresAt().filter(at -> at.plus(FORGET).isBefore(now)).isPresent());
    lines.put(
        snapshot.getUid(), new Line(credential, now, false, Optional.empty(), Optional.empty()));
  }

  /** It could not be renewed, or is not there any more. */
  void notRenewed(ObjectMeta snapshot, Known known, StoreException why) {
    Line before = line(snapshot, known);
    lines.put(
        snapshot.getUid(),
        new Line(
            before.credential(),
            before.renewedAt(),
            why.isLeaseLost(),
            Optional.of(
                new Trouble(why.reason(), why.getMessage(), again(before.credential(), why))),
            before.revokeAgain()));
  }

  /** When the store wants to be asked again, but well before the credential ends. */
  private Instant again(Credential credential, StoreException why) {
    Instant now = now();
    Instant wanted = now.plus(why.retryAfter().orElse(AGAIN));
    return credential
        .expiresAt()
        .map(end -> now.plus(Duration.between(now, end).dividedBy(TRIES)))
        .filter(early -> early.isAfter(now) && early.isBefore(wanted))
        .map(early -> early.isBefore(now.plus(SOONEST)) ? now.plus(SOONEST) : early)
        .orElse(wanted);
  }

  /** It could not be revoked, and is to be tried again later. */
  void notRevoked(ObjectMeta snapshot, Known known, Duration retryIn) {
    Line before = line(snapshot, known);
    lines.put(
        snapshot.getUid(),
        new Line(
            before.credential(),
            before.renewedAt(),
            before.ended(),
            before.trouble(),
            Optional.of(now().plus(retryIn))));
  }

  /** From when on it may be revoked, as far as earlier attempts tell. */
  public Instant revokeFrom(ObjectMeta snapshot) {
    Line line = lines.get(snapshot.getUid());
    return line == null ? Instant.EPOCH : line.revokeAgain().orElse(Instant.EPOCH);
  }

  /** Whether its store said that it is not there any more. */
  public boolean ended(ObjectMeta snapshot) {
    Line line = lines.get(snapshot.getUid());
    return line != null && line.ended();
  }

  /** Whether anything is known of it that its snapshot does not say. */
  public boolean knows(ObjectMeta snapshot) {
    return lines.containsKey(snapshot.getUid());
  }

  /** Whether a lease has ended by now. */
  public boolean dead(Lease lease) {
    return lease.dead(clock.instant());
  }

  /**
   * The lease of a snapshot; empty if its credential does not end by itself.
   *
   * @param status of the binding; null: there is none
   * @param kept whether somebody may use it
   */
  public Optional<Lease> lease(
      ObjectMeta snapshot, Known known, SecretBindingStatus status, boolean kept) {
    if (known.credential().expiresAt().isEmpty()) {
      return Optional.empty();
    }
    Line line = line(snapshot, known).or(noted(snapshot, known, status));
    Credential now = line.credential();
    return Optional.of(
        new Lease(
            snapshot.getName(),
            Names.versionOfSnapshot(snapshot.getName()),
            now.issuedAt(),
            line.renewedAt(),
            now.expiresAt().orElseThrow(),
            now.renewable(),
            now.hardExpiry(),
            line.ended(),
            line.trouble(),
            kept));
  }

  private Line line(ObjectMeta snapshot, Known known) {
    Line line = lines.get(snapshot.getUid());
    return line == null ? fresh(known) : line;
  }

  private static Line fresh(Known known) {
    return new Line(
        known.credential(),
        known.credential().issuedAt(),
        false,
        Optional.empty(),
        Optional.empty());
  }

  /** What another process has written down of this snapshot, and not of the one before it. */
  private static Optional<Line> noted(
      ObjectMeta snapshot, Known known, SecretBindingStatus status) {
    if (status == null
        || status.current() == null
        || !status.current().snapshot().equals(snapshot.getName())
        || status.lease() == null
        || status.lease().lastRenewedAt() == null
        || status.expiresAt() == null) {
      return Optional.empty();
    }
    Credential issued = known.credential();
    Instant renewedAt = status.lease().lastRenewedAt();
    Instant expiresAt =
        status.lease().hardExpiry() == null
            ? status.expiresAt()
            : renewedAt.plus(issued.ttl().orElseThrow());
    return Optional.of(
        new Line(
            issued.until(
                expiresAt,
                status.lease().renewable(),
                Optional.ofNullable(status.lease().hardExpiry())),
            renewedAt,
            false,
            Optional.empty(),
            Optional.empty()));
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS);
  }
}
