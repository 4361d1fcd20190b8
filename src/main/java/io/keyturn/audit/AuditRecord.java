package io.keyturn.audit;

import java.time.Instant;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * One access to a store. It holds no value, and nothing by which a credential could be ended.
 *
 * @param time when it ended
 * @param namespace for whom it was
 * @param binding name of the SecretBinding; empty: for none in particular
 * @param store name of the ClusterSecretStore, or namespace and name of the SecretStore
 * @param identity as whom the store was asked, such as {@code ServiceAccount payments}; empty:
 *     without any
 * @param operation what was asked, such as {@code read}
 * @param version number of the version; empty: of none
 * @param credential a keyed MAC of what the store knows the credential by; empty: of none
 * @param outcome the class of what came of it, such as {@code ok} or {@code denied}
 */
public record AuditRecord(
    Instant time,
    String namespace,
    Optional<String> binding,
    String store,
    Optional<String> identity,
    String operation,
    OptionalLong version,
    Optional<String> credential,
    String outcome) {}
