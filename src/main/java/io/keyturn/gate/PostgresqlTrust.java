package io.keyturn.gate;

import io.keyturn.network.Trust;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.postgresql.ssl.WrappedFactory;

/**
 * TLS with the CAs of a candidate, as the PostgreSQL driver wants it: it makes one by the name of
 * the class, and hands it the certificates as text.
 */
public final class PostgresqlTrust extends WrappedFactory {

  /**
   * Trusts the given certificates.
   *
   * @param authorities as PEM
   * @throws IOException if they are no certificates
   */
  public PostgresqlTrust(String authorities) throws IOException {
    try {
      factory =
          Trust.context(
                  null,
                  Trust.manager(
                      Pem.certificates(authorities.getBytes(StandardCharsets.UTF_8), "caKey")))
              .getSocketFactory();
    } catch (Candidate.Unusable e) {
      throw new IOException(e.getMessage());
    }
  }
}
