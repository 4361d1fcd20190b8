package io.keyturn.gate;

import static io.keyturn.gate.Candidates.assertThatItSays;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.testing.PrometheusServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Asks a real Prometheus that scrapes an application with four pods. */
class PrometheusIT {

  private static final String RATIO =
      "sum(errors_total{pod=~\"{{pods}}\"}) / sum(requests_total{pod=~\"{{pods}}\"})";

  private static HttpServer application;
  private static PrometheusServer prometheus;

  @BeforeAll
  static void start() throws IOException {
    application = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    application.createContext(
        "/metrics",
        exchange -> {
          byte[] body =
              """
              # TYPE requests_total counter
              # TYPE errors_total counter
              requests_total{pod="good-1",version="v7-1a2b3c4d"} 60
              errors_total{pod="good-1",version="v7-1a2b3c4d"} 0
              requests_total{pod="good.2",version="v7-1a2b3c4d"} 40
              errors_total{pod="good.2",version="v7-1a2b3c4d"} 0
              requests_total{pod="goodx2"} 100
              errors_total{pod="goodx2"} 100
              requests_total{pod="bad"} 100
              errors_total{pod="bad"} 2
              requests_total{pod="idle"} 0
              errors_total{pod="idle"} 0
              """
                  .getBytes(StandardCharsets.UTF_8);
          exchange.getResponseHeaders().set("Content-Type", "text/plain; version=0.0.4");
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    application.start();
    prometheus = PrometheusServer.start("127.0.0.1:" + application.getAddress().getPort());
    await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(() ->
            assertThat(measure("count(requests_total)", "< 5").verdict())
                .isEqualTo(Verdict.Passed));
  }

  @AfterAll
  static void stop() {
    if (prometheus != null) {
      prometheus.close();
    }
    application.stop(0);
  }

  private static Measurement measure(String query, String failWhen, String... pods) {
    return measure(query, failWhen, null, null, pods);
  }

  private static Measurement measure(
      String query, String failWhen, Integer minSamples, String samplesQuery, String... pods) {
    return new NetworkJudge(Clock.systemUTC())
        .gate(
            new Gate(
                "errors",
                Gate.GateStage.Canary,
                null,
                null,
                new Gate.Prometheus(
                    prometheus.address(), query, failWhen, minSamples, samplesQuery),
                null,
                null),
            List.of(pods),
            "v7-1a2b3c4d");
  }

  @Test
  void exactlyThesePodsAreJudged() {
    assertThatItSays(
        measure(RATIO, "> 0.01", "good-1", "good.2"),
        Verdict.Passed,
        "the query gives 0, which is not > 0.01");
    assertThatItSays(
        measure(RATIO, "> 0.01", "bad"), Verdict.Failed, "the query gives 0.02, which is > 0.01");
    assertThatItSays(
        measure(RATIO.replace('"', '`'), "> 0.01", "good-1", "bad"),
        Verdict.Failed,
        "the query gives 0.0125, which is > 0.01");
  }

  @Test
  void theVersionIsJudged() {
    assertThatItSays(
        measure("sum(requests_total{version='{{version}}'})", "!= 100"),
        Verdict.Passed,
        "the query gives 100, which is not != 100");
  }

  @Test
  void aScalarIsJudged() {
    assertThatItSays(
        measure("scalar(sum(errors_total{pod='bad'}))", ">= 2"),
        Verdict.Failed,
        "the query gives 2, which is >= 2");
  }

  @Test
  void noDataIsNoVerdict() {
    assertThatItSays(
        measure(RATIO, "> 0.01", "idle"),
        Verdict.Inconclusive,
        "the query gives NaN, which is no number to judge: is there data?");
    assertThatItSays(
        measure("1 / sum(requests_total{pod='idle'})", "> 0.01"),
        Verdict.Inconclusive,
        "the query gives Infinity, which is no number to judge: is there data?");
    assertThatItSays(
        measure(RATIO, "> 0.01", "missing"),
        Verdict.Inconclusive,
        "the query gives nothing: there is no data yet");
    assertThatItSays(
        measure("requests_total", "> 0.01"),
        Verdict.Inconclusive,
        "the query gives 5 series, and one number is needed: aggregate them, for example by sum()");
    assertThatItSays(
        measure("requests_total[1m]", "> 0.01"),
        Verdict.Inconclusive,
        "the query gives no number: write one with a scalar or an instant vector as its result");
  }

  @Test
  void tooLittleTrafficIsNoVerdict() {
    String requests = "sum(requests_total{pod=~\"{{pods}}\"})";

    assertThatItSays(
        measure(RATIO, "> 0.01", 101, requests, "good-1", "good.2"),
        Verdict.Inconclusive,
        "there are 100 samples, and 101 are needed to judge");
    assertThat(measure(RATIO, "> 0.01", 100, requests, "good-1", "good.2").verdict())
        .isEqualTo(Verdict.Passed);
  }

  @Test
  void aQueryThatIsWrongIsNoVerdict() {
    assertThatItSays(
        measure("sum(", "> 0.01"),
        Verdict.Inconclusive,
        "the query does not parse: try it in the console of Prometheus");
    assertThatItSays(
        measure("requests_total * on(nothing) errors_total", "> 0.01"),
        Verdict.Inconclusive,
        "Prometheus answers the query with HTTP 422");
  }
}
