package io.keyturn.gate;

import io.keyturn.testing.TestAuthority;
import io.keyturn.testing.TestAuthority.Identity;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import javax.net.ssl.TrustManagerFactory;

/** A server of the JDK that makes handshakes, and then waits for the client to speak. */
final class TlsServer implements AutoCloseable {

  private final ServerSocket server;

  private TlsServer(ServerSocket server) {
    this.server = server;
  }

  /**
   * Starts one on loopback.
   *
   * @param clients who signs the certificates that clients need; null: they need none
   */
  static TlsServer start(Identity identity, TestAuthority clients, String protocol)
      throws IOException {
    try {
      KeyStore own = store();
      own.setKeyEntry(
          "server",
          identity.key().getPrivate(),
          new char[0],
          identity.chain().toArray(X509Certificate[]::new));
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(own, new char[0]);
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      KeyStore trusted = store();
      trusted.setCertificateEntry(
          "ca", (clients == null ? TestAuthority.root("nobody") : clients).certificate());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
      ServerSocket server = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"));
      SSLSocketFactory factory = context.getSocketFactory();
      Thread.ofVirtual().start(() -> serve(server, factory, clients != null, protocol));
      return new TlsServer(server);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has TLS", e);
    }
  }

  private static KeyStore store() throws GeneralSecurityException, IOException {
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(null, null);
    return store;
  }

  private static void serve(
      ServerSocket server, SSLSocketFactory factory, boolean ask, String protocol) {
    while (!server.isClosed()) {
      try (Socket plain = server.accept()) {
        try {
          SSLSocket socket = (SSLSocket) factory.createSocket(plain, null, false);
          socket.setNeedClientAuth(ask);
          socket.setEnabledProtocols(new String[] {protocol});
          socket.startHandshake();
          socket.getInputStream().read();
        } finally {
          // What the client has sent must be read, or the kernel takes back what it was told.
          plain.shutdownOutput();
          plain.getInputStream().skip(Long.MAX_VALUE);
        }
      } catch (IOException e) {
        // The client learns of it, and that is what tests look at.
      }
    }
  }

  int port() {
    return server.getLocalPort();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
