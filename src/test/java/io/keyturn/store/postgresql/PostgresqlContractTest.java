package io.keyturn.store.postgresql;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.contract.StoreContract;
import io.keyturn.contract.StoreFixture;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.PostgresServer;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class PostgresqlContractTest extends StoreContract {

  private static PostgresServer server;

  @BeforeAll
  static void start() {
    server = TestRoles.start();
  }

  @AfterAll
  static void stop() {
    server.close();
  }

  @Override
  protected StoreFixture fixture() {
    return new Fixture(TestRoles.on(server, "contract"));
  }

  private record Fixture(TestRoles roles) implements StoreFixture {

    @Override
    public StoreType type() {
      return new PostgresqlType(Clock.systemUTC());
    }

    @Override
    public Source source() {
      return roles.source();
    }

    @Override
    public Tenant tenant() {
      return roles.tenant(roles.provider());
    }

    @Override
    public Optional<Source> missing() {
      return Optional.of(TestRoles.source("nobody", "nobody else"));
    }

    @Override
    public Optional<Tenant> unreachable() {
      return Optional.of(
          roles.tenant(TestRoles.provider("localhost", 1, "postgres", TestRoles.AUTHORITY.pem())));
    }

    @Override
    public Optional<Tenant> denied() {
      return Optional.of(
          roles
              .tenant(roles.provider())
              .withSecret(
                  "db-admin", Map.of("username", roles.admin(), "password", "a-wrong-password")));
    }

    @Override
    public boolean accepts(Credential credential, SecretData data) {
      return server.tryLogin(TestRoles.text(data, "username"), TestRoles.text(data, "password"))
          == LoginOutcome.ACCEPTED;
    }

    @Override
    public Optional<SecretData> spoiled(SecretData data) {
      Map<String, byte[]> values = new HashMap<>();
      data.keys().forEach(key -> values.put(key, data.get(key).clone()));
      values.put("password", "not-the-password".getBytes(StandardCharsets.UTF_8));
      return Optional.of(SecretData.takeOwnershipOf(values));
    }

    @Override
    public Set<String> written() {
      return Set.of("username", "host", "port", "database");
    }

    @Override
    public List<String> confidential() {
      return List.of(TestRoles.ADMIN_PASSWORD, "a-wrong-password");
    }
  }
}
