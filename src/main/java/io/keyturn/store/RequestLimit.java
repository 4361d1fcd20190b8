package io.keyturn.store;

import io.github.resilience4j.ratelimiter.RateLimiter;
import io.github.resilience4j.ratelimiter.RateLimiterConfig;
import java.time.Duration;

/**
 * How many requests a store gets in a second. One that may get ten or more gets a tenth of them
 * each tenth of a second.
 */
final class RequestLimit {

  private static final int TENTHS = 10;

  private final RateLimiter limiter;

  RequestLimit(int perSecond) {
    int atOnce = Math.max(1, perSecond / TENTHS);
    this.limiter =
        RateLimiter.of(
            "requests",
            RateLimiterConfig.custom()
                .limitForPeriod(atOnce)
                .limitRefreshPeriod(Duration.ofSeconds(1).multipliedBy(atOnce).dividedBy(perSecond))
                .timeoutDuration(Admission.PATIENCE)
                .build());
  }

  /** Waits until one more request may be made; false if that takes too long. */
  boolean take() {
    return limiter.acquirePermission();
  }
}
