package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.controller.Candidates.Candidate;
import io.keyturn.controller.Credentials.Known;
import io.keyturn.secret.SecretWriter;
import io.keyturn.store.Stores;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Store.Refusal;
import io.keyturn.store.spi.StoreException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Renews, disables and ends credentials at the stores that issued them, and notes on their
 * snapshots what was done. Each is done again where the note was not written, which changes
 * nothing.
 */
@ApplicationScoped
public class Leases {

  /** How soon to try again to end what cannot be ended until somebody changes something. */
  private static final Duration REVOKE_AGAIN = Duration.ofMinutes(15);

  private final Stores stores;
  private final SecretWriter secrets;
  private final Candidates candidates;
  private final Intents intents;
  private final LeaseBook book;
  private final Telemetry telemetry;
  private final Clock clock;

  /** Acts through the given parts. */
  @Inject
  public Leases(
      Stores stores,
      SecretWriter secrets,
      Candidates candidates,
      Intents intents,
      LeaseBook book,
      Telemetry telemetry,
      Clock clock) {
    this.stores = stores;
    this.secrets = secrets;
    this.candidates = candidates;
    this.intents = intents;
    this.book = book;
    this.telemetry = telemetry;
    this.clock = clock;
  }

  /** Lets the credential of a snapshot live longer; why it does not is noted in the book. */
  boolean renew(String namespace, String snapshot) {
    Secret secret = secrets.read(namespace, snapshot);
    Optional<Known> known = known(secret);
    if (known.isEmpty() || known.get().revokedAt() != null) {
      return false;
    }
    try {
      book.renewed(
          secret.getMetadata(),
          stores.renew(
              namespace, known.get().store(), book.credential(secret.getMetadata(), known.get())));
      telemetry.renewed("ok");
    } catch (StoreException e) {
      book.notRenewed(secret.getMetadata(), known.get(), e);
      telemetry.renewed(book.ended(secret.getMetadata()) ? "lost" : "error");
    }
    return true;
  }

  /** Keeps the credential of a snapshot from being used. */
  boolean disable(String namespace, String snapshot, BooleanSupplier stands) {
    Secret secret = secrets.read(namespace, snapshot);
    Optional<Known> known = known(secret);
    if (known.isEmpty() || !stands.getAsBoolean()) {
      return false;
    }
    ask(() -> stores.disable(namespace, known.get().store(), known.get().credential()));
    secrets.annotate(secret, Map.of(Names.DISABLED_AT, Optional.of(now())));
    return true;
  }

  /** Lets it be used again. */
  boolean enable(String namespace, String snapshot) {
    Secret secret = secrets.read(namespace, snapshot);
    Optional<Known> known = known(secret);
    if (known.isEmpty()) {
      return false;
    }
    ask(() -> stores.enable(namespace, known.get().store(), known.get().credential()));
    secrets.annotate(secret, Map.of(Names.DISABLED_AT, Optional.empty()));
    return true;
  }

  /**
   * Ends the credential of a snapshot for good, and asks whether it is refused.
   *
   * @param stands whether nobody has decided otherwise meanwhile
   */
  boolean revoke(
      String namespace, String snapshot, boolean terminateSessions, BooleanSupplier stands) {
    Secret secret = secrets.read(namespace, snapshot);
    Optional<Known> known = known(secret);
    if (known.isEmpty() || known.get().revokedAt() != null || !stands.getAsBoolean()) {
      return false;
    }
    Credential credential = known.get().credential();
    Refusal refusal;
    try {
      stores.revoke(namespace, known.get().store(), credential, terminateSessions);
      refusal =
          stores.refusal(
              namespace,
              known.get().store(),
              credential,
              candidates.order(
                  SecretWriter.annotations(secret).get(Names.BINDING_UID),
                  Names.versionOfSnapshot(snapshot),
                  token(secret),
                  Optional.empty()));
      if (refusal == Refusal.STILL_TAKEN) {
        throw new StoreException(
            StoreException.Kind.TRANSIENT, "It was revoked, and the server still takes it.");
      }
    } catch (StoreException e) {
      NotDone notDone = NotDone.of(e);
      book.notRevoked(
          secret.getMetadata(),
          known.get(),
          notDone.failure().lasting() ? REVOKE_AGAIN : notDone.failure().retryIn());
      throw notDone;
    }
    secrets.annotate(
        secret,
        Map.of(
            Names.REVOKED_AT,
            Optional.of(now()),
            Names.REFUSED,
            refusal == Refusal.PROVEN ? Optional.of("true") : Optional.empty()));
    return true;
  }

  /**
   * Records what was issued; where that fails it is ended at once, because nobody else knows it.
   *
   * @param write writes the snapshot, and says whether there was none of its name
   * @return whether the snapshot is there
   */
  boolean recorded(SecretBinding binding, Candidate candidate, BooleanSupplier write) {
    if (!intents.stands(binding, candidate)) {
      abandon(binding, candidate);
      return false;
    }
    if (written(binding, candidate, write)) {
      candidate.credential().flatMap(Credential::ttl).ifPresent(telemetry::issued);
    }
    intents.done(binding, candidate);
    return true;
  }

  private boolean written(SecretBinding binding, Candidate candidate, BooleanSupplier write) {
    try {
      return write.getAsBoolean();
    } catch (KubernetesClientException e) {
      // Whoever gets no answer may have written all the same.
      if (e.getCode() >= HttpURLConnection.HTTP_BAD_REQUEST
          && e.getCode() < HttpURLConnection.HTTP_INTERNAL_ERROR) {
        abandon(binding, candidate);
      }
      throw e;
    }
  }

  /**
   * Ends what was issued in vain; if that fails, too, it ends with its time, as nobody renews it. A
   * slot is left alone: the same order is made again, and leads to the same value.
   */
  void abandon(SecretBinding binding, Candidate candidate) {
    if (candidates.capabilities(binding).overlap() == Overlap.Slots) {
      return;
    }
    candidate
        .credential()
        .ifPresent(c -> {
          boolean ended = false;
          try {
            stores.revoke(
                binding.getMetadata().getNamespace(),
                binding.getSpec().source().storeRef(),
                c,
                false);
            ended = true;
            intents.done(binding, candidate);
          } catch (StoreException e) {
            ReconcileLog.orphaned(binding, e.reason());
          }
          telemetry.abandoned(ended);
        });
  }

  private static void ask(Runnable operation) {
    try {
      operation.run();
    } catch (StoreException e) {
      throw NotDone.of(e);
    }
  }

  private static Optional<Known> known(Secret secret) {
    return Optional.ofNullable(secret).flatMap(s -> Credentials.of(s.getMetadata()));
  }

  /** The first version of a binding was made for the binding itself. */
  private static String token(Secret secret) {
    Map<String, String> annotations = SecretWriter.annotations(secret);
    return annotations.getOrDefault(Names.TOKEN, annotations.get(Names.BINDING_UID));
  }

  private String now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
  }
}
