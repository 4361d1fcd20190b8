package io.keyturn.testing;

import java.time.Duration;
import java.util.Map;

/** What a pod's annotations ask of the simulated application; see {@link HollowKubelet}. */
record PodOptions(Map<String, String> annotations) {
  private static final String PREFIX = "hollow.keyturn.io/";

  Duration readyAfter() {
    return duration("ready-after", Duration.ZERO);
  }

  Duration crashAfter() {
    return duration("crash-after", Duration.ZERO);
  }

  Duration exitAfter() {
    return duration("exit-after", Duration.ZERO);
  }

  Duration loginAfter() {
    return duration("login-after", Duration.ZERO);
  }

  Duration loginEvery() {
    return duration("login-every", Duration.ofSeconds(1));
  }

  boolean exitsWhenRefused() {
    return "exit".equals(annotations.get(PREFIX + "when-refused"));
  }

  Duration terminationDelay() {
    return duration("termination-delay", Duration.ZERO);
  }

  boolean readsFiles() {
    return "files".equals(annotations.get(PREFIX + "read"));
  }

  /** As Go writes them: {@code 500ms}, {@code 5s}, {@code 1m30s}. */
  private Duration duration(String name, Duration otherwise) {
    String text = annotations.get(PREFIX + name);
    if (text == null) {
      return otherwise;
    }
    return text.endsWith("ms")
        ? Duration.ofMillis(Long.parseLong(text.substring(0, text.length() - 2)))
        : Duration.parse("PT" + text);
  }
}
