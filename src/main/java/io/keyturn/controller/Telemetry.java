package io.keyturn.controller;

import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.store.Via;
import java.time.Duration;
import java.time.Instant;

/** What the controllers count. No label is unbounded, and nothing names an object. */
public interface Telemetry {

  /** What came of asking a store. */
  enum Retrieval {
    /** It had a value. */
    SUCCESS,
    /** It had none, and nothing is delivered. */
    FAILURE,
    /** It had none; the workloads go on with what is delivered. */
    SERVED_LAST_GOOD
  }

  /**
   * Somebody looked at what a source holds.
   *
   * @param storeType its type
   * @param reason {@link io.keyturn.api.v1alpha1.Reasons#READY} if it had a value, else why not
   * @param via from where the answer came
   * @param took how long, waiting for a turn and logging in included
   */
  void retrieved(String storeType, Retrieval result, String reason, Via via, Duration took);

  /**
   * A rotation has moved, and its journal says so.
   *
   * @param rotation as it is now
   * @param from the stage that it left
   * @param now when
   */
  void moved(SecretRotation rotation, Stage from, Instant now);

  /**
   * The pod template of a workload was written.
   *
   * @param outcome ok, conflict or error
   */
  void patched(WorkloadKind kind, String outcome);

  /**
   * A credential that ends by itself was issued, and recorded.
   *
   * @param ttl how long it lives unless it is renewed
   */
  void issued(Duration ttl);

  /**
   * A lease was renewed, or was to be.
   *
   * @param outcome ok, error, or lost if it has ended before its time
   */
  void renewed(String outcome);

  /**
   * A credential was issued that could not be recorded.
   *
   * @param ended whether it was ended at once; else it ends with its time
   */
  void abandoned(boolean ended);
}
