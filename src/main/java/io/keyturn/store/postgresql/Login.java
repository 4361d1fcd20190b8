package io.keyturn.store.postgresql;

import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;

/**
 * A user name and a password, under the keys that Keyturn reads and writes.
 *
 * @param username of the role
 * @param password of it
 */
record Login(String username, String password) {

  private static final String USERNAME = "username";
  private static final String PASSWORD = "password";

  /**
   * Reads one.
   *
   * @param where the data are from, as people say it
   * @throws StoreException of kind PERMANENT if there is none
   */
  static Login of(SecretData data, String where) {
    return new Login(
        text(data, USERNAME).orElseThrow(() -> missing(USERNAME, where)),
        text(data, PASSWORD).orElseThrow(() -> missing(PASSWORD, where)));
  }

  /** As it is delivered, with where to use it. */
  SecretData data(Server server) {
    return SecretData.takeOwnershipOf(
        Map.of(
            USERNAME,
            bytes(username),
            PASSWORD,
            bytes(password),
            "host",
            bytes(server.host()),
            "port",
            bytes(Integer.toString(server.port())),
            "database",
            bytes(server.database())));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static Optional<String> text(SecretData data, String key) {
    byte[] value = data.get(key);
    return value == null || value.length == 0
        ? Optional.empty()
        : Optional.of(new String(value, StandardCharsets.UTF_8));
  }

  private static StoreException missing(String key, String where) {
    return new StoreException(
        Kind.PERMANENT, "There is no key %s, or it is empty, in %s.".formatted(key, where));
  }

  /** Only the name. */
  @Override
  public String toString() {
    return "Login[" + username + "]";
  }
}
