package io.keyturn.store.spi;

import java.util.Optional;
import java.util.function.Supplier;

/**
 * What is to be issued.
 *
 * @param owner UID of the binding
 * @param version number of the version
 * @param token of the attempt: the same order again has the same
 * @param current the credential in use, beside which the new one is made; empty: none
 * @param seed 32 bytes that only this installation can make, the same for the same token
 * @param login to which it is issued; empty: the store finds one
 */
public record Order(
    String owner,
    long version,
    String token,
    Optional<Credential> current,
    Supplier<byte[]> seed,
    Optional<OwnLogin> login) {

  /** One that is issued to whatever login the store finds. */
  public Order(
      String owner,
      long version,
      String token,
      Optional<Credential> current,
      Supplier<byte[]> seed) {
    this(owner, version, token, current, seed, Optional.empty());
  }

  /** The same, issued to a login of its own. */
  public Order to(Optional<OwnLogin> own) {
    return new Order(owner, version, token, current, seed, own);
  }
}
