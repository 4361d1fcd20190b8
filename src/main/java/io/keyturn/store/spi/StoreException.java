package io.keyturn.store.spi;

import io.keyturn.api.v1alpha1.Reasons;
import java.time.Duration;
import java.util.Optional;

/**
 * A store did not do what it was asked. It carries no cause and no text of the store's: both may
 * quote values.
 */
public final class StoreException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** What follows from it; there are no others. */
  public enum Kind {
    /** It may work soon: no connection, no answer in time, sealed, an error of the server. */
    TRANSIENT(Reasons.STORE_UNAVAILABLE, "error"),
    /** It was asked too often, or has given all that it may. */
    THROTTLED(Reasons.STORE_THROTTLED, "throttled"),
    /** The identity is not let in, or may not do this. */
    DENIED(Reasons.STORE_DENIED, "denied"),
    /** There is no such thing. */
    NOT_FOUND(Reasons.SOURCE_NOT_FOUND, "not_found"),
    /** It will not work until somebody changes something. */
    PERMANENT(Reasons.STORE_MISCONFIGURED, "error"),
    /** Somebody else changed it in the meantime, or uses it. */
    CONFLICT(Reasons.STORE_CONFLICT, "error"),
    /** The answer cannot be trusted: it is no answer of such a store, or contradicts itself. */
    INTEGRITY(Reasons.STORE_ANSWER_INVALID, "integrity");

    private final String reason;
    private final String outcome;

    Kind(String reason, String outcome) {
      this.reason = reason;
      this.outcome = outcome;
    }
  }

  private final Kind kind;
  private final String reason;
  private final String outcome;
  private final transient Optional<Duration> retryAfter;

  /**
   * A failure.
   *
   * @param sentence for people: what is wrong and what to do, made of Keyturn's own words and of
   *     what the user wrote in a spec
   */
  public StoreException(Kind kind, String sentence) {
    this(kind, kind.reason, sentence, Optional.empty());
  }

  /**
   * A failure.
   *
   * @param reason one of {@link Reasons}
   * @param retryAfter when the store wants to be asked again
   */
  public StoreException(Kind kind, String reason, String sentence, Optional<Duration> retryAfter) {
    this(kind, reason, kind.outcome, sentence, retryAfter);
  }

  private StoreException(
      Kind kind, String reason, String outcome, String sentence, Optional<Duration> retryAfter) {
    super(sentence, null, false, false);
    this.kind = kind;
    this.reason = reason;
    this.outcome = outcome;
    this.retryAfter = retryAfter;
  }

  /** The store did not answer in time; it may soon. */
  public static StoreException late(String sentence) {
    return new StoreException(
        Kind.TRANSIENT, Kind.TRANSIENT.reason, "timeout", sentence, Optional.empty());
  }

  /** The store knows a lease no more: it was revoked, or has ended. */
  public static StoreException leaseLost(String sentence) {
    return new StoreException(Kind.NOT_FOUND, Reasons.LEASE_LOST, sentence, Optional.empty());
  }

  /** Whether the lease itself is not there any more, rather than its store or a path. */
  public boolean isLeaseLost() {
    return reason.equals(Reasons.LEASE_LOST);
  }

  /** What follows from it. */
  public Kind kind() {
    return kind;
  }

  /** One of {@link Reasons}. */
  public String reason() {
    return reason;
  }

  /** The value of the metric label {@code outcome}. */
  public String outcome() {
    return outcome;
  }

  /** The same failure, with another time after which to ask again. */
  public StoreException after(Duration time) {
    return new StoreException(kind, reason, outcome, getMessage(), Optional.of(time));
  }

  /** When the store wants to be asked again, if it said so. */
  public Optional<Duration> retryAfter() {
    return retryAfter == null ? Optional.empty() : retryAfter;
  }

  static StoreException unsupported(String operation) {
    return new StoreException(
        Kind.PERMANENT, "The store cannot " + operation + " anything of this source.");
  }
}
