package io.keyturn.contract;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * One store with its server, as {@link StoreContract} asks for it. There is a new one for each row.
 */
public interface StoreFixture extends AutoCloseable {

  /** The store. */
  StoreType type();

  /** What the rows read or issue; it exists at the server. */
  Source source();

  /** Who is let in. */
  Tenant tenant();

  /** The like of {@link #source} that does not exist at the server; empty: there can be none. */
  Optional<Source> missing();

  /** Whose store has no server that answers; empty: the store asks nobody. */
  Optional<Tenant> unreachable();

  /** Who is not let in, such as with a wrong password; empty: the store asks nobody. */
  Optional<Tenant> denied();

  /**
   * Whether a value is taken by those that it was made for, asked without the store. Never called
   * for values that the store only holds.
   */
  default boolean accepts(Credential credential, SecretData data) {
    return true;
  }

  /**
   * A value of which {@code verify} can tell that it does not work; empty: the store cannot tell.
   */
  default Optional<SecretData> spoiled(SecretData data) {
    return Optional.empty();
  }

  /** Passwords, tokens and the like that no error may quote, beside the values themselves. */
  default List<String> confidential() {
    return List.of();
  }

  /** Keys of a value that tell no more than what the user wrote in a spec, such as a host. */
  default Set<String> written() {
    return Set.of();
  }

  @Override
  default void close() {}
}
