package io.keyturn.gate;

import static io.keyturn.gate.Candidates.TIME;
import static io.keyturn.gate.Candidates.assertThatItSays;

import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.Verdict;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class TcpProbeTest {

  @Test
  void aPortThatListensPasses() throws IOException {
    try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      Preflight.Tcp check = new Preflight.Tcp("localhost", server.getLocalPort());

      assertThatItSays(
          TcpProbe.run(check, TIME),
          Verdict.Passed,
          "localhost:%d takes connections".formatted(server.getLocalPort()));
    }
  }

  @Test
  void aPortThatDoesNotFails() throws IOException {
    int port;
    try (ServerSocket server = new ServerSocket(0)) {
      port = server.getLocalPort();
    }

    assertThatItSays(
        TcpProbe.run(new Preflight.Tcp("127.0.0.1", port), TIME),
        Verdict.Failed,
        "127.0.0.1:%d refuses connections".formatted(port));
  }

  @Test
  void aPortThatNobodyAnswersFails() throws IOException {
    List<Socket> waiting = new ArrayList<>();
    try (ServerSocket full = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      fill(full, waiting);

      assertThatItSays(
          TcpProbe.run(new Preflight.Tcp("127.0.0.1", full.getLocalPort()), Duration.ofSeconds(1)),
          Verdict.Failed,
          "127.0.0.1:%d did not answer within 1s: nothing listens there, or a network policy is"
                  .formatted(full.getLocalPort())
              + " between it and Keyturn");
    } finally {
      for (Socket socket : waiting) {
        socket.close();
      }
    }
  }

  /** The kernel drops what it cannot queue. */
  private static void fill(ServerSocket server, List<Socket> waiting) throws IOException {
    for (int i = 0; i < 20; i++) {
      Socket socket = new Socket();
      waiting.add(socket);
      try {
        socket.connect(new InetSocketAddress("127.0.0.1", server.getLocalPort()), 200);
      } catch (SocketTimeoutException e) {
        return;
      }
    }
    throw new IllegalStateException("the queue is not full");
  }

  @Test
  void aNameWithoutAnAddressIsNoVerdict() {
    assertThatItSays(
        TcpProbe.run(new Preflight.Tcp("no-such-host.invalid", 1), TIME),
        Verdict.Inconclusive,
        "the name no-such-host.invalid has no address: is it right?");
  }
}
