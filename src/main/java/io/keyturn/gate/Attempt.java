package io.keyturn.gate;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Preflight;
import java.time.Duration;

/** How much one attempt may take, in time and in bytes. */
final class Attempt {

  /** No check that Keyturn makes itself takes longer: whoever waits for it does nothing else. */
  static final Duration LONGEST = Duration.ofSeconds(30);

  /** More of an answer is not read. */
  static final int MAX_BYTES = 1 << 20;

  private Attempt() {}

  /** The time for a check. */
  static Duration time(Preflight check) {
    Duration asked = Durations.parse(check.timeout());
    return asked.compareTo(LONGEST) < 0 ? asked : LONGEST;
  }

  /** A host and port as people write them. */
  static String name(String host, int port) {
    return host.contains(":") ? "[%s]:%d".formatted(host, port) : host + ":" + port;
  }

  /** A time as people write it. */
  static String words(Duration time) {
    return time.toSeconds() + "s";
  }
}
