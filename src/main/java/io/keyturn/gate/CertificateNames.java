package io.keyturn.gate;

import java.net.InetAddress;
import java.security.cert.CertificateParsingException;
import java.security.cert.X509Certificate;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Which hosts a certificate is for: its subject alternative names, and never its common name (RFC
 * 9525). A wildcard stands for exactly one label, the first.
 */
final class CertificateNames {

  // RFC 5280, section 4.2.1.6: the numbers of the choices of a GeneralName.
  private static final int DNS = 2;
  private static final int ADDRESS = 7;

  private CertificateNames() {}

  static boolean cover(X509Certificate certificate, String host) {
    InetAddress address = literal(host);
    return names(certificate).stream()
        .anyMatch(name ->
            switch ((Integer) name.get(0)) {
              case DNS -> address == null && covers((String) name.get(1), host);
              case ADDRESS -> address != null && address.equals(literal((String) name.get(1)));
              default -> false;
            });
  }

  private static Collection<List<?>> names(X509Certificate certificate) {
    try {
      return Objects.requireNonNullElse(certificate.getSubjectAlternativeNames(), List.of());
    } catch (CertificateParsingException e) {
      return List.of();
    }
  }

  private static boolean covers(String pattern, String host) {
    String wanted = plain(host);
    String given = plain(pattern);
    if (!given.startsWith("*.")) {
      return given.equals(wanted);
    }
    int dot = wanted.indexOf('.');
    // A wildcard directly under a top-level domain would be for everybody.
    return dot > 0 && given.indexOf('.', 2) > 0 && given.substring(1).equals(wanted.substring(dot));
  }

  private static String plain(String name) {
    String lower = name.toLowerCase(Locale.ROOT);
    return lower.endsWith(".") ? lower.substring(0, lower.length() - 1) : lower;
  }

  /** Null if it is no address. */
  private static InetAddress literal(String host) {
    try {
      return InetAddress.ofLiteral(host);
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
