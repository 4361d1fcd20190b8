package io.keyturn.store.vault;

import io.quarkus.vault.client.common.VaultRequest.Method;
import java.util.Map;

/**
 * One request.
 *
 * @param path below {@code /v1}
 * @param query its parameters, not encoded
 * @param body its members; null: none
 */
record Call(Method method, String path, Map<String, String> query, Map<String, ?> body) {

  static Call get(String path, Map<String, String> query) {
    return new Call(Method.GET, path, query, null);
  }

  static Call get(String path) {
    return get(path, Map.of());
  }

  static Call put(String path, Map<String, ?> body) {
    return new Call(Method.PUT, path, Map.of(), body);
  }

  static Call post(String path, Map<String, ?> body) {
    return new Call(Method.POST, path, Map.of(), body);
  }

  /** The path alone: a body may hold a password. */
  @Override
  public String toString() {
    return method + " " + path;
  }
}
