package io.keyturn.store.postgresql;

import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.sql.SQLException;

/**
 * Both roles, before the idle one is changed. An application must not notice which of them it is:
 * what it may do must not depend on it.
 *
 * @param idle gets a password
 * @param other may be in use
 */
record RolePair(Role idle, Role other) {

  /** Both, if they can take turns. */
  static RolePair checked(AdminSession admin, String idle, String other) throws SQLException {
    if (idle.equals(other)) {
      throw permanent("Both roles are %s: there must be two.", idle);
    }
    RolePair pair = new RolePair(Role.get(admin, idle), Role.get(admin, other));
    pair.rejectPower(admin);
    pair.rejectLimits();
    pair.compareAttributes();
    Difference.between(admin, pair.idle, pair.other).reject();
    return pair;
  }

  private void rejectPower(AdminSession admin) throws SQLException {
    String user = admin.ask("SELECT session_user::text", row -> row.getString(1));
    for (Role role : new Role[] {idle, other}) {
      if (role.name().equals(user)) {
        throw permanent(
            "The admin of the SecretStore logs in as %s, which is one of the rotated roles: give it"
                + " a role of its own.",
            user);
      }
      if (!role.power().isEmpty()) {
        throw permanent(
            "The role %s has %s, which is too much for a role that an application logs in as: take"
                + " it away.",
            role.name(), role.power());
      }
    }
  }

  private void rejectLimits() {
    if (idle.expires()) {
      throw permanent(
          "The role %1$s has a VALID UNTIL, from which on its password is refused: ALTER ROLE %1$s"
              + " VALID UNTIL 'infinity'.",
          idle.name());
    }
    if (idle.limit() == 0) {
      throw permanent(
          "The role %1$s may have no connection: ALTER ROLE %1$s CONNECTION LIMIT -1.",
          idle.name());
    }
  }

  private void compareAttributes() {
    if (!idle.manner().equals(other.manner())) {
      throw permanent(
          "The roles %s (%s) and %s (%s) have different attributes: make them the same.",
          idle.name(), idle.manner(), other.name(), other.manner());
    }
  }

  private static StoreException permanent(String format, Object... words) {
    return new StoreException(Kind.PERMANENT, format.formatted(words));
  }
}
