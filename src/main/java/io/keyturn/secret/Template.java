package io.keyturn.secret;

import java.net.URLEncoder;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A text with placeholders: <code>{key}</code>, or <code>{key.function}</code> with one of {@code
 * urlEncoded} (RFC 3986), {@code base64}, {@code json} (RFC 8259 string content), {@code trim}. Two
 * braces mean one. Keys may contain dots: a whole name wins over a name with a function. Nothing
 * else is evaluated, and the result is bounded.
 */
public final class Template {

  /** The most that a template may become, in bytes: what a Secret may hold. */
  static final int MAX_BYTES = 1024 * 1024;

  private sealed interface Part {
    record Text(String text) implements Part {}

    record Placeholder(String expression) implements Part {}
  }

  private final List<Part> parts;

  private Template(List<Part> parts) {
    this.parts = parts;
  }

  /**
   * Reads a template.
   *
   * @throws Malformed if a brace is left open, or closed without being open
   */
  public static Template parse(String text) throws Malformed {
    List<Part> parts = new ArrayList<>();
    StringBuilder literal = new StringBuilder();
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i);
      boolean doubled = i + 1 < text.length() && text.charAt(i + 1) == c;
      if ((c == '{' || c == '}') && doubled) {
        literal.append(c);
        i += 2;
      } else if (c == '{') {
        int end = text.indexOf('}', i);
        if (end < 0) {
          throw new Malformed(
              "the brace at position " + (i + 1) + " is not closed; write {{ for a brace");
        }
        parts.add(new Part.Text(literal.toString()));
        literal.setLength(0);
        parts.add(new Part.Placeholder(text.substring(i + 1, end).strip()));
        i = end + 1;
      } else if (c == '}') {
        throw new Malformed(
            "the brace at position " + (i + 1) + " closes nothing; write }} for a brace");
      } else {
        literal.append(c);
        i++;
      }
    }
    parts.add(new Part.Text(literal.toString()));
    return new Template(List.copyOf(parts));
  }

  /**
   * The text with the values of a secret.
   *
   * @return UTF-8
   * @throws Malformed if a key or function does not exist, a value is no text, or the result is too
   *     long; the message quotes no value
   */
  public byte[] render(SecretData data) throws Malformed {
    StringBuilder result = new StringBuilder();
    for (Part part : parts) {
      result.append(
          switch (part) {
            case Part.Text(String text) -> text;
            case Part.Placeholder(String expression) -> value(expression, data);
          });
      if (result.length() > MAX_BYTES) {
        throw new Malformed("its result is longer than 1 MiB");
      }
    }
    return result.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static String value(String expression, SecretData data) throws Malformed {
    byte[] whole = data.get(expression);
    if (whole != null) {
      return text(expression, whole);
    }
    int dot = expression.lastIndexOf('.');
    String key = dot < 0 ? expression : expression.substring(0, dot);
    byte[] value = data.get(key);
    if (value == null) {
      throw new MissingKey(key);
    }
    String function = expression.substring(dot + 1);
    return switch (function) {
      case "urlEncoded" ->
          // URLEncoder writes forms, in which a space is a plus.
          URLEncoder.encode(text(key, value), StandardCharsets.UTF_8)
              .replace("+", "%20")
              .replace("*", "%2A")
              .replace("%7E", "~");
      case "base64" -> Base64.getEncoder().encodeToString(value);
      case "json" -> json(text(key, value));
      case "trim" -> text(key, value).strip();
      default ->
          throw new Malformed(
              "there is no function " + function + "; use urlEncoded, base64, json or trim");
    };
  }

  private static String text(String key, byte[] value) throws Malformed {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(value)).toString();
    } catch (CharacterCodingException e) {
      throw new Malformed("the value of " + key + " is no text; use " + key + ".base64");
    }
  }

  private static String json(String text) {
    StringBuilder result = new StringBuilder();
    for (char c : text.toCharArray()) {
      switch (c) {
        case '"' -> result.append("\\\"");
        case '\\' -> result.append("\\\\");
        case '\n' -> result.append("\\n");
        case '\r' -> result.append("\\r");
        case '\t' -> result.append("\\t");
        default -> {
          if (c < ' ') {
            result.append("\\u%04x".formatted((int) c));
          } else {
            result.append(c);
          }
        }
      }
    }
    return result.toString();
  }

  /** A template that cannot be read or rendered. Its message is for people and quotes no value. */
  public static class Malformed extends Exception {

    Malformed(String message) {
      super(message);
    }
  }

  /** A template that names a key that the source does not have. */
  public static final class MissingKey extends Malformed {

    MissingKey(String key) {
      super("the source has no key " + key);
    }
  }
}
