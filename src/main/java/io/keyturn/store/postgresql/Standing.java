package io.keyturn.store.postgresql;

import io.keyturn.store.spi.Store.Refusal;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.sql.SQLException;
import java.util.Optional;

/**
 * How a role stands to a password that it was given once.
 *
 * @param admin who looks
 * @param slot the role and the attempt that gave it the password
 */
record Standing(AdminSession admin, Slot slot) {

  /**
   * Changes the role if it still has the password.
   *
   * @param forGood whether the password ends by that
   * @return whether it has, or had until it was ended for good
   * @throws StoreException of kind CONFLICT if nobody can tell
   */
  boolean change(String options, boolean forGood) throws SQLException {
    Optional<Role> role = Role.find(admin, slot.role());
    if (role.isEmpty()) {
      return false;
    }
    // Changed first, and looked at then: nobody else can change it from here on.
    role.get().alter(admin, options);
    String comment = role.get().comment(admin);
    Optional<Mark> mark = Mark.in(comment);
    if (mark.isEmpty() && role.get().canLogin()) {
      throw unknown();
    }
    boolean has = mark.filter(m -> slot.isMarked(m) && (forGood || !m.revoked())).isPresent();
    if (!has) {
      admin.undo();
    } else if (forGood && !mark.get().revoked()) {
      role.get().comment(admin, mark.get().ended().writtenInto(comment));
    }
    return has;
  }

  void terminateSessions() throws SQLException {
    Role.get(admin, slot.role()).terminateSessions(admin);
  }

  /**
   * Whether the password is refused, as the role tells.
   *
   * @param tried whether it was tried and refused, which tells more once it was ended
   */
  Refusal refusal(boolean tried) throws SQLException {
    Optional<Role> role = Role.find(admin, slot.role());
    if (role.isEmpty() || !role.get().canLogin()) {
      return Refusal.PROVEN;
    }
    Optional<Mark> mark = Mark.in(role.get().comment(admin));
    boolean ended = mark.filter(m -> !slot.isMarked(m) || (m.revoked() && tried)).isPresent();
    return ended ? Refusal.PROVEN : Refusal.UNKNOWN;
  }

  private StoreException unknown() {
    return new StoreException(
        Kind.CONFLICT,
        ("The line of Keyturn in the comment of the role %1$s is gone, so nobody can tell whether it"
                + " still has the password of version %2$d: if it has, ALTER ROLE %1$s NOLOGIN.")
            .formatted(slot.role(), slot.version()));
  }
}
