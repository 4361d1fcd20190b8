package io.keyturn.gate;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.network.Destination;
import io.keyturn.network.Trust;
import io.keyturn.secret.SecretData;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.security.GeneralSecurityException;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;

/**
 * Whether a certificate is in order: its private key belongs to it, it and its chain are valid now
 * and for some time, each is signed by the next up to the CA. Then, without a port, whether it is
 * for the host; with one, whether a server and it accept each other. A server that does not answer
 * is no verdict: whether it can be reached is another check.
 */
final class TlsProbe {

  /** A server that refuses a client by TLS 1.3 says so when the client is done already. */
  private static final Duration LATE_REFUSAL = Duration.ofSeconds(2);

  private static final byte[] ANYTHING = {107, 101, 121};

  private TlsProbe() {}

  /** What a candidate has for TLS; the leaf first. No chain: it is a CA alone. */
  private record Material(
      List<X509Certificate> chain, PrivateKey key, List<X509Certificate> authorities) {}

  static Measurement run(Preflight.Tls check, SecretData candidate, Instant now, Duration time) {
    try {
      Material material = read(check, candidate);
      if (!material.chain().isEmpty()) {
        verify(check, material, now);
      }
      return check.port() == null ? names(check, material) : handshake(check, material, time);
    } catch (Candidate.Unusable e) {
      return e.measurement();
    }
  }

  private static Material read(Preflight.Tls check, SecretData candidate)
      throws Candidate.Unusable {
    List<X509Certificate> authorities = null;
    boolean noCaNamed = check.caKey() == null;
    String caKey = caKey(check);
    byte[] ca = candidate.get(caKey);
    // Issuers that have no CA to hand out leave an empty ca.crt.
    if (!noCaNamed || (ca != null && ca.length > 0)) {
      authorities = Pem.certificates(Candidate.bytes(candidate, caKey), caKey);
    }
    String certificateKey = certificateKey(check);
    String privateKeyKey = privateKeyKey(check);
    if (check.port() != null
        && authorities != null
        && check.certificateKey() == null
        && check.privateKeyKey() == null
        && candidate.get(certificateKey) == null
        && candidate.get(privateKeyKey) == null) {
      return new Material(List.of(), null, authorities);
    }
    List<X509Certificate> chain =
        Pem.certificates(Candidate.bytes(candidate, certificateKey), certificateKey);
    PrivateKey key =
        Pem.privateKey(
            Candidate.bytes(candidate, privateKeyKey),
            chain.getFirst().getPublicKey(),
            privateKeyKey);
    return new Material(chain, key, authorities);
  }

  private static void verify(Preflight.Tls check, Material material, Instant now)
      throws Candidate.Unusable {
    List<X509Certificate> chain = material.chain();
    if (!belongTogether(chain.getFirst().getPublicKey(), material.key())) {
      throw new Candidate.Unusable(
          "the private key of key %s does not belong to the certificate of key %s"
              .formatted(privateKeyKey(check), certificateKey(check)));
    }
    for (int i = 0; i < chain.size(); i++) {
      verifyTime(which(i), chain.get(i), now, check.minValidity());
    }
    for (int i = 0; i + 1 < chain.size(); i++) {
      if (!isSignedBy(chain.get(i), chain.get(i + 1))) {
        throw new Candidate.Unusable(
            "%s is not signed by the next one: the chain starts with the certificate, followed by"
                    .formatted(which(i))
                + " who signed it");
      }
    }
    X509Certificate last = chain.getLast();
    if (material.authorities() != null
        && material.authorities().stream().noneMatch(a -> a.equals(last) || isSignedBy(last, a))) {
      throw new Candidate.Unusable(
          "%s is not signed by a CA of key %s".formatted(which(chain.size() - 1), caKey(check)));
    }
  }

  private static void verifyTime(
      String which, X509Certificate certificate, Instant now, String minValidity)
      throws Candidate.Unusable {
    Instant notBefore = certificate.getNotBefore().toInstant();
    Instant notAfter = certificate.getNotAfter().toInstant();
    if (notBefore.isAfter(now)) {
      throw new Candidate.Unusable("%s is not valid before %s".formatted(which, notBefore));
    }
    if (notAfter.isBefore(now)) {
      throw new Candidate.Unusable("%s has expired at %s".formatted(which, notAfter));
    }
    if (notAfter.isBefore(now.plus(Durations.parse(minValidity)))) {
      throw new Candidate.Unusable(
          "%s expires at %s, sooner than in %s".formatted(which, notAfter, minValidity));
    }
  }

  private static String which(int place) {
    return place == 0
        ? "the certificate"
        : "the certificate at place %d of the chain".formatted(place + 1);
  }

