package io.keyturn.store;

import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.store.spi.Store;
import io.quarkus.arc.All;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.List;

/** The only way from the controllers to the stores: adding one touches nothing else. */
@ApplicationScoped
public class StoreRegistry {

  private final List<Store> stores;

  /** The stores that are part of the application. */
  @Inject
  public StoreRegistry(@All List<Store> stores) {
    this.stores = List.copyOf(stores);
  }

  /**
   * The store that serves a source.
   *
   * @throws IllegalStateException if none does, which the schema rules out
   */
  public Store of(SecretBindingSpec.Source source) {
    return stores.stream()
        .filter(s -> s.serves(source))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("no store serves this source"));
  }
}
