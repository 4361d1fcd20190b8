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
    RolePair pair = RolePair.checked(admin, idle, other);
    Role role = pair.idle();
    // Changed first, and looked at then: nobody else can change it from here on.
    role.alter(admin, "LOGIN PASSWORD " + admin.literal(password.verifier()));
    String comment = role.comment(admin);
    Optional<Mark> before = Mark.in(comment);
    Mark mark = Mark.of(order);
    before.ifPresent(b -> rejectOther(b, mark));
    // What was revoked while it was the newest was issued in vain, and may be ordered again. What
    // has had its time has a newer one on the other role.
    rejectLate(idle, before, mark);
    rejectLate(other, Mark.in(pair.other().comment(admin)), mark);
    boolean ours = before.isPresent() && order.current().isPresent();
    boolean again = before.filter(mark::equals).isPresent();
    if (!ours && !again) {
      rejectUse(role);
    }
    if (!again) {
      role.comment(admin, mark.writtenInto(comment));
    }
    return mark;
  }

  private void rejectOther(Mark before, Mark mark) {
    if (!before.owner().equals(mark.owner())) {
      throw conflict(
          "The role %s is rotated by the SecretBinding with the UID %s: if that is gone, remove the"
              + " line of Keyturn from the comment of the role.",
          idle, before.owner());
    }
    if (before.version() == mark.version() && !before.isOfSameAttempt(mark)) {
      throw conflict(
          "Another attempt has given the role %s the password of version %d.",
          idle, mark.version());
    }
  }

  private static void rejectLate(String role, Optional<Mark> before, Mark mark) {
    if (before.isPresent()
        && before.get().owner().equals(mark.owner())
        && before.get().version() > mark.version()) {
      throw conflict(
          "The role %s already has the password of version %d, which is newer than %d.",
          role, before.get().version(), mark.version());
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
