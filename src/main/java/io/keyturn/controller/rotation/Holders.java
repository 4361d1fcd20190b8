package io.keyturn.controller.rotation;

import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.workload.deployment.Deployments;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** At most one rotation moves a workload: finds the one that a new rotation has to wait for. */
@ApplicationScoped
class Holders {

  /** A rotation that waits for its own reasons does not keep others waiting. */
  private static final Set<String> RESTS = Set.of(Reasons.HELD, Reasons.SUSPENDED);

  private final ApiServer api;
  private final Deployments deployments;

  @Inject
  Holders(ApiServer api, Deployments deployments) {
    this.api = api;
    this.deployments = deployments;
  }

  /**
   * The rotation that holds a workload of this one: one that has been admitted and has not promoted
   * yet, or an older one that waits as well. So of two that look at once only one goes on.
   */
  Optional<String> of(SecretRotation rotation, SecretBinding binding) {
    List<SecretRotation> others =
        api.list(SecretRotation.class, rotation.getMetadata().getNamespace(), null).stream()
            .filter(r -> !r.getMetadata().getUid().equals(rotation.getMetadata().getUid()))
            .filter(SecretRotation::startedByKeyturn)
            .filter(r -> !r.getStatus().stage().terminal() && !r.getStatus().stage().promoted())
            .toList();
    if (others.isEmpty()) {
      return Optional.empty();
    }
    Set<String> mine =
        deployments.select(binding).stream()
            .map(d -> d.getMetadata().getName())
            .collect(Collectors.toSet());
    return others.stream()
        .filter(r -> sameBinding(r, rotation) || overlaps(r, rotation, mine))
        .map(r -> r.getMetadata().getName())
        .sorted()
        .findFirst();
  }

  private static boolean sameBinding(SecretRotation other, SecretRotation rotation) {
    return other.getSpec().bindingRef().equals(rotation.getSpec().bindingRef())
        && Names.versionOfRotation(other.getMetadata().getName())
            < Names.versionOfRotation(rotation.getMetadata().getName());
  }

  private boolean overlaps(SecretRotation other, SecretRotation rotation, Set<String> mine) {
    if (other.getStatus().stage() != Stage.Pending) {
      return other.getStatus().workloads().stream().anyMatch(w -> mine.contains(w.name()));
    }
    boolean older =
        Comparator.comparing((SecretRotation r) -> r.getMetadata().getCreationTimestamp())
                .thenComparing(r -> r.getMetadata().getName())
                .compare(other, rotation)
            < 0;
    boolean rests =
        other.getStatus().conditions().stream()
            .anyMatch(c -> c.type().equals(Conditions.BLOCKED) && RESTS.contains(c.reason()));
    if (!older || rests) {
      return false;
    }
    SecretBinding theirs =
        api.read(
            SecretBinding.class,
            other.getMetadata().getNamespace(),
            other.getSpec().bindingRef().name());
    return theirs != null
        && deployments.select(theirs).stream()
            .anyMatch(d -> mine.contains(d.getMetadata().getName()));
  }
}
