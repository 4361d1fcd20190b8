package io.keyturn.store.vault;

import static io.keyturn.store.vault.ScriptedVault.says;
import static io.keyturn.store.vault.VaultWorld.failure;
import static io.keyturn.store.vault.VaultWorld.order;
import static io.keyturn.store.vault.VaultWorld.pki;
import static io.keyturn.store.vault.VaultWorld.tenant;
import static io.keyturn.store.vault.VaultWorld.text;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.VaultPki;
import io.keyturn.network.Trust;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.Store.Refusal;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.TestAuthority;
import io.keyturn.testing.TestAuthority.Identity;
import java.io.IOException;
import java.security.KeyPair;
import java.security.cert.CertificateException;
import java.time.Clock;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PkiTest {

  private static final String ISSUE = "POST pki/issue/payments";
  private static final String SERIAL = "1a:2b:3c";
  private static final Source SOURCE =
      pki(
          new VaultPki(
              "pki",
              "payments",
              "payments.svc",
              List.of("a.payments.svc", "b.payments.svc"),
              "24h"));

  private final TestAuthority root = TestAuthority.root("root");
  private final TestAuthority issuer = root.intermediate("issuer");
  private final Instant end = Instant.now().plusSeconds(3600).truncatedTo(ChronoUnit.SECONDS);
  private ScriptedVault vault;
  private Store store;

  @BeforeEach
  void open() throws IOException {
    vault = ScriptedVault.start();
    store = new VaultStore(Clock.systemUTC()).open(tenant(vault.address()));
  }

  @AfterEach
  void close() {
    store.close();
    vault.close();
  }

  private Identity leaf(KeyPair key, Instant until) {
    return issuer.issue(key, until.minusSeconds(7200), until, "payments.svc");
  }

  private Map<String, Object> data(Identity identity, String key) {
    Map<String, Object> data = new HashMap<>();
    String chain = identity.certificatePem();
    data.put(
        "certificate", chain.substring(0, chain.indexOf("-----END")) + "-----END CERTIFICATE-----");
    data.put("ca_chain", List.of(issuer.pem().strip(), root.pem().strip()));
    data.put("issuing_ca", issuer.pem().strip());
    data.put("private_key", key.strip());
    data.put("serial_number", SERIAL);
    return data;
  }

  private static String answer(Map<String, Object> data) {
    try {
      return new ObjectMapper().writeValueAsString(Map.of("data", data, "lease_id", ""));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }

  private void issues(Identity identity, String key) {
    vault.on(ISSUE, says(200, answer(data(identity, key))));
  }

  private Credential issue() {
    return store.issue(SOURCE, order()).credential().orElseThrow();
  }

  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA"})
  void deliversCertificateKeyAndCa(String algorithm) throws CertificateException {
    KeyPair key = algorithm.equals("EC") ? TestAuthority.ecKey() : TestAuthority.rsaKey();
    Identity identity = leaf(key, end);
    issues(identity, identity.keyPem());

    Reading.Value value = store.issue(SOURCE, order());

    assertThat(value.data().keys()).containsExactly("ca.crt", "tls.crt", "tls.key");
    assertThat(Trust.certificates(value.data().get("tls.crt"))).hasSize(3);
    for (String each : value.data().keys()) {
      assertThat(text(value.data(), each)).endsWith("-----\n").doesNotContain("\n\n");
    }
    Credential credential = value.credential().orElseThrow();
    assertThat(credential.id()).isEqualTo("cert:pki:" + SERIAL);
    assertThat(credential.expiresAt()).contains(end);
    assertThat(credential.hardExpiry()).contains(end);
    assertThat(credential.renewable()).isFalse();
    assertThat(vault.asked(ISSUE).getFirst().body())
        .contains(
            "\"common_name\":\"payments.svc\"",
            "\"alt_names\":\"a.payments.svc,b.payments.svc\"",
            "\"ttl\":\"86400s\"");
  }

  @Test
  void refusesAKeyOfAnotherCertificate() {
    issues(leaf(TestAuthority.ecKey(), end), leaf(TestAuthority.ecKey(), end).keyPem());
    assertThat(failure(this::issue).kind()).isEqualTo(Kind.INTEGRITY);

    issues(leaf(TestAuthority.ecKey(), end), "no key at all");
    assertThat(failure(this::issue))
        .hasMessageContaining("belong together")
        .hasMessageNotContaining("no key at all");
  }

  @Test
  void refusesACertificateThatHasEnded() {
    Identity ended = leaf(TestAuthority.ecKey(), Instant.now().minusSeconds(60));
    issues(ended, ended.keyPem());

    assertThat(failure(this::issue).kind()).isEqualTo(Kind.INTEGRITY);
  }

  @ParameterizedTest
  @ValueSource(strings = {"certificate", "private_key", "issuing_ca", "serial_number"})
  void refusesAnAnswerThatLacksSomething(String missing) {
    Identity identity = leaf(TestAuthority.ecKey(), end);
    Map<String, Object> data = data(identity, identity.keyPem());
    data.remove(missing);
    vault.on(ISSUE, says(200, answer(data)));

    assertThat(failure(this::issue).kind()).isEqualTo(Kind.INTEGRITY);
  }

  @Test
  void refusesACertificateThatCannotBeRead() {
    Identity identity = leaf(TestAuthority.ecKey(), end);
    Map<String, Object> data = data(identity, identity.keyPem());
    data.put("certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----");
    vault.on(ISSUE, says(200, answer(data)));

    assertThat(failure(this::issue).kind()).isEqualTo(Kind.INTEGRITY);
  }

  @Test
  void refusesARoleWhoseCertificatesEndWithTheLogin() {
    vault.on(ISSUE, says(200, "{\"lease_id\": \"pki/issue/payments/x\", \"data\": {}}"));

    StoreException e = failure(this::issue);

    assertThat(e.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(e).hasMessageContaining("generate_lease");
  }

  @Test
  void revokesByMountAndSerial() {
    Credential credential = Credential.lasting("cert:teams/pki:" + SERIAL, Instant.now());
    vault.on("POST teams/pki/revoke", says(200, "{}"), says(400, "{}"));

    store.revoke(credential, true);
    store.revoke(credential, true);

    assertThat(vault.asked("POST teams/pki/revoke").getFirst().body())
        .isEqualTo("{\"serial_number\":\"" + SERIAL + "\"}");
  }

  @Test
  void isNotDoneWithACertificateThatVaultDidNotRevoke() {
    Credential credential = Credential.lasting("cert:pki:" + SERIAL, Instant.now());
    vault.on("POST pki/revoke", says(400, "{}"));
    vault.on("GET pki/cert/" + SERIAL, says(200, "{\"data\": {\"revocation_time\": 0}}"));

    assertThat(failure(() -> store.revoke(credential, true)).kind()).isEqualTo(Kind.PERMANENT);
  }

  @Test
  void looksUpWhetherACertificateIsRevoked() {
    Credential credential = Credential.lasting("cert:pki:" + SERIAL, Instant.now());
    assertThat(store.refusal(credential, order())).isEqualTo(Refusal.UNKNOWN);
    vault.on(
        "GET pki/cert/" + SERIAL,
        says(200, "{\"data\": {\"revocation_time\": 0}}"),
        says(200, "{\"data\": {\"revocation_time\": 1764072000}}"));

    assertThat(store.refusal(credential, order())).isEqualTo(Refusal.UNKNOWN);
    assertThat(store.refusal(credential, order())).isEqualTo(Refusal.PROVEN);
  }
}
