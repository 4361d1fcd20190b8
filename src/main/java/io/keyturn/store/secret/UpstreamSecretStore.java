package io.keyturn.store.secret;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import jakarta.enterprise.context.ApplicationScoped;

/**
 * Secrets of the namespace that something else keeps current. They are read by name, and dropped.
 */
@ApplicationScoped
public class UpstreamSecretStore implements StoreType {

  @Override
  public String name() {
    return "secret";
  }

  @Override
  public boolean serves(SecretBindingSpec.Source source) {
    return source.secret() != null;
  }

  @Override
  public Capabilities capabilities(SecretBindingSpec.Source source) {
    return capabilities();
  }

  /** Whether the old value stays valid only its issuer knows: Full unless the user says None. */
  @Override
  public Capabilities capabilities() {
    return new Capabilities(false, true, Overlap.Full, false, false, false);
  }

  @Override
  public Store open(Tenant tenant) {
    return new Upstream(tenant);
  }

  private record Upstream(Tenant tenant) implements Store {

    @Override
    public Reading read(SecretBindingSpec.Source source) {
      String name = source.secret().name();
      SecretData data;
      try {
        data = tenant.secret(name);
      } catch (StoreException e) {
        if (e.kind() != StoreException.Kind.NOT_FOUND) {
          throw e;
        }
        return new Reading.Missing(
            Reasons.SOURCE_NOT_FOUND,
            "The upstream Secret %s does not exist in this namespace.".formatted(name));
      }
      return data.keys().isEmpty()
          ? new Reading.Missing(
              Reasons.SOURCE_EMPTY, "The upstream Secret %s has no data.".formatted(name))
          : Reading.Value.of(data);
    }
  }
}
