package io.keyturn.testing;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.function.IntPredicate;

/**
 * Searches texts for values that no text may hold. Eight characters of a value in a row are a hit,
 * as they are, or escaped for JSON or for a URL, in hex, or as Base64 that began at any byte before
 * them. The time depends on the size of the text, and not on how many values there are.
 */
public final class LeakScan {

  /** What an attacker needs not guess any more, and what is nowhere by chance. */
  public static final int FRAGMENT = 8;

  /** Eight hex digits are in every UID, so of those it takes as many as no part of a UID has. */
  private static final int FRAGMENT_OF_HEX = 16;

  /** No form is longer than this. */
  private static final int LONGEST = 6 * FRAGMENT_OF_HEX;

  private static final int KEY_BITS = 24;

  /** Wherever eight bytes begin, so many characters of Base64 depend on them alone. */
  private static final int BASE64 = 10;

  /** By the last eight bytes, which a search has in one number as it goes along. */
  private final Map<Long, List<Form>> forms = new HashMap<>();

  private final BitSet hashes = new BitSet(1 << KEY_BITS);
  private final Set<String> values = new LinkedHashSet<>();

  private record Form(byte[] bytes, String name, String owner) {}

  /**
   * A place where a value is. It does not hold the value, to be shown to anybody.
   *
   * @param place what was searched
   * @param line of the text, from 1: the first one
   * @param form how the value was written there
   * @param owner whose value it is
   */
  public record Hit(String place, long line, String form, String owner) {
    @Override
    public String toString() {
      return "%s, line %d: eight characters of %s, %s".formatted(place, line, owner, form);
    }
  }

  /** A name for a value that has no other, which does not tell it. */
  public static String anonymous(String value) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(value.getBytes(StandardCharsets.UTF_8));
      return "the value with the SHA-256 " + HexFormat.of().formatHex(digest, 0, 6);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  /** Searches for a text value, too; see {@link #add(String, byte[])}. */
  public LeakScan add(String owner, String value) {
    return add(owner, value.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * Searches for a value, too. One that is shorter than a fragment cannot be told from chance and
   * is left out.
   *
   * @param owner what to call it when it is found
   */
  public LeakScan add(String owner, byte[] value) {
    String text = new String(value, StandardCharsets.ISO_8859_1);
    Set<String> fragments = fragments(text);
    if (!fragments.isEmpty() && values.add(text)) {
      fragments.forEach(f -> formsOf(f).forEach((form, name) -> add(form, name, owner)));
    }
    return this;
  }

  private static Set<String> fragments(String text) {
    Set<String> fragments = new LinkedHashSet<>();
    for (int start = 0; start + FRAGMENT <= text.length(); start++) {
      String fragment = text.substring(start, start + FRAGMENT);
      if (!fragment.chars().allMatch(HexFormat::isHexDigit)) {
        fragments.add(fragment);
      } else if (start + FRAGMENT_OF_HEX <= text.length()) {
        fragments.add(text.substring(start, start + FRAGMENT_OF_HEX));
      }
    }
    return fragments;
  }

  private void add(String form, String name, String owner) {
    byte[] bytes = latin1(form);
    long key = 0;
    for (byte b : bytes) {
      key = key << Byte.SIZE | b & 0xff;
    }
    forms.computeIfAbsent(key, k -> new ArrayList<>(1)).add(new Form(bytes, name, owner));
    hashes.set(hash(key));
  }

  /** How many values are searched for. */
  public int size() {
    return values.size();
  }

  /** The hits in a text; a value is named once for each form. */
  public List<Hit> search(String place, String text) {
    return search(place, new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)));
  }

