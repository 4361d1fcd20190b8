package io.keyturn.api.v1alpha1;

import java.time.Duration;
import java.util.regex.Pattern;

/** The durations of the API: a whole number and a unit, such as {@code 90s} or {@code 30d}. */
public final class Durations {

  /** What the API server accepts; {@code d} is 24 hours. */
  public static final String PATTERN = "^[0-9]{1,6}(s|m|h|d)$";

  /**
   * A bound that the API server needs to estimate the cost of rules. It is wider than {@link
   * #PATTERN}, so that "10 minutes" is answered with the pattern and not with its length.
   */
  public static final int MAX_LENGTH = 32;

  private static final Pattern SYNTAX = Pattern.compile(PATTERN);

  private Durations() {}

  /**
   * The duration that a field means.
   *
   * @throws IllegalArgumentException if the text does not match {@link #PATTERN}
   */
  public static Duration parse(String text) {
    if (!SYNTAX.matcher(text).matches()) {
      throw new IllegalArgumentException("not a duration such as 90s, 10m, 24h or 30d: " + text);
    }
    long amount = Long.parseLong(text.substring(0, text.length() - 1));
    return switch (text.charAt(text.length() - 1)) {
      case 's' -> Duration.ofSeconds(amount);
      case 'm' -> Duration.ofMinutes(amount);
      case 'h' -> Duration.ofHours(amount);
      default -> Duration.ofDays(amount);
    };
  }

  /** How a time is written: in whole seconds below ten minutes, and in whole minutes from there. */
  public static String text(Duration time) {
    return time.toMinutes() < 10 ? Math.max(0, time.toSeconds()) + "s" : time.toMinutes() + "m";
  }
}
