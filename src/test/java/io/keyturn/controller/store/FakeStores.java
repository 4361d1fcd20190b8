package io.keyturn.controller.store;

import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.store.Stores;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.StoreException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Stores that answer what a test says. */
final class FakeStores extends Stores {

  /** Who was asked, and how. */
  final List<String> asked = new ArrayList<>();

  StoreException failure;
  StoreException unknown;
  StoreException exhausted;

  FakeStores() {
    super(List.of(), null, null);
  }

  @Override
  public void check(SecretStore store) {
    answer("check " + store.getMetadata().getName());
  }

  @Override
  public void reach(ClusterSecretStore store) {
    answer("reach " + store.getMetadata().getName());
  }

  private void answer(String question) {
    asked.add(question);
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public String typeName(Provider provider) {
    requireKnown();
    return "postgresql";
  }

  private void requireKnown() {
    if (unknown != null) {
      throw unknown;
    }
  }

  @Override
  public Capabilities capabilities(Provider provider) {
    requireKnown();
    return new Capabilities(true, false, Overlap.Slots, false, true, true);
  }

  @Override
  public Optional<StoreException> quotaExceeded(String uid) {
    return Optional.ofNullable(exhausted).filter(_ -> uid.equals("uid-of-db"));
  }
}
