package io.keyturn.store.postgresql;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.sql.SQLException;
import java.util.Optional;

/**
 * The turn of a role: it gets a password, unless somebody uses it or has gone on.
 *
 * @param admin who changes it
 * @param idle the role
 * @param other the other one
 */
record Turn(AdminSession admin, String idle, String other) {

  /** Takes it. What was changed is undone by an exception. */
  Mark take(Order order, SeededPassword password) throws SQLException {
    Role role = RolePair.checked(admin, idle, other).idle();
    // Changed first, and looked at then: nobody else can change it from here on.
    role.alter(admin, "LOGIN PASSWORD " + admin.literal(password.verifier()));
    String comment = role.comment(admin);
    Optional<Mark> before = Mark.in(comment);
    Mark mark = Mark.of(order);
    before.ifPresent(b -> rejectLate(b, mark));
    boolean ours = before.isPresent() && order.current().isPresent();
    boolean again = before.filter(mark::isOfSameAttempt).isPresent();
    if (!ours && !again) {
      rejectUse(role);
    }
    if (!again) {
      role.comment(admin, mark.writtenInto(comment));
    }
    return mark;
  }

  private void rejectLate(Mark before, Mark mark) {
    if (!before.owner().equals(mark.owner())) {
      throw conflict(
          "The role %s is rotated by the SecretBinding with the UID %s: if that is gone, remove the"
              + " line of Keyturn from the comment of the role.",
          idle, before.owner());
    }
    if (before.version() > mark.version()) {
      throw conflict(
          "The role %s already has the password of version %d, which is newer than %d.",
          idle, before.version(), mark.version());
    }
    if (before.version() < mark.version()) {
      return;
    }
    if (!before.isOfSameAttempt(mark)) {
      throw conflict(
          "Another attempt has given the role %s the password of version %d.",
          idle, mark.version());
    }
    if (before.revoked()) {
      throw conflict("Version %d of the role %s was revoked already.", mark.version(), idle);
    }
  }

  /** Who used it before Keyturn did, or at a time that Keyturn knows nothing of. */
  private void rejectUse(Role role) throws SQLException {
    long sessions = role.sessions(admin);
    if (sessions > 0) {
      throw new StoreException(
          Kind.CONFLICT,
          Reasons.SLOT_IN_USE,
          ("The role %s has %d session(s) that Keyturn knows nothing of, whose password would change:"
                  + " let them use the other role and name this one first, or end them.")
              .formatted(role.name(), sessions),
          Optional.empty());
    }
  }

  private static StoreException conflict(String format, Object... words) {
    return new StoreException(Kind.CONFLICT, format.formatted(words));
  }
}
