package io.keyturn.store.postgresql;

import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.net.SocketTimeoutException;
import java.security.cert.CertificateException;
import java.sql.SQLException;

/**
 * What errors of the driver mean, by their SQLSTATE alone
 * (https://www.postgresql.org/docs/current/errcodes-appendix.html): their texts quote what server
 * and driver were given.
 */
final class SqlFailure {

  private SqlFailure() {}

  /**
   * A login that failed.
   *
   * @param who logged in, as people say it
   */
  static StoreException ofLogin(SQLException e, Server server, String who) {
    String state = state(e);
    return switch (state) {
      case "42501" ->
          failure(
              Kind.DENIED,
              "The login of %s lacks the right to connect to the database %s.",
              who,
              server.database());
      case "3D000" ->
          failure(
              Kind.PERMANENT,
              "The server %s has no database %s.",
              server.name(),
              server.database());
      default ->
          state.startsWith("28")
              ? failure(
                  Kind.DENIED,
                  "The server %s refuses the login of %s (SQLSTATE %s).",
                  server.name(),
                  who,
                  state)
              : ofConnection(e, server);
    };
  }

  /**
   * A statement that failed.
   *
   * @param right that the admin needs for it
   */
  static StoreException ofStatement(SQLException e, Server server, String right) {
    String state = state(e);
    return switch (state) {
      case "42501" -> failure(Kind.DENIED, "The admin of the SecretStore needs %s.", right);
      case "25006" ->
          failure(
              Kind.TRANSIENT,
              "The server %s is a read-only replica, or the admin's transactions are read-only: roles can be"
                  + " changed at the primary alone.",
              server.name());
      case "42704" ->
          failure(Kind.NOT_FOUND, "The role went away while it was changed (SQLSTATE 42704).");
      case "55P03", "57014" ->
          StoreException.late(
              "The server %s has something else to do with the role: it did not answer in time (SQLSTATE %s)."
                  .formatted(server.name(), state));
      case "XX000", "40001", "40P01" ->
          failure(Kind.TRANSIENT, "Somebody else changed the role just now (SQLSTATE %s).", state);
      default -> ofConnection(e, server);
    };
  }

  /** Anything that may go wrong at any time, and what is known of nothing else. */
  static StoreException ofConnection(Exception e, Server server) {
    if (isCausedBy(CertificateException.class, e)) {
      return failure(
          Kind.PERMANENT,
          "The certificate of %s is not to be trusted: it must be for this name, be valid now, and be"
              + " signed by a CA of the caBundle of the SecretStore, or else of the system.",
          server.name());
    }
    if (isCausedBy(SocketTimeoutException.class, e)) {
      return StoreException.late("The server %s does not answer in time.".formatted(server.name()));
    }
    String state = e instanceof SQLException sql ? state(sql) : "08001";
    return switch (state) {
      case "08004" -> withoutTls(server);
      case "53300" ->
          failure(Kind.THROTTLED, "The server %s has no connection left.", server.name());
      case "57P01", "57P02", "57P03" ->
          failure(
              Kind.TRANSIENT,
              "The server %s is starting or stopping (SQLSTATE %s).",
              server.name(),
              state);
      default ->
          switch (state.substring(0, 2)) {
            case "08" ->
                failure(
                    Kind.TRANSIENT,
                    "The server %s takes no connection, or has cut it (SQLSTATE %s).",
                    server.name(),
                    state);
            case "53", "57", "58" ->
                failure(
                    Kind.TRANSIENT,
                    "The server %s is in need itself (SQLSTATE %s).",
                    server.name(),
                    state);
            default ->
                failure(
                    Kind.PERMANENT,
                    "The server %s does not do it, for a reason of its own (SQLSTATE %s).",
                    server.name(),
                    state);
          };
    };
  }

  static StoreException withoutTls(Server server) {
    return failure(
        Kind.PERMANENT,
        "The server %s does not offer TLS and a login by scram-sha-256: no password is told in another way.",
        server.name());
  }

  /** Five signs, by the standard; anything else could be anything. */
  static String state(SQLException e) {
    String state = e.getSQLState();
    return state != null && state.matches("[0-9A-Z]{5}") ? state : "unknown";
  }

  private static StoreException failure(Kind kind, String format, Object... words) {
    return new StoreException(kind, format.formatted(words));
  }

  private static boolean isCausedBy(Class<? extends Throwable> type, Throwable error) {
    for (Throwable at = error; at != null; at = at.getCause()) {
      if (type.isInstance(at)) {
        return true;
      }
    }
    return false;
  }
}
