package io.keyturn.domain.lease;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * A credential that ends by itself, as it is known now.
 *
 * @param snapshot with its value
 * @param version that it is
 * @param issuedAt when it was issued
 * @param renewedAt since when it lives for its present time: when it was issued or renewed last
 * @param expiresAt when it ends unless it is renewed
 * @param renewable whether it can be renewed
 * @param hardExpiry when it ends even so; empty: not known yet
 * @param ended whether its store knows it no more
 * @param trouble why it could not be renewed last; empty: it could
 * @param kept whether somebody may use it, so that it is to be renewed
 */
public record Lease(
    String snapshot,
    long version,
    Instant issuedAt,
    Instant renewedAt,
    Instant expiresAt,
    boolean renewable,
    Optional<Instant> hardExpiry,
    boolean ended,
    Optional<Trouble> trouble,
    boolean kept) {

  /** A rotation begins at two thirds of a life at the earliest, however long it may take. */
  private static final int LATEST_THIRD = 3;

  /** With a sixth of its time left nobody waits any longer for a store that does not answer. */
  private static final int LAST_SIXTH = 6;

  /** Leases that were issued together are renewed apart, by up to a tenth of their time. */
  private static final double SPLAY = 0.1;

  /**
   * Why a lease could not be renewed.
   *
   * @param reason one of {@link io.keyturn.api.v1alpha1.Reasons}
   * @param message a sentence
   * @param retryAt when to try again
   */
  public record Trouble(String reason, String message, Instant retryAt) {}

  /**
   * When to renew it: at two thirds of its time, and earlier by a share of a tenth that is its own
   * and stays the same, as Vault's own agents do. Empty: it cannot be made to live longer.
   */
  public Optional<Instant> renewAt() {
    if (ended || !renewable || hardExpiry.filter(h -> !expiresAt.isBefore(h)).isPresent()) {
      return Optional.empty();
    }
    double share = Math.floorMod(snapshot.hashCode(), 1000) / 1000.0;
    long millis = life().toMillis();
    Instant planned = renewedAt.plusMillis(millis * 2 / 3 - (long) (millis * SPLAY * share));
    return Optional.of(
        trouble
            .map(Trouble::retryAt)
            .filter(planned::isBefore)
            .orElse(planned)
            .truncatedTo(ChronoUnit.SECONDS));
  }

  /**
   * When to rotate it at the latest: so long before it ends for good that a rotation can finish.
   *
   * @param leadTime what a rotation may take
   */
  public Optional<Instant> rotateBy(Duration leadTime) {
    return hardExpiry.map(hard -> {
      Duration third = Duration.between(issuedAt, hard).dividedBy(LATEST_THIRD);
      return hard.minus(leadTime.compareTo(third) < 0 ? leadTime : third)
          .truncatedTo(ChronoUnit.SECONDS);
    });
  }

  /** When it ends, as far as that is known. */
  public Instant end() {
    return hardExpiry.orElse(expiresAt);
  }

  /** Whether it ends soon because it cannot be renewed now. */
  public boolean atRisk(Instant now) {
    return trouble.isPresent() && !now.isBefore(lastCall());
  }

  /** From when on it is at risk while it cannot be renewed. */
  public Instant lastCall() {
    return expiresAt.minus(life().dividedBy(LAST_SIXTH)).truncatedTo(ChronoUnit.SECONDS);
  }

  /** Whether nothing can be done with it any more. */
  public boolean dead(Instant now) {
    return ended || !now.isBefore(expiresAt);
  }

  private Duration life() {
    return Duration.between(renewedAt, expiresAt);
  }
}
