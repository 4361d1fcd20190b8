package io.keyturn.store.vault;

import static io.keyturn.store.vault.VaultWorld.provider;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.Provider.KeyRef;
import io.keyturn.api.v1alpha1.Provider.VaultAuth;
import io.keyturn.contract.TestTenant;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.VaultServer;
import io.keyturn.testing.VaultServer.Tokens;
import java.time.Duration;
import java.util.Map;

/** A Vault with one of each engine, and a PostgreSQL for one of them. */
final class RealVault implements AutoCloseable {

  /** What a tenant needs beside Vault's default policy, and nothing else. */
  static final String POLICY =
      """
      path "kv/data/payments/*"          { capabilities = ["read"] }
      path "database/creds/payments"     { capabilities = ["read"] }
      path "database/creds/short"        { capabilities = ["read"] }
      path "pki/issue/payments"          { capabilities = ["update"] }
      path "pki/revoke"                  { capabilities = ["update"] }
      path "sys/leases/revoke"           { capabilities = ["update"] }
      path "auth/token/renew-accessor"   { capabilities = ["update"] }
      path "auth/token/revoke-accessor"  { capabilities = ["update"] }
      """;

  static final String PASSWORD = "correct-horse-battery-staple";

  private static final Duration HOUR = Duration.ofHours(1);

  final VaultServer server;
  final PostgresServer postgres;
  final VaultServer.AppRole appRole;

  private RealVault(VaultServer server, PostgresServer postgres) {
    this.server = server;
    this.postgres = postgres;
    server.policy("payments", POLICY);
    server.enableKv("kv");
    server.write("kv/data/payments/db", Map.of("data", Map.of("password", PASSWORD)));
    server.enableDatabase("database", postgres);
    server.databaseRole("database", "payments", Duration.ofMinutes(10), HOUR);
    server.databaseRole("database", "short", Duration.ofSeconds(20), Duration.ofSeconds(25));
    server.enablePki("pki", "payments-ca");
    server.pkiRole("pki", "payments", "payments.svc", Duration.ofDays(1));
    server.enableAppRoleAuth("approle");
    appRole = role("payments", Tokens.service(HOUR, "payments"));
  }

  static RealVault start() {
    VaultServer server = VaultServer.start();
    try {
      return new RealVault(server, PostgresServer.start());
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
  }

  VaultServer.AppRole role(String name, Tokens tokens) {
    return server.appRole("approle", name, tokens);
  }

  TestTenant tenant() {
    return tenant(appRole);
  }

  TestTenant tenant(VaultServer.AppRole role) {
    return tenant(server.address(), role.roleId(), role.secretId());
  }

  TestTenant tenant(String address, String roleId, String secretId) {
    VaultAuth auth =
        new VaultAuth(
            null, null, new Provider.AppRole(null, roleId, new KeyRef("login", "id")), null, null);
    return tenant(address, auth).withSecret("login", Map.of("id", secretId));
  }

  TestTenant tenant(String address, VaultAuth auth) {
    return TestTenant.of(provider(address, server.caBundle(), auth));
  }

  /** Whether somebody can log in to the PostgreSQL. */
  boolean letsIn(String user, String password) {
    return postgres.tryLogin(user, password) == LoginOutcome.ACCEPTED;
  }

  @Override
  public void close() {
    server.close();
    postgres.close();
  }
}