  private static boolean isSignedBy(X509Certificate certificate, X509Certificate issuer) {
    if (!certificate.getIssuerX500Principal().equals(issuer.getSubjectX500Principal())
        || issuer.getBasicConstraints() < 0) {
      return false;
    }
    try {
      certificate.verify(issuer.getPublicKey());
      return true;
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static boolean belongTogether(PublicKey certified, PrivateKey key) {
    String algorithm =
        switch (certified.getAlgorithm()) {
          case "RSA" -> "SHA256withRSA";
          case "EC" -> "SHA256withECDSA";
          default -> certified.getAlgorithm();
        };
    try {
      Signature signature = Signature.getInstance(algorithm);
      signature.initSign(key);
      signature.update(ANYTHING);
      byte[] signed = signature.sign();
      signature.initVerify(certified);
      signature.update(ANYTHING);
      return signature.verify(signed);
    } catch (GeneralSecurityException e) {
      return false;
    }
  }

  private static Measurement names(Preflight.Tls check, Material material) {
    X509Certificate leaf = material.chain().getFirst();
    if (!CertificateNames.cover(leaf, check.host())) {
      return Measurement.failed("the certificate is not for " + check.host());
    }
    return passed(material, "for " + check.host());
  }

  private static Measurement passed(Material material, String what) {
    if (material.chain().isEmpty()) {
      return Measurement.passed(what);
    }
    Instant end =
        material.chain().stream()
            .map(c -> c.getNotAfter().toInstant())
            .min(Instant::compareTo)
            .orElseThrow();
    return Measurement.passed("the certificate is %s, and valid until %s".formatted(what, end))
        .of(end.toString());
  }

  private static Measurement handshake(Preflight.Tls check, Material material, Duration time) {
    String name = Attempt.name(check.host(), check.port());
    InetAddress address;
    try {
      address = Destination.resolve(check.host()).getFirst();
    } catch (Destination.Refused e) {
      return Measurement.inconclusive(e.getMessage());
    }
    Trust.Witness witness = new Trust.Witness(Trust.manager(material.authorities()));
    Trust.Identity identity =
        material.key() == null ? null : new Trust.Identity(material.chain(), material.key());
    int millis = (int) time.toMillis();
    Socket plain = new Socket();
    try (plain) {
      plain.connect(new InetSocketAddress(address, check.port()), millis);
      plain.setSoTimeout(millis);
      try (SSLSocket socket =
          (SSLSocket)
              Trust.context(identity, witness)
                  .getSocketFactory()
                  .createSocket(plain, check.host(), check.port(), true)) {
        SSLParameters parameters = socket.getSSLParameters();
        parameters.setEndpointIdentificationAlgorithm("HTTPS");
        socket.setSSLParameters(parameters);
        socket.startHandshake();
        if (identity != null && identity.asked()) {
          awaitRefusal(socket);
        }
      }
    } catch (SSLHandshakeException e) {
      return judge(e, check, material.authorities() != null, witness, identity, name);
    } catch (SocketTimeoutException e) {
      return Measurement.inconclusive(
          "%s did not answer within %s".formatted(name, Attempt.words(time)));
    } catch (SSLException e) {
      return Measurement.inconclusive(name + " does not speak TLS as Keyturn does");
    } catch (IOException e) {
      // A server that refuses a certificate may hang up before anybody has heard why.
      return Measurement.inconclusive(
          identity != null && identity.asked()
              ? name + " ended the connection when it had seen the certificate, and did not say why"
              : name + " takes no connection, or ends it");
    }
    return material.chain().isEmpty()
        ? Measurement.passed("%s is trusted by key %s".formatted(name, caKey(check)))
        : passed(
            material,
            identity.asked()
                ? "accepted by " + name
                : "in order, and %s is trusted and asks for none".formatted(name));
  }

  /** A server that has nothing against a client waits for it to speak. */
  private static void awaitRefusal(SSLSocket socket) throws IOException {
    socket.setSoTimeout((int) LATE_REFUSAL.toMillis());
    try {
      if (socket.getInputStream().read() < 0) {
        throw new EOFException();
      }
    } catch (SocketTimeoutException e) {
      // It waits.
    }
  }

  private static Measurement judge(
      SSLHandshakeException e,
      Preflight.Tls check,
      boolean authoritiesNamed,
      Trust.Witness witness,
      Trust.Identity identity,
      String name) {
    if (causedBy(e, CertificateException.class)) {
      return Measurement.failed(
          witness.shown() != null && !CertificateNames.cover(witness.shown(), check.host())
              ? "the certificate of %s is not for %s".formatted(name, check.host())
              : "the certificate of %s is not trusted by %s, or has expired"
                  .formatted(name, authoritiesNamed ? "key " + caKey(check) : "the system"));
    }
    if (causedBy(e, EOFException.class) || identity == null || !identity.asked()) {
      return Measurement.inconclusive(
          name + " ended the handshake before it saw a certificate: does it speak TLS?");
    }
    return Measurement.failed(name + " refuses the certificate");
  }

  private static boolean causedBy(Throwable error, Class<? extends Throwable> kind) {
    for (Throwable at = error; at != null; at = at.getCause()) {
      if (kind.isInstance(at)) {
        return true;
      }
    }
    return false;
  }

  private static String certificateKey(Preflight.Tls check) {
    return check.certificateKey() == null
        ? Preflight.Tls.DEFAULT_CERTIFICATE
        : check.certificateKey();
  }

  private static String privateKeyKey(Preflight.Tls check) {
    return check.privateKeyKey() == null
        ? Preflight.Tls.DEFAULT_PRIVATE_KEY
        : check.privateKeyKey();
  }

  private static String caKey(Preflight.Tls check) {
    return check.caKey() == null ? Preflight.Tls.DEFAULT_CA : check.caKey();
  }
}
