package io.keyturn.store.vault;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.util.Optional;

/**
 * What the statuses of Vault mean. Its own words are not read: they may quote what it was given.
 */
final class Failures {

  private Failures() {}

  /** A status that is no success. */
  static StoreException of(Answer answer) {
    String path = answer.path();
    int status = answer.status();
    return switch (status) {
      case 400 ->
          failure(
              Kind.PERMANENT,
              "Vault does not take the request for %s (code 400): check its path and parameters,"
                  + " and what the role allows.",
              path);
      case 403 ->
          failure(
              Kind.DENIED,
              "Vault does not let the identity use %s (code 403): its policy has to allow that.",
              path);
      case 404 ->
          failure(
              Kind.NOT_FOUND,
              "Vault has nothing at %s (code 404): check the path and where the engine is mounted.",
              path);
      case 405 ->
          failure(
              Kind.PERMANENT,
              "Vault does not do that at %s (code 405): check the path and the method.",
              path);
      case 412 -> failure(Kind.TRANSIENT, "This node of Vault lags behind the others (code 412).");
      case 429 ->
          new StoreException(
              Kind.THROTTLED,
              Reasons.STORE_THROTTLED,
              "Vault was asked too often (code 429).",
              answer.retryAfter());
      case 472, 473 ->
          failure(
              Kind.TRANSIENT,
              "This node of Vault is a standby that does not serve (code %s).",
              status);
      case 501 -> failure(Kind.TRANSIENT, "Vault is not initialised (code 501): initialise it.");
      case 503 ->
          failure(
              Kind.TRANSIENT,
              "Vault is sealed, or in maintenance (code 503): unseal it, or wait until it is back.");
      default -> other(path, status);
    };
  }

  /** The same for a path that issues: there a quota of leases answers without saying when. */
  static StoreException ofIssue(Answer answer) {
    if (answer.status() == 429 && answer.retryAfter().isEmpty()) {
      return new StoreException(
          Kind.THROTTLED,
          Reasons.QUOTA_EXCEEDED,
          "Vault issues no more at %s (code 429): a quota of leases or of requests is used up."
              .formatted(answer.path()),
          Optional.empty());
    }
    return of(answer);
  }

  private static StoreException other(String path, int status) {
    if (status / 100 == 3) {
      return failure(
          Kind.PERMANENT,
          "Vault answers with a redirect (code %s), which is not followed, so that no token goes to"
              + " another server: write the address that it leads to into the SecretStore.",
          status);
    }
    return status / 100 == 5
        ? failure(Kind.TRANSIENT, "Vault has an error of its own at %s (code %s).", path, status)
        : failure(
            Kind.PERMANENT, "Vault does not take the request for %s (code %s).", path, status);
  }

  static StoreException failure(Kind kind, String sentence, Object... words) {
    return new StoreException(kind, sentence.formatted(words));
  }
}
