package io.keyturn.store.vault;

import java.time.Duration;

/**
 * When an operation has to be done, with all the requests that it takes.
 *
 * @param nanos as {@link System#nanoTime} has it
 */
record Deadline(long nanos) {

  /** What one operation may take. */
  static final Duration WHOLE = Duration.ofSeconds(10);

  static Deadline fromNow() {
    return new Deadline(System.nanoTime() + WHOLE.toNanos());
  }

  /** At least a moment: some clients refuse to wait for no time at all. */
  Duration left() {
    return Duration.ofNanos(Math.max(Duration.ofMillis(1).toNanos(), nanos - System.nanoTime()));
  }
}
