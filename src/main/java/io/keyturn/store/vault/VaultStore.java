package io.keyturn.store.vault;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.Provider.KeyRef;
import io.keyturn.api.v1alpha1.Provider.ServiceAccountLogin;
import io.keyturn.api.v1alpha1.Provider.VaultAuth;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/** HashiCorp Vault and OpenBao, which speaks the same protocol. */
@ApplicationScoped
public class VaultStore implements StoreType {

  private static final Capabilities VALUES =
      new Capabilities(false, false, Overlap.Full, false, false, false);
  private static final Capabilities LEASES =
      new Capabilities(true, false, Overlap.Full, true, false, true);
  private static final Capabilities CERTIFICATES =
      new Capabilities(true, false, Overlap.Full, false, false, true);

  private final Clock clock;

  /** By which tokens and leases end. */
  @Inject
  public VaultStore(Clock clock) {
    this.clock = clock;
  }

  @Override
  public String name() {
    return "vault";
  }

  /** The sources {@code vaultKv}, {@code vaultLease} and {@code vaultPki}. */
  @Override
  public boolean serves(Source source) {
    return source.vaultKv() != null || source.vaultLease() != null || source.vaultPki() != null;
  }

  @Override
  public boolean provides(Provider provider) {
    return provider.vault() != null;
  }

  @Override
  public Optional<String> identity(Provider provider) {
    VaultAuth auth = provider.vault().auth();
    return Stream.of(
            account(auth.kubernetes()),
            account(auth.jwt()),
            Optional.ofNullable(auth.appRole()).map(a -> secret(a.secretIdRef())),
            Optional.ofNullable(auth.token()).map(t -> secret(t.secretRef())),
            Optional.ofNullable(auth.userpass()).map(u -> secret(u.passwordRef())))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static Optional<String> account(ServiceAccountLogin login) {
    return Optional.ofNullable(login).map(l -> "ServiceAccount " + l.serviceAccountName());
  }

  private static String secret(KeyRef key) {
    return "Secret " + key.name();
  }

  /** A certificate ends when it says, so it is no lease: nobody can renew it. */
  @Override
  public Capabilities capabilities(Source source) {
    if (source.vaultKv() != null) {
      return VALUES;
    }
    return source.vaultLease() == null ? CERTIFICATES : LEASES;
  }

  @Override
  public Capabilities capabilities() {
    return LEASES;
  }

  @Override
  public Store open(Tenant tenant) {
    return new OpenVault(tenant, clock);
  }

  /** A standby counts: it passes on what it is asked. */
  @Override
  public void reach(Provider provider) {
    Call health = Call.get("sys/health", Map.of("standbyok", "true", "perfstandbyok", "true"));
    try (Connection connection = Connection.to(provider.vault())) {
      Answer answer = connection.askOutside(health, Deadline.fromNow());
      switch (answer.status()) {
        case 429, 472, 473 -> {
          // A standby of a Vault that does not know the parameters.
        }
        default -> answer.orFail();
      }
    }
  }
}
