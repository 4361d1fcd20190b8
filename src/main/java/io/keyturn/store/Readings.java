package io.keyturn.store;

import com.github.benmanes.caffeine.cache.AsyncCache;
import com.github.benmanes.caffeine.cache.Expiry;
import com.github.benmanes.caffeine.cache.RemovalCause;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.StoreException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * What the sources of one open store hold. Whoever looks first asks the store; those who look
 * meanwhile wait for the same answer, and those who look later get it from here until the refresh
 * interval of the store is over. So a store is asked as often as it has sources, and not as often
 * as somebody looks. A failure is kept until it is time to ask again.
 */
final class Readings {

  private final AsyncCache<Object, Kept> kept;
  private final Admission admission;
  private final Clock clock;
  private final Duration interval;
  private final String salt;

  /**
   * None so far.
   *
   * @param interval how long an answer is kept, a tenth more or less by source
   * @param salt from which that tenth is made, the same at each start
   */
  Readings(Duration interval, String salt, Admission admission, Clock clock) {
    this.interval = interval;
    this.salt = salt;
    this.admission = admission;
    this.clock = clock;
    this.kept =
        Caches.of(clock)
            .expireAfter(Expiry.<Object, Kept>writing((_, answer) -> left(answer)))
            .removalListener((Object _, Kept answer, RemovalCause _) -> close(answer))
            .buildAsync();
  }

  private Duration left(Kept answer) {
    Duration left = Duration.between(clock.instant(), answer.until());
    return left.isNegative() ? Duration.ZERO : left;
  }

  private static void close(Kept answer) {
    if (answer != null) {
      answer.close();
    }
  }

  /**
   * What a source holds, as a copy of the caller's own.
   *
   * @param ask the store itself
   * @param via is told from where the answer comes, or would have come
   */
  Reading read(Object source, Supplier<Reading> ask, Consumer<Via> via) {
    while (true) {
      CompletableFuture<Kept> mine = new CompletableFuture<>();
      CompletableFuture<Kept> others = kept.asMap().putIfAbsent(source, mine);
      via.accept(via(others));
      Optional<Reading> copy =
          others == null ? lead(source, ask, mine) : await(others).copy(clock.instant());
      // It may have been dropped after it was found.
      if (copy.isPresent()) {
        return copy.get();
      }
    }
  }

  private static Via via(CompletableFuture<Kept> others) {
    if (others == null) {
      return Via.STORE;
    }
    return others.isDone() ? Via.CACHE : Via.SHARED;
  }

  private Optional<Reading> lead(
      Object source, Supplier<Reading> ask, CompletableFuture<Kept> mine) {
    Kept answer = null;
    try {
      answer = Kept.of(ask.get(), clock.instant().plus(interval(source)));
    } catch (StoreException e) {
      answer = Kept.of(e, clock.instant().plus(e.retryAfter().orElse(Duration.ZERO)));
    } catch (RuntimeException e) {
      answer = Kept.of(e, clock.instant());
    } finally {
      // Also where the JVM throws an error: nobody may wait for ever.
      if (answer == null) {
        answer = Kept.of(admission.busy(), clock.instant());
      }
      mine.complete(answer);
    }
    return answer.copy(clock.instant());
  }

  private Kept await(CompletableFuture<Kept> others) {
    try {
      return others.isDone()
          ? others.get()
          : others.get(admission.patience().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      throw admission.waitedInVain();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw admission.busy();
    } catch (ExecutionException e) {
      throw new IllegalStateException("a failure is kept as an answer", e);
    }
  }

  /** Spread, so that what was read at once is not read at once for ever. */
  Duration interval(Object source) {
    int hash = Math.floorMod((salt + source).hashCode() * 0x9E3779B9, 2001);
    return interval.multipliedBy(9000 + hash).dividedBy(10_000);
  }

  /** When it is time to look at a source again. */
  Instant next(Object source) {
    CompletableFuture<Kept> answer = kept.getIfPresent(source);
    return answer != null && answer.isDone()
        ? answer.join().until()
        : clock.instant().plus(interval(source));
  }

  /** Asks again for what could not be read. */
  void forgetFailures() {
    kept.synchronous().asMap().values().removeIf(Kept::isFailure);
  }

  /** Forgets all values. */
  void clear() {
    kept.synchronous().invalidateAll();
  }
}
