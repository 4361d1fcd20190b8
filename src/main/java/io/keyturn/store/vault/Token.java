package io.keyturn.store.vault;

import java.time.Instant;
import java.util.Optional;

/**
 * What a login gives.
 *
 * @param value the token itself
 * @param accessor by which others may renew it; empty: it is a batch token, or a token of which
 *     Vault does not say more
 * @param issuedAt before which it was asked for
 * @param endsAt when it ends unless it is renewed; empty: never, or unknown
 * @param renewable whether it can be renewed
 */
record Token(
    String value,
    Optional<String> accessor,
    Instant issuedAt,
    Optional<Instant> endsAt,
    boolean renewable) {

  /** Only its times. */
  @Override
  public String toString() {
    return "Token[endsAt=" + endsAt.orElse(null) + "]";
  }
}
