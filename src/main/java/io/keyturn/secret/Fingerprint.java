package io.keyturn.secret;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Keyed MACs (HMAC-SHA-256) with a key of this installation: they tell values apart and, without
 * the key, say nothing about them, not even about values that can be guessed.
 */
public final class Fingerprint {

  /** Bytes of the key. */
  public static final int KEY_LENGTH = 32;

  private static final String ALGORITHM = "HmacSHA256";

  private final byte[] key;

  /**
   * Fingerprints of one installation.
   *
   * @param key of {@link #KEY_LENGTH} random bytes
   * @throws IllegalArgumentException if it is shorter
   */
  public Fingerprint(byte[] key) {
    if (key.length < KEY_LENGTH) {
      throw new IllegalArgumentException("the key has fewer than " + KEY_LENGTH + " bytes");
    }
    this.key = key.clone();
  }

  /** The eight hex digits that end the name of a snapshot. */
  public String of(SecretData data) {
    Mac mac = mac();
    for (String name : data.keys()) {
      update(mac, name.getBytes(StandardCharsets.UTF_8));
      update(mac, data.get(name));
    }
    return HexFormat.of().formatHex(mac.doFinal(), 0, 4);
  }

  /** Sixteen hex digits for a text, such as a pod template. */
  public String of(String text) {
    Mac mac = mac();
    update(mac, text.getBytes(StandardCharsets.UTF_8));
    return HexFormat.of().formatHex(mac.doFinal(), 0, 8);
  }

  /**
   * 32 bytes that only this installation can make, the same for the same text, from which a value
   * may be made. They tell nothing of the fingerprint of any data or text.
   */
  public byte[] seed(String text) {
    Mac mac = mac();
    update(mac, "seed".getBytes(StandardCharsets.UTF_8));
    update(mac, text.getBytes(StandardCharsets.UTF_8));
    update(mac, new byte[0]);
    return mac.doFinal();
  }

  /** Lengths keep {a: "bc"} and {ab: "c"} apart. */
  private static void update(Mac mac, byte[] bytes) {
    mac.update(ByteBuffer.allocate(4).putInt(bytes.length).array());
    mac.update(bytes);
  }

  private Mac mac() {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(key, ALGORITHM));
      return mac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has " + ALGORITHM, e);
    }
  }
}
