package io.keyturn.controller.rotation;

import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreKind;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretStoreSpec.Limits;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Census;
import io.keyturn.domain.rotation.Observation.OfStore;
import io.keyturn.domain.rotation.Observation.Queue;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.workload.deployment.Deployments;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * At most one rotation moves a workload, and not too many move those of a namespace, or those that
 * use one store: finds whom a new rotation has to wait for. What is not written down is not
 * counted: of several that look at once the older go first.
 */
@ApplicationScoped
class Holders {

  /** A rotation that waits for its own reasons does not keep others waiting. */
  private static final Set<String> RESTS =
      Set.of(Reasons.HELD, Reasons.SUSPENDED, Reasons.WINDOW_CLOSED, Reasons.INVALID_SCHEDULE);

  private static final Set<String> OF_NAMESPACE = Set.of(Reasons.BUDGET_EXHAUSTED);

  /** Who waits for a store keeps nobody waiting who needs another one. */
  private static final Set<String> OF_STORE =
      Set.of(Reasons.BUDGET_EXHAUSTED, Reasons.STORE_BUDGET_EXHAUSTED);

  private final ApiServer api;
  private final Census census;

  @Inject
  Holders(ApiServer api, Census census) {
    this.api = api;
    this.census = census;
  }

  /** The others of a namespace, as somebody knows them. */
  private interface Others {

    Stream<SecretRotation> rotations();

    Optional<SecretBinding> binding(String name);
  }

  /**
   * Whom a rotation has to wait for as far as it is known: enough to wait, as hundreds may, but not
   * to begin.
   *
   * @param binding of the rotation
   * @param workloads that it is to move
   */
  Queue known(SecretRotation rotation, SecretBinding binding, Collection<Deployment> workloads) {
    return queue(rotation, binding, workloads, cached(rotation.getMetadata().getNamespace()));
  }

  /** Whom it has to wait for now, as the API server says of its namespace. */
  Queue now(SecretRotation rotation, SecretBinding binding, Collection<Deployment> workloads) {
    return queue(rotation, binding, workloads, live(rotation.getMetadata().getNamespace()));
  }

  private Others cached(String namespace) {
    return new Others() {
      @Override
      public Stream<SecretRotation> rotations() {
        return census.underWay(namespace);
      }

      @Override
      public Optional<SecretBinding> binding(String name) {
        return census.binding(namespace, name);
      }
    };
  }

  private Others live(String namespace) {
    return new Others() {
      private Map<String, SecretBinding> bindings;

      @Override
      public Stream<SecretRotation> rotations() {
        return api.list(SecretRotation.class, namespace, null).stream();
      }

      @Override
      public Optional<SecretBinding> binding(String name) {
        if (bindings == null) {
          bindings =
              api.list(SecretBinding.class, namespace, null).stream()
                  .collect(Collectors.toMap(b -> b.getMetadata().getName(), b -> b));
        }
        return Optional.ofNullable(bindings.get(name));
      }
    };
  }

  private Queue queue(
      SecretRotation rotation,
      SecretBinding binding,
      Collection<Deployment> workloads,
      Others known) {
    List<SecretRotation> others =
        known
            .rotations()
            .filter(r -> !r.getMetadata().getUid().equals(rotation.getMetadata().getUid()))
            .filter(Holders::movesOrMay)
            .sorted(Comparator.comparing(r -> r.getMetadata().getName()))
            .toList();
    return new Queue(
        others.stream()
            .filter(r -> sameBinding(r, rotation) || overlaps(r, rotation, workloads, known))
            .map(r -> r.getMetadata().getName())
            .findFirst(),
        (int) others.stream().filter(r -> ahead(r, rotation, OF_NAMESPACE)).count(),
        ofStore(rotation, binding.getSpec().source().storeRef(), others, known));
  }

  /** Those of other namespaces are counted as they are known. */
  private OfStore ofStore(
      SecretRotation rotation, StoreRef store, List<SecretRotation> others, Others known) {
    if (store == null) {
      return OfStore.NONE;
    }
    String namespace = rotation.getMetadata().getNamespace();
    int here =
        (int)
            others.stream()
                .filter(r -> ahead(r, rotation, OF_STORE))
                .filter(r -> uses(known.binding(r.getSpec().bindingRef().name()), store))
                .count();
    Integer most = census.limits(namespace, store).map(Limits::maxConcurrentRotations).orElse(null);
    return most == null
        ? new OfStore(here, here, OptionalInt.empty())
        : new OfStore(here, here + elsewhere(rotation, store), OptionalInt.of(most));
  }

  private int elsewhere(SecretRotation rotation, StoreRef store) {
    if (store.kind() == StoreKind.SecretStore) {
      return 0;
    }
    String here = rotation.getMetadata().getNamespace();
    return (int)
        census
            .underWay()
            .filter(r -> !r.getMetadata().getNamespace().equals(here))
            .filter(r -> movesOrMay(r) && ahead(r, rotation, OF_STORE))
            .filter(r ->
                uses(
                    census.binding(r.getMetadata().getNamespace(), r.getSpec().bindingRef().name()),
                    store))
            .count();
  }

  private static boolean uses(Optional<SecretBinding> binding, StoreRef store) {
    return binding.map(b -> b.getSpec().source().storeRef()).filter(store::equals).isPresent();
  }

  private static boolean movesOrMay(SecretRotation rotation) {
    Stage stage = rotation.getStatus().stage();
    return rotation.startedByKeyturn() && !stage.terminal() && !stage.promoted();
  }

  /**
   * One that moves pods; or an older one that would, but for the number of those that do.
   *
   * @param number the reasons for which those wait who wait for the number
   */
  private static boolean ahead(SecretRotation other, SecretRotation rotation, Set<String> number) {
    Stage stage = other.getStatus().stage();
    if (stage != Stage.Pending) {
      return stage != Stage.Discarding;
    }
    return older(other, rotation) && blocked(other).map(number::contains).orElse(true);
  }

  private static boolean older(SecretRotation other, SecretRotation rotation) {
    return Comparator.comparing((SecretRotation r) -> r.getMetadata().getCreationTimestamp())
            .thenComparing(r -> r.getMetadata().getName())
            .thenComparing(r -> r.getMetadata().getNamespace())
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

  /**
   * Whether another rotation holds a workload of this one: it has been admitted and has not
   * promoted yet, or it is older and waits as well. So of two that look at once only one goes on.
   */
  private static boolean overlaps(
      SecretRotation other,
      SecretRotation rotation,
      Collection<Deployment> workloads,
      Others known) {
    if (other.getStatus().stage() != Stage.Pending) {
      return other.getStatus().workloads().stream()
          .anyMatch(
              w -> workloads.stream().anyMatch(d -> d.getMetadata().getName().equals(w.name())));
    }
    return older(other, rotation)
        && blocked(other).filter(RESTS::contains).isEmpty()
        && known
            .binding(other.getSpec().bindingRef().name())
            .filter(b -> workloads.stream().anyMatch(d -> Deployments.means(b, d)))
            .isPresent();
  }
}
