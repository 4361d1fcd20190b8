package io.keyturn.store.vault;

import static io.keyturn.store.vault.ScriptedVault.pours;
import static io.keyturn.store.vault.ScriptedVault.says;
import static io.keyturn.store.vault.ScriptedVault.trickles;
import static io.keyturn.store.vault.VaultWorld.failure;
import static io.keyturn.store.vault.VaultWorld.kv;
import static io.keyturn.store.vault.VaultWorld.provider;
import static io.keyturn.store.vault.VaultWorld.serviceAccount;
import static io.keyturn.store.vault.VaultWorld.tenant;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.contract.TestTenant;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.TestAuthority;
import io.keyturn.testing.TestAuthority.Identity;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class WireTest {

  private static final String READ = "GET kv/data/db";
  private static final String VALUE =
      "{\"data\": {\"data\": {\"password\": \"correct-horse\"}, \"metadata\": {\"version\": 1}}}";

  private final VaultStore type = new VaultStore(Clock.systemUTC());
  private final TestAuthority authority = TestAuthority.root("vault-ca");
  private ScriptedVault vault;

  @BeforeEach
  void start() throws IOException {
    vault = ScriptedVault.start();
  }

  @AfterEach
  void stop() {
    vault.close();
  }

  private StoreException readFails(TestTenant tenant) {
    try (Store store = type.open(tenant)) {
      return failure(() -> store.read(kv("db")));
    }
  }

  @ParameterizedTest
  @CsvSource({
    "400, PERMANENT", "405, PERMANENT", "412, TRANSIENT", "418, PERMANENT", "429, THROTTLED",
    "472, TRANSIENT", "473, TRANSIENT", "500, TRANSIENT", "501, TRANSIENT", "502, TRANSIENT",
    "503, TRANSIENT", "504, TRANSIENT"
  })
  void knowsWhatAStatusMeans(int status, Kind kind) {
    vault.on(READ, says(status, "{\"errors\": [\"correct-horse\"]}"));

    StoreException e = readFails(tenant(vault.address()));

    assertThat(e.kind()).isEqualTo(kind);
    assertThat(e).hasMessageContaining("code " + status).hasMessageNotContaining("horse");
  }

  @Test
  void saysThatVaultIsSealed() {
    vault.on("POST auth/kubernetes/login", says(503, "{\"errors\": [\"Vault is sealed\"]}"));

    assertThat(readFails(tenant(vault.address())))
        .hasMessageContaining("sealed")
        .extracting(StoreException::kind)
        .isEqualTo(Kind.TRANSIENT);
  }

  @Test
  void waitsAsLongAsItIsTold() {
    vault.on(READ, says(429, "Retry-After", "17"), says(429, "Retry-After", "999999"));
    try (Store store = type.open(tenant(vault.address()))) {
      StoreException e = failure(() -> store.read(kv("db")));
      assertThat(e.reason()).isEqualTo(Reasons.STORE_THROTTLED);
      assertThat(e.retryAfter()).contains(Duration.ofSeconds(17));
      assertThat(failure(() -> store.read(kv("db"))).retryAfter()).contains(Duration.ofHours(1));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {301, 302, 307, 308})
  void followsNoRedirect(int status) throws IOException {
    try (ScriptedVault other = ScriptedVault.start()) {
      vault.on(READ, says(status, "Location", other.address() + "/v1/kv/data/db"));

      StoreException e = readFails(tenant(vault.address()));

      assertThat(e.kind()).isEqualTo(Kind.PERMANENT);
      assertThat(e).hasMessageContaining("redirect");
      assertThat(other.asked()).isEmpty();
    }
  }

  @Test
  void cutsOffAnAnswerThatIsTooLong() {
    vault.on(READ, pours(100L << 20));
    long start = System.nanoTime();

    StoreException e = readFails(tenant(vault.address()));

    assertThat(e.kind()).isEqualTo(Kind.TRANSIENT);
    assertThat(e).hasMessageContaining("1 MiB");
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(8));
  }

  @Test
  void doesNotWaitForATrickleToEnd() {
    vault.on("GET slow", trickles());
    try (Connection connection =
        Connection.to(provider(vault.address(), null, serviceAccount()).vault())) {
      Deadline soon = new Deadline(System.nanoTime() + Duration.ofMillis(500).toNanos());
      StoreException e = failure(() -> connection.ask(Call.get("slow"), soon));
      assertThat(e.kind()).isEqualTo(Kind.TRANSIENT);
      assertThat(e.outcome()).isEqualTo("timeout");
      assertThat(e).hasMessageContaining("no whole answer");
    }
  }

  @Test
  void noticesThatAnAnswerBrokeOff() {
    vault.on(
        READ,
        exchange -> {
          exchange.sendResponseHeaders(200, 1000);
          exchange.getResponseBody().write("{\"data\": ".getBytes());
          exchange.getResponseBody().flush();
          throw new IOException("broken off");
        });

    assertThat(readFails(tenant(vault.address())).kind()).isEqualTo(Kind.TRANSIENT);
  }

  @Test
  void saysThatNobodyListens() throws IOException {
    int port;
    try (ServerSocket gone = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
      port = gone.getLocalPort();
    }

    StoreException e = readFails(tenant("http://127.0.0.1:" + port));

    assertThat(e.kind()).isEqualTo(Kind.TRANSIENT);
    assertThat(e).hasMessageContaining("takes no connection");
  }

  @Test
  void trustsTheCaOfTheStore() throws IOException {
    try (ScriptedVault tls = ScriptedVault.start(authority.issue("127.0.0.1"))) {
      tls.on(READ, says(200, VALUE));
      try (Store store = type.open(tenant(tls.address(), authority.pem()))) {
        assertThat(store.read(kv("db"))).isInstanceOf(Reading.Value.class);
      }
    }
  }

  @Test
  void trustsNoOtherCa() throws IOException {
    try (ScriptedVault tls = ScriptedVault.start(authority.issue("127.0.0.1"))) {
      assertTlsFails(tls, TestAuthority.root("another").pem(), "caBundle");
      assertTlsFails(tls, null, "caBundle");
    }
  }

  @Test
  void trustsNoCertificateOfAnotherName() throws IOException {
    try (ScriptedVault tls = ScriptedVault.start(authority.issue("127.0.0.2", "vault.example"))) {
      assertTlsFails(tls, authority.pem(), "for the name 127.0.0.1");
    }
  }

  @Test
  void trustsNoCertificateThatHasExpired() throws IOException {
    Instant now = Instant.now();
    Identity expired =
        authority.issue(
            TestAuthority.ecKey(), now.minusSeconds(7200), now.minusSeconds(3600), "127.0.0.1");
    try (ScriptedVault tls = ScriptedVault.start(expired)) {
      assertTlsFails(tls, authority.pem(), "expired");
    }
  }

  private void assertTlsFails(ScriptedVault tls, String caBundle, String word) {
    StoreException e = readFails(tenant(tls.address(), caBundle));
    assertThat(e.kind()).isEqualTo(Kind.TRANSIENT);
    assertThat(e).hasMessageContaining("TLS").hasMessageContaining(word);
    assertThat(tls.asked()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "https://169.254.169.254",
        "https://[fe80::1]:8200",
        "https://[fd00:ec2::254]:8200"
      })
  void asksNoAddressThatTellsMachinesWhoTheyAre(String address) {
    StoreException e = readFails(tenant(address));

    assertThat(e.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(e).hasMessageContaining("link-local");
  }

  @Test
  void saysThatANameHasNoAddress() {
    StoreException e = readFails(tenant("https://vault.invalid:8200"));

    assertThat(e.kind()).isEqualTo(Kind.TRANSIENT);
    assertThat(e).hasMessageContaining("vault.invalid");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://vault:8200",
        "ftp://vault",
        "https://user@vault",
        "https:///x",
        "not a url"
      })
  void opensNoStoreWhoseAddressIsNotSafe(String address) {
    assertThat(failure(() -> type.open(tenant(address))).kind()).isEqualTo(Kind.PERMANENT);
  }

  @Test
  void opensNoStoreWhoseCasCannotBeRead() {
    StoreException e = failure(() -> type.open(tenant("https://vault:8200", "no PEM")));

    assertThat(e.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(e).hasMessageContaining("caBundle");
  }

  @ParameterizedTest
  @ValueSource(ints = {200, 429, 472, 473})
  void reachesAVaultThatServesOrPassesOn(int status) {
    vault.on("GET sys/health", says(status, "{}"));

    type.reach(tenant(vault.address()).provider());

    assertThat(vault.asked().getFirst().query()).contains("standbyok=true", "perfstandbyok=true");
  }

  @ParameterizedTest
  @CsvSource({"501, initialise", "503, sealed"})
  void saysWhyAVaultDoesNotServe(int status, String word) {
    vault.on("GET sys/health", says(status, "{}"));

    StoreException e = failure(() -> type.reach(tenant(vault.address()).provider()));

    assertThat(e.kind()).isEqualTo(Kind.TRANSIENT);
    assertThat(e).hasMessageContaining(word);
  }
}
