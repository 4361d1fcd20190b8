package io.keyturn.store.postgresql;

import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A role and the attempt that gave it its password. The role alone would not do: it gets another
 * password on its next turn, which a late revocation must not end.
 *
 * @param role its name
 * @param version number of the version
 * @param attempt as in {@link Mark}
 */
record Slot(String role, long version, String attempt) {

  private static final Pattern ID =
      Pattern.compile("(.+)@([0-9]{1,18})\\.([0-9a-f]{16})", Pattern.DOTALL);

  /**
   * The one that a credential names.
   *
   * @throws StoreException of kind PERMANENT if it names none
   */
  static Slot of(Credential credential) {
    Matcher id = ID.matcher(credential.id());
    if (!id.matches()) {
      throw new StoreException(
          Kind.PERMANENT, "The credential was not issued by a SecretStore of a PostgreSQL.");
    }
    return new Slot(id.group(1), Long.parseLong(id.group(2)), id.group(3));
  }

  /** The one that an order made of a role. */
  static Slot of(String role, Mark mark) {
    return new Slot(role, mark.version(), mark.attempt());
  }

  /** The first of the roles beside this one; this one if there is none. */
  String other(List<String> roles) {
    return roles.stream().filter(r -> !r.equals(role)).findFirst().orElse(role);
  }

  /** Whether a mark is of this one, ended or not. */
  boolean isMarked(Mark mark) {
    return version == mark.version() && attempt.equals(mark.attempt());
  }

  /** As a credential names it. */
  String id() {
    return "%s@%d.%s".formatted(role, version, attempt);
  }
}
