package io.keyturn.store.vault;

import static io.keyturn.store.vault.Failures.failure;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.OwnLogin;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.store.spi.Tenant;
import java.time.InstantSource;
import java.util.Optional;

/** A Vault, open for one tenant. */
final class OpenVault implements Store {

  private final Connection connection;
  private final Session session;
  private final Kv kv;
  private final Leases leases;
  private final Pki pki;

  OpenVault(Tenant tenant, InstantSource clock) {
    connection = Connection.to(tenant.provider().vault());
    session = new Session(connection, new Login(connection, tenant, clock), clock);
    kv = new Kv(session);
    leases = new Leases(connection, session, clock);
    pki = new Pki(session, clock);
  }

  /** Logs in unless that is done, and asks Vault who that is. */
  @Override
  public void check() {
    session.ask(Call.get("auth/token/lookup-self"), Deadline.fromNow()).orFail();
  }

  /** Reads KV engines. */
  @Override
  public Reading read(Source source) {
    return source.vaultKv() == null ? Store.super.read(source) : kv.read(source.vaultKv());
  }

  /** A lease has a token of its own. */
  @Override
  public Optional<OwnLogin> login(Source source) {
    return source.vaultLease() == null ? Optional.empty() : Optional.of(leases.login());
  }

  @Override
  public void logout(String owner) {
    leases.logout(Owner.parse(owner));
  }

  /** Asks for a leased credential or a certificate; what nobody takes note of ends by itself. */
  @Override
  public Reading.Value issue(Source source, Order order) {
    if (source.vaultLease() != null) {
      return leases.issue(source.vaultLease(), order.login());
    }
    return source.vaultPki() == null
        ? Store.super.issue(source, order)
        : pki.issue(source.vaultPki());
  }

  /** Renews a lease, and the token that it ends with. */
  @Override
  public Credential renew(Credential credential) {
    if (!isLease(credential)) {
      throw foreign("renew");
    }
    return leases.renew(credential);
  }

  /** Ends a lease or a certificate; whether sessions end with it is for the engine to say. */
  @Override
  public void revoke(Credential credential, boolean terminateSessions) {
    if (isLease(credential)) {
      leases.revoke(credential);
    } else if (isCertificate(credential)) {
      pki.revoke(credential);
    } else {
      throw foreign("revoke");
    }
  }

  /** Looks the lease up, or the certificate. */
  @Override
  public Refusal refusal(Credential credential, Order order) {
    if (isLease(credential)) {
      return leases.refusal(credential);
    }
    return isCertificate(credential) ? pki.refusal(credential) : Refusal.UNKNOWN;
  }

  private static boolean isLease(Credential credential) {
    return credential.id().startsWith(Leases.PREFIX);
  }

  private static boolean isCertificate(Credential credential) {
    return credential.id().startsWith(Pki.PREFIX);
  }

  private static StoreException foreign(String operation) {
    return failure(Kind.PERMANENT, "Vault cannot %s what is none of its leases.", operation);
  }

  @Override
  public void close() {
    connection.close();
  }
}
