package io.keyturn.gate;

import static io.keyturn.gate.Candidates.TIME;
import static io.keyturn.gate.Candidates.assertThatItSays;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.secret.SecretData;
import io.keyturn.testing.TestAuthority;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class HttpProbeTest {

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final AtomicReference<String> authorization = new AtomicReference<>();
  private final AtomicReference<String> asked = new AtomicReference<>();
  private final AtomicInteger redirected = new AtomicInteger();
  private final CountDownLatch end = new CountDownLatch(1);
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.setExecutor(threads);
    server.createContext(
        "/status/",
        exchange -> {
          authorization.set(exchange.getRequestHeaders().getFirst("Authorization"));
          asked.set(
              exchange.getRequestMethod()
                  + " "
                  + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
          exchange.getResponseHeaders().set("Location", "/redirected");
          exchange.sendResponseHeaders(
              Integer.parseInt(exchange.getRequestURI().getPath().substring(8)), -1);
          exchange.close();
        });
    server.createContext(
        "/redirected",
        exchange -> {
          redirected.incrementAndGet();
          exchange.sendResponseHeaders(200, -1);
          exchange.close();
        });
    server.createContext(
        "/long",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          byte[] part = new byte[64 * 1024];
          for (int i = 0; i < 17; i++) {
            exchange.getResponseBody().write(part);
          }
          exchange.close();
        });
    server.createContext(
        "/never-ends",
        exchange -> {
          exchange.sendResponseHeaders(200, 0);
          exchange.getResponseBody().write('a');
          exchange.getResponseBody().flush();
          awaitEnd();
          exchange.close();
        });
    server.start();
  }

  private void awaitEnd() {
    try {
      end.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @AfterEach
  void stop() {
    end.countDown();
    server.stop(0);
    threads.close();
  }

  private String url(String path) {
    return "http://127.0.0.1:%d%s".formatted(server.getAddress().getPort(), path);
  }

  private static Preflight.Http check(String url, Integer expected) {
    return new Preflight.Http(url, expected, null, null, null);
  }

  @ParameterizedTest
  @CsvSource({
    "200,, Passed, the answer is HTTP 200",
    "204,, Passed, the answer is HTTP 204",
    "204, 200, Failed, 'the answer is HTTP 204, and expected is 200'",
    "302,, Failed, 'the answer is HTTP 302, and expected is 200 to 299'",
    "302, 302, Passed, the answer is HTTP 302",
    "404,, Failed, 'the answer is HTTP 404, and expected is 200 to 299'",
    "401,, Failed, the answer is HTTP 401: access is refused",
    "403, 200, Failed, the answer is HTTP 403: access is refused",
    "403, 403, Passed, the answer is HTTP 403",
    "429,, Inconclusive, the answer is HTTP 429: the server is busy or broken",
    "500,, Inconclusive, the answer is HTTP 500: the server is busy or broken",
    "503, 200, Inconclusive, the answer is HTTP 503: the server is busy or broken",
    "503, 503, Passed, the answer is HTTP 503"
  })
  void theStatusIsJudged(int status, Integer expected, Verdict verdict, String message) {
    Measurement measurement =
        HttpProbe.run(check(url("/status/" + status), expected), Candidates.of(), TIME);

    assertThatItSays(measurement, verdict, message);
    assertThat(measurement.value()).isEqualTo(Integer.toString(status));
    assertThat(authorization.get()).isNull();
    assertThat(redirected).hasValue(0);
  }

  @Test
  void credentialsOfTheCandidateAreSent() {
    String password = Candidates.value() + "ä";
    SecretData candidate =
        Candidates.of("user", "app", "pass", password, "token", "a.b-c_d~e+f/g=");

    HttpProbe.run(
        new Preflight.Http(url("/status/200"), null, "user", "pass", null), candidate, TIME);
    assertThat(
            new String(
                    Base64.getDecoder().decode(authorization.get().substring(6)),
                    StandardCharsets.UTF_8)
                .equals("app:" + password))
        .isTrue();

    HttpProbe.run(
        new Preflight.Http(url("/status/200"), null, null, null, "token"), candidate, TIME);
    assertThat(authorization).hasValue("Bearer a.b-c_d~e+f/g=");
  }

  @Test
  void whatIsWrongWithAValueIsSaidWithoutIt() {
    String value = Candidates.value();
    SecretData candidate = Candidates.of("token", value + "\n", "user", value + ":", "pass", value);

    assertThatItSays(
        HttpProbe.run(
            new Preflight.Http(url("/status/200"), null, null, null, "token"), candidate, TIME),
        Verdict.Failed,
        "the value of key token has signs that no bearer token has; is a line break at its end?",
        value);
    assertThatItSays(
        HttpProbe.run(
            new Preflight.Http(url("/status/200"), null, "user", "pass", null), candidate, TIME),
        Verdict.Failed,
        "the value of key user has a colon, which ends a user name in basic authentication",
        value);
    assertThatItSays(
        HttpProbe.run(
            new Preflight.Http(url("/status/200"), null, null, null, "bearer"), candidate, TIME),
        Verdict.Failed,
        "the version has no key bearer: it has pass, token, user",
        value);
    assertThat(authorization.get()).isNull();
  }

  @Test
  void anAnswerThatDoesNotEndIsNoVerdict() {
    assertThatItSays(
        HttpProbe.run(check(url("/never-ends"), null), Candidates.of(), Duration.ofSeconds(1)),
        Verdict.Inconclusive,
        "127.0.0.1 gave no answer within 1s");
  }

  @Test
  void anAnswerThatIsTooLongIsNoVerdict() {
    assertThatItSays(
        HttpProbe.run(check(url("/long"), null), Candidates.of(), TIME),
        Verdict.Inconclusive,
        "the answer of 127.0.0.1 broke off, is no HTTP or is longer than 1 MiB");
  }

  @Test
  void aServerThatIsNotThereIsNoVerdict() {
    String url = url("/status/200");
    server.stop(0);

    assertThatItSays(
        HttpProbe.run(check(url, null), Candidates.of(), TIME),
        Verdict.Inconclusive,
        "127.0.0.1 takes no connection");
  }

  @Test
  void aServerThatIsNotTrustedIsNoVerdict() throws IOException {
    TestAuthority stranger = TestAuthority.root("stranger");
    try (TlsServer other = TlsServer.start(stranger.issue("localhost"), null, "TLSv1.3")) {
      assertThatItSays(
          HttpProbe.run(check("https://localhost:" + other.port(), null), Candidates.of(), TIME),
          Verdict.Inconclusive,
          "TLS with localhost fails: its certificate must be for this name and signed by a CA that"
              + " is known here");
    }
  }

  @Test
  void theMetadataOfACloudIsNotAsked() {
    assertThatItSays(
        HttpProbe.run(
            check("http://169.254.169.254/latest/meta-data/", null), Candidates.of(), TIME),
        Verdict.Inconclusive,
        "169.254.169.254 leads to a link-local or metadata address, which Keyturn does not ask:"
            + " name another host");
    assertThatItSays(
        HttpProbe.run(check("http://[fe80::1]/", null), Candidates.of(), TIME),
        Verdict.Inconclusive,
        "fe80::1 leads to a link-local or metadata address, which Keyturn does not ask: name"
            + " another host");
  }

  @Test
  void aUrlThatCannotBeUsedIsNoVerdict() {
    assertThatItSays(
        HttpProbe.run(check("http://host/a{b}", null), Candidates.of(), TIME),
        Verdict.Inconclusive,
        "the URL of the check cannot be used: encode what is not a letter, digit or sign of URLs");
    assertThatItSays(
        HttpProbe.run(check("http://user@host/", null), Candidates.of(), TIME),
        Verdict.Inconclusive,
        "the URL of the check names no host, or a user");
  }

  @Test
  void aGateSaysWhatIsJudged() {
    Gate gate =
        new Gate(
            "smoke",
            Gate.GateStage.Canary,
            null,
            null,
            null,
            new Gate.Http(url("/status/200"), Gate.Method.POST),
            null);

    Measurement measurement =
        new NetworkJudge(Clock.systemUTC()).gate(gate, List.of("b", "a"), "v7-1a2b3c4d");

    assertThatItSays(measurement, Verdict.Passed, "the answer is HTTP 200");
    assertThat(asked)
        .hasValue("POST {\"gate\":\"smoke\",\"pods\":[\"a\",\"b\"],\"version\":\"v7-1a2b3c4d\"}");
  }

  @Test
  void aGateGetsWithoutABody() {
    Gate gate =
        new Gate(
            "smoke",
            Gate.GateStage.Canary,
            null,
            null,
            null,
            new Gate.Http(url("/status/503"), null),
            null);

    assertThatItSays(
        new NetworkJudge(Clock.systemUTC()).gate(gate, List.of("a"), "v7-1a2b3c4d"),
        Verdict.Inconclusive,
        "the answer is HTTP 503: the server is busy or broken");
    assertThat(asked).hasValue("GET ");
  }
}
