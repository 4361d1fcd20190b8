package io.keyturn.gate;

import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.domain.gate.Threshold;
import java.io.IOException;
import java.net.HttpURLConnection;
import java.net.URLEncoder;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Collection;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * Asks a Prometheus for one number, by its instant queries
 * (https://prometheus.io/docs/prometheus/latest/querying/api/#instant-queries). Everything but one
 * finite number is no verdict: no data is neither good nor bad.
 */
final class PrometheusQuery {

  private static final ObjectMapper JSON =
      JsonMapper.builder().disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION).build();
  private static final Pattern POD_NAME = Pattern.compile("[-a-z0-9.]+");

  static {
    JSON.getFactory()
        .setStreamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(32)
                .maxStringLength(Attempt.MAX_BYTES)
                .build());
  }

  private PrometheusQuery() {}

  /** There is no number, and why. */
  private static final class NoNumber extends Exception {

    private static final long serialVersionUID = 1L;

    NoNumber(String message) {
      super(message, null, false, false);
    }
  }

  static Measurement measure(
      Gate.Prometheus gate, Collection<String> pods, String version, Duration time) {
    try {
      if (asksForPods(gate) && expression(pods).isEmpty()) {
        throw new NoNumber("there is no pod to judge");
      }
      long end = System.nanoTime() + time.toNanos();
      if (gate.samplesQuery() != null) {
        double samples = ask(gate, gate.samplesQuery(), "samplesQuery", pods, version, time, end);
        if (!(samples >= gate.minSamples())) {
          return Measurement.inconclusive(
              "there are %s samples, and %d are needed to judge"
                  .formatted(number(samples), gate.minSamples()));
        }
      }
      double result = ask(gate, gate.query(), "query", pods, version, time, end);
      return judge(Threshold.parse(gate.failWhen()), result, gate.failWhen());
    } catch (CappedHttp.NoAnswer e) {
      return e.measurement();
    } catch (NoNumber e) {
      return Measurement.inconclusive(e.getMessage());
    }
  }

  private static boolean asksForPods(Gate.Prometheus gate) {
    return gate.query().contains(Gate.Prometheus.PODS)
        || (gate.samplesQuery() != null && gate.samplesQuery().contains(Gate.Prometheus.PODS));
  }

  private static Measurement judge(Threshold threshold, double result, String failWhen) {
    Verdict verdict = threshold.judge(result);
    String number = number(result);
    String message =
        switch (verdict) {
          case Passed -> "the query gives %s, which is not %s".formatted(number, failWhen);
          case Failed -> "the query gives %s, which is %s".formatted(number, failWhen);
          case Inconclusive ->
              "the query gives %s, which is no number to judge: is there data?".formatted(number);
        };
    return new Measurement(verdict, number, message);
  }

  /**
   * A regular expression for exactly these names. It means the same within each kind of PromQL's
   * quotes: no sign in it is one that a string or RE2 takes for an escape.
   */
  static String expression(Collection<String> pods) {
    return pods.stream()
        .filter(p -> POD_NAME.matcher(p).matches())
        .sorted()
        .map(p -> p.replace(".", "[.]"))
        .collect(Collectors.joining("|"));
  }

  private static double ask(
      Gate.Prometheus gate,
      String query,
      String name,
      Collection<String> pods,
      String version,
      Duration time,
      long end)
      throws CappedHttp.NoAnswer, NoNumber {
    String text =
        query
            .replace(Gate.Prometheus.PODS, expression(pods))
            .replace(Gate.Prometheus.VERSION, version);
    String url =
        gate.address().replaceAll("/+$", "")
            + "/api/v1/query?query="
            + URLEncoder.encode(text, StandardCharsets.UTF_8)
            + "&timeout="
            + Math.max(1, time.toSeconds())
            + "s";
    HttpResponse<byte[]> answer =
        CappedHttp.send(
            CappedHttp.request(url).header("Accept", "application/json").GET().build(), time, end);
    JsonNode body = parse(answer.body());
    if (answer.statusCode() != HttpURLConnection.HTTP_OK) {
      throw new NoNumber(
          answer.statusCode() == HttpURLConnection.HTTP_BAD_REQUEST
                  && "bad_data".equals(body.path("errorType").asText())
              ? "the %s does not parse: try it in the console of Prometheus".formatted(name)
              : "Prometheus answers the %s with HTTP %d".formatted(name, answer.statusCode()));
    }
    if (body.isMissingNode()) {
      throw new NoNumber("what answers at the address is no Prometheus: its answer is no JSON");
    }
    if (!"success".equals(body.path("status").asText())) {
      throw new NoNumber("Prometheus answers the %s with an error".formatted(name));
    }
    if (!body.path("warnings").isEmpty()) {
      throw new NoNumber(
          "Prometheus answers the %s with a warning: a part of the data may be missing"
              .formatted(name));
    }
    return number(body.path("data"), name);
  }

  /** Missing if it is no JSON. */
  private static JsonNode parse(byte[] body) {
    try {
      return JSON.readTree(body);
    } catch (IOException e) {
      return JSON.missingNode();
    }
  }

  private static double number(JsonNode data, String name) throws NoNumber {
    JsonNode result = data.path("result");
    JsonNode sample =
        switch (data.path("resultType").asText()) {
          case "scalar" -> result;
          case "vector" -> {
            if (result.isEmpty()) {
              throw new NoNumber("the %s gives nothing: there is no data yet".formatted(name));
            }
            if (result.size() > 1) {
              throw new NoNumber(
                  "the %s gives %d series, and one number is needed: aggregate them, for example"
                          .formatted(name, result.size())
                      + " by sum()");
            }
            yield result.path(0).path("value");
          }
          default ->
              throw new NoNumber(
                  "the %s gives no number: write one with a scalar or an instant vector as its"
                          .formatted(name)
                      + " result");
        };
    String text = sample.path(1).asText("");
    return switch (text) {
      // https://prometheus.io/docs/prometheus/latest/querying/api/#expression-query-result-formats
      case "NaN" -> Double.NaN;
      case "+Inf", "Inf" -> Double.POSITIVE_INFINITY;
      case "-Inf" -> Double.NEGATIVE_INFINITY;
      default -> {
        if (!text.matches("[-+]?[0-9]{1,400}([.][0-9]{1,400})?([eE][-+]?[0-9]{1,4})?")) {
          throw new NoNumber("the %s gives no number".formatted(name));
        }
        yield Double.parseDouble(text);
      }
    };
  }

  /** As people write it: 0.02 and 50, not 50.0. */
  private static String number(double number) {
    if (number == Math.rint(number) && Math.abs(number) < 1e15) {
      return String.format(Locale.ROOT, "%d", (long) number);
    }
    return Double.toString(number);
  }
}
