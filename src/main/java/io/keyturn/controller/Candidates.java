package io.keyturn.controller;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
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
    long start = System.nanoTime();
    Delivery delivery =
        switch (store.obtain(binding.getMetadata().getNamespace(), binding.getSpec().source())) {
          case Reading.Missing(String reason, String message) ->
              new Delivery.Refused(reason, message);
          case Reading.Value(var source) -> {
            try (source) {
              yield Delivery.of(source, binding.getSpec().secret());
            }
          }
        };
    if (!store.makesValues()) {
      telemetry.retrieved(
          store.type(),
          delivery instanceof Delivery.Refused(String reason, String _) ? reason : Reasons.READY,
          Duration.ofNanos(System.nanoTime() - start));
    }
    return delivery;
  }
}
