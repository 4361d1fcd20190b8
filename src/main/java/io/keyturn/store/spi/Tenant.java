package io.keyturn.store.spi;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.secret.SecretData;

/** For whom a store is opened: the namespace of a binding, outside of which nothing is read. */
public interface Tenant {

  /** The namespace. */
  String namespace();

  /** What the SecretStore says; null for stores that need none. */
  Provider provider();

  /**
   * A token of a ServiceAccount of the namespace, made for this use and valid for ten minutes
   * (TokenRequest API).
   *
   * @param audience the only one that is to accept it
   * @throws StoreException if there is no such ServiceAccount, or the API server cannot be asked
   */
  String token(String serviceAccount, String audience);

  /**
   * The data of a Secret of the namespace; whoever receives them closes them.
   *
   * @throws StoreException of kind NOT_FOUND if there is none, TRANSIENT if the API server cannot
   *     be asked
   */
  SecretData secret(String name);
}
