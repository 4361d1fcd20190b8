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
 */
public record Order(
    String owner,
    long version,
    String token,
    Optional<Credential> current,
    Supplier<byte[]> seed) {}
