package io.keyturn.store.spi;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import java.util.Optional;

/**
 * One kind of store: its lifecycle. A new kind is one package with an implementation of this and of
 * {@link Store}.
 */
public interface StoreType {

  /** Its name, as metrics call it, such as {@code vault}. */
  String name();

  /** Whether it serves the source of a binding. */
  boolean serves(Source source);

  /** Whether it is the one that a SecretStore describes; never for those without a SecretStore. */
  default boolean provides(Provider provider) {
    return false;
  }

  /**
   * As whom a store that it provides is asked, for the audit: a ServiceAccount, or the Secret with
   * the login, and nothing that is in it.
   */
  default Optional<String> identity(Provider provider) {
    return Optional.empty();
  }

  /** What it can do for a source that it serves. */
  Capabilities capabilities(Source source);

  /** The most that it can do for any source, as the status of a SecretStore says it. */
  Capabilities capabilities();

  /**
   * Opens it for one tenant. Nothing is asked before the first operation, and what is kept, such as
   * a login, is kept for this tenant alone.
   *
   * @throws StoreException of kind PERMANENT if it cannot be used as it is described
   */
  Store open(Tenant tenant);

  /**
   * Asks whether its server answers, without any identity.
   *
   * @throws StoreException if not
   */
  default void reach(Provider provider) {}
}
