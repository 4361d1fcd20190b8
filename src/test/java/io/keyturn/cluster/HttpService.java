package io.keyturn.cluster;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A service that answers as it is told to.
 *
 * @param status what it answers
 */
record HttpService(HttpServer server, AtomicInteger status) implements AutoCloseable {

  static HttpService answering(int status) throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    AtomicInteger answer = new AtomicInteger(status);
    server.createContext(
        "/",
        exchange -> {
          exchange.sendResponseHeaders(answer.get(), -1);
          exchange.close();
        });
    server.start();
    return new HttpService(server, answer);
  }

  /** A check of a policy that asks it. */
  String check(String name) {
    return "{name: %s, %s}".formatted(name, request());
  }

  /** A gate of a policy that asks it every second. */
  String gate(String name, String stage) {
    return "{name: %s, stage: %s, interval: 1s, %s}".formatted(name, stage, request());
  }

  private String request() {
    return "http: {url: \"http://127.0.0.1:%d/\"}".formatted(server.getAddress().getPort());
  }

  @Override
  public void close() {
    server.stop(0);
  }
}
