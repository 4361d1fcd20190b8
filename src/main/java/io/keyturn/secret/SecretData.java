package io.keyturn.secret;

import java.security.MessageDigest;
import java.util.Arrays;
import java.util.Base64;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * The keys and values of a secret. It owns its bytes and overwrites them when it is closed; its
 * text form says nothing of them, and it cannot be serialised.
 */
public final class SecretData implements AutoCloseable {

  private final SortedMap<String, byte[]> values;

  private SecretData(SortedMap<String, byte[]> values) {
    this.values = values;
  }

  /** Data over the given bytes, which belong to it from now on. */
  public static SecretData takeOwnershipOf(Map<String, byte[]> values) {
    return new SecretData(new TreeMap<>(values));
  }

  /**
   * The data of a Secret as the API gives it.
   *
   * @param encoded Base64 by key; null: none
   * @throws IllegalArgumentException if a value is no Base64; the message does not quote it
   */
  public static SecretData decode(Map<String, String> encoded) {
    SortedMap<String, byte[]> values = new TreeMap<>();
    if (encoded != null) {
      encoded.forEach((key, text) -> values.put(key, decode(key, text)));
    }
    return new SecretData(values);
  }

  private static byte[] decode(String key, String text) {
    if (text == null) {
      return new byte[0];
    }
    try {
      return Base64.getDecoder().decode(text);
    } catch (IllegalArgumentException e) {
      // The JDK's message quotes the character; its cause is left out on purpose.
      throw new IllegalArgumentException("the value of key " + key + " is not Base64");
    }
  }

  /** The same keys and values in bytes of their own, for somebody else to close. */
  public SecretData copy() {
    SortedMap<String, byte[]> copies = new TreeMap<>();
    values.forEach((key, value) -> copies.put(key, value.clone()));
    return new SecretData(copies);
  }

  /** The data as the API takes it: Base64 by key. */
  public Map<String, String> encode() {
    SortedMap<String, String> encoded = new TreeMap<>();
    values.forEach((key, value) -> encoded.put(key, Base64.getEncoder().encodeToString(value)));
    return encoded;
  }

  /** The keys, in order. */
  public Set<String> keys() {
    return values.keySet();
  }

  /** The value of a key, still owned by this object; null if there is none. */
  public byte[] get(String key) {
    return values.get(key);
  }

  /** Bytes of all values. */
  public long size() {
    return values.values().stream().mapToLong(v -> v.length).sum();
  }

  /** Whether both have the same keys with the same values; takes the same time for any value. */
  public boolean sameAs(SecretData other) {
    boolean same = values.keySet().equals(other.values.keySet());
    for (Map.Entry<String, byte[]> entry : values.entrySet()) {
      byte[] theirs = other.values.get(entry.getKey());
      same &= theirs != null && MessageDigest.isEqual(entry.getValue(), theirs);
    }
    return same;
  }

  @Override
  public void close() {
    values.values().forEach(v -> Arrays.fill(v, (byte) 0));
  }

  /** The number of keys, and nothing else. */
  @Override
  public String toString() {
    return "SecretData[" + values.size() + " keys]";
  }
}
