package io.keyturn.domain.gate;

import io.keyturn.api.v1alpha1.Verdict;
import java.util.Objects;

/**
 * One answer of a check or a gate.
 *
 * @param verdict what it says
 * @param value what was measured, such as {@code 0.02} or an HTTP status; null: nothing. Never a
 *     part of a secret.
 * @param message a sentence without its full stop, the same for the same answer
 */
public record Measurement(Verdict verdict, String value, String message) {

  /** Refuses what has no verdict or says nothing. */
  public Measurement {
    Objects.requireNonNull(verdict);
    Objects.requireNonNull(message);
  }

  /** A good answer. */
  public static Measurement passed(String message) {
    return new Measurement(Verdict.Passed, null, message);
  }

  /** A bad answer. */
  public static Measurement failed(String message) {
    return new Measurement(Verdict.Failed, null, message);
  }

  /** No answer. */
  public static Measurement inconclusive(String message) {
    return new Measurement(Verdict.Inconclusive, null, message);
  }

  /** The same with what was measured. */
  public Measurement of(String measured) {
    return new Measurement(verdict, measured, message);
  }
}
