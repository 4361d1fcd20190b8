package io.keyturn.store;

import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.StoreException;
import java.time.Instant;
import java.util.Optional;

/** What a store answered, and until when nobody asks again: a reading, or a failure. */
final class Kept implements AutoCloseable {

  private final Reading reading;
  private final RuntimeException failure;
  private final Instant until;
  private boolean closed;

  private Kept(Reading reading, RuntimeException failure, Instant until) {
    this.reading = reading;
    this.failure = failure;
    this.until = until;
  }

  /** An answer, whose data belong to it from now on. */
  static Kept of(Reading reading, Instant until) {
    return new Kept(reading, null, until);
  }

  /** A failure. */
  static Kept of(RuntimeException failure, Instant until) {
    return new Kept(null, failure, until);
  }

  Instant until() {
    return until;
  }

  boolean isFailure() {
    return failure != null;
  }

  /**
   * A copy of its own for whoever asks; empty if it was closed meanwhile.
   *
   * @throws StoreException the failure, with what is left of its time
   */
  synchronized Optional<Reading> copy(Instant now) {
    if (failure instanceof StoreException e) {
      throw Cadence.at(e, now, until);
    }
    if (failure != null) {
      throw failure;
    }
    if (closed) {
      return Optional.empty();
    }
    return Optional.of(
        reading instanceof Reading.Value value
            ? new Reading.Value(value.data().copy(), value.credential(), value.revision())
            : reading);
  }

  /** Overwrites its data. */
  @Override
  public synchronized void close() {
    closed = true;
    if (reading instanceof Reading.Value value) {
      value.data().close();
    }
  }
}
