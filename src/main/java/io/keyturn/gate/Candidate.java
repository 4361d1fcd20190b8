package io.keyturn.gate;

import io.keyturn.domain.gate.Measurement;
import io.keyturn.secret.SecretData;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Takes values out of a candidate, or says which one is missing. */
final class Candidate {

  private Candidate() {}

  /** The candidate cannot be used as the check says. */
  static final class Unusable extends Exception {

    private static final long serialVersionUID = 1L;

    private final boolean bad;

    Unusable(String message) {
      this(message, true);
    }

    /**
     * The candidate cannot be used.
     *
     * @param bad whether it is the candidate's fault, and not that of the check
     */
    Unusable(String message, boolean bad) {
      super(message, null, false, false);
      this.bad = bad;
    }

    /** What that says of it. */
    Measurement measurement() {
      return bad ? Measurement.failed(getMessage()) : Measurement.inconclusive(getMessage());
    }
  }

  /**
   * The value of a key, which still belongs to the candidate.
   *
   * @throws Unusable if there is no such key, or nothing in it
   */
  static byte[] bytes(SecretData candidate, String key) throws Unusable {
    byte[] value = candidate.get(key);
    if (value == null) {
      throw new Unusable("the version has no key %s: it has %s".formatted(key, keys(candidate)));
    }
    if (value.length == 0) {
      throw new Unusable("the value of key %s is empty".formatted(key));
    }
    return value;
  }

  /**
   * The value of a key as text.
   *
   * @throws Unusable if there is no such key, or nothing in it, or no text
   */
  static String text(SecretData candidate, String key) throws Unusable {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes(candidate, key)))
          .toString();
    } catch (CharacterCodingException e) {
      throw new Unusable("the value of key %s is no text".formatted(key));
    }
  }

  private static String keys(SecretData candidate) {
    return candidate.keys().isEmpty() ? "none" : String.join(", ", candidate.keys());
  }
}
