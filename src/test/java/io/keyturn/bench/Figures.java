package io.keyturn.bench;

import java.time.Duration;
import java.time.Instant;

/** What a bench tells: one line for each figure. */
final class Figures {

  private Figures() {}

  static void print(String what, String figure) {
    System.out.printf("bench: %-60s %s%n", what, figure);
  }

  static double secondsSince(Instant begin) {
    return seconds(Duration.between(begin, Instant.now()));
  }

  static double seconds(Duration time) {
    return time.toMillis() / 1000.0;
  }
}
