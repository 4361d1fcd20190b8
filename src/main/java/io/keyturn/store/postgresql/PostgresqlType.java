package io.keyturn.store.postgresql;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.util.Optional;

/** PostgreSQL servers whose login roles are rotated in turn. */
@ApplicationScoped
public class PostgresqlType implements StoreType {

  private final Clock clock;

  /**
   * The only one of an application.
   *
   * @param clock tells when a password was issued
   */
  @Inject
  public PostgresqlType(Clock clock) {
    this.clock = clock;
  }

  @Override
  public String name() {
    return "postgresql";
  }

  @Override
  public boolean serves(Source source) {
    return source.postgresql() != null;
  }

  @Override
  public boolean provides(Provider provider) {
    return provider.postgresql() != null;
  }

  @Override
  public Optional<String> identity(Provider provider) {
    return Optional.of("Secret " + provider.postgresql().adminSecretRef().name());
  }

  @Override
  public Capabilities capabilities(Source source) {
    return capabilities();
  }

  /** The old role keeps its password until it is its turn again. */
  @Override
  public Capabilities capabilities() {
    return new Capabilities(true, false, Overlap.Slots, false, true, true);
  }

  /** Each operation logs in for itself: nothing is kept. */
  @Override
  public Store open(Tenant tenant) {
    return new PostgresqlStore(tenant, server(tenant.provider()), clock);
  }

  /** Asks for TLS as each client would, and hangs up. */
  @Override
  public void reach(Provider provider) {
    server(provider).reach();
  }

  private static Server server(Provider provider) {
    if (provider == null || provider.postgresql() == null) {
      throw new StoreException(
          Kind.PERMANENT, "The SecretStore is of no PostgreSQL, as source.postgresql needs.");
    }
    return new Server(provider.postgresql());
  }
}
