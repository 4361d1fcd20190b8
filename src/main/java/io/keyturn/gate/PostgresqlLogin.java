package io.keyturn.gate;

import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.network.Destination;
import io.keyturn.secret.SecretData;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import javax.net.ssl.SSLException;
import org.postgresql.Driver;
import org.postgresql.PGProperty;
import org.postgresql.ssl.DefaultJavaSSLFactory;

/**
 * Logs in to a PostgreSQL with the candidate, and asks a question if there is one. What an error
 * means is told by its SQLSTATE (https://www.postgresql.org/docs/current/errcodes-appendix.html);
 * its text quotes what the server and the driver were given.
 */
final class PostgresqlLogin {

  private static final Driver DRIVER = new Driver();

  private PostgresqlLogin() {}

  static Measurement run(Preflight.Postgresql check, SecretData candidate, Duration time) {
    String name = Attempt.name(check.host(), check.port());
    long end = System.nanoTime() + time.toNanos();
    Properties properties;
    try {
      properties = properties(check, candidate, time);
      Destination.resolve(check.host());
    } catch (Candidate.Unusable e) {
      return e.measurement();
    } catch (Destination.Refused e) {
      return Measurement.inconclusive(e.getMessage());
    }
    // The URL has nothing but the database, encoded: what a user wrote could otherwise set any
    // property of the driver.
    String url = "jdbc:postgresql:" + URLEncoder.encode(check.database(), StandardCharsets.UTF_8);
    try (Connection connection = DRIVER.connect(url, properties)) {
      return check.query() == null
          ? Measurement.passed(name + " takes the login")
          : ask(connection, check.query(), name, end);
    } catch (SQLException e) {
      return refused(e, check, name);
    }
  }

  private static Properties properties(
      Preflight.Postgresql check, SecretData candidate, Duration time) throws Candidate.Unusable {
    int seconds = (int) Math.max(1, time.toSeconds());
    Properties properties = new Properties();
    PGProperty.PG_HOST.set(properties, check.host());
    PGProperty.PG_PORT.set(properties, check.port());
    PGProperty.USER.set(properties, Candidate.text(candidate, check.usernameKey()));
    PGProperty.PASSWORD.set(properties, Candidate.text(candidate, check.passwordKey()));
    PGProperty.APPLICATION_NAME.set(properties, "keyturn");
    PGProperty.CONNECT_TIMEOUT.set(properties, seconds);
    // A little later, so that a query is cancelled and not cut off.
    PGProperty.SOCKET_TIMEOUT.set(properties, seconds + 1);
    PGProperty.LOGIN_TIMEOUT.set(properties, seconds);
    PGProperty.GSS_ENC_MODE.set(properties, "disable");
    PGProperty.JAAS_LOGIN.set(properties, false);
    PGProperty.READ_ONLY.set(properties, true);
    PGProperty.READ_ONLY_MODE.set(properties, "always");
    PGProperty.MAX_RESULT_BUFFER.set(properties, Integer.toString(Attempt.MAX_BYTES));
    PGProperty.SSL_MODE.set(properties, check.sslMode().value());
    if (check.sslMode() == Preflight.SslMode.VERIFY_FULL) {
      if (check.caKey() == null) {
        PGProperty.SSL_FACTORY.set(properties, DefaultJavaSSLFactory.class.getName());
      } else {
        String authorities = Candidate.text(candidate, check.caKey());
        Pem.certificates(Candidate.bytes(candidate, check.caKey()), check.caKey());
        PGProperty.SSL_FACTORY.set(properties, PostgresqlTrust.class.getName());
        PGProperty.SSL_FACTORY_ARG.set(properties, authorities);
      }
    }
    return properties;
  }

  private static Measurement ask(Connection connection, String query, String name, long end) {
    try (Statement statement = connection.createStatement()) {
      statement.setMaxRows(1);
      statement.setQueryTimeout(
          (int) Math.max(1, Duration.ofNanos(end - System.nanoTime()).toSeconds()));
      if (!statement.execute(query)) {
        return Measurement.inconclusive("the query has no result: write one that returns a row");
      }
      try (ResultSet rows = statement.getResultSet()) {
        return rows.next()
            ? Measurement.passed(name + " takes the login, and the query returns a row")
            : Measurement.failed("the login works, and the query returns no row");
      }
    } catch (SQLException e) {
      return unanswered(e);
    }
  }

  private static Measurement refused(SQLException e, Preflight.Postgresql check, String name) {
    String state = state(e);
    if (state.startsWith("28")) {
      return Measurement.failed("%s refuses the login (SQLSTATE %s)".formatted(name, state));
    }
    if (causedByTls(e)) {
      return Measurement.inconclusive(
          "TLS with %s fails: its certificate must be for this name and signed by a CA of %s"
              .formatted(
                  name,
                  check.caKey() == null ? "the system, or of caKey" : "key " + check.caKey()));
    }
    return switch (state) {
      case "42501" ->
          Measurement.failed(
              "the login works and lacks the right to connect to the database " + check.database());
      case "08006" ->
          Measurement.inconclusive(
              "%s ended the connection%s (SQLSTATE 08006)"
                  .formatted(
                      name,
                      check.sslMode() == Preflight.SslMode.VERIFY_FULL
                          ? ", or its certificate is not for this name"
                          : ""));
      case "3D000" ->
          Measurement.inconclusive(
              "the login works, and %s has no database %s".formatted(name, check.database()));
      case "53300" -> Measurement.inconclusive(name + " has no connection left (SQLSTATE 53300)");
      case "57P01", "57P02", "57P03" ->
          Measurement.inconclusive(
              "%s is starting or stopping (SQLSTATE %s)".formatted(name, state));
      case "08004" ->
          Measurement.inconclusive(
              "%s does not offer what sslMode %s asks for, or a way to log in that Keyturn knows"
                      .formatted(name, check.sslMode().value())
                  + " (SQLSTATE 08004)");
      default ->
          Measurement.inconclusive(
              state.startsWith("08")
                  ? "%s takes no connection (SQLSTATE %s)".formatted(name, state)
                  : "%s did not take the login, for a reason of its own (SQLSTATE %s)"
                      .formatted(name, state));
    };
  }

  private static Measurement unanswered(SQLException e) {
    String state = state(e);
    return switch (state) {
      case "42501" -> Measurement.failed("the login works and lacks the right to ask the query");
      case "25006" ->
          Measurement.inconclusive("the query writes, and a check only reads (SQLSTATE 25006)");
      case "57014" -> Measurement.inconclusive("the query took too long (SQLSTATE 57014)");
      default ->
          Measurement.inconclusive(
              state.startsWith("42")
                  ? "the login works, and the query is wrong (SQLSTATE %s)".formatted(state)
                  : "the login works, and the query got no answer (SQLSTATE %s)".formatted(state));
    };
  }

  private static String state(SQLException e) {
    String state = e.getSQLState();
    // Five signs, by the standard; anything else could be anything.
    return state != null && state.matches("[0-9A-Z]{5}") ? state : "unknown";
  }

  private static boolean causedByTls(Throwable error) {
    for (Throwable at = error; at != null; at = at.getCause()) {
      if (at instanceof SSLException) {
        return true;
      }
    }
    return false;
  }
}
