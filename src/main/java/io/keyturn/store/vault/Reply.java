package io.keyturn.store.vault;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.POJONode;
import com.fasterxml.jackson.databind.util.RawValue;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * An object that Vault answered. Of what the versions of Vault and OpenBao say only a few members
 * are looked at; one of those that has another type than it should makes the answer worthless.
 */
final class Reply {

  /** Longer than any lease; also keeps the arithmetic of times in its bounds. */
  private static final long MOST_SECONDS = Duration.ofDays(36_500).toSeconds();

  private final String path;
  private final JsonNode object;

  private Reply(String path, JsonNode object) {
    this.path = path;
    this.object = object;
  }

  /**
   * Reads the body of an answer.
   *
   * @throws StoreException of kind INTEGRITY if it is no JSON object
   */
  static Reply parse(String path, byte[] body) {
    try {
      JsonNode node = StrictJson.parse(body);
      if (node.isObject()) {
        return new Reply(path, node);
      }
    } catch (StrictJson.Malformed e) {
      // Answered below, without what it says.
    }
    throw new StoreException(
        Kind.INTEGRITY,
        "The answer for %s is no JSON object that is whole: check that Vault listens at the address, and"
                .formatted(path)
            + " no login page.");
  }

  /** An object in it, or nothing; null is nothing. */
  Optional<Reply> object(String name) {
    JsonNode member = object.get(name);
    if (isAbsent(member)) {
      return Optional.empty();
    }
    if (!member.isObject()) {
      throw wrong(name);
    }
    return Optional.of(new Reply(path, member));
  }

  /** An object that has to be there. */
  Reply required(String name) {
    return object(name).orElseThrow(() -> wrong(name));
  }

  /** A text that is there and not empty. */
  Optional<String> text(String name) {
    JsonNode member = object.get(name);
    if (isAbsent(member)) {
      return Optional.empty();
    }
    if (!member.isTextual()) {
      throw wrong(name);
    }
    return Optional.of(member.textValue()).filter(text -> !text.isEmpty());
  }

  /** A text that has to be there. */
  String requiredText(String name) {
    return text(name).orElseThrow(() -> wrong(name));
  }

  /** A list of texts; none is an empty one. */
  List<String> texts(String name) {
    JsonNode member = object.get(name);
    List<String> texts = new ArrayList<>();
    if (isAbsent(member)) {
      return texts;
    }
    if (!member.isArray()) {
      throw wrong(name);
    }
    for (JsonNode each : member) {
      if (!each.isTextual()) {
        throw wrong(name);
      }
      texts.add(each.textValue());
    }
    return texts;
  }

  /** A whole number that is not negative; 0 if it is not there. */
  long number(String name) {
    JsonNode member = object.get(name);
    if (isAbsent(member)) {
      return 0;
    }
    if (member instanceof POJONode number
        && number.getPojo() instanceof RawValue raw
        && raw.rawValue() instanceof String text
        && text.matches("[0-9]{1,12}")) {
      return Long.parseLong(text);
    }
    throw wrong(name);
  }

  /** A duration in seconds; none if it is not there. */
  Duration seconds(String name) {
    long seconds = number(name);
    if (seconds > MOST_SECONDS) {
      throw wrong(name);
    }
    return Duration.ofSeconds(seconds);
  }

  /** Whether it says true; false if it is not there. */
  boolean flag(String name) {
    JsonNode member = object.get(name);
    if (isAbsent(member)) {
      return false;
    }
    if (!member.isBoolean()) {
      throw wrong(name);
    }
    return member.booleanValue();
  }

  /** All its members. */
  Iterable<Map.Entry<String, JsonNode>> members() {
    return object.properties();
  }

  /** What is wrong with the whole. */
  StoreException invalid(String sentence) {
    return new StoreException(
        Kind.INTEGRITY, "The answer for %s is not used: %s".formatted(path, sentence));
  }

  private StoreException wrong(String name) {
    return invalid(name + " is missing or has another type than Vault gives it.");
  }

  private static boolean isAbsent(JsonNode member) {
    return member == null || member.isNull();
  }

  /** Its path alone. */
  @Override
  public String toString() {
    return path;
  }
}
