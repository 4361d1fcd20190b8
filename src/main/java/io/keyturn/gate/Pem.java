package io.keyturn.gate;

import io.keyturn.network.Trust;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Reads certificates and private keys as PEM (RFC 7468); says what is wrong without quoting it. */
final class Pem {

  private static final Pattern BLOCK =
      Pattern.compile("-----BEGIN ((?:[A-Z]+ )?PRIVATE KEY)-----([^-]*)-----END \\1-----");
  private static final byte[] VERSION = {2, 1, 0};
  private static final int SEQUENCE = 0x30;
  private static final int OCTET_STRING = 0x04;
  private static final int LONG_FORM = 0x80;

  private Pem() {}

  /** The certificates, in order; at least one. */
  static List<X509Certificate> certificates(byte[] pem, String key) throws Candidate.Unusable {
    try {
      return Trust.certificates(pem);
    } catch (CertificateException e) {
      throw new Candidate.Unusable("the value of key %s is no certificate as PEM".formatted(key));
    }
  }

  /**
   * The private key, if it is of the same kind as the public key of its certificate.
   *
   * @throws Candidate.Unusable if there is none
   */
  static PrivateKey privateKey(byte[] pem, PublicKey of, String key) throws Candidate.Unusable {
    Matcher block = BLOCK.matcher(new String(pem, StandardCharsets.ISO_8859_1));
    if (!block.find()) {
      throw new Candidate.Unusable("the value of key %s is no private key as PEM".formatted(key));
    }
    String kind = block.group(1);
    if (kind.startsWith("ENCRYPTED")) {
      throw new Candidate.Unusable(
          "the private key of key %s is encrypted, so it cannot be checked".formatted(key), false);
    }
    byte[] der = new byte[0];
    byte[] encoded = new byte[0];
    try {
      der = Base64.getMimeDecoder().decode(block.group(2));
      // A key of the older formats is the same with the kind of the key left out (RFC 5208, RFC
      // 5915, RFC 8017); its certificate says which kind that is.
      encoded = kind.equals("PRIVATE KEY") ? der.clone() : wrap(algorithm(of), der);
      return KeyFactory.getInstance(of.getAlgorithm())
          .generatePrivate(new PKCS8EncodedKeySpec(encoded));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new Candidate.Unusable(
          "the value of key %s is no private key of the kind (%s) that its certificate has"
              .formatted(key, of.getAlgorithm()));
    } finally {
      Arrays.fill(der, (byte) 0);
      Arrays.fill(encoded, (byte) 0);
    }
  }

  /** The AlgorithmIdentifier within a SubjectPublicKeyInfo: the first member of its sequence. */
  private static byte[] algorithm(PublicKey key) {
    byte[] info = key.getEncoded();
    int start = contentAt(info, 0);
    return Arrays.copyOfRange(info, start, contentAt(info, start) + lengthAt(info, start));
  }

  private static byte[] wrap(byte[] algorithm, byte[] der) {
    return element(SEQUENCE, VERSION, algorithm, element(OCTET_STRING, der));
  }

  private static byte[] element(int tag, byte[]... members) {
    int length = Arrays.stream(members).mapToInt(m -> m.length).sum();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(length + 5);
    bytes.write(tag);
    if (length < LONG_FORM) {
      bytes.write(length);
    } else {
      bytes.write(LONG_FORM + 3);
      bytes.write(length >> 16);
      bytes.write(length >> 8);
      bytes.write(length);
    }
    Arrays.stream(members).forEach(bytes::writeBytes);
    return bytes.toByteArray();
  }

  /** Where the content of the DER element at a position begins. */
  private static int contentAt(byte[] der, int position) {
    int first = der[position + 1] & 0xff;
    return position + 2 + (first < LONG_FORM ? 0 : first - LONG_FORM);
  }

  private static int lengthAt(byte[] der, int position) {
    int first = der[position + 1] & 0xff;
    if (first < LONG_FORM) {
      return first;
    }
    int length = 0;
    for (int i = 0; i < first - LONG_FORM; i++) {
      length = length << 8 | der[position + 2 + i] & 0xff;
    }
    return length;
  }
}
