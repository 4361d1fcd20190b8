package io.keyturn.gate;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.cluster.Team;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.secret.SecretData;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** Candidates with random values, and what no measurement of them may say. */
final class Candidates {

  static final Duration TIME = Duration.ofSeconds(5);

  private Candidates() {}

  /** A value that was not there before. */
  static String value() {
    return Team.newValue();
  }

  /** Keys, each followed by its value. */
  static SecretData of(String... keysAndValues) {
    Map<String, byte[]> values = new HashMap<>();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      values.put(keysAndValues[i], keysAndValues[i + 1].getBytes(StandardCharsets.UTF_8));
    }
    return SecretData.takeOwnershipOf(values);
  }

  /** Asserts what a measurement says, and that it says nothing of a value. */
  static void assertThatItSays(
      Measurement measurement, Verdict verdict, String message, String... values) {
    assertThat(measurement.message()).isEqualTo(message);
    assertThat(measurement.verdict()).isEqualTo(verdict);
    assertThat(Arrays.stream(values).filter(measurement.toString()::contains).count())
        .as("values in the message")
        .isZero();
  }
}
