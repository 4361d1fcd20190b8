package io.keyturn.testing;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;

/** Objects that many tests need. */
public final class Manifests {
  private Manifests() {}

  /**
   * A Secret without a namespace.
   *
   * @param keysAndValues a key, its plain value, the next key, and so on
   */
  public static Secret secret(String name, String... keysAndValues) {
    SecretBuilder secret = new SecretBuilder().withNewMetadata().withName(name).endMetadata();
    for (int i = 0; i < keysAndValues.length; i += 2) {
      secret.addToStringData(keysAndValues[i], keysAndValues[i + 1]);
    }
    return secret.build();
  }
}
