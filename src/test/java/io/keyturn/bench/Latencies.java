package io.keyturn.bench;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * How long something took, each time.
 *
 * @param sorted the shortest first
 */
record Latencies(List<Duration> sorted) {

  Latencies {
    sorted = sorted.stream().sorted().toList();
  }

  Latencies and(Latencies others) {
    List<Duration> all = new ArrayList<>(sorted);
    all.addAll(others.sorted);
    return new Latencies(all);
  }

  Duration median() {
    return percentile(50);
  }

  Duration p95() {
    return percentile(95);
  }

  private Duration percentile(int percent) {
    return sorted.get((int) Math.ceil(sorted.size() * percent / 100.0) - 1);
  }

  @Override
  public String toString() {
    return "%d ms, %d ms, %d ms"
        .formatted(median().toMillis(), p95().toMillis(), sorted.getLast().toMillis());
  }

  /** How many times those of others the median and the 95th percentile are. */
  String times(Latencies others) {
    return "%.2f, %.2f".formatted(ratio(median(), others.median()), ratio(p95(), others.p95()));
  }

  static double ratio(Duration one, Duration other) {
    return one.toNanos() / (double) other.toNanos();
  }
}
