package io.keyturn.ops;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.secret.Fingerprint;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.net.HttpURLConnection;
import java.security.SecureRandom;
import java.util.Base64;

/**
 * The key of this installation's fingerprints: the Secret {@code keyturn-fingerprint-key} in the
 * operator's namespace, made at the first start. If it is lost, fingerprints change and nothing
 * else: versions are compared by their data.
 */
@ApplicationScoped
class InstallationKey {

  static final String NAME = "keyturn-fingerprint-key";
  private static final String ENTRY = "key";

  private final KubernetesClient client;
  private final OperatorConfig config;

  @Inject
  InstallationKey(KubernetesClient client, OperatorConfig config) {
    this.client = client;
    this.config = config;
  }

  /** The Secret is there and holds no key. */
  static final class Unusable extends RuntimeException {

    private Unusable(String namespace) {
      super(
          "The Secret %s in the namespace %s holds no key: delete it, and Keyturn makes a new one."
              .formatted(NAME, namespace));
    }
  }

  byte[] read() {
    Secret secret = secret();
    if (secret == null) {
      create();
      secret = secret();
    }
    String entry = secret == null || secret.getData() == null ? null : secret.getData().get(ENTRY);
    byte[] key = entry == null ? new byte[0] : Base64.getDecoder().decode(entry);
    if (key.length < Fingerprint.KEY_LENGTH) {
      throw new Unusable(config.operatorNamespace());
    }
    return key;
  }

  private Secret secret() {
    return client.secrets().inNamespace(config.operatorNamespace()).withName(NAME).get();
  }

  /** Another process may be faster; then its key is the key. */
  private void create() {
    byte[] key = new byte[Fingerprint.KEY_LENGTH];
    new SecureRandom().nextBytes(key);
    try {
      client
          .resource(
              new SecretBuilder()
                  .withNewMetadata()
                  .withNamespace(config.operatorNamespace())
                  .withName(NAME)
                  .addToLabels("app.kubernetes.io/name", Names.KEYTURN)
                  .endMetadata()
                  .addToData(ENTRY, Base64.getEncoder().encodeToString(key))
                  .withImmutable(true)
                  .build())
          .create();
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
        throw e;
      }
    }
  }
}
