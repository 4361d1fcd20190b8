package io.keyturn.store;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.store.spi.StoreException;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Who may ask an open store now. One that has not answered yet, or failed to the last time, is
 * asked by one at a time. Nobody waits long for a turn, and once somebody has done so in vain
 * nobody at all, until the store answers: those who wait keep a worker from the objects of other
 * stores.
 */
final class Admission {

  /** How long somebody waits for a turn, or for the answer that another one has asked for. */
  static final Duration PATIENCE = Duration.ofSeconds(2);

  private static final Duration SOON = Duration.ofSeconds(5);
  private static final int AT_ONCE = 8;

  private final String store;
  private final RequestLimit limit;
  private final Breaker breaker;
  private final Semaphore turns = new Semaphore(1);
  private final AtomicBoolean answered = new AtomicBoolean();
  private final AtomicInteger asking = new AtomicInteger();

  /**
   * Admission to a store.
   *
   * @param store as people call it
   * @param limit shared by all who ask the same store
   */
  Admission(String store, RequestLimit limit, Clock clock) {
    this.store = store;
    this.limit = limit;
    this.breaker = new Breaker(store, clock);
  }

  /**
   * Asks when it is this one's turn.
   *
   * @throws StoreException if it does not come, with the time after which to try again; or if the
   *     store says so
   */
  <T> T admit(Supplier<T> ask) {
    takeTurn();
    try {
      requireRequest();
      breaker.enter();
      return tell(ask);
    } finally {
      asking.decrementAndGet();
      turns.release();
    }
  }

  /** Asks although the store may be left alone: the answer decides whether it is any longer. */
  <T> T probe(Supplier<T> ask) {
    // It counts, and it comes seldom enough not to wait for a turn.
    limit.take();
    try {
      T answer = ask.get();
      breaker.answeredAnyway();
      return answer;
    } catch (StoreException e) {
      if (e.kind() != StoreException.Kind.TRANSIENT) {
        breaker.answeredAnyway();
      }
      throw e;
    }
  }

  /** Whether the last that was heard of the store is that it did not answer. */
  boolean failing() {
    return breaker.failing();
  }

  /** How long to wait for an answer that another one has asked for. */
  Duration patience() {
    return breaker.failing() ? Duration.ZERO : PATIENCE;
  }

  /** Others wait for it already. */
  StoreException busy() {
    return later(
        StoreException.Kind.TRANSIENT,
        Reasons.STORE_UNAVAILABLE,
        "The %s has not answered yet; it is asked again soon.");
  }

  /** It has not come in time. */
  StoreException waitedInVain() {
    breaker.silent();
    return busy();
  }

  private void takeTurn() {
    if (breaker.failing() && asking.get() > 0) {
      throw busy();
    }
    try {
      if (!turns.tryAcquire(patience().toMillis(), TimeUnit.MILLISECONDS)) {
        throw waitedInVain();
      }
      asking.incrementAndGet();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw busy();
    }
  }

  private void requireRequest() {
    if (!limit.take()) {
      throw later(
          StoreException.Kind.THROTTLED,
          Reasons.STORE_THROTTLED,
          "The %s is asked as often as limits.requestsPerSecond lets Keyturn; this request comes later.");
    }
  }

  private StoreException later(StoreException.Kind kind, String reason, String sentence) {
    Duration soon = SOON.plusMillis(ThreadLocalRandom.current().nextLong(SOON.toMillis()));
    return new StoreException(kind, reason, sentence.formatted(store), Optional.of(soon));
  }

  private <T> T tell(Supplier<T> ask) {
    boolean told = false;
    try {
      T answer = ask.get();
      breaker.answered();
      letMoreIn();
      told = true;
      return answer;
    } catch (StoreException e) {
      breaker.failed(e);
      if (!breaker.failing()) {
        letMoreIn();
      }
      told = true;
      throw e;
    } finally {
      if (!told) {
        breaker.left();
      }
    }
  }

  private void letMoreIn() {
    if (answered.compareAndSet(false, true)) {
      turns.release(AT_ONCE - 1);
    }
  }
}
