package io.keyturn.testing;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Base64;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLServerSocket;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

/**
 * Stands between a client and an API server, and lets things go wrong: which fault strikes which
 * request is drawn by a seed, the method, the path, and how many requests of that kind there were.
 * It shows the API server's own certificate, and hands tokens on; client certificates it cannot.
 *
 * <p>It begins calm, and passes everything on until {@link #strike} is called.
 */
public final class FaultProxy implements AutoCloseable {

  private static final int PERMILLE = 1000;

  /** How many different answers are remembered for each address. */
  private static final int REMEMBERED = 4;

  private static final Duration LONGEST_DELAY = Duration.ofMillis(1500);
  private static final Duration LONGEST_WATCH = Duration.ofSeconds(10);
  private static final Duration LONGEST_SILENCE = Duration.ofSeconds(8);

  /** What the server makes up for a name: a suffix of its own, a hash, a UID. */
  private static final String MADE_UP =
      "-([bcdfghjklmnpqrstvwxz2456789]{5}|[0-9a-f]{8}|[0-9a-f]{32})(?=/|-|\\.|$)";

  private final ControlPlane plane;
  private final long seed;
  private final Predicate<String> exempt;
  private final Path log;
  private final SSLContext tls;
  private final SSLServerSocket server;
  private final Map<String, AtomicInteger> asked = new ConcurrentHashMap<>();
  private final Map<String, Deque<HttpMessage>> answers = new ConcurrentHashMap<>();
  private final Set<String> listed = ConcurrentHashMap.newKeySet();
  private final Map<ApiFault, AtomicLong> injected = new EnumMap<>(ApiFault.class);
  private final AtomicLong requests = new AtomicLong();
  private final Set<SSLSocket> open = ConcurrentHashMap.newKeySet();
  private final AtomicReference<Held> held = new AtomicReference<>();
  private volatile Map<ApiFault, Integer> mix = Map.of();

  /** What is decided for one request. */
  private record Decision(Optional<ApiFault> fault, SplittableRandom random) {
    Duration upTo(Duration longest) {
      return Duration.ofMillis(1 + random.nextLong(longest.toMillis()));
    }
  }

  /** A request that is waited for, by what its body has. */
  private record Held(String text, CompletableFuture<Void> come) {
    boolean isIn(HttpMessage request) {
      return new String(request.body(), StandardCharsets.UTF_8).contains(text);
    }
  }

  private FaultProxy(ControlPlane plane, long seed, Predicate<String> exempt) {
    this.plane = plane;
    this.seed = seed;
    this.exempt = exempt;
    this.log = plane.directory().resolve("faults.log");
    for (ApiFault fault : ApiFault.values()) {
      injected.put(fault, new AtomicLong());
    }
    try {
      tls = context(plane.directory());
      server =
          (SSLServerSocket)
              tls.getServerSocketFactory()
                  .createServerSocket(0, 1000, InetAddress.getByName("127.0.0.1"));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("the certificates of the API server cannot be used", e);
    }
  }

  /**
   * Starts a proxy of an API server.
   *
   * @param seed of all that is decided by chance
   * @param exempt paths that no fault ever strikes, such as the Lease's
   */
  public static FaultProxy start(ControlPlane plane, long seed, Predicate<String> exempt) {
    FaultProxy proxy = new FaultProxy(plane, seed, exempt);
    Thread.ofVirtual().name("fault-proxy").start(proxy::accept);
    return proxy;
  }

  /** Its address. */
  public String url() {
    return "https://127.0.0.1:" + server.getLocalPort();
  }

