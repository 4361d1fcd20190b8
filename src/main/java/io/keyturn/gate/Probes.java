package io.keyturn.gate;

import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.secret.SecretData;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;

/** The checks that Keyturn makes itself, with the candidate, before any pod sees it. */
@ApplicationScoped
public class Probes {

  private final Clock clock;

  /** Takes the time from a clock, for certificates. */
  @Inject
  public Probes(Clock clock) {
    this.clock = clock;
  }

  /**
   * Makes a check once; it takes at most its timeout, and never more than 30 seconds.
   *
   * @param candidate still belongs to the caller
   * @throws IllegalArgumentException if a Job makes this check, see {@link PreflightJobs}
   */
  public Measurement run(Preflight check, SecretData candidate) {
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
}
