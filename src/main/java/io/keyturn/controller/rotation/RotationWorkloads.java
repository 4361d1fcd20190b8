package io.keyturn.controller.rotation;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.VersionUsers;
import io.keyturn.domain.rotation.Observation.Workload;
import io.keyturn.workload.deployment.Deployments;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What is to be seen of the workloads that a rotation moves. */
@ApplicationScoped
class RotationWorkloads {

  private static final Set<Stage> ASKS_WORKLOADS =
      EnumSet.of(Stage.Canary, Stage.Baking, Stage.Promoting, Stage.RollingBack);
  private static final Set<Stage> ASKS_CLONES =
      EnumSet.of(Stage.Retiring, Stage.Disabling, Stage.Revoking, Stage.Discarding);

  private final Deployments deployments;
  private final VersionUsers users;

  @Inject
  RotationWorkloads(Deployments deployments, VersionUsers users) {
    this.deployments = deployments;
    this.users = users;
  }

  /** Those that a rotation is asked to move which has not begun. */
  List<Workload> asked(Collection<Deployment> asked, SecretBinding binding, String aliasName) {
    return asked.stream()
        .map(d ->
            deployments.observe(d, aliasName, null, null, null, Deployments.waveOf(d, binding)))
        .toList();
  }

  /** Those of the plan of a rotation that has begun, as far as its stage asks for them. */
  List<Workload> planned(
      SecretRotation rotation, SecretBinding binding, String aliasName, Secret alias) {
    SecretRotationStatus journal = rotation.getStatus();
    String namespace = rotation.getMetadata().getNamespace();
    if (journal.stage().terminal() || ASKS_CLONES.contains(journal.stage())) {
      return journal.workloads().stream().map(w -> clone(w, namespace)).toList();
    }
    if (!ASKS_WORKLOADS.contains(journal.stage())) {
      return List.of();
    }
    return journal.workloads().stream()
        .map(w -> workload(w, journal, binding, namespace, aliasName, alias))
        .toList();
  }

  private Workload workload(
      WorkloadProgress entry,
      SecretRotationStatus journal,
      SecretBinding binding,
      String namespace,
      String aliasName,
      Secret alias) {
    String target =
        journal.to() == null || journal.to().snapshot() == null
            ? null
            : Names.versionIdOf(journal.to().snapshot());
    Deployment deployment = deployments.read(namespace, entry.name());
    boolean there =
        deployment != null
            && (deployment.getMetadata().getUid().equals(entry.uid())
                || takesItsPlace(deployment, journal, binding, alias));
    return there
        ? deployments.observe(
            deployment,
            aliasName,
            target,
            rests(entry, journal) ? null : journal.timeline().verifiedAt(),
            entry.canaryRef(),
            entry.wave())
        : clone(entry, namespace);
  }

  /** Whether a promotion has not come to a workload yet, or has moved it already. */
  private static boolean rests(WorkloadProgress entry, SecretRotationStatus journal) {
    return journal.stage() == Stage.Promoting
        && (entry.state() == WorkloadState.Waiting || entry.state() == WorkloadState.Promoted);
  }

  /**
   * One that was created anew is of the plan: in the canary it needs a verdict of its own, and
   * until the alias serves the new version its pods read the one before. Later ones read the new
   * one by themselves.
   */
  private boolean takesItsPlace(
      Deployment namesake, SecretRotationStatus journal, SecretBinding binding, Secret alias) {
    boolean moves =
        switch (journal.stage()) {
          case Canary, Baking -> true;
          case Promoting ->
              Instant.parse(namesake.getMetadata().getCreationTimestamp())
                  .isBefore(users.servedSince(journal.to(), alias));
          default -> false;
        };
    return moves && binding != null && Deployments.means(binding, namesake);
  }

  /** All that is left to be seen of a workload that has gone, or is none of our business. */
  private Workload clone(WorkloadProgress entry, String namespace) {
    return Workload.gone(
        entry.kind(),
        entry.name(),
        entry.uid(),
        entry.canaryRef() == null
            ? Optional.empty()
            : deployments.observeClone(namespace, entry.canaryRef()));
  }
}
