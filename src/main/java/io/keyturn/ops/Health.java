package io.keyturn.ops;

import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Inject;
import java.util.Optional;
import org.eclipse.microprofile.health.HealthCheck;
import org.eclipse.microprofile.health.HealthCheckResponse;
import org.eclipse.microprofile.health.HealthCheckResponseBuilder;
import org.eclipse.microprofile.health.Liveness;
import org.eclipse.microprofile.health.Readiness;
import org.eclipse.microprofile.health.Startup;

/**
 * Alive while no informer has died; ready while the caches are filled and watched, leading or not.
 * A new process cures the first and not the second, so an API server that is away ends nobody. What
 * is wrong with an object is said on the object, never here.
 */
@ApplicationScoped
class Health {

  private final OperatorRunner runner;

  @Inject
  Health(OperatorRunner runner) {
    this.runner = runner;
  }

  @Produces
  @Liveness
  HealthCheck informers() {
    return () -> HealthCheckResponse.named("informers").status(runner.informersRun()).build();
  }

  @Produces
  @Readiness
  HealthCheck caches() {
    return () -> {
      HealthCheckResponseBuilder response =
          HealthCheckResponse.named("caches").withData("leader", runner.leading());
      Optional<String> waitsFor = runner.waitsFor();
      waitsFor.ifPresent(sentence -> response.withData("waitsFor", sentence));
      return response.status(waitsFor.isEmpty()).build();
    };
  }

  /** Whoever can ask has started; what is still missing then is a matter of readiness. */
  @Produces
  @Startup
  HealthCheck process() {
    return () -> HealthCheckResponse.up("process");
  }
}
