package io.keyturn.playground;

import java.time.Duration;

/**
 * How quickly everything goes.
 *
 * @param bake of a canary
 * @param deadline of a canary
 * @param grace of the previous version
 * @param pause between scenes, to read
 */
record Pace(Duration bake, Duration deadline, Duration grace, Duration pause) {

  static final Pace NORMAL = of(6, 15, 2, 3);
  static final Pace FAST = of(2, 10, 1, 0);

  private static Pace of(int bake, int deadline, int grace, int pause) {
    return new Pace(
        Duration.ofSeconds(bake),
        Duration.ofSeconds(deadline),
        Duration.ofSeconds(grace),
        Duration.ofSeconds(pause));
  }

  /** Leaves time to read. */
  void breathe() {
    sleep(pause);
  }

  /** A while in which something could go wrong, and is watched not to. */
  void watch() {
    sleep(bake.dividedBy(2).plusMillis(500));
  }

  static void sleep(Duration time) {
    try {
      Thread.sleep(time);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }
}
