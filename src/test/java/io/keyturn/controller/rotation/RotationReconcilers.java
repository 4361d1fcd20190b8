package io.keyturn.controller.rotation;

import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.controller.Candidates;
import io.keyturn.controller.Census;
import io.keyturn.controller.Epoch;
import io.keyturn.controller.EventRecorder;
import io.keyturn.controller.Executor;
import io.keyturn.controller.KubeletLag;
import io.keyturn.controller.LeaseBook;
import io.keyturn.controller.Nudge;
import io.keyturn.controller.Telemetry;
import io.keyturn.controller.VersionUsers;
import io.keyturn.gate.Judge;
import io.keyturn.gate.PreflightJobs;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.Fingerprint;
import io.keyturn.secret.SecretWriter;
import io.keyturn.workload.deployment.Deployments;
import java.time.Clock;
import java.util.function.Predicate;

/** Puts a reconciler of rotations together as the application does, without its event sources. */
public final class RotationReconcilers {

  private RotationReconcilers() {}

  /**
   * A reconciler that acts through the given parts.
   *
   * @param census what its caches know of others
   * @param clones whether its caches know of a clone of a rotation
   * @param judge who answers checks and gates
   * @param epoch generation of the leader
   * @param book what is known of leases
   */
  public static SecretRotationReconciler of(
      ApiServer api,
      SecretWriter secrets,
      Fingerprint fingerprint,
      Candidates candidates,
      Deployments deployments,
      Executor executor,
      EventRecorder events,
      Telemetry telemetry,
      KubeletLag kubeletLag,
      Clock clock,
      Census census,
      Predicate<SecretRotation> clones,
      Judge judge,
      Epoch epoch,
      LeaseBook book) {
    Nudge nudge = new Nudge();
    VersionUsers users = new VersionUsers(api, deployments, kubeletLag);
    RotationGatherer gatherer =
        new RotationGatherer(
            api,
            secrets,
            candidates,
            deployments,
            new RotationValues(secrets, candidates, fingerprint),
            new RotationWorkloads(deployments, users),
            new Holders(api, census),
            users,
            new Readings(judge, secrets, deployments, nudge, Runnable::run, clock),
            new PreflightJobs(api),
            book,
            kubeletLag);
    SecretRotationReconciler reconciler =
        new SecretRotationReconciler(
            api, gatherer, executor, events, null, nudge, census, telemetry, epoch, clock);
    reconciler.lookUpIn(clones::test);
    return reconciler;
  }
}
