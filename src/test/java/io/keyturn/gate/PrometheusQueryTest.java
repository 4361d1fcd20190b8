package io.keyturn.gate;

import static io.keyturn.gate.Candidates.assertThatItSays;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.gate.Measurement;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Pattern;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The answers that a real Prometheus does not give on demand; for the others see PrometheusIT. */
class PrometheusQueryTest {

  private static final String ONE =
      "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"metric\":{},"
          + "\"value\":[1764000000.1,\"%s\"]}]}}";

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final CountDownLatch end = new CountDownLatch(1);
  private final List<String> queries = Collections.synchronizedList(new ArrayList<>());
  private volatile int status = 200;
  private volatile List<String> answers = List.of(ONE.formatted("0"));
  private HttpServer server;

  @BeforeEach
  void start() throws IOException {
    server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.setExecutor(threads);
    server.createContext(
        "/base/api/v1/query",
        exchange -> {
          String query = exchange.getRequestURI().getRawQuery();
          queries.add(
              URLDecoder.decode(
                  query.substring("query=".length(), query.indexOf('&')), StandardCharsets.UTF_8));
          String answer = answers.get(Math.min(queries.size(), answers.size()) - 1);
          byte[] body = answer.getBytes(StandardCharsets.UTF_8);
          if (answer.equals("never")) {
            try {
              end.await();
            } catch (InterruptedException e) {
              Thread.currentThread().interrupt();
            }
          }
          exchange.sendResponseHeaders(status, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    server.start();
  }

  @AfterEach
  void stop() {
    end.countDown();
    server.stop(0);
    threads.close();
  }

  private Measurement measure(String query, Integer minSamples, String samplesQuery) {
    Gate gate =
        new Gate(
            "errors",
            Gate.GateStage.Canary,
            null,
            null,
            new Gate.Prometheus(
                "http://127.0.0.1:%d/base/".formatted(server.getAddress().getPort()),
                query,
                "> 0.01",
                minSamples,
                samplesQuery),
            null,
            null);
    return new NetworkJudge(Clock.systemUTC())
        .gate(gate, List.of("app-1", "app.2"), "v7-1a2b3c4d", Duration.ofSeconds(3));
  }

  private Measurement measure() {
    return measure("up", null, null);
  }

  @ParameterizedTest
  @CsvSource({
    "0, 0, Passed, 'the query gives 0, which is not > 0.01'",
    "0.01, 0.01, Passed, 'the query gives 0.01, which is not > 0.01'",
    "0.02, 0.02, Failed, 'the query gives 0.02, which is > 0.01'",
    "1e3, 1000, Failed, 'the query gives 1000, which is > 0.01'",
    "NaN, NaN, Inconclusive, 'the query gives NaN, which is no number to judge: is there data?'",
    "+Inf, Infinity, Inconclusive, 'the query gives Infinity, which is no number to judge: is there data?'",
    "-Inf, -Infinity, Inconclusive, 'the query gives -Infinity, which is no number to judge: is there data?'"
  })
  void oneSampleIsJudged(String sample, String value, Verdict verdict, String message) {
    answers = List.of(ONE.formatted(sample));

    Measurement measurement = measure();

    assertThatItSays(measurement, verdict, message);
    assertThat(measurement.value()).isEqualTo(value);
  }

  @Test
  void aScalarIsJudged() {
    answers =
        List.of(
            "{\"status\":\"success\",\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"0.5\"]}}");

    assertThatItSays(measure(), Verdict.Failed, "the query gives 0.5, which is > 0.01");
  }

  @Test
  void whatIsNotOneNumberIsNoVerdict() {
    assertNoVerdict(
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}",
        "the query gives nothing: there is no data yet");
    assertNoVerdict(
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"value\":[1,\"0\"]},"
            + "{\"value\":[1,\"0\"]}]}}",
        "the query gives 2 series, and one number is needed: aggregate them, for example by sum()");
    assertNoVerdict(
        "{\"status\":\"success\",\"data\":{\"resultType\":\"matrix\",\"result\":[{\"values\":[[1,\"0\"]]}]}}",
        "the query gives no number: write one with a scalar or an instant vector as its result");
    assertNoVerdict(
        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[{\"histogram\":[1,{}]}]}}",
        "the query gives no number");
    assertNoVerdict(ONE.formatted("zero"), "the query gives no number");
    assertNoVerdict(ONE.formatted("0x1p3"), "the query gives no number");
    assertNoVerdict(
        "{\"status\":\"success\",\"warnings\":[\"partial\"],\"data\":{\"resultType\":\"scalar\",\"result\":[1,\"0\"]}}",
        "Prometheus answers the query with a warning: a part of the data may be missing");
    assertNoVerdict(
        "{\"status\":\"error\",\"errorType\":\"internal\",\"error\":\"secret words\"}",
        "Prometheus answers the query with an error");
    assertNoVerdict("null", "Prometheus answers the query with an error");
    assertNoVerdict("[]", "Prometheus answers the query with an error");
    for (String noJson :
        List.of("<html>secret words</html>", "", "{\"status\":", "[".repeat(999))) {
      assertNoVerdict(
          noJson, "what answers at the address is no Prometheus: its answer is no JSON");
    }
    assertNoVerdict(
        " ".repeat((1 << 20) + 1),
        "the answer of 127.0.0.1 broke off, is no HTTP or is longer than 1 MiB");
    assertNoVerdict("never", "127.0.0.1 gave no answer within 3s");
  }

  private void assertNoVerdict(String answer, String message) {
    queries.clear();
    answers = List.of(answer);
    assertThatItSays(measure(), Verdict.Inconclusive, message);
  }

  @Test
  void errorsAreNoVerdict() {
    status = 400;
    assertNoVerdict(
        "{\"status\":\"error\",\"errorType\":\"bad_data\",\"error\":\"secret words\"}",
        "the query does not parse: try it in the console of Prometheus");
    for (int code : new int[] {301, 401, 404, 422, 429, 500, 503}) {
      status = code;
      assertNoVerdict(ONE.formatted("0"), "Prometheus answers the query with HTTP " + code);
    }
    server.stop(0);
    assertThatItSays(measure(), Verdict.Inconclusive, "127.0.0.1 takes no connection");
  }

  @Test
  void tooFewSamplesAreNoVerdict() {
    answers = List.of(ONE.formatted("49.5"), ONE.formatted("0.5"));
    assertThatItSays(
        measure("errors", 50, "requests"),
        Verdict.Inconclusive,
        "there are 49.5 samples, and 50 are needed to judge");
    assertThat(queries).containsExactly("requests");

    queries.clear();
    answers = List.of(ONE.formatted("50"), ONE.formatted("0.5"));
    assertThatItSays(
        measure("errors", 50, "requests"), Verdict.Failed, "the query gives 0.5, which is > 0.01");
    assertThat(queries).containsExactly("requests", "errors");

    queries.clear();
    answers = List.of(ONE.formatted("NaN"), ONE.formatted("0"));
    assertThatItSays(
        measure("errors", 50, "requests"),
        Verdict.Inconclusive,
        "there are NaN samples, and 50 are needed to judge");

    queries.clear();
    answers =
        List.of(
            "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}",
            ONE.formatted("0"));
    assertThatItSays(
        measure("errors", 50, "requests"),
        Verdict.Inconclusive,
        "the samplesQuery gives nothing: there is no data yet");
  }

  @Test
  void placeholdersAreReplaced() {
    measure("1", 1, "n{pod=~`{{pods}}`}");
    assertThat(queries).containsExactly("n{pod=~`app-1|app[.]2`}");

    queries.clear();
    measure("sum(errors{pod=~\"{{pods}}\",v='{{version}}'}) / 2", null, null);
    assertThat(queries).containsExactly("sum(errors{pod=~\"app-1|app[.]2\",v='v7-1a2b3c4d'}) / 2");
  }

  @Test
  void withoutPodsThereIsNothingToJudge() {
    Gate gate =
        new Gate(
            "errors",
            Gate.GateStage.Canary,
            null,
            null,
            new Gate.Prometheus(
                "http://127.0.0.1:" + server.getAddress().getPort(),
                "sum(errors{pod=~\"{{pods}}\"})",
                "> 0",
                null,
                null),
            null,
            null);

    assertThatItSays(
        new NetworkJudge(Clock.systemUTC()).gate(gate, List.of(), "v7-1a2b3c4d"),
        Verdict.Inconclusive,
        "there is no pod to judge");
    assertThat(queries).isEmpty();
  }

  /** RE2 and Java agree on what these expressions are made of. */
  @Property(tries = 200)
  void theExpressionMatchesThesePodsAndNoOthers(
      @ForAll @Size(min = 1, max = 5)
          List<@StringLength(min = 1, max = 20) @Chars({'a', 'z', '0', '-', '.'}) String> pods,
      @ForAll @StringLength(min = 1, max = 20) @Chars({'a', 'z', '0', '-', '.'}) String other) {
    Pattern expression = Pattern.compile(PrometheusQuery.expression(pods));

    assertThat(pods).allMatch(expression.asMatchPredicate());
    assertThat(expression.matcher(other).matches()).isEqualTo(pods.contains(other));
    assertThat(expression.pattern()).doesNotContain("\\", "\"", "'", "`", "{", "}");
  }
}
