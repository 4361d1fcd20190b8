package io.keyturn.store.spi;

import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What a store knows an issued value by. It is no value, and still told to nobody: whoever has it
 * may end it.
 *
 * @param id what the store calls it; only the store reads it
 * @param owner what keeps it alive beside its own lease, where something does; only the store reads
 *     it
 * @param issuedAt when it was issued
 * @param ttl how long it lives from each renewal on; empty: as long as it is not revoked
 * @param expiresAt when it ends unless it is renewed; empty: never
 * @param renewable whether it can be renewed
 * @param hardExpiry when it ends even so; empty: never, or not known yet
 */
public record Credential(
    String id,
    Optional<String> owner,
    Instant issuedAt,
    Optional<Duration> ttl,
    Optional<Instant> expiresAt,
    boolean renewable,
    Optional<Instant> hardExpiry) {

  /** One that lives until it is revoked. */
  public static Credential lasting(String id, Instant issuedAt) {
    return new Credential(
        id,
        Optional.empty(),
        issuedAt,
        Optional.empty(),
        Optional.empty(),
        false,
        Optional.empty());
  }

  /** The same with other times. */
  public Credential until(Instant expires, boolean renewableThen, Optional<Instant> hard) {
    return new Credential(id, owner, issuedAt, ttl, Optional.of(expires), renewableThen, hard);
  }

  /** Only its times. */
  @Override
  public String toString() {
    return "Credential[issuedAt=" + issuedAt + ", expiresAt=" + expiresAt.orElse(null) + "]";
  }
}
