package io.keyturn.ops;

import static org.assertj.core.api.Assertions.assertThat;

import io.javaoperatorsdk.operator.processing.retry.RetryExecution;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class RetriesTest {

  private static final int MANY = 10_000;

  private final RetryExecution retries = new Retries().initExecution();

  @Test
  void thereIsAlwaysAnotherAttempt() {
    for (int i = 1; i <= MANY; i++) {
      assertThat(retries.nextDelay()).isPresent();
      assertThat(retries.isLastAttempt()).isFalse();
      assertThat(retries.getAttemptCount()).isEqualTo(i);
    }
  }

  @Test
  void delaysDoubleUpToFiveMinutes() {
    Duration most = Duration.ofMillis(500);
    Duration fiveMinutes = Duration.ofMinutes(5);
    for (int i = 0; i < MANY; i++) {
      assertThat(next()).isBetween(most.dividedBy(2), most);
      most = most.multipliedBy(2);
      most = most.compareTo(fiveMinutes) < 0 ? most : fiveMinutes;
    }
  }

  @Test
  void noTwoObjectsThatFailTogetherAreTriedAgainTogether() {
    Set<Duration> delays = new HashSet<>();
    for (int i = 0; i < 1000; i++) {
      delays.add(Duration.ofMillis(new Retries().initExecution().nextDelay().orElseThrow()));
    }
    assertThat(delays).hasSizeGreaterThan(200);
  }

  private Duration next() {
    return Duration.ofMillis(retries.nextDelay().orElseThrow());
  }
}
