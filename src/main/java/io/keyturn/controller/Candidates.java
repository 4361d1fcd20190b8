package io.keyturn.controller;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.controller.Telemetry.Retrieval;
import io.keyturn.secret.Delivery;
import io.keyturn.store.StoreRegistry;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;

/** Asks the store of a binding and applies the binding's keys to what it answers. */
@ApplicationScoped
public class Candidates {

  /** The reason that is counted where the store threw. */
  private static final String NO_ANSWER = "NoAnswer";

  private final StoreRegistry stores;
  private final Telemetry telemetry;

  /** Asks the given stores. */
  @Inject
  public Candidates(StoreRegistry stores, Telemetry telemetry) {
    this.stores = stores;
    this.telemetry = telemetry;
  }

  /** Whether the binding's source makes a new value each time that it is asked. */
  public boolean onRequest(SecretBinding binding) {
    return stores.of(binding.getSpec().source()).makesValues();
  }

  /** What would be delivered now; whoever receives data closes them. */
  public Delivery obtain(SecretBinding binding) {
    Store store = stores.of(binding.getSpec().source());
    if (store.makesValues()) {
      return ask(store, binding);
    }
    long start = System.nanoTime();
    String reason = NO_ANSWER;
    try {
      Delivery delivery = ask(store, binding);
      reason = delivery instanceof Delivery.Refused(String why, String _) ? why : Reasons.READY;
      return delivery;
    } finally {
      telemetry.retrieved(
          store.type(),
          result(reason, binding),
          reason,
          Duration.ofNanos(System.nanoTime() - start));
    }
  }

  private static Delivery ask(Store store, SecretBinding binding) {
    return switch (store.obtain(binding.getMetadata().getNamespace(), binding.getSpec().source())) {
      case Reading.Missing(String reason, String message) -> new Delivery.Refused(reason, message);
      case Reading.Value(var source) -> {
        try (source) {
          yield Delivery.of(source, binding.getSpec().secret());
        }
      }
    };
  }

  private static Retrieval result(String reason, SecretBinding binding) {
    if (reason.equals(Reasons.READY)) {
      return Retrieval.SUCCESS;
    }
    return binding.getStatus().current() == null ? Retrieval.FAILURE : Retrieval.SERVED_LAST_GOOD;
  }
}
