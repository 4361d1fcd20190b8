package io.keyturn.store;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.Tenant;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.Optional;

/** A namespace: its ServiceAccounts and its Secrets, by name, and nobody else's. */
final class NamespaceTenant implements Tenant {

  /** The least that API servers give. */
  private static final Duration VALID = Duration.ofMinutes(10);

  private static final int UNPROCESSABLE = 422;

  private final ApiServer api;
  private final String namespace;
  private final Provider provider;
  private final Runnable turn;

  /**
   * A tenant.
   *
   * @param provider null: the store needs none
   * @param turn waits until one more request may be made: whoever asks for an identity logs in next
   */
  NamespaceTenant(ApiServer api, String namespace, Provider provider, Runnable turn) {
    this.api = api;
    this.namespace = namespace;
    this.provider = provider;
    this.turn = turn;
  }

  @Override
  public String namespace() {
    return namespace;
  }

  @Override
  public Provider provider() {
    return provider;
  }

  @Override
  public String token(String serviceAccount, String audience) {
    turn.run();
    try {
      return api.token(namespace, serviceAccount, audience, VALID);
    } catch (KubernetesClientException e) {
      throw switch (e.getCode()) {
        case HttpURLConnection.HTTP_NOT_FOUND ->
            identityMissing(
                "The ServiceAccount %s does not exist in this namespace: create it, or correct serviceAccountName of the store."
                    .formatted(serviceAccount));
        case HttpURLConnection.HTTP_FORBIDDEN ->
            new StoreException(
                StoreException.Kind.DENIED,
                "Keyturn may not make a token of the ServiceAccount %s: apply config/rbac."
                    .formatted(serviceAccount));
        case HttpURLConnection.HTTP_BAD_REQUEST, UNPROCESSABLE ->
            new StoreException(
                StoreException.Kind.PERMANENT,
                "The API server makes no token for the audience %s: correct audience of the store."
                    .formatted(audience));
        default -> noAnswer(e);
      };
    }
  }

  @Override
  public SecretData secret(String name) {
    turn.run();
    try {
      Secret secret = api.read(Secret.class, namespace, name);
      if (secret == null) {
        throw identityMissing("The Secret %s does not exist in this namespace.".formatted(name));
      }
      return SecretData.decode(secret.getData());
    } catch (KubernetesClientException e) {
      throw noAnswer(e);
    }
  }

  private static StoreException identityMissing(String sentence) {
    return new StoreException(
        StoreException.Kind.NOT_FOUND, Reasons.STORE_MISCONFIGURED, sentence, Optional.empty());
  }

  private static StoreException noAnswer(KubernetesClientException e) {
    return new StoreException(
        StoreException.Kind.TRANSIENT,
        "The API server does not answer (code %d).".formatted(e.getCode()));
  }
}
