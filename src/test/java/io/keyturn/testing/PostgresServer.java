package io.keyturn.testing;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * A real PostgreSQL on loopback that refuses wrong passwords: everybody but its superuser has to
 * prove a password by SCRAM. It ends with this JVM even after {@code kill -9}.
 */
public final class PostgresServer implements AutoCloseable {
  /** The superuser, who needs no password. */
  public static final String SUPERUSER = "postgres";

  private static final String LOG = "postgres.log";

  // The embedded server is set up to trust everybody, which would make every rotation look fine.
  private static final String ACCESS =
      """
      local all postgres              trust
      host  all postgres 127.0.0.1/32 trust
      host  all postgres ::1/128      trust
      host  all all      127.0.0.1/32 scram-sha-256
      host  all all      ::1/128      scram-sha-256
      """;

  private final Path directory;
  private final Path log;
  private final EmbeddedPostgres server;
  private final long pid;
  private final GuardedProcess guard;

  private PostgresServer(Path directory, TestAuthority.Identity identity, Path log, boolean chatty)
      throws IOException {
    this.directory = directory;
    this.log = log;
    Path access = Files.writeString(directory.resolve("pg_hba.conf"), ACCESS);
    File data = directory.resolve("data").toFile();
    ProcessBuilder.Redirect output = ProcessBuilder.Redirect.appendTo(log.toFile());
    EmbeddedPostgres.Builder builder =
        EmbeddedPostgres.builder()
            .setOutputRedirector(output)
            .setErrorRedirector(output)
            .setDataDirectory(data)
            .setCleanDataDirectory(true)
            .setServerConfig("hba_file", access.toString())
            // A statement that fails would be logged with the password in it.
            .setServerConfig("log_min_error_statement", chatty ? "error" : "panic")
            .setServerConfig("log_statement", chatty ? "all" : "none")
            .setServerConfig("log_line_prefix", "%m:%p:%u:%a:")
            .setServerConfig("listen_addresses", "127.0.0.1")
            // Tests log in many thousand times, and the default would take most of the processors.
            .setServerConfig("scram_iterations", "1")
            .setConnectConfig("connectTimeout", "5");
    if (identity != null) {
      offerTls(builder, identity);
    }
    server = builder.start();
    pid = Long.parseLong(Files.readAllLines(data.toPath().resolve("postmaster.pid")).getFirst());
    // QUIT is PostgreSQL's immediate shutdown: it takes its children along.
    guard = GuardedProcess.guard("postgres", pid, "QUIT", directory.resolve("guard.log"));
    if (chatty) {
      logNothingOf(SUPERUSER);
    }
  }

  /**
   * Starts a server in a temporary directory, in a second or two.
   *
   * @throws UncheckedIOException if it does not start
   */
  public static PostgresServer start() {
    return start(newDirectory());
  }

  /** Like {@link #start()}, in a directory of its own, which {@link #close()} deletes. */
  public static PostgresServer start(Path directory) {
    try {
      Path absolute = Files.createDirectories(directory).toAbsolutePath();
      return new PostgresServer(absolute, null, absolute.resolve(LOG), false);
    } catch (IOException e) {
      throw new UncheckedIOException("PostgreSQL did not start", e);
    }
  }

  /** Like {@link #start()}; it also takes connections by TLS, with a certificate. */
  public static PostgresServer start(TestAuthority.Identity identity) {
    Path directory = newDirectory();
    return start(directory, identity, directory.resolve(LOG), false);
  }

  /**
   * Like {@link #start(TestAuthority.Identity)}; it logs each statement but those of the superuser,
   * see {@link #log()}: it is the tests themselves who tell it passwords as they are. Only for
   * tests that look for what is not in there.
   */
  public static PostgresServer startChatty(TestAuthority.Identity identity) {
    Path directory = newDirectory();
    return start(directory, identity, directory.resolve(LOG), true);
  }

  /** Like {@link #startChatty(TestAuthority.Identity)}, with a log that stays. */
  public static PostgresServer startChatty(TestAuthority.Identity identity, Path log) {
    return start(newDirectory(), identity, log, true);
  }

