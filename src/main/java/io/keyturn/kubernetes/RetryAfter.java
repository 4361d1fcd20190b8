package io.keyturn.kubernetes;

import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpClient;
import io.fabric8.kubernetes.client.http.HttpResponse;
import io.fabric8.kubernetes.client.http.Interceptor;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * Lets a client wait as long as an API server asks for that is too busy to answer (429, 503). The
 * client reads {@code Retry-After}, and then asks again when its own short backoff is over.
 */
public final class RetryAfter implements Interceptor {

  /** Well within the time that the client gives a request; then it asks again all the same. */
  static final Duration LONGEST = Duration.ofSeconds(10);

  private RetryAfter() {}

  /** Makes the clients of a builder wait. */
  public static void addTo(HttpClient.Builder builder) {
    builder.addOrReplaceInterceptor("retry-after", new RetryAfter());
  }

  /** The answer is handed on, and with it the decision to ask again, when the time is over. */
  @Override
  public CompletableFuture<Boolean> afterFailure(
      BasicBuilder builder, HttpResponse<?> response, RequestTags tags) {
    Duration wait = of(response.header("Retry-After"));
    if (wait.isZero()) {
      return CompletableFuture.completedFuture(false);
    }
    Executor later = CompletableFuture.delayedExecutor(wait.toSeconds(), TimeUnit.SECONDS);
    return CompletableFuture.supplyAsync(() -> false, later);
  }

  /** API servers say it in seconds. */
  static Duration of(String header) {
    if (header == null || !header.matches("\\d{1,9}")) {
      return Duration.ZERO;
    }
    Duration told = Duration.ofSeconds(Long.parseLong(header));
    return told.compareTo(LONGEST) < 0 ? told : LONGEST;
  }
}
