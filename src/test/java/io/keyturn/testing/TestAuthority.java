package io.keyturn.testing;

import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.SecureRandom;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Date;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.bouncycastle.asn1.x500.X500Name;
import org.bouncycastle.asn1.x509.BasicConstraints;
import org.bouncycastle.asn1.x509.Extension;
import org.bouncycastle.asn1.x509.GeneralName;
import org.bouncycastle.asn1.x509.GeneralNames;
import org.bouncycastle.cert.jcajce.JcaX509CertificateConverter;
import org.bouncycastle.cert.jcajce.JcaX509v3CertificateBuilder;
import org.bouncycastle.openssl.jcajce.JcaPEMWriter;
import org.bouncycastle.openssl.jcajce.JcaPKCS8Generator;
import org.bouncycastle.operator.OperatorCreationException;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;

/** A certificate authority that a test makes for itself. */
public final class TestAuthority {

  private final X500Name name;
  private final KeyPair key;
  private final X509Certificate certificate;

  /** Who signed this one, nearest first, without the root. */
  private final List<X509Certificate> intermediates;

  private TestAuthority(
      X500Name name,
      KeyPair key,
      X509Certificate certificate,
      List<X509Certificate> intermediates) {
    this.name = name;
    this.key = key;
    this.certificate = certificate;
    this.intermediates = intermediates;
  }

  /**
   * A certificate, its private key, and who signed it.
   *
   * @param chain the certificate, then its issuers without the root
   */
  public record Identity(List<X509Certificate> chain, KeyPair key) {

    /** The certificate and its chain. */
    public String certificatePem() {
      return chain.stream().map(TestAuthority::pem).collect(Collectors.joining());
    }

    /** The private key as PKCS#8. */
    public String keyPem() {
      try {
        return pem(new JcaPKCS8Generator(key.getPrivate(), null));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /** The private key in the older format of its kind: PKCS#1 or SEC 1. */
    public String olderKeyPem() {
      return pem(key.getPrivate());
    }
  }

  /** One that has signed itself. */
  public static TestAuthority root(String name) {
    X500Name subject = new X500Name("CN=" + name);
    KeyPair key = ecKey();
    Instant now = Instant.now();
    X509Certificate certificate =
        sign(
            subject,
            key,
            subject,
            key,
            true,
            now.minus(Duration.ofHours(1)),
            now.plus(Duration.ofDays(3650)),
            List.of());
    return new TestAuthority(subject, key, certificate, List.of());
  }

  /** One that this one has signed. */
  public TestAuthority intermediate(String called) {
    X500Name subject = new X500Name("CN=" + called);
    KeyPair its = ecKey();
    Instant now = Instant.now();
    X509Certificate signed =
        sign(
            subject,
            its,
            name,
            key,
            true,
            now.minus(Duration.ofHours(1)),
            now.plus(Duration.ofDays(365)),
            List.of());
    return new TestAuthority(
        subject, its, signed, Stream.concat(Stream.of(signed), intermediates.stream()).toList());
  }

  /** A certificate for names and addresses, valid for 90 days. */
  public Identity issue(String... names) {
    Instant now = Instant.now();
    return issue(ecKey(), now.minus(Duration.ofMinutes(5)), now.plus(Duration.ofDays(90)), names);
  }

  /** A certificate for names and addresses. */
  public Identity issue(KeyPair pair, Instant notBefore, Instant notAfter, String... names) {
    X509Certificate leaf =
        sign(
            new X500Name("CN=test-leaf"),
            pair,
            name,
            key,
            false,
            notBefore,
            notAfter,
            Arrays.asList(names));
    return new Identity(Stream.concat(Stream.of(leaf), intermediates.stream()).toList(), pair);
  }

  /** Its certificate. */
  public String pem() {
    return pem(certificate);
  }

  /** Its certificate. */
  public X509Certificate certificate() {
    return certificate;
  }

  /** A key on the curve P-256. */
  public static KeyPair ecKey() {
    return key("EC", 256);
  }

  /** An RSA key. */
  public static KeyPair rsaKey() {
    return key("RSA", 2048);
  }

  private static KeyPair key(String algorithm, int size) {
    try {
      KeyPairGenerator generator = KeyPairGenerator.getInstance(algorithm);
      generator.initialize(size);
      return generator.generateKeyPair();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK makes such keys", e);
    }
  }

  private static X509Certificate sign(
      X500Name subject,
      KeyPair of,
      X500Name issuer,
      KeyPair by,
      boolean authority,
      Instant notBefore,
      Instant notAfter,
      List<String> names) {
    try {
      JcaX509v3CertificateBuilder builder =
          new JcaX509v3CertificateBuilder(
              issuer,
              new BigInteger(120, new SecureRandom()),
              Date.from(notBefore),
              Date.from(notAfter),
              subject,
              of.getPublic());
      if (authority) {
        builder.addExtension(Extension.basicConstraints, true, new BasicConstraints(true));
      }
      if (!names.isEmpty()) {
        builder.addExtension(
            Extension.subjectAlternativeName,
            false,
            new GeneralNames(names.stream().map(TestAuthority::name).toArray(GeneralName[]::new)));
      }
      return new JcaX509CertificateConverter()
          .getCertificate(
              builder.build(new JcaContentSignerBuilder("SHA256withECDSA").build(by.getPrivate())));
    } catch (IOException | GeneralSecurityException | OperatorCreationException e) {
      throw new IllegalStateException("cannot make a certificate for " + subject, e);
    }
  }

  private static GeneralName name(String host) {
    return new GeneralName(
        host.matches("[0-9.]+|.*:.*") ? GeneralName.iPAddress : GeneralName.dNSName, host);
  }

  private static String pem(Object what) {
    StringWriter text = new StringWriter();
    try (JcaPEMWriter writer = new JcaPEMWriter(text)) {
      writer.writeObject(what);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return text.toString();
  }
}
