package io.keyturn.store.vault;

import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.time.Instant;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The token that a lease was issued to, and that it ends with. A credential carries it as {@code
 * <accessor> <epoch second of its end>}, so that its end is known even where nobody may renew it or
 * look it up.
 */
record Owner(String accessor, Instant endsAt) {

  private static final Pattern TEXT = Pattern.compile("(\\S+) ([0-9]{1,12})");

  /** Of a token; empty if nobody else can renew or end it. */
  static Optional<Owner> of(Token token) {
    return token.renewable()
        ? token.accessor().flatMap(a -> token.endsAt().map(end -> new Owner(a, end)))
        : Optional.empty();
  }

  /** Reads what {@link #text} wrote. */
  static Owner parse(String text) {
    Matcher parts = TEXT.matcher(text);
    if (!parts.matches()) {
      throw new StoreException(
          Kind.PERMANENT, "What is written down of the owner of the lease cannot be read.");
    }
    return new Owner(parts.group(1), Instant.ofEpochSecond(Long.parseLong(parts.group(2))));
  }

  /** As a credential carries it. */
  String text() {
    return accessor + " " + endsAt.getEpochSecond();
  }

  /** Its end: an accessor is told to nobody. */
  @Override
  public String toString() {
    return "Owner[endsAt=" + endsAt + "]";
  }
}
