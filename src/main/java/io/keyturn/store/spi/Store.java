package io.keyturn.store.spi;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.secret.SecretData;
import java.util.Optional;

/**
 * An open store of one tenant: its operations. Each blocks until it has an answer, for ten seconds
 * at most, may be called by several threads, and fails with a {@link StoreException} alone. Which
 * of them a store has is what its {@link Capabilities} say.
 */
public interface Store extends AutoCloseable {

  /**
   * Asks whether the identity is let in.
   *
   * @throws StoreException if not
   */
  default void check() {}

  /**
   * The value that a source holds. Only where it does not make values.
   *
   * @throws StoreException if it cannot be asked now
   */
  default Reading read(Source source) {
    throw StoreException.unsupported("read");
  }

  /**
   * Logs in for one value that is to be issued and ends with its login. So whoever takes note of
   * the login first can end what is issued to it, even if nobody lived to take note of that. Empty:
   * what this source issues does not end with a login of its own.
   *
   * @throws StoreException if the identity is not let in, or the store cannot be asked now
   */
  default Optional<OwnLogin> login(Source source) {
    return Optional.empty();
  }

  /**
   * Ends a login, and whatever was issued to it, at once or within moments. One that is not there
   * has ended.
   *
   * @param owner of it, see {@link OwnLogin#owner}
   * @throws StoreException if it could not be ended
   */
  default void logout(String owner) {
    throw StoreException.unsupported("log out of");
  }

  /**
   * Makes a value. Only where it makes values. The same order leads to the same net effect at the
   * store, or to one that ends by itself: whoever asks may have died before it took note.
   */
  default Reading.Value issue(Source source, Order order) {
    throw StoreException.unsupported("issue");
  }

  /**
   * Proves that what was issued works, where the store can tell; does nothing where it cannot.
   *
   * @param data as it was issued
   * @throws StoreException of kind INTEGRITY if it does not
   */
  default void verify(Source source, SecretData data) {}

  /**
   * Lets a credential live longer. Only with leases.
   *
   * @return the same with its new times
   * @throws StoreException {@link StoreException#leaseLost} if it has ended
   */
  default Credential renew(Credential credential) {
    throw StoreException.unsupported("renew");
  }

  /** Keeps a credential from being used, until {@link #enable}. Again is no error. */
  default void disable(Credential credential) {
    throw StoreException.unsupported("disable");
  }

  /** Lets a disabled credential be used again. Again is no error. */
  default void enable(Credential credential) {
    throw StoreException.unsupported("enable");
  }

  /**
   * Ends a credential for good. One that is not there has ended.
   *
   * @param terminateSessions whether those end, too, that were opened with it
   */
  default void revoke(Credential credential, boolean terminateSessions) {
    throw StoreException.unsupported("revoke");
  }

  /**
   * Whether a credential that was revoked is refused, as far as the store can tell.
   *
   * @param order that issued it, from whose seed its value can be made again, where it was
   */
  default Refusal refusal(Credential credential, Order order) {
    return Refusal.UNKNOWN;
  }

  /** Whether what was revoked is refused. */
  enum Refusal {
    /** It was tried, or looked up, and it is refused. */
    PROVEN,
    /** It is still taken. */
    STILL_TAKEN,
    /** The store cannot tell. */
    UNKNOWN
  }

  /** Forgets the identity. What was issued lives on: an operator that stops revokes nothing. */
  @Override
  default void close() {}
}
