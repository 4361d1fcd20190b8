package io.keyturn.gate;

import io.keyturn.domain.gate.Measurement;
import io.keyturn.network.Destination;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.HttpTimeoutException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/**
 * Asks by HTTP: no redirect is followed, no proxy asked, and the answer is limited in size and in
 * the time that it takes to its last byte.
 */
final class CappedHttp {

  private static final HttpClient CLIENT =
      HttpClient.newBuilder()
          .followRedirects(HttpClient.Redirect.NEVER)
          .proxy(HttpClient.Builder.NO_PROXY)
          .version(HttpClient.Version.HTTP_1_1)
          .build();

  private CappedHttp() {}

  /** There is no answer, and why; never a verdict. */
  static final class NoAnswer extends Exception {

    private static final long serialVersionUID = 1L;

    NoAnswer(String message) {
      super(message, null, false, false);
    }

    /** What that says of the version. */
    Measurement measurement() {
      return Measurement.inconclusive(getMessage());
    }
  }

  /** A request to a URL that a user wrote. */
  static HttpRequest.Builder request(String url) throws NoAnswer {
    try {
      URI uri = new URI(url);
      if (uri.getHost() == null || uri.getUserInfo() != null) {
        throw new NoAnswer("the URL of the check names no host, or a user");
      }
      return HttpRequest.newBuilder(uri).header("User-Agent", "keyturn");
    } catch (URISyntaxException | IllegalArgumentException e) {
      throw new NoAnswer(
          "the URL of the check cannot be used: encode what is not a letter, digit or sign of URLs");
    }
  }

  /**
   * The whole answer.
   *
   * @throws NoAnswer if there is none
   */
  static HttpResponse<byte[]> send(HttpRequest request, Duration time) throws NoAnswer {
    return send(request, time, System.nanoTime() + time.toNanos());
  }

  /**
   * The same within a longer task.
   *
   * @param time what to say that it may take
   * @param end when it must be done, as {@link System#nanoTime} has it
   */
  static HttpResponse<byte[]> send(HttpRequest request, Duration time, long end) throws NoAnswer {
    String host = request.uri().getHost();
    try {
      Destination.resolve(host.startsWith("[") ? host.substring(1, host.length() - 1) : host);
    } catch (Destination.Refused e) {
      throw new NoAnswer(e.getMessage());
    }
    CompletableFuture<HttpResponse<byte[]>> answer =
        CLIENT.sendAsync(
            request, BodyHandlers.limiting(BodyHandlers.ofByteArray(), Attempt.MAX_BYTES));
    try {
      return answer.get(Math.max(0, end - System.nanoTime()), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw new NoAnswer("%s gave no answer within %s".formatted(host, Attempt.words(time)));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new NoAnswer("Keyturn was stopped while it waited for " + host);
    } catch (ExecutionException e) {
      throw new NoAnswer(why(e.getCause(), host));
    } finally {
      answer.cancel(true);
    }
  }

  private static String why(Throwable cause, String host) {
    return switch (cause) {
      case HttpTimeoutException _ -> host + " gave no answer in time";
      case ConnectException _ -> host + " takes no connection";
      case SSLException _ ->
          "TLS with %s fails: its certificate must be for this name and signed by a CA that is"
                  .formatted(host)
              + " known here";
      case IOException _ ->
          "the answer of %s broke off, is no HTTP or is longer than 1 MiB".formatted(host);
      default -> "the request to %s could not be made".formatted(host);
    };
  }
}
