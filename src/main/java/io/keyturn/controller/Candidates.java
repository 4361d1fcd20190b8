package io.keyturn.controller;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.controller.Telemetry.Retrieval;
import io.keyturn.secret.Delivery;
import io.keyturn.secret.Fingerprint;
import io.keyturn.store.Stores;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.StoreException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Asks the store of a binding and applies the binding's keys to what it answers. */
@ApplicationScoped
public class Candidates {

  private final Stores stores;
  private final Fingerprint fingerprint;
  private final Telemetry telemetry;

  /** Asks the given stores. */
  @Inject
  public Candidates(Stores stores, Fingerprint fingerprint, Telemetry telemetry) {
    this.stores = stores;
    this.fingerprint = fingerprint;
    this.telemetry = telemetry;
  }

  /**
   * What would be delivered, and what its store knows it by.
   *
   * @param delivery of which the receiver closes the data
   * @param credential empty: the store did not issue it
   * @param revision which of its versions it is, where the store counts them
   * @param retryIn when to ask again, where the store said so
   */
  public record Candidate(
      Delivery delivery,
      Optional<Credential> credential,
      OptionalLong revision,
      Optional<Duration> retryIn) {

    private static Candidate refused(String reason, String message) {
      return new Candidate(
          new Delivery.Refused(reason, message),
          Optional.empty(),
          OptionalLong.empty(),
          Optional.empty());
    }
  }

  /** What the store of the binding's source can do. */
  public Capabilities capabilities(SecretBinding binding) {
    return stores.capabilities(binding.getSpec().source());
  }

  /**
   * What the source holds now, as it would be delivered; empty where that is not known before a
   * value is made which somebody would have to end.
   */
  public Optional<Candidate> look(SecretBinding binding) {
    Capabilities can = capabilities(binding);
    if (!can.makesValues()) {
      return Optional.of(timed(binding, () -> stores.read(binding)));
    }
    if (!can.revoke()) {
      return Optional.of(ask(binding, () -> stores.issue(binding, order(binding, 0, "", null))));
    }
    return Delivery.problem(binding.getSpec().secret())
        .map(r -> Candidate.refused(r.reason(), r.message()));
  }

  /**
   * What is to be delivered: what the source holds, or a value that it makes now.
   *
   * @param token of the attempt, the same again for the same attempt
   * @param current the credential in use; null: none
   */
  public Candidate obtain(SecretBinding binding, long version, String token, Credential current) {
    return timed(
        binding,
        () ->
            capabilities(binding).makesValues()
                ? stores.issue(binding, order(binding, version, token, current))
                : stores.read(binding));
  }

  private Order order(SecretBinding binding, long version, String token, Credential current) {
    return new Order(
        binding.getMetadata().getUid(),
        version,
        token,
        Optional.ofNullable(current),
        () -> fingerprint.seed(token + "/" + version));
  }

  private Candidate timed(SecretBinding binding, Supplier<Reading> ask) {
    long start = System.nanoTime();
    Candidate candidate = ask(binding, ask);
    String reason =
        candidate.delivery() instanceof Delivery.Refused(String why, String _)
            ? why
            : Reasons.READY;
    telemetry.retrieved(
        stores.typeName(binding.getSpec().source()),
        result(reason, binding),
        reason,
        Duration.ofNanos(System.nanoTime() - start));
    return candidate;
  }

  private static Candidate ask(SecretBinding binding, Supplier<Reading> ask) {
    try {
      return switch (ask.get()) {
        case Reading.Missing(String reason, String message) -> Candidate.refused(reason, message);
        case Reading.Value(var source, var credential, var revision) -> {
          try (source) {
            yield new Candidate(
                Delivery.of(source, binding.getSpec().secret()),
                credential,
                revision,
                Optional.empty());
          }
        }
      };
    } catch (StoreException e) {
      return new Candidate(
          new Delivery.Refused(e.reason(), e.getMessage()),
          Optional.empty(),
          OptionalLong.empty(),
          e.retryAfter());
    }
  }

  private static Retrieval result(String reason, SecretBinding binding) {
    if (reason.equals(Reasons.READY)) {
      return Retrieval.SUCCESS;
    }
    return binding.getStatus().current() == null ? Retrieval.FAILURE : Retrieval.SERVED_LAST_GOOD;
  }
}
