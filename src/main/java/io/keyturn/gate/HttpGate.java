package io.keyturn.gate;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.domain.gate.Measurement;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.time.Duration;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/** Asks a server of the user's own, which judges by the status of its answer. */
final class HttpGate {

  private static final ObjectMapper JSON = new ObjectMapper();

  private HttpGate() {}

  static Measurement measure(Gate gate, Collection<String> pods, String version, Duration time) {
    try {
      HttpRequest.Builder request = CappedHttp.request(gate.http().url());
      if (gate.http().method() == Gate.Method.POST) {
        request
            .header("Content-Type", "application/json")
            .POST(BodyPublishers.ofString(body(gate.name(), pods, version)));
      }
      int status = CappedHttp.send(request.build(), time).statusCode();
      return HttpProbe.judge(null, status).of(Integer.toString(status));
    } catch (CappedHttp.NoAnswer e) {
      return e.measurement();
    }
  }

  private static String body(String gate, Collection<String> pods, String version) {
    try {
      return JSON.writeValueAsString(
          new TreeMap<>(
              Map.of("gate", gate, "version", version, "pods", pods.stream().sorted().toList())));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("texts can be written as JSON", e);
    }
  }
}