  private static Path newDirectory() {
    try {
      return Files.createTempDirectory("keyturn-postgres");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static PostgresServer start(
      Path directory, TestAuthority.Identity identity, Path log, boolean chatty) {
    try {
      return new PostgresServer(directory, identity, log, chatty);
    } catch (IOException e) {
      throw new UncheckedIOException("PostgreSQL did not start", e);
    }
  }

  private void offerTls(EmbeddedPostgres.Builder builder, TestAuthority.Identity identity)
      throws IOException {
    Path certificate =
        Files.writeString(directory.resolve("server.crt"), identity.certificatePem());
    Path key =
        Files.createFile(
            directory.resolve("server.key"),
            PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(key, identity.keyPem());
    builder
        .setServerConfig("ssl", "on")
        .setServerConfig("ssl_cert_file", certificate.toString())
        .setServerConfig("ssl_key_file", key.toString());
  }

  /** Where it listens; there is nobody to reach it but this machine. */
  public String host() {
    return "127.0.0.1";
  }

  /** The TCP port it listens on. */
  public int port() {
    return server.getPort();
  }

  /** The process id of the postmaster. */
  public long pid() {
    return pid;
  }

  /**
   * Creates a user who can log in with a password.
   *
   * @throws IllegalStateException if the server does not take it
   */
  public void createLogin(String name, String password) {
    execute("CREATE ROLE %I LOGIN PASSWORD %L", name, password);
  }

  /**
   * Creates a user who can log in and manage other users that she has created, as a rotating
   * operator would.
   *
   * @throws IllegalStateException if the server does not take it
   */
  public void createRoleAdmin(String name, String password) {
    execute("CREATE ROLE %I LOGIN CREATEROLE PASSWORD %L", name, password);
  }

  /**
   * Gives a user another password; the old one is refused from now on.
   *
   * @throws IllegalStateException if the server does not take it
   */
  public void setPassword(String name, String password) {
    execute("ALTER ROLE %I PASSWORD %L", name, password);
  }

  /**
   * Creates two users who have what they may do from one group, and whom a user of {@link
   * #createRoleAdmin} may change and throw out.
   *
   * @throws IllegalStateException if the server does not take it
   */
  public void createRotatedLogins(String admin, String group, String first, String second) {
    run("CREATE ROLE %I", group);
    for (String login : new String[] {first, second}) {
      run("CREATE ROLE %I LOGIN IN ROLE %I", login, group);
      run("GRANT %I TO %I WITH ADMIN TRUE, INHERIT FALSE, SET FALSE", login, admin);
    }
    run("GRANT pg_signal_backend TO %I", admin);
  }

  /** Leaves what a user says from now on out of a log that has the statements of all. */
  public void logNothingOf(String user) {
    run("ALTER ROLE %I SET log_statement TO none", user);
    run("ALTER ROLE %I SET log_min_error_statement TO panic", user);
  }

  /** Lets a user prove the password in no other way than by telling it. */
  public void allowByCleartext(String user) {
    try {
      Files.writeString(
          directory.resolve("pg_hba.conf"),
          "host all \"%s\" 127.0.0.1/32 password\n".formatted(user) + ACCESS);
      run("SELECT pg_reload_conf()");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Runs a statement of the superuser.
   *
   * @param format as PostgreSQL's function of that name takes it
   * @throws IllegalStateException if the server does not take it
   */
  public void run(String format, String... arguments) {
    try {
      perform(format, arguments);
    } catch (SQLException e) {
      throw new IllegalStateException(
          "PostgreSQL refused %s (SQLSTATE %s)".formatted(format, e.getSQLState()));
    }
  }

  /**
   * The first column of the first row that the superuser is answered; null: there is none.
   *
   * @throws IllegalStateException if the server does not take it
   */
  public String ask(String query, String... parameters) {
    try (Connection connection = connect();
        PreparedStatement statement = connection.prepareStatement(query)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setString(i + 1, parameters[i]);
      }
      try (ResultSet row = statement.executeQuery()) {
        return row.next() ? row.getString(1) : null;
      }
    } catch (SQLException e) {
      throw new IllegalStateException(
          "PostgreSQL refused %s (SQLSTATE %s)".formatted(query, e.getSQLState()));
    }
  }

  /** What it has logged. */
  public String log() {
    try {
      return Files.readString(log);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Logs in afresh and out again. */
  public LoginOutcome tryLogin(String name, String password) {
    return PostgresLogin.attempt(host(), port(), name, password);
  }

  /** A connection of the superuser, for a test to look around; the caller closes it. */
  public Connection connect() throws SQLException {
    return server.getPostgresDatabase().getConnection();
  }

  private void execute(String format, String name, String password) {
    try {
      perform(format, name, password);
    } catch (SQLException e) {
      // Without the cause: its text may have the statement, and the statement has the password.
      throw new IllegalStateException(
          "PostgreSQL refused to change user %s (SQLSTATE %s)".formatted(name, e.getSQLState()));
    }
  }

  /** Lets the server quote, because DDL takes no parameters. */
  private void perform(String format, String... arguments) throws SQLException {
    try (Connection connection = connect();
        PreparedStatement quote = connection.prepareStatement("SELECT format(?, VARIADIC ?)");
        Statement statement = connection.createStatement()) {
      quote.setString(1, format);
      quote.setArray(2, connection.createArrayOf("text", arguments));
      try (ResultSet row = quote.executeQuery()) {
        row.next();
        statement.execute(row.getString(1));
      }
    }
  }

  /** Stops the server and deletes its data. */
  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      throw new UncheckedIOException("PostgreSQL did not stop", e);
    } finally {
      guard.release();
      deleteDirectory();
    }
  }

  private void deleteDirectory() {
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
    } catch (IOException e) {
      // Only rubbish is left, in a temporary place.
    }
  }
}
