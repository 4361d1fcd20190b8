package io.keyturn.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class DurationsTest {

  @ParameterizedTest
  @CsvSource({"-5, 0s", "0, 0s", "599, 599s", "600, 10m", "5459, 90m"})
  void aTimeIsWrittenAsTheApiReadsIt(long seconds, String text) {
    assertThat(Durations.text(Duration.ofSeconds(seconds)))
        .isEqualTo(text)
        .matches(Durations.PATTERN);
  }
}
