package io.keyturn.store.vault;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import io.keyturn.testing.TestAuthority.Identity;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** A server on loopback that answers as it was told, also as no Vault would. */
final class ScriptedVault implements AutoCloseable {

  /** The token of the first login; the next has another number. */
  static final String TOKEN = "hvs.scripted-login-token-1";

  /** What was asked. */
  record Asked(String call, String query, String token, String namespace, String body) {}

  /** How one request is answered. */
  interface Reaction {
    void to(HttpExchange exchange) throws IOException;
  }

  private final HttpServer server;
  private final String scheme;
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Map<String, Deque<Reaction>> script = new ConcurrentHashMap<>();
  private final List<Asked> asked = new CopyOnWriteArrayList<>();
  private final AtomicInteger logins = new AtomicInteger();

  private ScriptedVault(HttpServer server, String scheme) {
    this.server = server;
    this.scheme = scheme;
    server.setExecutor(threads);
    server.createContext("/", this::answer);
    server.start();
    on("POST auth/kubernetes/login", this::login);
  }

  static ScriptedVault start() throws IOException {
    return new ScriptedVault(HttpServer.create(loopback(), 0), "http");
  }

  static ScriptedVault start(Identity identity) throws IOException {
    try {
      KeyStore own = KeyStore.getInstance("PKCS12");
      own.load(null, null);
      own.setKeyEntry(
          "server",
          identity.key().getPrivate(),
          new char[0],
          identity.chain().toArray(X509Certificate[]::new));
      KeyManagerFactory keys =
          KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
      keys.init(own, new char[0]);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(keys.getKeyManagers(), null, null);
      HttpsServer server = HttpsServer.create(loopback(), 0);
      server.setHttpsConfigurator(new HttpsConfigurator(context));
      return new ScriptedVault(server, "https");
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has TLS", e);
    }
  }

  private static InetSocketAddress loopback() throws IOException {
    return new InetSocketAddress(InetAddress.getByName("127.0.0.1"), 0);
  }

  String address() {
    return "%s://127.0.0.1:%d".formatted(scheme, server.getAddress().getPort());
  }

  /** Answers a call, such as {@code GET kv/data/db}, in turn; the last answer is for all others. */
  ScriptedVault on(String call, Reaction... reactions) {
    script.put(call, new ArrayDeque<>(Arrays.asList(reactions)));
    return this;
  }

  List<Asked> asked() {
    return asked;
  }

  List<Asked> asked(String call) {
    return asked.stream().filter(a -> a.call().equals(call)).toList();
  }

  static Reaction says(int status, String body) {
    return exchange -> {
      byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
      exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
      if (bytes.length > 0) {
        exchange.getResponseBody().write(bytes);
      }
    };
  }

  static Reaction says(int status, String header, String value) {
    return exchange -> {
      exchange.getResponseHeaders().set(header, value);
      exchange.sendResponseHeaders(status, -1);
    };
  }

  /** A body of so many bytes, as fast as the other side takes them. */
  static Reaction pours(long bytes) {
    return exchange -> {
      exchange.sendResponseHeaders(200, bytes);
      OutputStream body = exchange.getResponseBody();
      byte[] piece = new byte[1 << 16];
      Arrays.fill(piece, (byte) ' ');
      for (long sent = 0; sent < bytes; sent += piece.length) {
        body.write(piece);
      }
    };
  }

  /** A body without end, a byte at a time. */
  static Reaction trickles() {
    return exchange -> {
      exchange.sendResponseHeaders(200, 0);
      while (true) {
        exchange.getResponseBody().write(' ');
        exchange.getResponseBody().flush();
        LockSupport.parkNanos(Duration.ofMillis(20).toNanos());
      }
    };
  }

  private void login(HttpExchange exchange) throws IOException {
    int number = logins.incrementAndGet();
    says(200, auth("hvs.scripted-login-token-" + number, "accessor-" + number, 3600, true))
        .to(exchange);
  }

  static String auth(String token, String accessor, int seconds, boolean renewable) {
    return """
    {"auth": {"client_token": "%s", "accessor": "%s", "lease_duration": %d, "renewable": %s,
      "token_type": "service"}}\
    """
        .formatted(token, accessor, seconds, renewable);
  }

  private void answer(HttpExchange exchange) {
    try (exchange) {
      String call =
          exchange.getRequestMethod()
              + " "
              + exchange.getRequestURI().getPath().replaceFirst("^/v1/", "");
      asked.add(
          new Asked(
              call,
              exchange.getRequestURI().getQuery(),
              exchange.getRequestHeaders().getFirst("X-Vault-Token"),
              exchange.getRequestHeaders().getFirst("X-Vault-Namespace"),
              new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)));
      next(call).to(exchange);
    } catch (IOException e) {
      // The client has seen enough.
    }
  }

  private Reaction next(String call) {
    Deque<Reaction> reactions = script.get(call);
    if (reactions == null) {
      return says(404, "{\"errors\": []}");
    }
    synchronized (reactions) {
      return reactions.size() > 1 ? reactions.poll() : reactions.peek();
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.shutdownNow();
  }
}