  /** Like {@link ControlPlane#kubeconfigFor}, by way of this proxy. */
  public Path kubeconfigFor(String namespace, String serviceAccount) {
    Path direct = plane.kubeconfigFor(namespace, serviceAccount);
    try {
      return Files.writeString(
          direct.resolveSibling(
              "faults-%d.%s".formatted(server.getLocalPort(), direct.getFileName())),
          Files.readString(direct).replace(plane.url(), url()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * From now on faults strike.
   *
   * @param permille of how many requests each strikes in a thousand, of those that it can strike
   */
  public void strike(Map<ApiFault, Integer> permille) {
    for (ApiFault.Request request : ApiFault.Request.values()) {
      int struck =
          permille.entrySet().stream()
              .filter(e -> e.getKey().strikes(request))
              .mapToInt(Map.Entry::getValue)
              .sum();
      if (struck > PERMILLE) {
        throw new IllegalArgumentException("more faults than requests: " + request);
      }
    }
    mix = Map.copyOf(permille);
  }

  /** No fault strikes any more; watches that one has struck end as they are bound to. */
  public void calm() {
    mix = Map.of();
  }

  /**
   * A new process takes the client's place: it may be told of a past that the one before knew, but
   * no process ever sees a list go back.
   */
  public void newClient() {
    listed.clear();
  }

  /**
   * The next request with this text in its body never arrives: it waits for as long as its client
   * does.
   *
   * @return completed when it has come
   */
  public CompletableFuture<Void> holdNext(String text) {
    Held next = new Held(text, new CompletableFuture<>());
    held.set(next);
    return next.come();
  }

  /** How often each fault has struck. */
  public Map<ApiFault, Long> injected() {
    Map<ApiFault, Long> counts = new EnumMap<>(ApiFault.class);
    injected.forEach((fault, count) -> counts.put(fault, count.get()));
    return counts;
  }

  /** How many requests there were, struck or not. */
  public long requests() {
    return requests.get();
  }

  private void accept() {
    while (!server.isClosed()) {
      try {
        SSLSocket client = (SSLSocket) server.accept();
        Thread.ofVirtual().start(() -> serve(client));
      } catch (IOException e) {
        // Closed, or a client that has gone before it was there.
      }
    }
  }

  /** One connection of the client, with one of its own to the server. */
  private void serve(SSLSocket client) {
    open.add(client);
    try (client;
        SSLSocket upstream = connect()) {
      open.add(upstream);
      InputStream in = new BufferedInputStream(client.getInputStream());
      Exchange exchange =
          new Exchange(
              in,
              client.getOutputStream(),
              new BufferedInputStream(upstream.getInputStream()),
              upstream.getOutputStream(),
              () -> close(client, upstream));
      Optional<HttpMessage> request = HttpMessage.readHead(in);
      while (request.isPresent() && handle(request.get().withBody(in), exchange)) {
        request = HttpMessage.readHead(in);
      }
      open.remove(upstream);
    } catch (IOException e) {
      // One of the two has gone, and both connections end.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      open.remove(client);
    }
  }

  private record Exchange(
      InputStream fromClient,
      OutputStream toClient,
      InputStream fromServer,
      OutputStream toServer,
      Runnable close) {}

  private SSLSocket connect() throws IOException {
    URI address = URI.create(plane.url());
    SSLSocket socket =
        (SSLSocket) tls.getSocketFactory().createSocket(address.getHost(), address.getPort());
    socket.setTcpNoDelay(true);
    return socket;
  }

  /** Whether the connection goes on. */
  private boolean handle(HttpMessage request, Exchange exchange)
      throws IOException, InterruptedException {
    requests.incrementAndGet();
    Held wanted = held.get();
    if (wanted != null && wanted.isIn(request) && held.compareAndSet(wanted, null)) {
      wanted.come().complete(null);
      exchange.fromClient().transferTo(OutputStream.nullOutputStream());
      return false;
    }
    ApiFault.Request kind = kind(request);
    Decision decision = decide(request, kind);
    ApiFault fault = decision.fault().orElse(null);
    if (kind == ApiFault.Request.WATCH
        && (fault == null || !fault.isAnswer() && fault != ApiFault.REQUEST_LOST)) {
      watch(request, exchange, decision);
      return false;
    }
    if (fault == ApiFault.REQUEST_LOST) {
      count(fault, request);
      return false;
    }
    if (fault == ApiFault.OLD_LIST || fault == ApiFault.OLD_READ) {
      Optional<HttpMessage> old = remembered(request, decision);
      if (old.isPresent()) {
        count(fault, request);
        old.get().writeTo(exchange.toClient());
        return true;
      }
    }
    if (fault != null && fault.isAnswer()) {
      count(fault, request);
      fault.answer().writeTo(exchange.toClient());
      return true;
    }
    if (fault == ApiFault.DELAYED) {
      count(fault, request);
      Thread.sleep(decision.upTo(LONGEST_DELAY));
    }
    HttpMessage answer = forward(request, exchange);
    remember(request, kind, answer);
    if (fault == ApiFault.ANSWER_LOST) {
      count(fault, request);
      return false;
    }
    answer.writeTo(exchange.toClient());
    return true;
  }

  private static HttpMessage forward(HttpMessage request, Exchange exchange) throws IOException {
    request.writeTo(exchange.toServer());
    return HttpMessage.readHead(exchange.fromServer())
        .orElseThrow(() -> new IOException("the API server has gone"))
        .withBody(exchange.fromServer());
  }

  private void watch(HttpMessage request, Exchange exchange, Decision decision) throws IOException {
    request.writeTo(exchange.toServer());
    HttpMessage head =
        HttpMessage.readHead(exchange.fromServer())
            .orElseThrow(() -> new IOException("the API server has gone"));
    if (head.status() != 101 && !head.isChunked()) {
      head.withBody(exchange.fromServer()).writeTo(exchange.toClient());
      return;
    }
    head.writeHeadTo(exchange.toClient());
    Thread.ofVirtual().start(() -> listenToClient(exchange));
    new WatchRelay(
            exchange.fromServer(),
            exchange.toClient(),
            head,
            decision.fault(),
            () -> decision.fault().ifPresent(f -> count(f, request)),
            exchange.close())
        .run(decision.upTo(LONGEST_WATCH), decision.upTo(LONGEST_SILENCE));
  }

  /** What a client of a WebSocket says; and when it goes, the watch ends. */
  private static void listenToClient(Exchange exchange) {
    try {
      exchange.fromClient().transferTo(exchange.toServer());
    } catch (IOException e) {
      // That was the end.
    }
    exchange.close().run();
  }

  private static void close(SSLSocket... sockets) {
    for (SSLSocket socket : sockets) {
      try {
        socket.close();
      } catch (IOException e) {
        // It is closed.
      }
    }
  }

  private static ApiFault.Request kind(HttpMessage request) {
    if (!request.word(0).equals("GET")) {
      return ApiFault.Request.WRITE;
    }
    String address = request.word(1);
    if (address.contains("watch=true") || address.contains("watch=1")) {
      return ApiFault.Request.WATCH;
    }
    // Who fills a cache asks for pages.
    return address.matches(".*[?&]limit=.*") ? ApiFault.Request.LIST : ApiFault.Request.READ;
  }

  private Decision decide(HttpMessage request, ApiFault.Request kind) {
    String path = request.word(1).replaceFirst("\\?.*", "");
    String key = "%s %s %s".formatted(kind, request.word(0), path.replaceAll(MADE_UP, ""));
    int number = asked.computeIfAbsent(key, _ -> new AtomicInteger()).getAndIncrement();
    SplittableRandom random =
        new SplittableRandom(seed * 31 + (long) key.hashCode() * PERMILLE * PERMILLE + number);
    random.nextLong(); // two that begin alike go apart
    return new Decision(exempt.test(path) ? Optional.empty() : draw(kind, random), random);
  }

  private Optional<ApiFault> draw(ApiFault.Request kind, SplittableRandom random) {
    int drawn = random.nextInt(PERMILLE);
    for (ApiFault fault : ApiFault.values()) {
      if (fault.strikes(kind)) {
        drawn -= mix.getOrDefault(fault, 0);
        if (drawn < 0) {
          return Optional.of(fault);
        }
      }
    }
    return Optional.empty();
  }

  /** Counts it, and writes down what it strikes, for whoever looks for the cause of a failure. */
  private void count(ApiFault fault, HttpMessage request) {
    injected.get(fault).incrementAndGet();
    String line = "%s %s %s %s%n".formatted(Instant.now(), fault, request.word(0), request.word(1));
    synchronized (log) {
      try {
        Files.writeString(log, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  private void remember(HttpMessage request, ApiFault.Request kind, HttpMessage answer) {
    if (kind == ApiFault.Request.WRITE || answer.status() != 200) {
      return;
    }
    Deque<HttpMessage> known = answers.computeIfAbsent(address(request), _ -> new ArrayDeque<>());
    if (kind == ApiFault.Request.LIST) {
      listed.add(address(request));
    }
    synchronized (known) {
      if (known.isEmpty() || !Arrays.equals(known.getLast().body(), answer.body())) {
        known.addLast(answer);
      }
      if (known.size() > REMEMBERED) {
        known.removeFirst();
      }
    }
  }

  /** One of the answers before the last one; empty if there is none, or it may not be given. */
  private Optional<HttpMessage> remembered(HttpMessage request, Decision decision) {
    Deque<HttpMessage> known = answers.getOrDefault(address(request), new ArrayDeque<>());
    if (listed.contains(address(request))) {
      return Optional.empty();
    }
    synchronized (known) {
      return known.size() < 2
          ? Optional.empty()
          : known.stream().skip(decision.random().nextInt(known.size() - 1)).findFirst();
    }
  }

  /** The same address is answered in more than one form: whole, or metadata alone. */
  private static String address(HttpMessage request) {
    return request.word(1) + " " + request.header("Accept").orElse("");
  }

  /** What trusts an API server, and can show its certificate. */
  static SSLContext context(Path directory) throws IOException, GeneralSecurityException {
    Certificate[] chain = {certificate(directory.resolve("server.crt"))};
    KeyStore own = KeyStore.getInstance("PKCS12");
    own.load(null, null);
    own.setKeyEntry("server", key(directory.resolve("server.key")), new char[0], chain);
    KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
    keys.init(own, new char[0]);
    KeyStore trusted = KeyStore.getInstance("PKCS12");
    trusted.load(null, null);
    trusted.setCertificateEntry("ca", certificate(directory.resolve("ca.crt")));
    TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
    trust.init(trusted);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
    return context;
  }

  private static Certificate certificate(Path file) throws IOException, GeneralSecurityException {
    try (InputStream in = Files.newInputStream(file)) {
      return CertificateFactory.getInstance("X.509").generateCertificate(in);
    }
  }

  private static PrivateKey key(Path file) throws IOException, GeneralSecurityException {
    String pem = Files.readString(file).replaceAll("-----[A-Z ]+-----|\\s", "");
    return KeyFactory.getInstance("RSA")
        .generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(pem)));
  }

  /** Ends all connections. */
  @Override
  public void close() {
    try {
      server.close();
    } catch (IOException e) {
      // It is closed.
    }
    open.forEach(FaultProxy::close);
  }
}
