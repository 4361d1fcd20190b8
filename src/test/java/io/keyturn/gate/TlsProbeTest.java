package io.keyturn.gate;

import static io.keyturn.gate.Candidates.TIME;
import static io.keyturn.gate.Candidates.assertThatItSays;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.secret.SecretData;
import io.keyturn.testing.TestAuthority;
import io.keyturn.testing.TestAuthority.Identity;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TlsProbeTest {

  private static final Instant NOW = Instant.now().truncatedTo(ChronoUnit.SECONDS);
  private static final TestAuthority ROOT = TestAuthority.root("root");
  private static final TestAuthority MIDDLE = ROOT.intermediate("middle");
  private static final TestAuthority LOWER = MIDDLE.intermediate("lower");
  private static final TestAuthority STRANGER = TestAuthority.root("root");

  private static Preflight.Tls check(String host, Integer port) {
    return new Preflight.Tls(host, port, null, null, null, null);
  }

  private static SecretData candidate(Identity identity, TestAuthority authority) {
    return candidate(identity.certificatePem(), identity.keyPem(), authority.pem());
  }

  private static SecretData candidate(String certificate, String key, String authority) {
    return authority == null
        ? Candidates.of("tls.crt", certificate, "tls.key", key)
        : Candidates.of("tls.crt", certificate, "tls.key", key, "ca.crt", authority);
  }

  private static Measurement run(Preflight.Tls check, SecretData candidate) {
    return TlsProbe.run(check, candidate, NOW, TIME);
  }

  @Test
  void aCertificateInOrderPasses() {
    Instant end = NOW.plus(Duration.ofDays(30));
    Identity identity = LOWER.issue(TestAuthority.ecKey(), NOW, end, "app.example.org");

    Measurement measurement = run(check("app.example.org", null), candidate(identity, ROOT));

    assertThatItSays(
        measurement,
        Verdict.Passed,
        "the certificate is for app.example.org, and valid until " + end);
    assertThat(measurement.value()).isEqualTo(end.toString());
  }

  @ParameterizedTest
  @CsvSource({
    "app.example.org, app.example.org, true",
    "app.example.org, APP.example.org., true",
    "*.example.org, app.example.org, true",
    "*.example.org, example.org, false",
    "*.example.org, a.b.example.org, false",
    "*.org, example.org, false",
    "app.example.org, other.example.org, false",
    "10.0.0.1, 10.0.0.1, true",
    "10.0.0.1, 10.0.0.2, false",
    "::1, 0:0:0:0:0:0:0:1, true",
    "10.example.org, 10.0.0.1, false",
    "app.example.org, test-leaf, false"
  })
  void itMustBeForTheHost(String name, String host, boolean covered) {
    Measurement measurement = run(check(host, null), candidate(ROOT.issue(name), ROOT));

    assertThat(measurement.verdict()).isEqualTo(covered ? Verdict.Passed : Verdict.Failed);
    if (!covered) {
      assertThat(measurement.message()).isEqualTo("the certificate is not for " + host);
    }
  }

  @Test
  void itMustRemainValid() {
    Instant end = NOW.plus(Duration.ofHours(23));
    Identity soon = ROOT.issue(TestAuthority.ecKey(), NOW, end, "app");

    assertThatItSays(
        run(check("app", null), candidate(soon, ROOT)),
        Verdict.Failed,
        "the certificate expires at %s, sooner than in 24h".formatted(end));
    assertThat(
            run(new Preflight.Tls("app", null, null, null, null, "23h"), candidate(soon, ROOT))
                .verdict())
        .isEqualTo(Verdict.Passed);

    Instant past = NOW.minusSeconds(1);
    assertThatItSays(
        run(
            check("app", null),
            candidate(ROOT.issue(TestAuthority.ecKey(), NOW.minusSeconds(60), past, "app"), ROOT)),
        Verdict.Failed,
        "the certificate has expired at " + past);

    Instant later = NOW.plusSeconds(1);
    assertThatItSays(
        run(
            check("app", null),
            candidate(
                ROOT.issue(TestAuthority.ecKey(), later, NOW.plus(Duration.ofDays(9)), "app"),
                ROOT)),
        Verdict.Failed,
        "the certificate is not valid before " + later);
  }

  @Test
  void eachMustBeSignedByTheNextUpToTheCa() {
    Identity identity = LOWER.issue("app");
    String key = identity.keyPem();
    String wrongOrder =
        identity.certificatePem().replace(LOWER.pem(), "").replace(MIDDLE.pem(), "")
            + MIDDLE.pem()
            + LOWER.pem();

    assertThatItSays(
        run(check("app", null), candidate(wrongOrder, key, ROOT.pem())),
        Verdict.Failed,
        "the certificate is not signed by the next one: the chain starts with the certificate,"
            + " followed by who signed it",
        key);
    assertThatItSays(
        run(check("app", null), candidate(identity, STRANGER)),
        Verdict.Failed,
        "the certificate at place 3 of the chain is not signed by a CA of key ca.crt");
    assertThatItSays(
        run(
            check("app", null),
            candidate(identity.certificatePem().replace(MIDDLE.pem(), ""), key, ROOT.pem())),
        Verdict.Failed,
        "the certificate at place 2 of the chain is not signed by a CA of key ca.crt");
    assertThat(
            run(
                    check("app", null),
                    candidate(identity.certificatePem() + ROOT.pem(), key, ROOT.pem()))
                .verdict())
        .isEqualTo(Verdict.Passed);
  }

  @Test
  void noCaIsNeededUnlessOneIsNamed() {
    Identity identity = LOWER.issue("app");

    assertThat(
            run(check("app", null), candidate(identity.certificatePem(), identity.keyPem(), null))
                .verdict())
        .isEqualTo(Verdict.Passed);
    assertThat(
            run(check("app", null), candidate(identity.certificatePem(), identity.keyPem(), ""))
                .verdict())
        .isEqualTo(Verdict.Passed);
    assertThatItSays(
        run(
            new Preflight.Tls("app", null, null, null, "root.crt", null),
            candidate(identity, ROOT)),
        Verdict.Failed,
        "the version has no key root.crt: it has ca.crt, tls.crt, tls.key");
  }

  @ParameterizedTest
  @ValueSource(strings = {"EC", "RSA", "Ed25519"})
  void thePrivateKeyMustBelongToIt(String algorithm) throws Exception {
    KeyPair pair = KeyPairGenerator.getInstance(algorithm).generateKeyPair();
    KeyPair other = KeyPairGenerator.getInstance(algorithm).generateKeyPair();
    Identity identity = ROOT.issue(pair, NOW, NOW.plus(Duration.ofDays(9)), "app");
    Identity wrong = new Identity(identity.chain(), other);

    assertThat(run(check("app", null), candidate(identity, ROOT)).verdict())
        .isEqualTo(Verdict.Passed);
    assertThatItSays(
        run(check("app", null), candidate(wrong, ROOT)),
        Verdict.Failed,
        "the private key of key tls.key does not belong to the certificate of key tls.crt",
        wrong.keyPem());
  }

  @Test
  void olderFormatsOfPrivateKeysAreRead() {
    for (KeyPair pair : new KeyPair[] {TestAuthority.ecKey(), TestAuthority.rsaKey()}) {
      Identity identity = ROOT.issue(pair, NOW, NOW.plus(Duration.ofDays(9)), "app");
      assertThat(identity.olderKeyPem()).containsPattern("BEGIN (EC|RSA) PRIVATE KEY");

      assertThat(
              run(
                      check("app", null),
                      candidate(identity.certificatePem(), identity.olderKeyPem(), ROOT.pem()))
                  .message())
          .startsWith("the certificate is for app");
    }
  }

  @Test
  void aKeyOfAnotherKindFails() {
    Identity ec = ROOT.issue("app");
    Identity rsa = ROOT.issue(TestAuthority.rsaKey(), NOW, NOW.plus(Duration.ofDays(9)), "app");

    for (String key : new String[] {rsa.keyPem(), rsa.olderKeyPem()}) {
      assertThatItSays(
          run(check("app", null), candidate(ec.certificatePem(), key, ROOT.pem())),
          Verdict.Failed,
          "the value of key tls.key is no private key of the kind (EC) that its certificate has",
          key);
    }
  }

  @Test
  void whatIsNoPemIsSaidWithoutQuotingIt() {
    Identity identity = ROOT.issue("app");
    String value = Candidates.value();
    String nonsense = "-----BEGIN CERTIFICATE-----\n" + value + "\n-----END CERTIFICATE-----\n";

    assertThatItSays(
        run(check("app", null), candidate(nonsense, identity.keyPem(), null)),
        Verdict.Failed,
        "the value of key tls.crt is no certificate as PEM",
        value);
    assertThatItSays(
        run(check("app", null), candidate(value, identity.keyPem(), null)),
        Verdict.Failed,
        "the value of key tls.crt is no certificate as PEM",
        value);
    assertThatItSays(
        run(check("app", null), candidate(identity.certificatePem(), value, null)),
        Verdict.Failed,
        "the value of key tls.key is no private key as PEM",
        value);
    assertThatItSays(
        run(
            check("app", null),
            candidate(
                identity.certificatePem(),
                "-----BEGIN PRIVATE KEY-----\n%s\n-----END PRIVATE KEY-----\n".formatted("AAAA"),
                null)),
        Verdict.Failed,
        "the value of key tls.key is no private key of the kind (EC) that its certificate has");
    assertThatItSays(
        run(check("app", null), Candidates.of("tls.crt", identity.certificatePem())),
        Verdict.Failed,
        "the version has no key tls.key: it has tls.crt");
  }

  @Test
  void anEncryptedKeyIsNoVerdict() {
    assertThatItSays(
        run(
            check("app", null),
            candidate(
                ROOT.issue("app").certificatePem(),
                "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n",
                null)),
        Verdict.Inconclusive,
        "the private key of key tls.key is encrypted, so it cannot be checked");
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
  void aServerAcceptsTheCertificate(String protocol) throws IOException {
    Identity client = LOWER.issue("client");
    try (TlsServer server = TlsServer.start(ROOT.issue("localhost"), ROOT, protocol)) {
      Measurement measurement = run(check("localhost", server.port()), candidate(client, ROOT));

      assertThat(measurement.message())
          .isEqualTo(
              "the certificate is accepted by localhost:%d, and valid until %s"
                  .formatted(server.port(), measurement.value()));
      assertThat(measurement.verdict()).isEqualTo(Verdict.Passed);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TLSv1.3", "TLSv1.2"})
  void aServerRefusesTheCertificate(String protocol) throws IOException {
    TestAuthority other = TestAuthority.root("other");
    Identity client = other.issue("client");
    try (TlsServer server = TlsServer.start(ROOT.issue("localhost"), ROOT, protocol)) {
      assertThatItSays(
          run(
              check("localhost", server.port()),
              candidate(client.certificatePem(), client.keyPem(), ROOT.pem() + other.pem())),
          Verdict.Failed,
          "localhost:%d refuses the certificate".formatted(server.port()),
          client.keyPem());
    }
  }

  @Test
  void aServerThatAsksForNoCertificatePasses() throws IOException {
    Identity client = ROOT.issue("client");
    try (TlsServer server = TlsServer.start(ROOT.issue("localhost"), null, "TLSv1.3")) {
      assertThat(run(check("localhost", server.port()), candidate(client, ROOT)).message())
          .startsWith(
              "the certificate is in order, and localhost:%d is trusted and asks for none"
                  .formatted(server.port()));
      assertThatItSays(
          run(check("localhost", server.port()), Candidates.of("ca.crt", ROOT.pem())),
          Verdict.Passed,
          "localhost:%d is trusted by key ca.crt".formatted(server.port()));
    }
  }

  @Test
  void aServerThatIsNotTrustedFails() throws IOException {
    try (TlsServer server = TlsServer.start(ROOT.issue("localhost"), null, "TLSv1.3")) {
      assertThatItSays(
          run(check("localhost", server.port()), Candidates.of("ca.crt", STRANGER.pem())),
          Verdict.Failed,
          "the certificate of localhost:%d is not trusted by key ca.crt, or has expired"
              .formatted(server.port()));
      assertThatItSays(
          run(check("127.0.0.1", server.port()), Candidates.of("ca.crt", ROOT.pem())),
          Verdict.Failed,
          "the certificate of 127.0.0.1:%d is not for 127.0.0.1".formatted(server.port()));
      Identity client = ROOT.issue("client");
      assertThatItSays(
          run(
              check("localhost", server.port()),
              candidate(client.certificatePem(), client.keyPem(), null)),
          Verdict.Failed,
          "the certificate of localhost:%d is not trusted by the system, or has expired"
              .formatted(server.port()));
    }
  }

  @Test
  void aServerThatDoesNotAnswerIsNoVerdict() throws IOException {
    SecretData candidate = Candidates.of("ca.crt", ROOT.pem());
    int port;
    try (ServerSocket silent = new ServerSocket(0, 5, InetAddress.getByName("127.0.0.1"))) {
      port = silent.getLocalPort();
      assertThatItSays(
          TlsProbe.run(check("127.0.0.1", port), candidate, NOW, Duration.ofSeconds(1)),
          Verdict.Inconclusive,
          "127.0.0.1:%d did not answer within 1s".formatted(port));
    }
    assertThatItSays(
        run(check("127.0.0.1", port), candidate),
        Verdict.Inconclusive,
        "127.0.0.1:%d takes no connection, or ends it".formatted(port));
  }
}
