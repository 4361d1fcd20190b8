package io.keyturn.store;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreaker.State;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import io.github.resilience4j.core.IntervalFunction;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.store.spi.StoreException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * Leaves a store alone that does not answer: after five failures in a row that may be over soon it
 * is asked by one at a time, after a time that grows from five seconds to five minutes. Where a
 * store says when it wants to be asked again, it is asked then. Any other answer is one: a store
 * that refuses is there.
 */
final class Breaker {

  private static final int FAILURES = 5;
  private static final Duration FIRST = Duration.ofSeconds(5);
  private static final Duration LONGEST = Duration.ofMinutes(5);
  private static final IntervalFunction BACKOFF =
      IntervalFunction.ofExponentialRandomBackoff(FIRST, 2, 0.2, LONGEST);

  private final String store;
  private final Clock clock;
  private final CircuitBreaker circuit;
  private volatile Instant probeAt = Instant.MIN;
  private volatile Instant pausedUntil = Instant.MIN;
  private volatile boolean failing;

  /**
   * A breaker.
   *
   * @param store as people call it
   */
  Breaker(String store, Clock clock) {
    this.store = store;
    this.clock = clock;
    this.circuit =
        CircuitBreaker.of(
            store,
            CircuitBreakerConfig.custom()
                .clock(clock)
                .slidingWindow(FAILURES, FAILURES, SlidingWindowType.COUNT_BASED)
                .failureRateThreshold(100)
                .permittedNumberOfCallsInHalfOpenState(1)
                .waitIntervalFunctionInOpenState(this::opened)
                .build());
  }

  /** It has just opened, and not for the first time in a row if the attempt says so. */
  private long opened(int attempt) {
    long wait = Math.min(BACKOFF.apply(attempt), LONGEST.toMillis());
    probeAt = clock.instant().plusMillis(wait);
    return wait;
  }

  /** Whether the last that was heard of the store is that it did not answer. */
  boolean failing() {
    return failing;
  }

  /**
   * Lets somebody ask, who must tell of the answer.
   *
   * @throws StoreException if the store is to be left alone
   */
  void enter() {
    if (clock.instant().isBefore(pausedUntil)) {
      throw new StoreException(
          StoreException.Kind.THROTTLED,
          Reasons.STORE_THROTTLED,
          "The %s was asked too often, and is left alone for as long as it wants.".formatted(store),
          Optional.of(until(pausedUntil)));
    }
    if (!circuit.tryAcquirePermission()) {
      throw new StoreException(
          StoreException.Kind.TRANSIENT,
          Reasons.STORE_CIRCUIT_OPEN,
          "The %s has failed %d times in a row and is left alone for a while; then it is tried again."
              .formatted(store, FAILURES),
          Optional.of(until(probeAt)));
    }
  }

  /** A little later, so that those who were sent away do not come together. */
  private Duration until(Instant time) {
    Duration wait = Duration.between(clock.instant(), time);
    // While somebody probes, the time is over.
    Duration least = wait.compareTo(FIRST) < 0 ? FIRST : wait;
    return least.plusMillis(ThreadLocalRandom.current().nextLong(least.toMillis() / 5));
  }

  /** It has not answered for long, and may yet. */
  void silent() {
    failing = true;
  }

  /** Whoever was let in has not asked. */
  void left() {
    circuit.releasePermission();
  }

  /** It has answered. */
  void answered() {
    failing = false;
    circuit.onSuccess(0, TimeUnit.NANOSECONDS);
  }

  /** It has answered somebody who was not let in: whoever asks next is. */
  void answeredAnyway() {
    failing = false;
    if (circuit.getState() != State.CLOSED) {
      circuit.transitionToClosedState();
    }
  }

  /** It has refused, or failed. */
  void failed(StoreException failure) {
    if (failure.kind() == StoreException.Kind.TRANSIENT) {
      failing = true;
      circuit.onError(0, TimeUnit.NANOSECONDS, failure);
      return;
    }
    answered();
    if (failure.kind() == StoreException.Kind.THROTTLED) {
      failure
          .retryAfter()
          .map(wait -> wait.compareTo(LONGEST) < 0 ? wait : LONGEST)
          .ifPresent(wait -> pausedUntil = clock.instant().plus(wait));
    }
  }
}
