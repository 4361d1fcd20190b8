package io.keyturn.controller.binding;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.controller.Adoption;
import io.keyturn.controller.Candidates;
import io.keyturn.controller.Census;
import io.keyturn.controller.EventRecorder;
import io.keyturn.controller.Executor;
import io.keyturn.controller.FirstLooks;
import io.keyturn.controller.LeaseBook;
import io.keyturn.controller.Nudge;
import io.keyturn.controller.VersionUsers;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.Fingerprint;
import io.keyturn.secret.SecretWriter;
import io.keyturn.workload.deployment.Deployments;
import java.time.Clock;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** Puts a reconciler of bindings together as the application does, without its event sources. */
public final class BindingReconcilers {

  private BindingReconcilers() {}

  /**
   * A reconciler that acts through the given parts.
   *
   * @param bindings all bindings that its caches know
   * @param snapshots metadata of a binding's snapshots that its caches know
   * @param rotations a binding's rotations that its caches know
   * @param users counts who uses a version
   * @param book what is known of leases
   */
  public static SecretBindingReconciler of(
      ApiServer api,
      SecretWriter secrets,
      Fingerprint fingerprint,
      Candidates candidates,
      Deployments deployments,
      Executor executor,
      EventRecorder events,
      Clock clock,
      Supplier<List<SecretBinding>> bindings,
      Function<SecretBinding, List<GenericKubernetesResource>> snapshots,
      Function<SecretBinding, List<SecretRotation>> rotations,
      VersionUsers users,
      LeaseBook book) {
    BindingGatherer gatherer =
        new BindingGatherer(
            api,
            secrets,
            fingerprint,
            candidates,
            new Adoption(),
            deployments,
            new WorkloadVersions(deployments),
            new BindingLeases(users, book),
            book);
    SecretBindingReconciler reconciler =
        new SecretBindingReconciler(
            api,
            gatherer,
            executor,
            events,
            null,
            new Nudge(),
            new Census(),
            new FirstLooks(clock),
            clock);
    reconciler.lookUpIn(
        new BindingIndex() {
          @Override
          public List<SecretBinding> bindingsOf(String namespace, String alias) {
            return bindings.get().stream().filter(b -> b.alias().equals(alias)).toList();
          }

          @Override
          public List<GenericKubernetesResource> snapshots(SecretBinding binding) {
            return snapshots.apply(binding);
          }

          @Override
          public List<SecretRotation> rotations(SecretBinding binding) {
            return rotations.apply(binding);
          }
        });
    return reconciler;
  }
}