  /** The hits in a file; a value is named once for each form. */
  public List<Hit> search(String place, Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      return search(place, in);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot search " + place, e);
    }
  }

  private List<Hit> search(String place, InputStream text) {
    Map<List<String>, Hit> hits = new LinkedHashMap<>();
    byte[] buffer = new byte[LONGEST + (1 << 16)];
    int kept = 0;
    long key = 0;
    long line = 1;
    try {
      for (int n = text.read(buffer, kept, buffer.length - kept);
          n > 0;
          n = text.read(buffer, kept, buffer.length - kept)) {
        for (int i = kept; i < kept + n; i++) {
          key = key << Byte.SIZE | buffer[i] & 0xff;
          line += buffer[i] == '\n' ? 1 : 0;
          if (hashes.get(hash(key))) {
            for (Form form : forms.getOrDefault(key, List.of())) {
              if (endsAt(i, buffer, form.bytes())) {
                hits.putIfAbsent(
                    List.of(form.name(), form.owner()),
                    new Hit(place, line, form.name(), form.owner()));
              }
            }
          }
        }
        int end = kept + n;
        kept = Math.min(LONGEST, end);
        System.arraycopy(buffer, end - kept, buffer, 0, kept);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot search " + place, e);
    }
    return List.copyOf(hits.values());
  }

  private static boolean endsAt(int last, byte[] buffer, byte[] form) {
    int first = last - form.length + 1;
    return first >= 0 && Arrays.equals(buffer, first, last + 1, form, 0, form.length);
  }

  private static int hash(long key) {
    return (int) (key * 0x9E3779B97F4A7C15L >>> Long.SIZE - KEY_BITS);
  }

  /**
   * How a fragment may be written, by the text; where two ways are the same, the first names it.
   */
  private static Map<String, String> formsOf(String fragment) {
    Map<String, String> all = new LinkedHashMap<>();
    byte[] bytes = latin1(fragment);
    all.putIfAbsent(fragment, "as it is");
    all.putIfAbsent(json(fragment, ""), "as JSON");
    all.putIfAbsent(json(fragment, "<>&"), "as JSON");
    for (HexFormat hex : List.of(HexFormat.of(), HexFormat.of().withUpperCase())) {
      all.putIfAbsent(hex.formatHex(bytes), "in hex");
      all.putIfAbsent(url(fragment, "-_.~", hex), "as a URL");
      all.putIfAbsent(url(fragment, "-_.*", hex).replace("%20", "+"), "as a form");
    }
    for (int before = 0; before < 3; before++) {
      for (Base64.Encoder base64 : List.of(Base64.getEncoder(), Base64.getUrlEncoder())) {
        byte[] shifted = new byte[before + bytes.length];
        System.arraycopy(bytes, 0, shifted, before, bytes.length);
        // What the bytes around have no part in.
        int first = before == 0 ? 0 : before + 1;
        int length = BASE64 * bytes.length / FRAGMENT;
        all.putIfAbsent(
            base64.encodeToString(shifted).substring(first, first + length), "in Base64");
      }
    }
    return all;
  }

  private static String json(String text, String more) {
    return escape(
        text,
        c -> c >= ' ' && c != '"' && c != '\\' && more.indexOf(c) < 0,
        c ->
            switch (c) {
              case '"' -> "\\\"";
              case '\\' -> "\\\\";
              case '\n' -> "\\n";
              case '\r' -> "\\r";
              case '\t' -> "\\t";
              default -> "\\u%04x".formatted(c);
            });
  }

  private static String url(String text, String kept, HexFormat hex) {
    return escape(
        text,
        c -> c < 0x80 && Character.isLetterOrDigit(c) || kept.indexOf(c) >= 0,
        c -> "%" + hex.toHexDigits((byte) c));
  }

  private static String escape(String text, IntPredicate stays, IntFunction<String> escaped) {
    StringBuilder out = new StringBuilder();
    text.chars()
        .forEach(c -> {
          if (stays.test(c)) {
            out.append((char) c);
          } else {
            out.append(escaped.apply(c));
          }
        });
    return out.toString();
  }

  private static byte[] latin1(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }
}
