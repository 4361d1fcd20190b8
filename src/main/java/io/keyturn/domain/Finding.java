package io.keyturn.domain;

/**
 * Something that a person should read, once: it becomes an event.
 *
 * @param severity how urgent it is
 * @param reason one of {@link io.keyturn.api.v1alpha1.Reasons}
 * @param message a sentence
 */
public record Finding(Severity severity, String reason, String message) {

  /** How urgent a finding is; the names are the types of Kubernetes events. */
  public enum Severity {
    /** For the record. */
    Normal,
    /** Somebody should look. */
    Warning
  }

  /** For the record. */
  public static Finding normal(String reason, String message) {
    return new Finding(Severity.Normal, reason, message);
  }

  /** Somebody should look. */
  public static Finding warning(String reason, String message) {
    return new Finding(Severity.Warning, reason, message);
  }
}
