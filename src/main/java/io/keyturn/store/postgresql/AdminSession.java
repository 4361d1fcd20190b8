package io.keyturn.store.postgresql;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.postgresql.PGConnection;

/** A login of the admin, for one operation: it works on one role at a time and is in a hurry. */
final class AdminSession implements AutoCloseable {

  private static final Duration WORK_TIME = Duration.ofSeconds(5);

  private final Server server;
  private final Connection connection;
  private final long end = System.nanoTime() + WORK_TIME.toNanos();

  private AdminSession(Server server, Connection connection) {
    this.server = server;
    this.connection = connection;
  }

  /** What is done with the role; it may be undone by an exception. */
  @FunctionalInterface
  interface Work<T> {
    T run() throws SQLException;
  }

  /** What is read of a row. */
  @FunctionalInterface
  interface Row<T> {
    T read(ResultSet row) throws SQLException;
  }

  static AdminSession open(Server server, Login admin) {
    try {
      return new AdminSession(server, server.login(admin.username(), admin.password()));
    } catch (SQLException e) {
      throw SqlFailure.ofLogin(e, server, "the admin");
    }
  }

  /**
   * Does some work in one transaction, while nobody else does any on the same role.
   *
   * @param right that it needs, as people say it
   */
  <T> T locked(String role, String right, Work<T> work) {
    try {
      connection.setAutoCommit(false);
      // Each statement has to see what was committed before it, and nothing that somebody put into
      // another schema under the name of a function.
      execute("SET TRANSACTION ISOLATION LEVEL READ COMMITTED");
      execute("SET LOCAL search_path TO pg_catalog, pg_temp");
      execute("SET LOCAL lock_timeout TO '3s'");
      execute("SET LOCAL statement_timeout TO '4s'");
      ask("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", row -> true, "keyturn " + role);
      T result = work.run();
      connection.commit();
      return result;
    } catch (SQLException e) {
      throw SqlFailure.ofStatement(e, server, right);
    }
  }

  /** Undoes what was done so far. */
  void undo() throws SQLException {
    connection.rollback();
  }

  void execute(String sql) throws SQLException {
    hurry();
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  /** The first row of an answer; null: there is none. */
  <T> T ask(String sql, Row<T> row, Object... parameters) throws SQLException {
    hurry();
    try (PreparedStatement statement = connection.prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      try (ResultSet rows = statement.executeQuery()) {
        return rows.next() ? row.read(rows) : null;
      }
    }
  }

  /** A name as it stands in a statement. */
  String identifier(String name) throws SQLException {
    return connection.unwrap(PGConnection.class).escapeIdentifier(name);
  }

  /** A text as it stands in a statement. */
  String literal(String text) throws SQLException {
    return "'" + connection.unwrap(PGConnection.class).escapeLiteral(text) + "'";
  }

  private void hurry() throws SQLException {
    long left = Duration.ofNanos(end - System.nanoTime()).toMillis();
    if (left <= 0) {
      throw new SQLException("no time left", "57014");
    }
    connection.setNetworkTimeout(Runnable::run, (int) left);
  }

  /** What was not committed is undone. */
  @Override
  public void close() {
    try {
      connection.close();
    } catch (SQLException e) {
      // What was to be done has an outcome already.
    }
  }
}
