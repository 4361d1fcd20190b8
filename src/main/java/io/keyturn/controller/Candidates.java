package io.keyturn.controller;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.controller.Telemetry.Retrieval;
import io.keyturn.domain.Failure;
import io.keyturn.secret.Delivery;
import io.keyturn.secret.Fingerprint;
import io.keyturn.store.Stores;
import io.keyturn.store.Via;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.StoreException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
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
   * @param lasting whether asking again is in vain until somebody changes something
   * @param noted whether the login that it ends with was written down before it was made
   */
  public record Candidate(
      Delivery delivery,
      Optional<Credential> credential,
      OptionalLong revision,
      Optional<Duration> retryIn,
      boolean lasting,
      boolean noted) {

    /** The same, whose login was written down. */
    Candidate withNote() {
      return new Candidate(delivery, credential, revision, retryIn, lasting, true);
    }

    private static Candidate refused(Failure failure) {
      return new Candidate(
          new Delivery.Refused(failure.reason(), failure.message()),
          Optional.empty(),
          OptionalLong.empty(),
          Optional.of(failure.retryIn()),
          failure.lasting(),
          false);
    }

    private static Candidate without(Delivery.Refused refused) {
      return new Candidate(
          refused, Optional.empty(), OptionalLong.empty(), Optional.empty(), true, false);
    }
  }

  /** What the store of the binding's source can do. */
  public Capabilities capabilities(SecretBinding binding) {
    return stores.capabilities(binding.getSpec().source());
  }

  /** What a store can do about what it has issued. */
  public Capabilities capabilities(String namespace, StoreRef store) {
    return stores.capabilities(namespace, store);
  }

  /**
   * What the source holds now, as it would be delivered; empty where that is not known before a
   * value is made which somebody would have to end.
   */
  public Optional<Candidate> look(SecretBinding binding) {
    Capabilities can = capabilities(binding);
    if (!can.makesValues()) {
      return Optional.of(timed(binding, via -> stores.read(binding, via)));
    }
    if (!can.revoke()) {
      return Optional.of(
          ask(binding, () -> stores.issue(binding, order("", 0, "", Optional.empty()), _ -> {})));
    }
    return Delivery.problem(binding.getSpec().secret()).map(Candidate::without);
  }

  /** When the source may hold another value than it did; empty: that is announced, or asked for. */
  public Optional<Instant> nextLook(SecretBinding binding) {
    return stores.nextRead(binding);
  }

  /**
   * What is to be delivered: what the source holds, or a value that it makes now.
   *
   * @param token of the attempt, the same again for the same attempt
   * @param current the credential in use
   * @param intent see {@link Stores#issue}
   */
  Candidate obtain(
      SecretBinding binding,
      long version,
      String token,
      Optional<Credential> current,
      Consumer<String> intent) {
    return timed(
        binding,
        via ->
            capabilities(binding).makesValues()
                ? stores.issue(
                    binding, order(binding.getMetadata().getUid(), version, token, current), intent)
                : stores.read(binding, via));
  }

  /** What is, or was, to be issued. */
  Order order(String owner, long version, String token, Optional<Credential> current) {
    return new Order(owner, version, token, current, () -> fingerprint.seed(token + "/" + version));
  }

  private Candidate timed(SecretBinding binding, Function<Consumer<Via>, Reading> ask) {
    AtomicReference<Via> via = new AtomicReference<>(Via.STORE);
    long start = System.nanoTime();
    Candidate candidate = ask(binding, () -> ask.apply(via::set));
    String reason =
        candidate.delivery() instanceof Delivery.Refused(String why, String _)
            ? why
            : Reasons.READY;
    telemetry.retrieved(
        stores.typeName(binding.getSpec().source()),
        result(reason, binding),
        reason,
        via.get(),
        Duration.ofNanos(System.nanoTime() - start));
    return candidate;
  }

  private static Candidate ask(SecretBinding binding, Supplier<Reading> ask) {
    try {
      return switch (ask.get()) {
        case Reading.Missing(String reason, String message) ->
            Candidate.without(new Delivery.Refused(reason, message));
        case Reading.Value(var source, var credential, var revision) -> {
          try (source) {
            yield new Candidate(
                Delivery.of(source, binding.getSpec().secret()),
                credential,
                revision,
                Optional.empty(),
                true,
                false);
          }
        }
      };
    } catch (StoreException e) {
      return Candidate.refused(NotDone.of(e).failure());
    }
  }

  private static Retrieval result(String reason, SecretBinding binding) {
    if (reason.equals(Reasons.READY)) {
      return Retrieval.SUCCESS;
    }
    return binding.getStatus().current() == null ? Retrieval.FAILURE : Retrieval.SERVED_LAST_GOOD;
  }
}
