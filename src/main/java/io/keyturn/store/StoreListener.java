package io.keyturn.store;

import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;

/** Is told what those who use stores find out about them. */
public interface StoreListener {

  /**
   * A store has begun to answer, or does not answer any more.
   *
   * @param namespace for which it was asked
   */
  void answering(String namespace, StoreRef store, boolean answers);

  /**
   * A store has given as much as it may, or gives again.
   *
   * @param namespace for which it was asked
   */
  void exhausted(String namespace, StoreRef store, boolean exhausted);
}
