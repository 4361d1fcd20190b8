package io.keyturn.store.vault;

import static io.keyturn.store.vault.Failures.failure;

import io.keyturn.network.Destination;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.quarkus.vault.client.common.VaultRequest;
import io.quarkus.vault.client.common.VaultRequestExecutor;
import io.quarkus.vault.client.common.VaultResponse;
import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublisher;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateExpiredException;
import java.security.cert.CertificateNotYetValidException;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;

/**
 * Carries requests of the client library to one server. The library's own way over HTTP limits
 * neither the size of an answer nor the time of its body. No redirect is followed and no proxy
 * asked: a token goes nowhere but to the address of the store.
 */
final class Wire implements VaultRequestExecutor, AutoCloseable {

  /** Vault itself takes no more in a request, and a Secret holds no more. */
  private static final int MOST_BYTES = 1 << 20;

  private static final Duration CONNECT = Duration.ofSeconds(5);

  private final String host;
  private final HttpClient client;

  /**
   * To one server.
   *
   * @param host without the brackets of an IPv6 address
   */
  Wire(String host, SSLContext tls) {
    this.host = host;
    this.client =
        HttpClient.newBuilder()
            .sslContext(tls)
            .connectTimeout(CONNECT)
            .followRedirects(HttpClient.Redirect.NEVER)
            .proxy(HttpClient.Builder.NO_PROXY)
            .version(HttpClient.Version.HTTP_1_1)
            .build();
  }

  /** Waits for the answer. It fails with a {@link StoreException} alone. */
  @Override
  public <T> CompletionStage<VaultResponse<T>> execute(VaultRequest<T> request) {
    try {
      HttpResponse<byte[]> response = send(request);
      List<Map.Entry<String, String>> headers =
          response.headers().map().entrySet().stream()
              .flatMap(h -> h.getValue().stream().map(v -> Map.entry(h.getKey(), v)))
              .toList();
      return CompletableFuture.completedStage(
          new VaultResponse<>(request, response.statusCode(), headers, response.body()));
    } catch (StoreException e) {
      return CompletableFuture.failedStage(e);
    }
  }

  private HttpResponse<byte[]> send(VaultRequest<?> request) {
    look();
    CompletableFuture<HttpResponse<byte[]>> answer =
        client.sendAsync(
            http(request), BodyHandlers.limiting(BodyHandlers.ofByteArray(), MOST_BYTES));
    try {
      return answer.get(request.getTimeout().toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw tooSlow();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure(Kind.TRANSIENT, "Keyturn was stopped while it waited for Vault.");
    } catch (ExecutionException e) {
      throw why(e.getCause());
    } finally {
      answer.cancel(true);
    }
  }

  private static HttpRequest http(VaultRequest<?> request) {
    try {
      HttpRequest.Builder http =
          HttpRequest.newBuilder(request.getUri())
              .timeout(request.getTimeout())
              .header("User-Agent", "keyturn")
              // Agents and proxies of Vault can be told to refuse requests without it.
              .header("X-Vault-Request", "true");
      request.getHTTPHeaders().forEach(http::header);
      BodyPublisher body =
          request
              .getSerializedBody()
              .map(BodyPublishers::ofString)
              .orElseGet(BodyPublishers::noBody);
      return http.method(request.getMethod().name(), body).build();
    } catch (IllegalArgumentException e) {
      // The JDK's message quotes the header, which may be the token.
      throw failure(
          Kind.PERMANENT,
          "The request to Vault cannot be made: the address, a path or the token has characters"
              + " that HTTP does not take.");
    }
  }

  /** Asked before each request: where a name leads may have changed. */
  private void look() {
    try {
      Destination.resolve(host);
    } catch (Destination.Refused e) {
      throw hasAddress()
          ? failure(Kind.PERMANENT, "Vault is not asked: %s.", e.getMessage())
          : failure(
              Kind.TRANSIENT,
              "The name %s of Vault has no address: check the address of the store.",
              host);
    }
  }

  private boolean hasAddress() {
    try {
      return InetAddress.getAllByName(host).length > 0;
    } catch (UnknownHostException e) {
      return false;
    }
  }

  private StoreException tooSlow() {
    return StoreException.late(
        "Vault at %s gave no whole answer within %s seconds."
            .formatted(host, Deadline.WHOLE.toSeconds()));
  }

  private StoreException why(Throwable cause) {
    return switch (cause) {
      case HttpTimeoutException _ -> tooSlow();
      case ConnectException _ ->
          failure(
              Kind.TRANSIENT,
              "Vault at %s takes no connection: check that it runs, and that Keyturn may reach it.",
              host);
      case SSLException e -> failure(Kind.TRANSIENT, tls(e), host);
      case IOException _ ->
          failure(
              Kind.TRANSIENT,
              "The answer of %s broke off, is no HTTP or is longer than 1 MiB.",
              host);
      default -> failure(Kind.TRANSIENT, "The request to Vault at %s could not be made.", host);
    };
  }

  private static String tls(SSLException thrown) {
    List<Throwable> causes =
        Stream.iterate((Throwable) thrown, t -> t != null, Throwable::getCause).limit(10).toList();
    if (has(causes, CertificateExpiredException.class)) {
      return "TLS with Vault at %s fails: its certificate has expired.";
    }
    if (has(causes, CertificateNotYetValidException.class)) {
      return "TLS with Vault at %s fails: its certificate is not valid yet; compare the clocks.";
    }
    if (has(causes, CertPathBuilderException.class)) {
      return "TLS with Vault at %s fails: its certificate is signed by no CA that is trusted; check"
          + " caBundle.";
    }
    return "TLS with Vault at %1$s fails: its certificate must be for the name %1$s, be signed by a CA"
        + " that is trusted, and be valid now.";
  }

  private static boolean has(List<Throwable> causes, Class<? extends Throwable> type) {
    return causes.stream().anyMatch(type::isInstance);
  }

  /** Lets requests that are under way end. */
  @Override
  public void close() {
    client.shutdown();
  }
}
