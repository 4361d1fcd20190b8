package io.keyturn.store.postgresql;

import io.keyturn.store.spi.Order;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whose password a role has: a line of its comment, such as {@code keyturn: <uid> 7
 * 0123456789abcdef}. It is changed together with the password, and what people wrote around it
 * stays.
 *
 * @param owner UID of the binding
 * @param version number of the version
 * @param attempt digest of the attempt that made it
 * @param revoked whether the password was ended
 */
record Mark(String owner, long version, String attempt, boolean revoked) {

  private static final Pattern LINE =
      Pattern.compile(
          "^keyturn: (\\S+) ([0-9]{1,18}) ([0-9a-f]{16})( revoked)?$", Pattern.MULTILINE);

  /** The one of what an order makes. */
  static Mark of(Order order) {
    String attempt = order.owner() + "\n" + order.version() + "\n" + order.token();
    return new Mark(order.owner(), order.version(), digest(attempt), false);
  }

  /**
   * The one in a comment.
   *
   * @param comment null: none
   */
  static Optional<Mark> in(String comment) {
    Matcher line = LINE.matcher(comment == null ? "" : comment);
    return line.find()
        ? Optional.of(
            new Mark(
                line.group(1), Long.parseLong(line.group(2)), line.group(3), line.group(4) != null))
        : Optional.empty();
  }

  /** The same of a password that was ended. */
  Mark ended() {
    return new Mark(owner, version, attempt, true);
  }

  /** Whether both are of the same attempt, ended or not. */
  boolean isOfSameAttempt(Mark other) {
    return attempt.equals(other.attempt) && version == other.version && owner.equals(other.owner);
  }

  /** A comment with this mark in the place of any other one. */
  String writtenInto(String comment) {
    if (comment == null || comment.isEmpty()) {
      return line();
    }
    Matcher other = LINE.matcher(comment);
    return other.find()
        ? other.replaceFirst(Matcher.quoteReplacement(line()))
        : comment + "\n" + line();
  }

  private String line() {
    return "keyturn: %s %d %s%s".formatted(owner, version, attempt, revoked ? " revoked" : "");
  }

  private static String digest(String text) {
    try {
      byte[] digest =
          MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8));
      return HexFormat.of().formatHex(digest, 0, 8);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256");
    }
  }
}
