package io.keyturn.store.vault;

import static io.keyturn.store.vault.Failures.failure;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.SecretBindingSpec.VaultPki;
import io.keyturn.network.Trust;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store.Refusal;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Certificates of PKI engines. */
final class Pki {

  /** What the id of a credential begins with if it is a certificate: mount and serial follow. */
  static final String PREFIX = "cert:";

  private final Session session;
  private final InstantSource clock;

  Pki(Session session, InstantSource clock) {
    this.session = session;
    this.clock = clock;
  }

  Reading.Value issue(VaultPki source) {
    Instant before = clock.instant();
    String path = source.mount() + "/issue/" + source.role();
    Answer answer = session.ask(Call.post(path, wanted(source)), Deadline.fromNow());
    if (!answer.isSuccess()) {
      throw Failures.ofIssue(answer);
    }
    Reply reply = answer.reply();
    if (reply.text("lease_id").isPresent()) {
      throw failure(
          Kind.PERMANENT,
          "The role %s of %s issues certificates with a lease, so they would be revoked when the login"
              + " ends: set its generate_lease to false.",
          source.role(),
          source.mount());
    }
    return value(source, reply.required("data"), before);
  }

  private static Map<String, String> wanted(VaultPki source) {
    Map<String, String> wanted = new HashMap<>();
    wanted.put("common_name", source.commonName());
    // The one format that the JDK and everybody else reads for any kind of key.
    wanted.put("private_key_format", "pkcs8");
    if (!source.altNames().isEmpty()) {
      wanted.put("alt_names", String.join(",", source.altNames()));
    }
    if (source.ttl() != null) {
      wanted.put("ttl", Durations.parse(source.ttl()).toSeconds() + "s");
    }
    return wanted;
  }

  private Reading.Value value(VaultPki source, Reply data, Instant before) {
    String key = pem(data.requiredText("private_key"));
    String serial = data.requiredText("serial_number");
    List<String> chain = new ArrayList<>(List.of(data.requiredText("certificate")));
    chain.addAll(data.texts("ca_chain"));
    byte[] certificates =
        String.join("", chain.stream().map(Pki::pem).toList()).getBytes(StandardCharsets.UTF_8);
    X509Certificate leaf = leaf(certificates, data);
    if (!belongTogether(leaf, key)) {
      throw data.invalid("its key and its certificate do not belong together.");
    }
    Instant end = leaf.getNotAfter().toInstant();
    if (!end.isAfter(clock.instant())) {
      throw data.invalid("its certificate has ended already; compare the clocks.");
    }
    return new Reading.Value(
        SecretData.takeOwnershipOf(
            Map.of(
                "tls.crt", certificates,
                "tls.key", key.getBytes(StandardCharsets.UTF_8),
                "ca.crt", pem(data.requiredText("issuing_ca")).getBytes(StandardCharsets.UTF_8))),
        Optional.of(credential(source.mount(), serial, before, end)),
        OptionalLong.empty());
  }

  private static Credential credential(String mount, String serial, Instant before, Instant end) {
    return new Credential(
        PREFIX + mount + ":" + serial,
        Optional.empty(),
        before,
        Optional.of(Duration.between(before, end)),
        Optional.of(end),
        false,
        Optional.of(end));
  }

  /** Files of several certificates need each of them to end its line. */
  private static String pem(String text) {
    return text.strip() + "\n";
  }

  private static X509Certificate leaf(byte[] certificates, Reply data) {
    try {
      return Trust.certificates(certificates).getFirst();
    } catch (CertificateException e) {
      throw data.invalid("its certificates cannot be read.");
    }
  }

  /** Whether what one signs is what the other verifies. */
  private static boolean belongTogether(X509Certificate certificate, String key) {
    try {
      String algorithm = certificate.getPublicKey().getAlgorithm();
      byte[] der = Base64.getMimeDecoder().decode(key.replaceAll("-----[A-Z ]+-----", "").strip());
      PrivateKey secret =
          KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
      Signature signature =
          Signature.getInstance(
              switch (algorithm) {
                case "RSA" -> "SHA256withRSA";
                case "EC" -> "SHA256withECDSA";
                default -> algorithm;
              });
      byte[] text = "keyturn".getBytes(StandardCharsets.UTF_8);
      signature.initSign(secret);
      signature.update(text);
      byte[] signed = signature.sign();
      signature.initVerify(certificate.getPublicKey());
      signature.update(text);
      return signature.verify(signed);
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return false;
    }
  }

  void revoke(Credential credential) {
    Certificate certificate = Certificate.of(credential);
    Deadline deadline = Deadline.fromNow();
    Answer answer =
        session.ask(
            Call.post(
                certificate.mount() + "/revoke", Map.of("serial_number", certificate.serial())),
            deadline);
    if (answer.status() != 400 && answer.status() != 404) {
      answer.orFail();
    } else if (revokedAt(certificate, deadline).equals(OptionalLong.of(0))) {
      throw Failures.of(answer);
    }
  }

  /** What is revoked stands in the list of revoked ones; who looks at it refuses it. */
  Refusal refusal(Credential credential) {
    OptionalLong at = revokedAt(Certificate.of(credential), Deadline.fromNow());
    return at.isPresent() && at.getAsLong() > 0 ? Refusal.PROVEN : Refusal.UNKNOWN;
  }

  /** Epoch second; 0: it is not revoked. Empty: Vault does not say. */
  private OptionalLong revokedAt(Certificate certificate, Deadline deadline) {
    Answer answer =
        session.ask(Call.get(certificate.mount() + "/cert/" + certificate.serial()), deadline);
    return answer.isSuccess()
        ? OptionalLong.of(answer.reply().required("data").number("revocation_time"))
        : OptionalLong.empty();
  }

  private record Certificate(String mount, String serial) {

    /** The serial has colons itself, the mount has none. */
    static Certificate of(Credential credential) {
      String[] parts = credential.id().substring(PREFIX.length()).split(":", 2);
      if (parts.length != 2) {
        throw new StoreException(
            Kind.PERMANENT, "What is written down of the certificate cannot be read.");
      }
      return new Certificate(parts[0], parts[1]);
    }
  }
}
