package io.keyturn.bench;

import java.time.Duration;
import java.time.Instant;
import java.util.List;

/**
 * When workloads were patched.
 *
 * @param at in this order
 */
record Patches(List<Instant> at) {

  Patches {
    at = at.stream().sorted().toList();
  }

  double perSecond() {
    return rate(at);
  }

  /**
   * Without the first and the last tenth: not every rotation has begun then, and some have ended.
   */
  double perSecondInBetween() {
    return rate(at.subList(at.size() / 10, at.size() - at.size() / 10));
  }

  private static double rate(List<Instant> some) {
    return (some.size() - 1) / Figures.seconds(Duration.between(some.getFirst(), some.getLast()));
  }

  /** The most of them in any time of a length. */
  int mostIn(Duration time) {
    int most = 0;
    int first = 0;
    for (int last = 0; last < at.size(); last++) {
      while (!at.get(first).isAfter(at.get(last).minus(time))) {
        first++;
      }
      most = Math.max(most, last - first + 1);
    }
    return most;
  }
}
