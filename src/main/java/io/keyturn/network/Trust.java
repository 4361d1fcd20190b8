package io.keyturn.network;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.net.Socket;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLEngine;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509ExtendedKeyManager;
import javax.net.ssl.X509ExtendedTrustManager;

/** TLS of the JDK with chosen CAs and a chosen identity. */
public final class Trust {

  private Trust() {}

  /**
   * Certificates as PEM, in order (RFC 7468).
   *
   * @throws CertificateException if there is none or one cannot be read; its message quotes nothing
   */
  public static List<X509Certificate> certificates(byte[] pem) throws CertificateException {
    List<X509Certificate> certificates = List.of();
    try {
      certificates =
          CertificateFactory.getInstance("X.509")
              .generateCertificates(new ByteArrayInputStream(pem))
              .stream()
              .map(X509Certificate.class::cast)
              .toList();
    } catch (CertificateException e) {
      // Answered below; the message of the JDK quotes what it read.
    }
    if (certificates.isEmpty()) {
      throw new CertificateException("no certificate as PEM");
    }
    return certificates;
  }

  /**
   * A context that trusts the given CAs.
   *
   * @param authorities null: those of the system
   */
  public static X509ExtendedTrustManager manager(List<X509Certificate> authorities) {
    try {
      KeyStore store = null;
      if (authorities != null) {
        store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null, null);
        for (X509Certificate authority : authorities) {
          store.setCertificateEntry("ca-" + store.size(), authority);
        }
      }
      TrustManagerFactory factory =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      factory.init(store);
      for (TrustManager manager : factory.getTrustManagers()) {
        if (manager instanceof X509ExtendedTrustManager x509) {
          return x509;
        }
      }
      throw new IllegalStateException("every JDK verifies X.509 certificates");
    } catch (GeneralSecurityException | IOException e) {
      throw new IllegalStateException("the certificates to trust cannot be used");
    }
  }

  /**
   * A context with one identity.
   *
   * @param identity null: none
   */
  public static SSLContext context(
      X509ExtendedKeyManager identity, X509ExtendedTrustManager trusted) {
    try {
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(
          identity == null ? null : new X509ExtendedKeyManager[] {identity},
          new X509ExtendedTrustManager[] {trusted},
          null);
      return context;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has TLS");
    }
  }

  /** Remembers the certificate that a server shows, whether or not it is trusted. */
  public static final class Witness extends X509ExtendedTrustManager {

    private final X509ExtendedTrustManager judge;
    private final AtomicReference<X509Certificate> shown = new AtomicReference<>();

    /** Remembers what another one judges. */
    public Witness(X509ExtendedTrustManager judge) {
      this.judge = judge;
    }

    /** Null if there was none. */
    public X509Certificate shown() {
      return shown.get();
    }

    private void see(X509Certificate[] chain) {
      if (chain.length > 0) {
        shown.set(chain[0]);
      }
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      see(chain);
      judge.checkServerTrusted(chain, type, socket);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      see(chain);
      judge.checkServerTrusted(chain, type, engine);
    }

    @Override
    public void checkServerTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      see(chain);
      judge.checkServerTrusted(chain, type);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, Socket socket)
        throws CertificateException {
      judge.checkClientTrusted(chain, type, socket);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type, SSLEngine engine)
        throws CertificateException {
      judge.checkClientTrusted(chain, type, engine);
    }

    @Override
    public void checkClientTrusted(X509Certificate[] chain, String type)
        throws CertificateException {
      judge.checkClientTrusted(chain, type);
    }

    @Override
    public X509Certificate[] getAcceptedIssuers() {
      return judge.getAcceptedIssuers();
    }
  }

  /**
   * One identity, shown to whoever asks for one, and a memory of that. The JDK's own would keep it
   * back where the server names other issuers, and so hide that it would be refused.
   */
  public static final class Identity extends X509ExtendedKeyManager {

    private static final String ALIAS = "candidate";

    private final X509Certificate[] chain;
    private final PrivateKey key;
    private volatile boolean asked;

    /** The given one. */
    public Identity(List<X509Certificate> chain, PrivateKey key) {
      this.chain = chain.toArray(X509Certificate[]::new);
      this.key = key;
    }

    /** Whether somebody asked for it. */
    public boolean asked() {
      return asked;
    }

    @Override
    public String chooseClientAlias(String[] types, java.security.Principal[] issuers, Socket s) {
      asked = true;
      for (String type : types) {
        if (type.equals(key.getAlgorithm())
            || (type.startsWith("Ed") && key.getAlgorithm().startsWith("Ed"))) {
          return ALIAS;
        }
      }
      return null;
    }

    @Override
    public String[] getClientAliases(String type, java.security.Principal[] issuers) {
      return new String[] {ALIAS};
    }

    @Override
    public String[] getServerAliases(String type, java.security.Principal[] issuers) {
      return new String[0];
    }

    @Override
    public String chooseServerAlias(String type, java.security.Principal[] issuers, Socket s) {
      return null;
    }

    @Override
    public X509Certificate[] getCertificateChain(String alias) {
      return chain.clone();
    }

    @Override
    public PrivateKey getPrivateKey(String alias) {
      return key;
    }
  }
}
