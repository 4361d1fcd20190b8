package io.keyturn.testing;

import java.util.regex.Pattern;

/**
 * Kinds of values that no text may hold and that are known by how they look. Passwords have eight
 * characters, as fragments of a {@link LeakScan} do: what is shorter stands for one, such as in a
 * wrong manifest of a test, which the API server quotes as it refuses it.
 */
public enum LeakShape {
  /**
   * A token of Vault 1.10 or newer. Older ones are {@code s.} and 24 letters, which are in too many
   * names of files and classes to tell anything.
   */
  VAULT_TOKEN("a token of Vault", "hv", "(?<![A-Za-z0-9])hv[sbr]\\.[A-Za-z0-9_-]{20,}"),

  /** A signed token, as ServiceAccounts have; without its signature nobody takes it. */
  JWT("a signed token", "eyJ", "eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{8,}\\.[A-Za-z0-9_-]{16,}"),

  /** What PostgreSQL keeps of a password; its salt alone is no secret. */
  SCRAM_VERIFIER(
      "a SCRAM verifier",
      "SCRAM-SHA-256$",
      "SCRAM-SHA-256\\$[0-9]+:[A-Za-z0-9+/=]+\\$[A-Za-z0-9+/=]{20,}"),

  /** An address with the password of a user; in braces a template has the name of one. */
  ADDRESS_WITH_PASSWORD(
      "an address with a password",
      "://",
      "[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\\s/:@\"'<>]*:[^\\s/@\"'<>{}]{8,}@"),

  /** A property of a JDBC URL or of a connection string of libpq. */
  PASSWORD_PROPERTY(
      "a password in a connection string",
      "password=",
      "(?<![A-Za-z])password=[^\\s&,;\"'<>{}]{8,}"),

  /** Its first line: what follows may be on lines of its own. */
  PRIVATE_KEY("a private key", "PRIVATE KEY-----", "-----BEGIN [A-Z ]*PRIVATE KEY-----");

  private final String words;
  private final String marker;
  private final Pattern pattern;

  LeakShape(String words, String marker, String pattern) {
    this.words = words;
    this.marker = marker;
    this.pattern = Pattern.compile(pattern);
  }

  /** What each of this kind has in it, which is quick to look for. */
  String marker() {
    return marker;
  }

  boolean isIn(CharSequence text) {
    return pattern.matcher(text).find();
  }

  /** As people call it. */
  @Override
  public String toString() {
    return words;
  }
}
