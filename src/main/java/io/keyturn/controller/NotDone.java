package io.keyturn.controller;

import io.keyturn.domain.Failure;
import io.keyturn.store.spi.StoreException;
import java.time.Duration;

/** An effect was not done, for a reason that people should read. */
public final class NotDone extends RuntimeException {

  private static final long serialVersionUID = 1L;
  private static final Duration AGAIN = Duration.ofSeconds(30);

  private final transient Failure failure;

  /** The given reason. */
  NotDone(Failure failure) {
    super(failure.message(), null, false, false);
    this.failure = failure;
  }

  /** What a store said. */
  static NotDone of(StoreException e) {
    boolean lasting =
        switch (e.kind()) {
          case PERMANENT, INTEGRITY, NOT_FOUND -> true;
          case TRANSIENT, THROTTLED, DENIED, CONFLICT -> false;
        };
    return new NotDone(
        new Failure(e.reason(), e.getMessage(), lasting, e.retryAfter().orElse(AGAIN)));
  }

  /** Why. */
  public Failure failure() {
    return failure;
  }
}
