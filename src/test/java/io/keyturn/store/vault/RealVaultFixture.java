package io.keyturn.store.vault;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.contract.StoreFixture;
import io.keyturn.contract.TestTenant;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/** A real Vault for the contract of stores. */
class RealVaultFixture implements StoreFixture {

  private final RealVault vault;
  private final Source source;
  private final Source missing;

  RealVaultFixture(RealVault vault, Source source, Source missing) {
    this.vault = vault;
    this.source = source;
    this.missing = missing;
  }

  @Override
  public StoreType type() {
    return new VaultStore(Clock.systemUTC());
  }

  @Override
  public Source source() {
    return source;
  }

  @Override
  public TestTenant tenant() {
    return vault.tenant();
  }

  @Override
  public Optional<Source> missing() {
    return Optional.of(missing);
  }

  @Override
  public Optional<Tenant> unreachable() {
    try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      String nobody = "https://127.0.0.1:" + gone.getLocalPort();
      return Optional.of(vault.tenant(nobody, vault.appRole.roleId(), vault.appRole.secretId()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public Optional<Tenant> denied() {
    return Optional.of(
        vault.tenant(vault.server.address(), vault.appRole.roleId(), "not-the-secret-id"));
  }

  @Override
  public List<String> confidential() {
    return List.of(
        RealVault.PASSWORD,
        vault.server.rootToken(),
        vault.appRole.secretId(),
        "not-the-secret-id");
  }
}
