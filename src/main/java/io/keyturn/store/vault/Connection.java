package io.keyturn.store.vault;

import static io.keyturn.store.vault.Failures.failure;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.network.Trust;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.quarkus.vault.client.VaultClient;
import io.quarkus.vault.client.common.VaultBinaryResultExtractor;
import io.quarkus.vault.client.common.VaultRequest;
import io.quarkus.vault.client.common.VaultResponse;
import io.quarkus.vault.client.logging.LogConfidentialityLevel;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import javax.net.ssl.SSLContext;

/** One Vault, by the generic requests of the client library. */
final class Connection implements AutoCloseable {

  /** Somebody who names another time than this has made a mistake. */
  private static final Duration LONGEST_WAIT = Duration.ofHours(1);

  private final Wire wire;
  private final VaultClient client;

  private Connection(Wire wire, VaultClient client) {
    this.wire = wire;
    this.client = client;
  }

  /**
   * To the Vault of a store; nothing is asked yet.
   *
   * @throws StoreException of kind PERMANENT if the address or the CAs cannot be read
   */
  static Connection to(Provider.Vault vault) {
    URI address = address(vault.address());
    String host = address.getHost();
    Wire wire =
        new Wire(
            host.startsWith("[") ? host.substring(1, host.length() - 1) : host,
            tls(vault.caBundle()));
    try {
      VaultClient.Builder builder =
          VaultClient.builder()
              .baseUrl(address.toURL())
              .executor(wire)
              .logConfidentialityLevel(LogConfidentialityLevel.HIGH);
      if (vault.namespace() != null) {
        builder.namespace(vault.namespace());
      }
      return new Connection(wire, builder.build());
    } catch (MalformedURLException e) {
      throw unusable();
    }
  }

  private static URI address(String text) {
    try {
      URI address = new URI(text);
      boolean safe =
          "https".equals(address.getScheme())
              || ("http".equals(address.getScheme())
                  && List.of("127.0.0.1", "localhost").contains(address.getHost()));
      if (safe && address.getHost() != null && address.getUserInfo() == null) {
        return address;
      }
    } catch (URISyntaxException e) {
      // Answered below.
    }
    throw unusable();
  }

  private static StoreException unusable() {
    return failure(
        Kind.PERMANENT,
        "The address of the store cannot be used: write it as https://host:port, without user, path"
            + " and query.");
  }

  private static SSLContext tls(String caBundle) {
    List<X509Certificate> authorities = null;
    if (caBundle != null) {
      try {
        authorities = Trust.certificates(caBundle.getBytes(StandardCharsets.UTF_8));
      } catch (CertificateException e) {
        throw failure(
            Kind.PERMANENT,
            "The caBundle of the store cannot be read: it takes certificates as PEM.");
      }
    }
    return Trust.context(null, Trust.manager(authorities));
  }

  /** Asks as somebody. */
  Answer ask(Call call, String token, Deadline deadline) {
    return send(request(call, deadline).token(token), call);
  }

  /** Asks as nobody, as logins do. */
  Answer ask(Call call, Deadline deadline) {
    return send(request(call, deadline).noToken(), call);
  }

  /** Asks as nobody in the root namespace, which alone knows of the server. */
  Answer askOutside(Call call, Deadline deadline) {
    return send(request(call, deadline).noToken().noNamespace(), call);
  }

  private static VaultRequest.Builder<byte[]> request(Call call, Deadline deadline) {
    VaultRequest.Builder<byte[]> request =
        VaultRequest.<byte[]>request("Keyturn", call.method())
            .path(call.path())
            .timeout(deadline.left())
            .expectAnyStatus();
    call.query().forEach(request::queryParam);
    return call.body() == null ? request : request.body(call.body());
  }

  private Answer send(VaultRequest.Builder<byte[]> request, Call call) {
    try {
      VaultResponse<byte[]> response =
          client
              .execute(request.build(new VaultBinaryResultExtractor()))
              .toCompletableFuture()
              .join();
      return new Answer(
          call.path(),
          response.getStatusCode(),
          retryAfter(response.getHeaders()),
          response.getBody().orElseGet(() -> new byte[0]));
    } catch (CompletionException e) {
      if (e.getCause() instanceof StoreException known) {
        throw known;
      }
      // Without its cause: the library's exceptions quote answers.
      throw failure(Kind.TRANSIENT, "The request to Vault could not be made.");
    }
  }

  private static Optional<Duration> retryAfter(List<Map.Entry<String, String>> headers) {
    return headers.stream()
        .filter(
            h -> h.getKey().equalsIgnoreCase("Retry-After") && h.getValue().matches("[0-9]{1,6}"))
        .map(h -> Duration.ofSeconds(Long.parseLong(h.getValue())))
        .map(told -> told.compareTo(LONGEST_WAIT) < 0 ? told : LONGEST_WAIT)
        .findFirst();
  }

  @Override
  public void close() {
    wire.close();
  }
}
