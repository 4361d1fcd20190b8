package io.keyturn.testing;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Properties;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/** Logs in to a PostgreSQL and out again, which is all that our simulated applications do. */
final class PostgresLogin {
  private static final Driver DRIVER = new Driver();
  // Class 28 of https://www.postgresql.org/docs/current/errcodes-appendix.html
  private static final String INVALID_AUTHORIZATION = "28";

  private PostgresLogin() {}

  /**
   * Attempts one login.
   *
   * @return what came of it; the driver's exception is dropped, lest it carry what it was given
   */
  static LoginOutcome attempt(String host, int port, String user, String password) {
    Properties properties = new Properties();
    PGProperty.USER.set(properties, user);
    PGProperty.PASSWORD.set(properties, password);
    PGProperty.CONNECT_TIMEOUT.set(properties, 2);
    PGProperty.SOCKET_TIMEOUT.set(properties, 5);
    PGProperty.SSL_MODE.set(properties, "disable");
    try (Connection connection =
        DRIVER.connect("jdbc:postgresql://%s:%d/postgres".formatted(host, port), properties)) {
      return connection == null ? LoginOutcome.UNREACHABLE : LoginOutcome.ACCEPTED;
    } catch (SQLException e) {
      return e.getSQLState() != null && e.getSQLState().startsWith(INVALID_AUTHORIZATION)
          ? LoginOutcome.REFUSED
          : LoginOutcome.UNREACHABLE;
    }
  }
}
