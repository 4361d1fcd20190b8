package io.keyturn.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A real Prometheus on loopback that scrapes its targets each second. It ends with this JVM even
 * after {@code kill -9}. The program comes from {@code hack/prometheus/build}.
 */
public final class PrometheusServer implements AutoCloseable {

  private static final BuiltPrograms PROGRAMS =
      new BuiltPrograms("hack/prometheus/build", "Prometheus");
  private static final Duration START_TIMEOUT = Duration.ofSeconds(30);
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  private final Path directory;
  private final GuardedProcess process;
  private final String address;

  private PrometheusServer(Path directory, GuardedProcess process, String address) {
    this.directory = directory;
    this.process = process;
    this.address = address;
  }

  /**
   * Starts a server that scrapes {@code /metrics} of the targets. Where the program cannot be had,
   * the test that asks is skipped, with one line that says so.
   *
   * @param targets such as {@code 127.0.0.1:8080}
   * @throws IllegalStateException if there is no program and {@code CI=true}, or if it does not
   *     start
   */
  public static PrometheusServer start(String... targets) {
    Path program = PROGRAMS.require().resolve("prometheus");
    try {
      Path directory = Files.createTempDirectory("keyturn-prometheus");
      Path config =
          Files.writeString(
              directory.resolve("prometheus.yml"),
              """
              global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
              scrape_configs:
              - job_name: test
                static_configs: [{targets: [%s]}]
              """
                  .formatted(
                      Stream.of(targets)
                          .map(t -> "\"" + t + "\"")
                          .collect(Collectors.joining(", "))));
      int port = freePort();
      String address = "http://127.0.0.1:" + port;
      GuardedProcess process =
          GuardedProcess.start(
              "prometheus",
              List.of(
                  program.toString(),
                  "--config.file=" + config,
                  "--storage.tsdb.path=" + directory.resolve("data"),
                  "--web.listen-address=127.0.0.1:" + port,
                  // Debian's build serves its pages from where the package would put them.
                  "--web.console.templates=" + directory,
                  "--web.console.libraries=" + directory),
              directory.resolve("prometheus.log"));
      PrometheusServer server = new PrometheusServer(directory, process, address);
      server.awaitReady();
      return server;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Its base URL. */
  public String address() {
    return address;
  }

  private void awaitReady() {
    long end = System.nanoTime() + START_TIMEOUT.toNanos();
    while (!isReady()) {
      if (!process.isAlive() || System.nanoTime() > end) {
        String diagnosis = process.diagnosis();
        close();
        throw new IllegalStateException("Prometheus did not start: " + diagnosis);
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
  }

  private boolean isReady() {
    try {
      return CLIENT
              .send(
                  HttpRequest.newBuilder(URI.create(address + "/-/ready"))
                      .timeout(Duration.ofSeconds(2))
                      .build(),
                  BodyHandlers.discarding())
              .statusCode()
          == 200;
    } catch (IOException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while Prometheus was starting");
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      return socket.getLocalPort();
    }
  }

  /** Stops the server and deletes its data. */
  @Override
  public void close() {
    process.close();
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(java.io.File::delete);
    } catch (IOException e) {
      // Only rubbish is left, in a temporary place.
    }
  }
}
