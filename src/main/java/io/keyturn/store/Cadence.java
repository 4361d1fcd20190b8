package io.keyturn.store;

import com.github.benmanes.caffeine.cache.Cache;
import io.keyturn.store.spi.StoreException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Says when to ask again after a failure: by its kind, and the later the more often the same thing
 * has failed in a row.
 */
final class Cadence {

  /** A server that says more is asked all the same. */
  private static final Duration LONGEST = Duration.ofMinutes(5);

  private static final Duration LEAST = Duration.ofMillis(100);
  private static final Duration FORGOTTEN = Duration.ofHours(1);
  private static final int MOST_SUBJECTS = 10_000;

  /**
   * What failed the last time.
   *
   * @param inARow how often it has
   * @param again when to ask again
   */
  private record Failed(int inARow, StoreException failure, Instant again) {}

  private final Clock clock;
  private final Cache<Object, Failed> failures;

  Cadence(Clock clock) {
    this.clock = clock;
    this.failures =
        Caches.of(clock).expireAfterAccess(FORGOTTEN).maximumSize(MOST_SUBJECTS).build();
  }

  /** The same failure with the time after which to ask again; one that has a time keeps it. */
  StoreException failed(Object subject, StoreException failure) {
    if (failure.retryAfter().isPresent()) {
      return first(failure);
    }
    return failures
        .asMap()
        .compute(subject, (_, before) -> next(failure, before == null ? 1 : before.inARow() + 1))
        .failure();
  }

  private Failed next(StoreException failure, int inARow) {
    Duration after = after(failure, inARow, ThreadLocalRandom.current().nextDouble());
    return new Failed(inARow, timed(failure, after), clock.instant().plus(after));
  }

  /**
   * Whoever asks before it is time gets the last failure, which does not count again: somebody who
   * looks for other reasons does not use up the tries.
   */
  void requireTime(Object subject) {
    Failed last = failures.getIfPresent(subject);
    Instant now = clock.instant();
    if (last != null && now.isBefore(last.again())) {
      throw at(last.failure(), now, last.again());
    }
  }

  /** The store is there, so whatever failed is tried at once. */
  void forget() {
    failures.invalidateAll();
  }

  /** It worked; says whether it had failed the last time. */
  boolean worked(Object subject) {
    return failures.asMap().remove(subject) != null;
  }

  /** The same failure with its own time, or that of the first of its kind. */
  static StoreException first(StoreException failure) {
    return timed(failure, after(failure, 1, ThreadLocalRandom.current().nextDouble()));
  }

  /** The same without chance: the API server spreads its own load. */
  static StoreException firstInCluster(StoreException failure) {
    return timed(failure, after(failure, 1, 0));
  }

  /** The same failure with what is left of its time. */
  static StoreException at(StoreException failure, Instant now, Instant again) {
    Duration left = Duration.between(now, again);
    return timed(failure, left.compareTo(LEAST) < 0 ? LEAST : left);
  }

  private static StoreException timed(StoreException failure, Duration after) {
    return failure.after(after);
  }

  /**
   * When to ask again.
   *
   * @param inARow how often it has failed, this time included
   * @param random from 0 to 1, so that those who failed together do not come together
   */
  static Duration after(StoreException failure, int inARow, double random) {
    return failure
        .retryAfter()
        .filter(Duration::isPositive)
        .map(said -> said.compareTo(LONGEST) < 0 ? said : LONGEST)
        .orElseGet(() -> ofKind(failure.kind(), inARow, random));
  }

  private static Duration ofKind(StoreException.Kind kind, int inARow, double random) {
    return switch (kind) {
      case TRANSIENT -> {
        double seconds = Math.min(5 * Math.pow(2, inARow - 1.0), 48) * (1 + random / 4);
        yield Duration.ofMillis(Math.round(1000 * seconds));
      }
      case THROTTLED -> Duration.ofSeconds(30);
      case DENIED -> Duration.ofMinutes(Math.min(inARow, 5));
      case NOT_FOUND, PERMANENT, INTEGRITY -> Duration.ofMinutes(1);
      case CONFLICT -> Duration.ofSeconds(15);
    };
  }
}
