package io.keyturn.store.postgresql;

import java.util.Properties;
import org.postgresql.PGProperty;
import org.postgresql.plugin.AuthenticationPlugin;
import org.postgresql.plugin.AuthenticationRequestType;
import org.postgresql.util.PSQLException;
import org.postgresql.util.PSQLState;

/**
 * Gives the password to a login by SCRAM alone, which proves it and does not tell it. The driver
 * makes one by the name of the class.
 */
public final class ScramOnly implements AuthenticationPlugin {

  private final Properties properties;

  /** With the properties of the connection. */
  public ScramOnly(Properties properties) {
    this.properties = properties;
  }

  @Override
  public char[] getPassword(AuthenticationRequestType type) throws PSQLException {
    if (type != AuthenticationRequestType.SASL) {
      throw new PSQLException("asks for another login", PSQLState.CONNECTION_REJECTED);
    }
    return PGProperty.PASSWORD.getOrDefault(properties).toCharArray();
  }
}
