package io.keyturn.gate;

import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.domain.gate.Measurement;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Duration;
import java.util.Collection;

/** Asks the gates of a policy that something else than a person answers. */
@ApplicationScoped
public class Gates {

  /** Longer than a measurement should take, and shorter than the intervals between them. */
  private static final Duration TIME = Duration.ofSeconds(10);

  /**
   * Measures once; it takes at most ten seconds.
   *
   * @param pods the names of the pods that are judged
   * @param version the version that they use, such as {@code v7-1a2b3c4d}
   * @throws IllegalArgumentException if a person answers this gate
   */
  public Measurement measure(Gate gate, Collection<String> pods, String version) {
    return measure(gate, pods, version, TIME);
  }

  Measurement measure(Gate gate, Collection<String> pods, String version, Duration time) {
    if (gate.prometheus() != null) {
      return PrometheusQuery.measure(gate.prometheus(), pods, version, time);
    }
    if (gate.http() != null) {
      return HttpGate.measure(gate, pods, version, time);
    }
    throw new IllegalArgumentException("the gate %s is not measured".formatted(gate.name()));
  }
}
