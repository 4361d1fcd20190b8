package io.keyturn.controller.store;

import io.fabric8.kubernetes.client.CustomResource;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretStoreStatus;
import io.keyturn.controller.Census;
import io.keyturn.controller.EventRecorder;
import io.keyturn.controller.Nudge;
import io.keyturn.controller.Wake;
import io.keyturn.controller.store.StoreStatusFactory.Look;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.store.Stores;
import io.keyturn.store.spi.StoreException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * Asks a store how it is and says so in its status, and lets those who use it look again; a status
 * that says nothing new is not written.
 */
@ApplicationScoped
class StoreReport {

  private static final Duration WHILE_READY = Duration.ofMinutes(5);

  private final ApiServer api;
  private final Stores stores;
  private final EventRecorder events;
  private final Census census;
  private final Nudge nudge;
  private final Clock clock;

  @Inject
  StoreReport(
      ApiServer api, Stores stores, EventRecorder events, Census census, Nudge nudge, Clock clock) {
    this.api = api;
    this.stores = stores;
    this.events = events;
    this.census = census;
    this.nudge = nudge;
    this.clock = clock;
  }

  /**
   * Asks and reports.
   *
   * @param asIdentity whether it is asked as somebody
   * @param ask fails if the store is not as it should be
   */
  <S extends CustomResource<?, SecretStoreStatus>> UpdateControl<S> of(
      S store, Class<S> kind, Provider provider, boolean asIdentity, Runnable ask) {
    if (store.isMarkedForDeletion()) {
      return UpdateControl.noUpdate();
    }
    Look look =
        new Look(
            known(() -> stores.typeName(provider)),
            known(() -> stores.capabilities(provider)),
            asIdentity,
            failure(ask),
            stores.quotaExceeded(store.getMetadata().getUid()));
    return Wake.afterConflict(
        clock,
        () -> {
          report(store, kind, look);
          return UpdateControl.<S>noUpdate().rescheduleAfter(again(store, look));
        });
  }

  private static <T> Optional<T> known(Supplier<T> fact) {
    try {
      return Optional.of(fact.get());
    } catch (StoreException e) {
      // Asking it says the same.
      return Optional.empty();
    }
  }

  private static Optional<StoreException> failure(Runnable ask) {
    try {
      ask.run();
      return Optional.empty();
    } catch (StoreException e) {
      return Optional.of(e);
    }
  }

  private <S extends CustomResource<?, SecretStoreStatus>> void report(
      S store, Class<S> kind, Look look) {
    SecretStoreStatus before = store.getStatus();
    SecretStoreStatus now =
        StoreStatusFactory.status(
            before, store.getMetadata().getGeneration(), look, clock.instant());
    if (now.equals(before)) {
      return;
    }
    S written = api.read(kind, store.getMetadata().getNamespace(), store.getMetadata().getName());
    if (written == null || now.equals(written.getStatus())) {
      return;
    }
    written.setStatus(now);
    api.updateStatus(written);
    events.record(written, StoreStatusFactory.news(before, now));
    census.bindings().filter(b -> uses(b, written)).forEach(nudge::send);
  }

  private static boolean uses(SecretBinding binding, CustomResource<?, ?> store) {
    StoreRef ref = binding.getSpec().source().storeRef();
    String namespace = store.getMetadata().getNamespace();
    return ref != null
        && ref.kind().name().equals(store.getKind())
        && ref.name().equals(store.getMetadata().getName())
        && (namespace == null || namespace.equals(binding.getMetadata().getNamespace()));
  }

  /** Spread, so that stores that were made at once are not asked at once for ever. */
  private static Duration again(CustomResource<?, ?> store, Look look) {
    int tenth = Math.floorMod(store.getMetadata().getUid().hashCode(), 201);
    return look.failure()
        .flatMap(StoreException::retryAfter)
        .orElseGet(() -> WHILE_READY.multipliedBy(900 + tenth).dividedBy(1000));
  }
}
