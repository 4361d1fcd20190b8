package io.keyturn.contract;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Upstream;
import io.keyturn.secret.SecretData;
import io.keyturn.store.secret.UpstreamSecretStore;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import java.util.Map;
import java.util.Optional;

class UpstreamSecretStoreContractTest extends StoreContract {

  @Override
  protected StoreFixture fixture() {
    return new StoreFixture() {
      @Override
      public StoreType type() {
        return new UpstreamSecretStore();
      }

      @Override
      public Source source() {
        return Source.of(new Upstream("payments-db-upstream"), Overlap.Auto);
      }

      @Override
      public Tenant tenant() {
        return TestTenant.of(null)
            .withSecret("payments-db-upstream", Map.of("password", "correct-horse-battery"));
      }

      @Override
      public Optional<Source> missing() {
        return Optional.of(Source.of(new Upstream("nobody"), Overlap.Auto));
      }

      @Override
      public Optional<Tenant> unreachable() {
        return Optional.of(new Closed(Kind.TRANSIENT));
      }

      @Override
      public Optional<Tenant> denied() {
        return Optional.of(new Closed(Kind.DENIED));
      }
    };
  }

  /** A tenant whose API server does not give Secrets away. */
  private record Closed(Kind kind) implements Tenant {

    @Override
    public String namespace() {
      return "payments";
    }

    @Override
    public Provider provider() {
      return null;
    }

    @Override
    public String token(String serviceAccount, String audience) {
      throw new StoreException(kind, "The API server gives no token.");
    }

    @Override
    public SecretData secret(String name) {
      throw new StoreException(kind, "The API server gives no Secret.");
    }
  }
}
