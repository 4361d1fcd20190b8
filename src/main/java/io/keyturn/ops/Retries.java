package io.keyturn.ops;

import io.javaoperatorsdk.operator.processing.retry.Retry;
import io.javaoperatorsdk.operator.processing.retry.RetryExecution;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Retries a failed reconcile for ever: after half a second, then twice as long each time up to five
 * minutes, with jitter. The framework's default gives up after five attempts within twenty seconds.
 */
public final class Retries implements Retry {

  private static final Duration FIRST = Duration.ofMillis(500);
  private static final Duration LONGEST = Duration.ofMinutes(5);

  @Override
  public RetryExecution initExecution() {
    return new Execution();
  }

  private static final class Execution implements RetryExecution {

    private int attempts;

    @Override
    public Optional<Long> nextDelay() {
      long delay =
          Math.min(LONGEST.toMillis(), FIRST.toMillis() << Math.min(attempts, Integer.SIZE - 2));
      attempts++;
      return Optional.of(delay / 2 + ThreadLocalRandom.current().nextLong(delay / 2 + 1));
    }

    @Override
    public int getAttemptCount() {
      return attempts;
    }

    @Override
    public boolean isLastAttempt() {
      return false;
    }
  }
}
