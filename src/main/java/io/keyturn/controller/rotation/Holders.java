package io.keyturn.controller.rotation;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.rotation.Observation.Queue;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.workload.deployment.Deployments;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * At most one rotation moves a workload, and not too many move those of a namespace: finds whom a
 * new rotation has to wait for. What is not written down is not counted, and nothing is remembered:
 * of several that look at once the older go first.
 */
@ApplicationScoped
class Holders {

  /** A rotation that waits for its own reasons does not keep others waiting. */
  private static final Set<String> RESTS =
      Set.of(Reasons.HELD, Reasons.SUSPENDED, Reasons.WINDOW_CLOSED, Reasons.INVALID_SCHEDULE);

  private final ApiServer api;
  private final Deployments deployments;

  @Inject
  Holders(ApiServer api, Deployments deployments) {
    this.api = api;
    this.deployments = deployments;
  }

  /** Whom a rotation has to wait for. */
  Queue of(SecretRotation rotation, SecretBinding binding) {
    List<SecretRotation> others =
        api.list(SecretRotation.class, rotation.getMetadata().getNamespace(), null).stream()
            .filter(r -> !r.getMetadata().getUid().equals(rotation.getMetadata().getUid()))
            .filter(SecretRotation::startedByKeyturn)
            .filter(r -> !r.getStatus().stage().terminal() && !r.getStatus().stage().promoted())
            .toList();
    return others.isEmpty()
        ? Queue.EMPTY
        : new Queue(
            holder(others, rotation, binding),
            (int) others.stream().filter(r -> ahead(r, rotation)).count());
  }

  /**
   * The rotation that holds a workload of this one: one that has been admitted and has not promoted
   * yet, or an older one that waits as well. So of two that look at once only one goes on.
   */
  private Optional<String> holder(
      List<SecretRotation> others, SecretRotation rotation, SecretBinding binding) {
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

  /** One that moves pods; or an older one that would, but for the number of those that do. */
  private static boolean ahead(SecretRotation other, SecretRotation rotation) {
    Stage stage = other.getStatus().stage();
    if (stage != Stage.Pending) {
      return stage != Stage.Discarding;
    }
    return older(other, rotation)
        && blocked(other).map(Reasons.BUDGET_EXHAUSTED::equals).orElse(true);
  }

  private static boolean older(SecretRotation other, SecretRotation rotation) {
    return Comparator.comparing((SecretRotation r) -> r.getMetadata().getCreationTimestamp())
            .thenComparing(r -> r.getMetadata().getName())
            .compare(other, rotation)
        < 0;
  }

  private static Optional<String> blocked(SecretRotation rotation) {
    return rotation.getStatus().conditions().stream()
        .filter(c -> c.type().equals(Conditions.BLOCKED))
        .map(Condition::reason)
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
    if (!older(other, rotation) || blocked(other).filter(RESTS::contains).isPresent()) {
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
