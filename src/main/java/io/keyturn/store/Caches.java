package io.keyturn.store;

import com.github.benmanes.caffeine.cache.Caffeine;
import java.time.Clock;
import java.util.concurrent.TimeUnit;

/** Caches that take their time from a clock, and work in the thread of whoever calls. */
final class Caches {

  private Caches() {}

  static Caffeine<Object, Object> of(Clock clock) {
    return Caffeine.newBuilder()
        .ticker(() -> TimeUnit.MILLISECONDS.toNanos(clock.millis()))
        .executor(Runnable::run);
  }
}
