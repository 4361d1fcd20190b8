package io.keyturn.store.postgresql;

import io.keyturn.network.Trust;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import org.postgresql.ssl.WrappedFactory;

/**
 * TLS with the CAs of a SecretStore, as the PostgreSQL driver wants it: it makes one by the name of
 * the class, and hands it the certificates as text.
 */
public final class ServerTrust extends WrappedFactory {

  /**
   * Trusts the given certificates.
   *
   * @param authorities as PEM; empty: those of the system
   * @throws IOException if they are no certificates
   */
  public ServerTrust(String authorities) throws IOException {
    try {
      factory =
          Trust.context(
                  null,
                  Trust.manager(
                      authorities.isEmpty()
                          ? null
                          : Trust.certificates(authorities.getBytes(StandardCharsets.UTF_8))))
              .getSocketFactory();
    } catch (CertificateException e) {
      throw new IOException(e.getMessage());
    }
  }

  /** The driver looks at the name after the handshake and says no more than that it hung up. */
  @Override
  public Socket createSocket(Socket plain, String host, int port, boolean autoClose)
      throws IOException {
    SSLSocket socket = (SSLSocket) super.createSocket(plain, host, port, autoClose);
    SSLParameters parameters = socket.getSSLParameters();
    parameters.setEndpointIdentificationAlgorithm("HTTPS");
    socket.setSSLParameters(parameters);
    return socket;
  }
}
