package io.keyturn.contract;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Generated;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Random;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.store.generated.GeneratedStore;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import java.util.Map;
import java.util.Optional;

class GeneratedStoreContractTest extends StoreContract {

  @Override
  protected StoreFixture fixture() {
    return new StoreFixture() {
      @Override
      public StoreType type() {
        return new GeneratedStore();
      }

      @Override
      public Source source() {
        Generated generated = new Generated(Map.of("password", new Random(null, null)), Map.of());
        return new Source(null, null, generated, null, null, null, null, Overlap.Auto);
      }

      @Override
      public Tenant tenant() {
        return TestTenant.of(null);
      }

      @Override
      public Optional<Source> missing() {
        return Optional.empty();
      }

      @Override
      public Optional<Tenant> unreachable() {
        return Optional.empty();
      }

      @Override
      public Optional<Tenant> denied() {
        return Optional.empty();
      }
    };
  }
}
