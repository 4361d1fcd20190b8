package io.keyturn.playground;

import io.keyturn.cluster.Team;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.PostgresServer;
import java.util.List;

/**
 * The tool that rotates: it has two login roles and gives, in turn, the one that nobody uses a new
 * password. So the old login stays valid while pods move.
 */
final class Logins {

  private static final List<String> ROLES = List.of("payments_a", "payments_b");

  private final PostgresServer postgres;
  private int given;

  Logins(PostgresServer postgres) {
    this.postgres = postgres;
  }

  /** The next login, which PostgreSQL accepts from now on. */
  Team.Login next() {
    String role = ROLES.get(given % ROLES.size());
    String password = Team.newValue();
    if (given++ < ROLES.size()) {
      postgres.createLogin(role, password);
    } else {
      postgres.setPassword(role, password);
    }
    return new Team.Login(role, password);
  }

  /** Ends a login at its issuer; nobody knows the password that the role has now. */
  void revoke(Team.Login login) {
    postgres.setPassword(login.user(), Team.newValue());
  }

  /** What PostgreSQL says to a login. */
  LoginOutcome attempt(Team.Login login) {
    return postgres.tryLogin(login.user(), login.password());
  }
}
