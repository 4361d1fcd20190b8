package io.keyturn.ops;

import io.javaoperatorsdk.operator.RuntimeInfo;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.Liveness;
import org.eclipse.microprofile.health.Readiness;
import org.eclipse.microprofile.health.Startup;

/**
 * Alive while the informers of a leading process are; ready when its caches are filled, or when it
 * waits for the Lease. What is wrong with an object is said on the object, never here.
 */
@ApplicationScoped
class Health {

  private final OperatorRunner runner;
  private final OperatorConfig config;

  @Inject
  Health(OperatorRunner runner, OperatorConfig config) {
    this.runner = runner;
    this.config = config;
  }

  @Produces
  @Liveness
  HealthCheck informers() {
    return () -> {
      RuntimeInfo info = runner.operator().getRuntimeInfo();
      boolean broken = runner.started() && !info.unhealthyEventSources().isEmpty();
      return HealthCheckResponse.named("informers").status(!broken).build();
    };
  }

  @Produces
  @Readiness
  HealthCheck caches() {
    return () -> {
      boolean waits = config.leaderElection() && !runner.leading();
      return HealthCheckResponse.named("caches")
          .status(runner.started() || waits)
          .withData("leader", runner.leading())
          .build();
    };
  }

  @Produces
  @Startup
  HealthCheck process() {
    return () -> HealthCheckResponse.named("process").status(runner.operator() != null).build();
  }
}
