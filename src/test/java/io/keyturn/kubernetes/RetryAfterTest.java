package io.keyturn.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

class RetryAfterTest {

  @Test
  void theClientWaitsAsLongAsItIsTold() {
    assertThat(RetryAfter.of("0")).isZero();
    assertThat(RetryAfter.of("1")).isEqualTo(Duration.ofSeconds(1));
    assertThat(RetryAfter.of("9")).isEqualTo(Duration.ofSeconds(9));
  }

  @Test
  void itAsksAgainBeforeItsOwnRequestTimesOut() {
    assertThat(RetryAfter.of("3600")).isEqualTo(RetryAfter.LONGEST);
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(
      strings = {"", "soon", "-1", "Fri, 31 Dec 1999 23:59:59 GMT", "99999999999999999999"})
  void whatApiServersDoNotSayIsNoWait(String header) {
    assertThat(RetryAfter.of(header)).isZero();
  }
}
