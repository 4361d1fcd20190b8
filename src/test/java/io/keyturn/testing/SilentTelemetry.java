package io.keyturn.testing;

import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Telemetry;
import io.keyturn.store.Via;
import java.time.Duration;
import java.time.Instant;

/** Nobody counts. */
public class SilentTelemetry implements Telemetry {

  @Override
  public void renewed(String outcome) {}

  @Override
  public void issued(Duration ttl) {}

  @Override
  public void abandoned(boolean ended) {}

  @Override
  public void retrieved(
      String storeType, Retrieval result, String reason, Via via, Duration took) {}

  @Override
  public void moved(SecretRotation rotation, Stage from, Instant now) {}

  @Override
  public void patched(WorkloadKind kind, String outcome) {}
}
