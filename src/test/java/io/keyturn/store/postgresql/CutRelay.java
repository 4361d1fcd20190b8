package io.keyturn.store.postgresql;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.function.BooleanSupplier;

/** Passes bytes on to a server, and cuts the connection instead of an answer. */
final class CutRelay implements AutoCloseable {

  private final ServerSocket listening;
  private final int port;
  private final BooleanSupplier cut;

  private CutRelay(ServerSocket listening, int port, BooleanSupplier cut) {
    this.listening = listening;
    this.port = port;
    this.cut = cut;
  }

  /**
   * Starts one.
   *
   * @param port of the server
   * @param cut is asked before each answer
   */
  static CutRelay start(int port, BooleanSupplier cut) throws IOException {
    CutRelay relay =
        new CutRelay(new ServerSocket(0, 5, InetAddress.getLoopbackAddress()), port, cut);
    Thread.ofVirtual().start(relay::accept);
    return relay;
  }

  int port() {
    return listening.getLocalPort();
  }

  private void accept() {
    while (!listening.isClosed()) {
      try {
        Socket client = listening.accept();
        Socket server = new Socket(InetAddress.getLoopbackAddress(), port);
        Thread.ofVirtual().start(() -> pass(client, server, () -> false));
        Thread.ofVirtual().start(() -> pass(server, client, cut));
      } catch (IOException e) {
        // It was closed.
      }
    }
  }

  private static void pass(Socket from, Socket to, BooleanSupplier stop) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      byte[] bytes = new byte[8192];
      for (int n = in.read(bytes); n >= 0 && !stop.getAsBoolean(); n = in.read(bytes)) {
        to.getOutputStream().write(bytes, 0, n);
      }
    } catch (IOException e) {
      // One of them hung up, and so does the other.
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
  }
}
