package io.keyturn.store.vault;

import io.keyturn.store.spi.OwnLogin;
import java.util.Optional;

/**
 * The login that a lease is issued to.
 *
 * @param token that it gave
 * @param named whether the store names that token: then it is not for Keyturn to end
 */
record LeaseLogin(Token token, boolean named) implements OwnLogin {

  @Override
  public Optional<String> owner() {
    return named ? Optional.empty() : Owner.of(token).map(Owner::text);
  }
}
