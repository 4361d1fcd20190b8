package io.keyturn.gate;

import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.network.Destination;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.List;

/**
 * Whether a port takes connections. To know that is the whole purpose of such a check, so a
 * connection that is refused, and one that nobody answers, is a failure; everywhere else the same
 * is no verdict. A name without an address is a check that is written wrong, and no verdict here
 * either.
 */
final class TcpProbe {

  private TcpProbe() {}

  static Measurement run(Preflight.Tcp check, Duration time) {
    List<InetAddress> addresses;
    try {
      addresses = Destination.resolve(check.host());
    } catch (Destination.Refused e) {
      return Measurement.inconclusive(e.getMessage());
    }
    String name = Attempt.name(check.host(), check.port());
    long end = System.nanoTime() + time.toNanos();
    boolean silent = false;
    for (InetAddress address : addresses) {
      int left = (int) Duration.ofNanos(end - System.nanoTime()).toMillis();
      if (left <= 0) {
        silent = true;
        break;
      }
      try (Socket socket = new Socket()) {
        socket.connect(new InetSocketAddress(address, check.port()), left);
        return Measurement.passed(name + " takes connections");
      } catch (SocketTimeoutException e) {
        silent = true;
      } catch (IOException e) {
        // Refused, or no route: perhaps the name has another address that answers.
      }
    }
    return Measurement.failed(
        silent
            ? "%s did not answer within %s: nothing listens there, or a network policy is between"
                    .formatted(name, Attempt.words(time))
                + " it and Keyturn"
            : name + " refuses connections");
  }
}
