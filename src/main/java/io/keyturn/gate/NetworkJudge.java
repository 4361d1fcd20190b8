package io.keyturn.gate;

import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.secret.SecretData;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.Collection;

/** Asks servers: ports, HTTP, TLS, PostgreSQL, Prometheus. */
@ApplicationScoped
public class NetworkJudge implements Judge {

  /** Longer than a measurement should take, and shorter than the intervals between them. */
  private static final Duration GATE_TIME = Duration.ofSeconds(10);

  private final Clock clock;

  /** Takes the time from a clock, for certificates. */
  @Inject
  public NetworkJudge(Clock clock) {
    this.clock = clock;
  }

  @Override
  public Measurement check(Preflight check, SecretData candidate) {
    Duration time = Attempt.time(check);
    if (check.tcp() != null) {
      return TcpProbe.run(check.tcp(), time);
    }
    if (check.http() != null) {
      return HttpProbe.run(check.http(), candidate, time);
    }
    if (check.tls() != null) {
      return TlsProbe.run(check.tls(), candidate, clock.instant(), time);
    }
    if (check.postgresql() != null) {
      return PostgresqlLogin.run(check.postgresql(), candidate, time);
    }
    throw new IllegalArgumentException("the check %s is not made here".formatted(check.name()));
  }

  @Override
  public Measurement gate(Gate gate, Collection<String> pods, String version) {
    return gate(gate, pods, version, GATE_TIME);
  }

  Measurement gate(Gate gate, Collection<String> pods, String version, Duration time) {
    if (gate.prometheus() != null) {
      return PrometheusQuery.measure(gate.prometheus(), pods, version, time);
    }
    if (gate.http() != null) {
      return HttpGate.measure(gate, pods, version, time);
    }
    throw new IllegalArgumentException("the gate %s is not measured".formatted(gate.name()));
  }
}
