package io.keyturn.bench;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Passes bytes on to a server while it lives. Its port stays the same. */
final class MortalRelay implements AutoCloseable {

  /** How it is. */
  enum State {
    ALIVE,

    /** Takes connections and whatever comes, and answers nothing. */
    SILENT,

    /** Takes no connection. */
    CLOSED
  }

  private final InetSocketAddress server;
  private final Set<Socket> open = ConcurrentHashMap.newKeySet();
  private final int port;
  private volatile ServerSocket listening;
  private volatile State state = State.ALIVE;

  /** Starts one before the server at a port of this machine. */
  MortalRelay(int server) {
    this.server = new InetSocketAddress(InetAddress.getLoopbackAddress(), server);
    this.port = listen(0);
  }

  int port() {
    return port;
  }

  /** Connections that it has stay open if it becomes silent, and end otherwise. */
  void become(State next) {
    State before = state;
    state = next;
    if (next == State.CLOSED) {
      close();
    } else if (before == State.CLOSED) {
      listen(port);
    } else if (before == State.SILENT) {
      endConnections();
    }
  }

  private int listen(int onPort) {
    try {
      ServerSocket socket = new ServerSocket(onPort, 200, InetAddress.getLoopbackAddress());
      listening = socket;
      Thread.ofVirtual().start(() -> accept(socket));
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void accept(ServerSocket socket) {
    while (!socket.isClosed()) {
      try {
        Socket client = socket.accept();
        Socket upstream = new Socket(server.getAddress(), server.getPort());
        client.setTcpNoDelay(true);
        upstream.setTcpNoDelay(true);
        open.add(client);
        open.add(upstream);
        Thread.ofVirtual().start(() -> pass(client, upstream));
        Thread.ofVirtual().start(() -> pass(upstream, client));
      } catch (IOException e) {
        // It was closed.
      }
    }
  }

  private void pass(Socket from, Socket to) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      byte[] bytes = new byte[8192];
      for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
        if (state == State.ALIVE) {
          to.getOutputStream().write(bytes, 0, n);
        }
      }
    } catch (IOException e) {
      // One of them hung up, and so does the other.
    } finally {
      open.remove(from);
      open.remove(to);
    }
  }

  private void endConnections() {
    open.forEach(MortalRelay::end);
  }

  private static void end(Socket socket) {
    try {
      socket.close();
    } catch (IOException e) {
      // It is closed.
    }
  }

  @Override
  public void close() {
    try {
      listening.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    endConnections();
  }
}
