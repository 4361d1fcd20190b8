package io.keyturn.store.vault;

import static io.keyturn.store.vault.ScriptedVault.auth;
import static io.keyturn.store.vault.ScriptedVault.says;
import static io.keyturn.store.vault.VaultWorld.failure;
import static io.keyturn.store.vault.VaultWorld.kv;
import static io.keyturn.store.vault.VaultWorld.provider;
import static io.keyturn.store.vault.VaultWorld.tenant;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.Provider.KeyRef;
import io.keyturn.api.v1alpha1.Provider.VaultAuth;
import io.keyturn.contract.TestTenant;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.store.spi.Tenant;
import io.keyturn.testing.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Handler;
import java.util.logging.Level;
import java.util.logging.LogRecord;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SessionTest {

  private static final String LOGIN = "POST auth/kubernetes/login";
  private static final String READ = "GET kv/data/db";
  private static final String VALUE =
      "{\"data\": {\"data\": {\"password\": \"correct-horse\"}, \"metadata\": {\"version\": 1}}}";

  private final ManualClock clock = new ManualClock(Instant.parse("2026-11-25T12:00:00Z"));
  private ScriptedVault vault;

  @BeforeEach
  void start() throws IOException {
    vault = ScriptedVault.start();
    vault.on(READ, says(200, VALUE));
  }

  @AfterEach
  void stop() {
    vault.close();
  }

  private Store open(Tenant tenant) {
    return new VaultStore(clock).open(tenant);
  }

  private Store open(VaultAuth auth) {
    return open(
        TestTenant.of(provider(vault.address(), null, auth))
            .withSecret(
                "creds", Map.of("value", "s3cret-of-the-tenant\n", "bad", "a b", "empty", ""))
            .withTokens((account, audience) -> "jwt-of-%s-for-%s".formatted(account, audience)));
  }

  private Store open() {
    return open(tenant(vault.address()));
  }

  @Test
  void asksNothingBeforeTheFirstOperation() {
    try (Store store = open()) {
      assertThat(vault.asked()).isEmpty();
      store.read(kv("db"));
      assertThat(vault.asked(LOGIN)).hasSize(1);
      assertThat(vault.asked(LOGIN).getFirst().token()).isNull();
      assertThat(vault.asked(LOGIN).getFirst().body())
          .contains("\"role\":\"payments-role\"", "\"jwt\":\"jwt-of-payments-sa-for-vault\"");
      assertThat(vault.asked(READ).getFirst().token()).isEqualTo(ScriptedVault.TOKEN);
    }
  }

  @Test
  void logsInOnceForAllThreads() throws Exception {
    try (Store store = open();
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      Callable<Reading> read = () -> store.read(kv("db"));
      for (Future<Reading> done : threads.invokeAll(Collections.nCopies(16, read))) {
        assertThat(done.get()).isInstanceOf(Reading.Value.class);
      }
      assertThat(vault.asked(READ)).hasSize(16);
      assertThat(vault.asked(LOGIN)).hasSize(1);
    }
  }

  @Test
  void logsInAnewShortlyBeforeItsTokenEnds() {
    try (Store store = open()) {
      store.read(kv("db"));
      clock.advance(Duration.ofSeconds(3569));
      store.read(kv("db"));
      assertThat(vault.asked(LOGIN)).hasSize(1);
      clock.advance(Duration.ofSeconds(1));
      store.read(kv("db"));
      assertThat(vault.asked(LOGIN)).hasSize(2);
    }
  }

  @Test
  void logsInAnewOnceWhereItIsDenied() {
    vault.on(READ, says(403, "{\"errors\": [\"permission denied\"]}"), says(200, VALUE));
    try (Store store = open()) {
      assertThat(store.read(kv("db"))).isInstanceOf(Reading.Value.class);
      assertThat(vault.asked(LOGIN)).hasSize(2);
      assertThat(vault.asked(READ)).hasSize(2);
      assertThat(vault.asked(READ).get(1).token()).isNotEqualTo(ScriptedVault.TOKEN);
    }
  }

  @Test
  void saysThatItIsDeniedWhenThatDoesNotHelp() {
    vault.on(READ, says(403, "{\"errors\": [\"permission denied for correct-horse\"]}"));
    try (Store store = open()) {
      StoreException e = failure(() -> store.read(kv("db")));
      assertThat(e.kind()).isEqualTo(Kind.DENIED);
      assertThat(e).hasMessageContaining("kv/data/db").hasMessageNotContaining("horse");
      assertThat(vault.asked(LOGIN)).hasSize(2);
      assertThat(vault.asked(READ)).hasSize(2);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 403})
  void saysWhoIsNotLetIn(int status) {
    vault.on(LOGIN, says(status, "{\"errors\": [\"jwt-of-payments-sa-for-vault\"]}"));
    try (Store store = open()) {
      StoreException e = failure(store::check);
      assertThat(e.kind()).isEqualTo(Kind.DENIED);
      assertThat(e)
          .hasMessageContainingAll(
              "payments-role", "auth/kubernetes", "payments-sa", "audience vault")
          .hasMessageNotContaining("jwt-of");
      assertThat(vault.asked()).hasSize(1);
    }
  }

  @Test
  void tellsAWrongPasswordFromAnErrorOfVault() {
    vault.on(
        LOGIN,
        says(500, "{\"errors\":[\"invalid username or password\"]}\n"),
        says(500, "{\"errors\":[\"internal error\"]}\n"));
    try (Store store = open()) {
      assertThat(failure(store::check).kind()).isEqualTo(Kind.DENIED);
      assertThat(failure(store::check).kind()).isEqualTo(Kind.TRANSIENT);
    }
  }

  @Test
  void saysThatThereIsNoSuchAuthMethod() {
    vault.on(LOGIN, says(404, "{\"errors\": []}"));
    try (Store store = open()) {
      StoreException e = failure(store::check);
      assertThat(e.kind()).isEqualTo(Kind.PERMANENT);
      assertThat(e).hasMessageContaining("mountPath");
    }
  }

  @Test
  void refusesALoginThatGivesNoToken() {
    vault.on(
        LOGIN,
        says(200, "{\"auth\": null}"),
        says(200, auth("a\\nb", "x", 60, true)),
        says(200, "{\"auth\": {\"client_token\": \"t\", \"lease_duration\": \"1h\"}}"));
    try (Store store = open()) {
      for (int i = 0; i < 3; i++) {
        assertThat(failure(store::check).kind()).isEqualTo(Kind.INTEGRITY);
      }
    }
  }

  @Test
  void logsInByEachMethod() {
    KeyRef secret = new KeyRef("creds", "value");
    vault.on("POST auth/oidc/login", says(200, auth("t-jwt", "a", 60, true)));
    vault.on("POST auth/approle/login", says(200, auth("t-approle", "a", 60, true)));
    vault.on("POST auth/userpass/login/anna b", says(200, auth("t-userpass", "a", 60, true)));
    vault.on("GET auth/token/lookup-self", says(200, "{\"data\": {\"ttl\": 0}}"));
    var jwt = new Provider.ServiceAccountLogin("oidc", "r", "sa", "https://vault");
    var appRole = new Provider.AppRole(null, "role-id", secret);
    var userpass = new Provider.Userpass(null, "anna b", secret);
    var token = new Provider.Token(secret);

    assertThat(tokenOf(new VaultAuth(null, jwt, null, null, null))).isEqualTo("t-jwt");
    assertThat(tokenOf(new VaultAuth(null, null, appRole, null, null))).isEqualTo("t-approle");
    assertThat(tokenOf(new VaultAuth(null, null, null, null, userpass))).isEqualTo("t-userpass");
    assertThat(tokenOf(new VaultAuth(null, null, null, token, null)))
        .isEqualTo("s3cret-of-the-tenant");

    assertThat(vault.asked("POST auth/oidc/login").getFirst().body())
        .contains("jwt-of-sa-for-https://vault");
    assertThat(vault.asked("POST auth/approle/login").getFirst().body())
        .contains("\"role_id\":\"role-id\"", "\"secret_id\":\"s3cret-of-the-tenant\"");
    assertThat(vault.asked("POST auth/userpass/login/anna b").getFirst().body())
        .isEqualTo("{\"password\":\"s3cret-of-the-tenant\"}");
  }

  private String tokenOf(VaultAuth auth) {
    try (Store store = open(auth)) {
      store.read(kv("db"));
    }
    return vault.asked(READ).getLast().token();
  }

  @Test
  void saysWhatIsWrongWithTheSecretOfTheTenant() {
    for (String key : List.of("missing", "bad", "empty")) {
      VaultAuth auth =
          new VaultAuth(null, null, null, new Provider.Token(new KeyRef("creds", key)), null);
      try (Store store = open(auth)) {
        StoreException e = failure(store::check);
        assertThat(e.kind()).isEqualTo(Kind.PERMANENT);
        assertThat(e).hasMessageContaining("creds").hasMessageContaining(key);
      }
    }
    VaultAuth nowhere =
        new VaultAuth(null, null, null, new Provider.Token(new KeyRef("nobody", "value")), null);
    try (Store store = open(nowhere)) {
      assertThat(failure(() -> store.read(kv("db"))).kind()).isEqualTo(Kind.PERMANENT);
    }
    assertThat(vault.asked()).isEmpty();
  }

  @Test
  void namesTheNamespaceOfVault() {
    Provider.Vault plain = tenant(vault.address()).provider().vault();
    Provider provider =
        new Provider(
            new Provider.Vault(plain.address(), "teams/payments", null, plain.auth()), null);
    vault.on("GET sys/health", says(200, "{}"));
    try (Store store =
        open(TestTenant.of(provider).withTokens((account, audience) -> "jwt-of-somebody"))) {
      store.read(kv("db"));
    }
    assertThat(vault.asked()).allMatch(a -> "teams/payments".equals(a.namespace()));

    new VaultStore(clock).reach(provider);
    assertThat(vault.asked("GET sys/health").getFirst().namespace()).isNull();
    assertThat(vault.asked("GET sys/health").getFirst().token()).isNull();
  }

  @Test
  void letsTheLibraryLogNoTokenAndNoValue() {
    Logger logger = Logger.getLogger("io.quarkus.vault");
    Level before = logger.getLevel();
    List<LogRecord> records = new CopyOnWriteArrayList<>();
    Handler handler =
        new Handler() {
          @Override
          public void publish(LogRecord record) {
            records.add(record);
          }

          @Override
          public void flush() {}

          @Override
          public void close() {}
        };
    logger.setLevel(Level.ALL);
    logger.addHandler(handler);
    try (Store store = open()) {
      store.read(kv("db"));
      vault.on(READ, says(500, "correct-horse"));
      failure(() -> store.read(kv("db")));
    } finally {
      logger.removeHandler(handler);
      logger.setLevel(before);
    }
    assertThat(records)
        .isNotEmpty()
        .allSatisfy(r -> {
          assertThat(r.getMessage()).doesNotContain("scripted", "jwt-of", "horse");
          assertThat(r.getThrown()).isNull();
        });
  }
}
