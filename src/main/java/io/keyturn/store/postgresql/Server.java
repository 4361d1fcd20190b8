package io.keyturn.store.postgresql;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.network.Destination;
import io.keyturn.network.Trust;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;
import javax.net.ssl.SSLSocket;
import org.postgresql.Driver;
import org.postgresql.PGProperty;

/** The server that a SecretStore describes. It is talked to by TLS alone, and verified in full. */
final class Server {

  /** For a login; what is done then has as much again. An operation may take ten seconds. */
  static final Duration LOGIN_TIME = Duration.ofSeconds(4);

  private static final Driver DRIVER = new Driver();
  private static final int MAX_BYTES = 1 << 20;
  // The first words of a client that wants TLS
  // (https://www.postgresql.org/docs/current/protocol-message-formats.html, SSLRequest).
  private static final byte[] SSL_REQUEST = {0, 0, 0, 8, 0x04, (byte) 0xd2, 0x16, 0x2f};

  private final Provider.Postgresql described;

  /**
   * The one that is described.
   *
   * @throws StoreException of kind PERMANENT if its CAs are none
   */
  Server(Provider.Postgresql described) {
    this.described = described;
    try {
      if (described.caBundle() != null) {
        Trust.certificates(described.caBundle().getBytes(StandardCharsets.UTF_8));
      }
    } catch (CertificateException e) {
      throw new StoreException(
          Kind.PERMANENT, "The caBundle of the SecretStore has no certificate as PEM.");
    }
  }

  /** As people write it. */
  String name() {
    String host = described.host();
    return "%s:%d".formatted(host.contains(":") ? "[" + host + "]" : host, described.port());
  }

  String host() {
    return described.host();
  }

  int port() {
    return described.port();
  }

  String database() {
    return described.database();
  }

  /** Name of the Secret with who changes the roles. */
  String adminSecret() {
    return described.adminSecretRef().name();
  }

  /**
   * Logs in by SCRAM; the caller closes the connection.
   *
   * @throws SQLException whose text is not to be shown: {@link SqlFailure} knows what it means
   */
  Connection login(String user, String password) throws SQLException {
    resolve();
    // The URL has nothing but the database, encoded: what a user wrote could otherwise set any
    // property of the driver.
    String url = "jdbc:postgresql:" + URLEncoder.encode(database(), StandardCharsets.UTF_8);
    return DRIVER.connect(url, properties(user, password));
  }

  private Properties properties(String user, String password) {
    int seconds = (int) LOGIN_TIME.toSeconds();
    Properties properties = new Properties();
    PGProperty.PG_HOST.set(properties, described.host());
    PGProperty.PG_PORT.set(properties, described.port());
    PGProperty.USER.set(properties, user);
    PGProperty.PASSWORD.set(properties, password);
    PGProperty.AUTHENTICATION_PLUGIN_CLASS_NAME.set(properties, ScramOnly.class.getName());
    PGProperty.APPLICATION_NAME.set(properties, "keyturn");
    PGProperty.CONNECT_TIMEOUT.set(properties, seconds);
    PGProperty.SOCKET_TIMEOUT.set(properties, seconds);
    // Later than the others, because the driver does not say that it is this one that is over.
    PGProperty.LOGIN_TIMEOUT.set(properties, seconds + 1);
    PGProperty.GSS_ENC_MODE.set(properties, "disable");
    PGProperty.JAAS_LOGIN.set(properties, false);
    // A pooler between here and the server knows nothing of statements that were prepared.
    PGProperty.PREPARE_THRESHOLD.set(properties, 0);
    PGProperty.MAX_RESULT_BUFFER.set(properties, Integer.toString(MAX_BYTES));
    PGProperty.SSL_MODE.set(properties, "verify-full");
    PGProperty.SSL_FACTORY.set(properties, ServerTrust.class.getName());
    PGProperty.SSL_FACTORY_ARG.set(properties, authorities());
    return properties;
  }

  private String authorities() {
    return described.caBundle() == null ? "" : described.caBundle();
  }

  private void resolve() {
    try {
      Destination.resolve(host());
    } catch (Destination.Refused e) {
      throw new StoreException(Kind.TRANSIENT, "Nobody is asked: " + e.getMessage() + ".");
    }
  }

  /** Asks for TLS, verifies who answers, and hangs up. */
  void reach() {
    resolve();
    int millis = (int) LOGIN_TIME.toMillis();
    try (Socket plain = new Socket()) {
      plain.connect(new InetSocketAddress(host(), port()), millis);
      plain.setSoTimeout(millis);
      plain.getOutputStream().write(SSL_REQUEST);
      int answer = plain.getInputStream().read();
      if (answer == 'N') {
        throw SqlFailure.withoutTls(this);
      } else if (answer >= 0 && answer != 'S') {
        throw new StoreException(
            Kind.INTEGRITY, "The server %s is no PostgreSQL.".formatted(name()));
      }
      try (SSLSocket verified =
          (SSLSocket) new ServerTrust(authorities()).createSocket(plain, host(), port(), true)) {
        verified.startHandshake();
      }
    } catch (IOException e) {
      throw SqlFailure.ofConnection(e, this);
    }
  }
}
