package io.keyturn.store.postgresql;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.SecretKeyFactory;
import javax.crypto.spec.PBEKeySpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * A password made of a seed, and what the server keeps of it. The same seed makes the same of both,
 * so that an order may be carried out twice.
 *
 * @param text 32 letters and digits
 * @param verifier what proves it by SCRAM-SHA-256 (RFC 5802, RFC 7677), as PostgreSQL writes it:
 *     the password itself never stands in a statement
 */
record SeededPassword(String text, String verifier) {

  private static final String HMAC = "HmacSHA256";
  private static final String ALPHABET =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  private static final int LENGTH = 32;
  private static final int ITERATIONS = 4096;
  private static final int SALT_LENGTH = 16;
  // Bytes from here on would make the first letters likelier than the others.
  private static final int FAIR = 256 - 256 % ALPHABET.length();

  /** The one of a seed. */
  static SeededPassword of(byte[] seed) {
    try {
      String text = text(seed);
      byte[] salt = Arrays.copyOf(hmac(seed, "keyturn postgresql salt"), SALT_LENGTH);
      return new SeededPassword(text, verifier(text, salt));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has HMAC, SHA-256 and PBKDF2");
    }
  }

  static String text(byte[] seed) throws GeneralSecurityException {
    StringBuilder text = new StringBuilder(LENGTH);
    for (int block = 1; text.length() < LENGTH; block++) {
      for (byte b : hmac(seed, "keyturn postgresql password " + block)) {
        int number = Byte.toUnsignedInt(b);
        if (number < FAIR && text.length() < LENGTH) {
          text.append(ALPHABET.charAt(number % ALPHABET.length()));
        }
      }
    }
    return text.toString();
  }

  static String verifier(String ascii, byte[] salt) throws GeneralSecurityException {
    // SASLprep leaves letters and digits as they are.
    byte[] salted =
        SecretKeyFactory.getInstance("PBKDF2WithHmacSHA256")
            .generateSecret(new PBEKeySpec(ascii.toCharArray(), salt, ITERATIONS, 256))
            .getEncoded();
    byte[] stored = MessageDigest.getInstance("SHA-256").digest(hmac(salted, "Client Key"));
    Base64.Encoder base64 = Base64.getEncoder();
    return "SCRAM-SHA-256$%d:%s$%s:%s"
        .formatted(
            ITERATIONS,
            base64.encodeToString(salt),
            base64.encodeToString(stored),
            base64.encodeToString(hmac(salted, "Server Key")));
  }

  private static byte[] hmac(byte[] key, String text) throws GeneralSecurityException {
    Mac mac = Mac.getInstance(HMAC);
    mac.init(new SecretKeySpec(key, HMAC));
    return mac.doFinal(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** Nothing of it. */
  @Override
  public String toString() {
    return "SeededPassword[]";
  }
}
