package io.keyturn.store.secret;

import io.fabric8.kubernetes.api.model.Secret;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

/**
 * Secrets of the namespace that something else keeps current. They are read by name, and dropped.
 */
@ApplicationScoped
public class UpstreamSecretStore implements Store {

  private final ApiServer api;

  /** Reads from the given API server. */
  @Inject
  public UpstreamSecretStore(ApiServer api) {
    this.api = api;
  }

  @Override
  public String type() {
    return "secret";
  }

  @Override
  public boolean serves(SecretBindingSpec.Source source) {
    return source.secret() != null;
  }

  @Override
  public boolean makesValues() {
    return false;
  }

  @Override
  public Reading obtain(String namespace, SecretBindingSpec.Source source) {
    String name = source.secret().name();
    Secret secret = api.read(Secret.class, namespace, name);
    if (secret == null) {
      return new Reading.Missing(
          Reasons.SOURCE_NOT_FOUND,
          "The upstream Secret %s does not exist in this namespace.".formatted(name));
    }
    if (secret.getData() == null || secret.getData().isEmpty()) {
      return new Reading.Missing(
          Reasons.SOURCE_EMPTY, "The upstream Secret %s has no data.".formatted(name));
    }
    return new Reading.Value(SecretData.decode(secret.getData()));
  }
}
