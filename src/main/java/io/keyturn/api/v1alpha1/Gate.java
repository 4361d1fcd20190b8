package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.or;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/**
 * A question that is asked while a version is tried or rolled out; exactly one of the members after
 * {@code failureLimit} is set.
 *
 * @param name unique within the policy
 * @param stage when it is asked
 * @param interval time between two measurements; null for a person
 * @param failureLimit how many failed measurements fail the gate; null for a person
 * @param prometheus a query
 * @param http a request
 * @param manual a person
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "[has(self.prometheus), has(self.http), has(self.manual)].exists_one(set, set)",
    message =
        "a gate asks exactly one thing: write one of prometheus, http and manual, and add another"
            + " entry for another gate")
@ValidationRule(
    value = "!has(self.manual) || self.stage == 'Promote'",
    message =
        "a person is asked once, when the canary has passed: write stage Promote for a manual gate")
@ValidationRule(
    value = "!has(self.manual) || (!has(self.interval) && !has(self.failureLimit))",
    message =
        "a person is not measured again and again: leave out interval and failureLimit, and say"
            + " with manual.timeout how long to wait")
public record Gate(
    @Required
        @Size(min = 1, max = Api.MAX_LABEL)
        @Pattern(Api.LABEL)
        @JsonPropertyDescription(
            "Name of the gate, unique within the policy: lower-case letters, digits and '-'.")
        String name,
    @Required
        @JsonPropertyDescription(
            "Canary: while the canary is tried. Promote: when it has passed, while workloads are"
                + " moved; a manual gate before the first of them.")
        GateStage stage,
    @Pattern(Durations.PATTERN)
        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(
            value = Api.POSITIVE_RULE,
            message =
                "interval must be longer than zero: write for example 30s, which is its default")
        @JsonPropertyDescription("Time between two measurements. Default: 30s.")
        String interval,
    @Min(1)
        @Max(100)
        @JsonPropertyDescription("How many failed measurements fail the gate. Default: 1.")
        Integer failureLimit,
    @JsonPropertyDescription("A query to Prometheus, judged by a threshold.") Prometheus prometheus,
    @JsonPropertyDescription("A request: an answer from 200 to 299 passes.") Http http,
    @JsonPropertyDescription("A person who approves.") Manual manual) {

  /** Fills in what the user left out. */
  public Gate {
    if (manual == null) {
      interval = or(interval, "30s");
      failureLimit = or(failureLimit, 1);
    }
  }

  /** When a gate is asked. */
  public enum GateStage {
    /** While the canary is tried. */
    Canary,
    /** When it has passed. */
    Promote
  }

  /**
   * A query to Prometheus. The result must be one number: a scalar, or a vector of one sample. What
   * is no number is no verdict.
   *
   * @param address base URL of the server
   * @param query PromQL
   * @param failWhen which results fail
   * @param minSamples how much there must be to judge; null: no such question
   * @param samplesQuery how much there is, PromQL; null: no such question
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "has(self.minSamples) == has(self.samplesQuery)",
      message = "minSamples is compared with the result of samplesQuery: write both, or neither")
  public record Prometheus(
      @Required
          @Size(min = 1, max = 2048)
          @ValidationRule(value = Api.URL_RULE, message = Api.URL_MESSAGE)
          @JsonPropertyDescription(
              "Base URL of the server, such as http://prometheus.monitoring:9090.")
          String address,
      @Required
          @Size(min = 1, max = 4096)
          @ValidationRule(value = PLACEHOLDERS, message = PLACEHOLDERS_MESSAGE)
          @JsonPropertyDescription(
              "PromQL with one number as its result. {{pods}} is a regular expression for the"
                  + " names of the pods that are judged, to be used within quotes after =~, and"
                  + " {{version}} the version, such as v7-1a2b3c4d.")
          String query,
      @Required
          @Size(min = 1, max = 32)
          @ValidationRule(
              value = "self.matches('" + FAIL_WHEN + "')",
              message =
                  "failWhen is an operator (>, >=, <, <=, == or !=) and a number: write for"
                      + " example \"> 0.01\"")
          @JsonPropertyDescription(
              "Results that fail: an operator and a number, such as \"> 0.01\".")
          String failWhen,
      @Min(1)
          @JsonPropertyDescription(
              "How large the result of samplesQuery must be, else there is no verdict: too little"
                  + " traffic proves nothing.")
          Integer minSamples,
      @Size(min = 1, max = 4096)
          @ValidationRule(value = PLACEHOLDERS, message = PLACEHOLDERS_MESSAGE)
          @JsonPropertyDescription(
              "PromQL with the number of samples as its result, such as"
                  + " sum(increase(http_requests_total{pod=~\"{{pods}}\"}[5m])). The same"
                  + " placeholders.")
          String samplesQuery) {

    /** What {@code failWhen} looks like: an operator and a number that a double can hold. */
    public static final String FAIL_WHEN =
        "^(>|>=|<|<=|==|!=) *[-+]?[0-9]+([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$";

    /** Stands for a regular expression of the names of pods. */
    public static final String PODS = "{{pods}}";

    /** Stands for the version. */
    public static final String VERSION = "{{version}}";

    private static final String PLACEHOLDERS =
        "!self.replace('" + PODS + "', '').replace('" + VERSION + "', '').contains('{{')";

    private static final String PLACEHOLDERS_MESSAGE =
        "a query has two placeholders, {{pods}} and {{version}}: write one of them";
  }

  /**
   * A request: an answer from 200 to 299 passes. Redirects are not followed.
   *
   * @param url where to
   * @param method GET, or POST with what is judged as JSON
   */
  public record Http(
      @Required
          @Size(min = 1, max = 2048)
          @ValidationRule(value = Api.URL_RULE, message = Api.URL_MESSAGE)
          @JsonPropertyDescription("Absolute URL.")
          String url,
      @JsonPropertyDescription(
              "GET, or POST with a JSON object that has the members gate, version and pods."
                  + " Default: GET.")
          Method method) {

    /** Fills in what the user left out. */
    public Http {
      method = or(method, Method.GET);
    }
  }

  /** How a request asks. */
  public enum Method {
    /** Without a body. */
    GET,
    /** With what is judged. */
    POST
  }

  /**
   * A person who approves.
   *
   * @param timeout how long to wait
   * @param onTimeout what to do then
   */
  public record Manual(
      @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @ValidationRule(
              value = Api.POSITIVE_RULE,
              message =
                  "people need time: write for example 8h, or leave timeout out for its default"
                      + " of 24h")
          @JsonPropertyDescription("How long to wait for the approval. Default: 24h.")
          String timeout,
      @JsonPropertyDescription(
              "What to do then: RollBack takes the version back, Hold goes on waiting. Default:"
                  + " RollBack.")
          OnTimeout onTimeout) {

    /** Fills in what the user left out. */
    public Manual {
      timeout = or(timeout, "24h");
      onTimeout = or(onTimeout, OnTimeout.RollBack);
    }
  }

  /** What to do when nobody approves in time. */
  public enum OnTimeout {
    /** Take the version back. */
    RollBack,
    /** Go on waiting. */
    Hold
  }
}
