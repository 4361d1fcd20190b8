package io.keyturn.testing;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.Date;
import java.util.List;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x500.X500NameBuilder;
import org.bouncycastle.asn1.x500.style.BCStyle;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.ExtendedKeyUsage;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.asn1.x509.KeyPurposeId;
import org.bouncycastle.asn1.x509.KeyUsage;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/**
 * The certificates of one throw-away control plane: its CA, its server, and its users by name and
 * group.
 */
final class ClusterCertificates {
  private static final Duration VALID = Duration.ofDays(7);

  private final KeyPair ca = rsa();
  // Servers and clients share a key: they run on one machine, for minutes, and keys cost time to
  // make.
  private final KeyPair leaf = rsa();
  private final KeyPair serviceAccounts = rsa();
  private final X500Name issuer = new X500Name("CN=keyturn-test-ca");
  private final X509Certificate caCertificate;

  ClusterCertificates() {
    caCertificate = issue(issuer, ca, true, List.of(), null);
  }

  /**
   * Writes what the servers read: {@code ca.crt}, {@code server.crt}, {@code server.key} and {@code
   * sa.key}.
   */
  void writeServerFiles(Path directory) {
    GeneralNames names =
        new GeneralNames(
            new GeneralName[] {
              new GeneralName(GeneralName.iPAddress, "127.0.0.1"),
              new GeneralName(GeneralName.dNSName, "localhost"),
              new GeneralName(GeneralName.dNSName, "kubernetes.default.svc")
            });
    X509Certificate server =
        issue(
            new X500Name("CN=kube-apiserver"),
            leaf,
            false,
            List.of(KeyPurposeId.id_kp_serverAuth),
            names);
    try {
      Files.writeString(directory.resolve("ca.crt"), pem(caCertificate));
      Files.writeString(directory.resolve("server.crt"), pem(server));
      Files.writeString(directory.resolve("server.key"), pem(leaf));
      Files.writeString(directory.resolve("sa.key"), pem(serviceAccounts));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write the certificates to " + directory, e);
    }
  }

  /** A kubeconfig for a user who proves to be one by a client certificate. */
  String kubeconfig(String url, String user, List<String> groups) {
    X500NameBuilder subject = new X500NameBuilder(BCStyle.INSTANCE);
    groups.forEach(group -> subject.addRDN(BCStyle.O, group));
    subject.addRDN(BCStyle.CN, user);
    X509Certificate certificate =
        issue(subject.build(), leaf, false, List.of(KeyPurposeId.id_kp_clientAuth), null);
    return kubeconfig(
        url,
        "default",
        "client-certificate-data: %s\n    client-key-data: %s"
            .formatted(base64(pem(certificate)), base64(pem(leaf))));
  }

  /** A kubeconfig for whoever the token says, with a namespace of its own. */
  String kubeconfigWithToken(String url, String namespace, String token) {
    return kubeconfig(url, namespace, "token: " + token);
  }

  private String kubeconfig(String url, String namespace, String credentials) {
    return """
    apiVersion: v1
    kind: Config
    clusters:
    - name: test
      cluster:
        server: %s
        certificate-authority-data: %s
    users:
    - name: user
      user:
        %s
    contexts:
    - name: test
      context: {cluster: test, user: user, namespace: %s}
    current-context: test
    """
        .formatted(
            url, base64(pem(caCertificate)), credentials.replace("\n    ", "\n    "), namespace);
  }

  private X509Certificate issue(
      X500Name subject,
      KeyPair key,
      boolean authority,
      List<KeyPurposeId> purposes,
      GeneralNames names) {
    Instant now = Instant.now();
    try {
      JcaX509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              issuer,
              new BigInteger(120, new SecureRandom()),
              // A little earlier, for clocks that do not agree to the second.
              Date.from(now.minus(Duration.ofMinutes(5))),
              Date.from(now.plus(VALID)),
              subject,
              key.getPublic());
      builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(authority));
      builder.addExtension(
          Extension.keyUsage,
          true,
          new KeyUsage(
              authority
                  ? KeyUsage.keyCertSign | KeyUsage.digitalSignature
                  : KeyUsage.digitalSignature | KeyUsage.keyEncipherment));
      if (!purposes.isEmpty()) {
        builder.addExtension(
            Extension.extendedKeyUsage,
            false,
            new ExtendedKeyUsage(purposes.toArray(KeyPurposeId[]::new)));
      }
      if (names != null) {
        builder.addExtension(Extension.subjectAlternativeName, false, names);
      }
      return new JcaX509CertificateConverter()
          .getCertificate(
              builder.build(new JcaContentSignerBuilder("SHA256withRSA").build(ca.getPrivate())));
    } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
      throw new IllegalStateException("cannot make a certificate for " + subject, e);
    }
  }

  private static KeyPair rsa() {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
      generator.initialize(2048);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK makes RSA keys", e);
    }
  }

  private static String pem(X509Certificate certificate) {
    return writePem(certificate);
  }

  private static String pem(KeyPair key) {
    try {
      return writePem(new JcaPKCS8Generator(key.getPrivate(), null));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String writePem(Object what) {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      writer.writeObject(what);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.US_ASCII));
  }
}
