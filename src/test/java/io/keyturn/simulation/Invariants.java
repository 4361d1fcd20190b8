package io.keyturn.simulation;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.rotation.Transitions;
import io.keyturn.workload.SecretReferences;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The safety invariants, checked on each change and each state of a simulated cluster. What a
 * person did is not held against Keyturn.
 */
final class Invariants {

  private final ObjectStore store;
  private final SimulatedCluster cluster;
  private final Clock clock;
  private final Set<String> proven = new HashSet<>();
  private final Set<String> foreign = new HashSet<>();
  private final Map<String, Instant> readySince = new HashMap<>();
  private boolean byPerson;
  private boolean aliasTouchedByPerson;
  private long checked;

  Invariants(ObjectStore store, SimulatedCluster cluster, Clock clock) {
    this.store = store;
    this.cluster = cluster;
    this.clock = clock;
    store.observe(this::observe);
  }

  /** How many states were checked. */
  long checked() {
    return checked;
  }

  /** Whether a value is one that a person wrote into the alias. */
  boolean foreign(String value) {
    return foreign.contains(value);
  }

  /** A person does something. */
  void byPerson(Runnable action) {
    byPerson = true;
    action.run();
    byPerson = false;
  }

  private void observe(ObjectStore.Change change) {
    switch (change.object()) {
      case Secret secret when secret.getMetadata().getName().equals(Simulation.ALIAS) ->
          aliasChanged((Secret) change.before(), (Secret) change.after());
      case Secret secret when change.after() == null -> snapshotDeleted(secret);
      case SecretRotation _ -> rotationChanged(change);
      case Pod pod -> podChanged(pod, change.after() == null);
      case Event event -> holdsNoValue(event.getNote());
      default -> {}
    }
    if (!byPerson) {
      onlyOurs(change);
    }
    state();
  }

  private void aliasChanged(Secret before, Secret after) {
    aliasTouchedByPerson = byPerson;
    if (byPerson) {
      if (after != null) {
        foreign.add(value(after));
      }
      return;
    }
    if (after == null) {
      return;
    }
    String value = value(after);
    String version = ObjectStore.labels(after.getMetadata()).get(Names.VERSION);
    Secret snapshot =
        store
            .look(Secret.class)
            .filter(s -> Boolean.TRUE.equals(s.getImmutable()))
            .filter(s -> version.equals(ObjectStore.labels(s.getMetadata()).get(Names.VERSION)))
            .filter(s -> s.getData().equals(after.getData()))
            .findFirst()
            .orElse(null);
    require(8, snapshot != null, "the alias holds version " + version + " whole");
    if (proven.isEmpty() || proven.contains(value)) {
      proven.add(value);
      return;
    }
    SecretRotation rotation =
        store.look(
            SecretRotation.class, Names.rotation(Simulation.BINDING, Long.parseLong(version)));
    require(
        6,
        rotation != null && rotation.getStatus().stage() == Stage.Promoting,
        "the promotion of version " + version + " is written down before the alias moves");
    proven.add(value);
  }

  private boolean canaryStayedHealthy(WorkloadProgress w, String value, Duration bake) {
    return store
        .look(Pod.class)
        .filter(p -> w.name().equals(ObjectStore.labels(p.getMetadata()).get(Names.CANARY_FOR)))
        .filter(p -> value.equals(cluster.valueOf(p)))
        .map(p -> readySince.get(p.getMetadata().getUid()))
        .anyMatch(since -> since != null && !clock.instant().isBefore(since.plus(bake)));
  }

  private void podChanged(Pod pod, boolean gone) {
    String uid = pod.getMetadata().getUid();
    if (!gone && SimulatedCluster.ready(pod)) {
      readySince.putIfAbsent(uid, clock.instant());
    } else {
      readySince.remove(uid);
    }
  }

  private void snapshotDeleted(Secret secret) {
    String name = secret.getMetadata().getName();
    boolean named =
        store.look(Pod.class).anyMatch(p -> SecretReferences.refers(p.getSpec(), name))
            || store
                .look(Deployment.class)
                .anyMatch(d -> SecretReferences.refers(d.getSpec().getTemplate().getSpec(), name));
    require(2, byPerson || !named, "the snapshot " + name + " is deleted when nobody names it");
  }

  private void rotationChanged(ObjectStore.Change change) {
    if (change.before() == null || change.after() == null) {
      return;
    }
    SecretRotation before = (SecretRotation) change.before();
    SecretRotation now = (SecretRotation) change.after();
    Stage from = before.getStatus().stage();
    Long epoch = before.getStatus().epoch();
    require(
        6,
        epoch == null || (now.getStatus().epoch() != null && now.getStatus().epoch() >= epoch),
        "no leader of before writes what a later one has written");
    Stage to = now.getStatus().stage();
    require(
        6, from == to || Transitions.legal(from, to), "a move from %s to %s".formatted(from, to));
    if (from != to && to == Stage.Promoting) {
      verdict(now);
    }
    holdsNoValue(now.getStatus().toString());
  }

  /** What the journal calls proven was proven. */
  private void verdict(SecretRotation rotation) {
    String value = value(store.look(Secret.class, rotation.getStatus().to().snapshot()));
    Duration bake =
        rotation.getSpec().trigger() == Trigger.Compromise
            ? Duration.ZERO
            : Durations.parse(rotation.getStatus().policy().canary().bake());
    for (WorkloadProgress w : rotation.getStatus().workloads()) {
      require(
          4,
          w.proof() != Proof.PodCanary || canaryStayedHealthy(w, value, bake),
          "a canary of %s was Ready on %s for %s"
              .formatted(w.name(), rotation.getStatus().to().snapshot(), bake));
      require(
          4,
          w.state() != WorkloadState.Gone || store.look(Deployment.class, w.name()) == null,
          w.name() + ", which is there, was not left out");
    }
  }

  private void holdsNoValue(String text) {
    boolean leaks =
        proven.stream().anyMatch(text::contains) || foreign.stream().anyMatch(text::contains);
    require(10, !leaks, "what is said holds no value");
  }

  /** Keyturn changes its own objects, and of others one annotation by server-side apply. */
  private void onlyOurs(ObjectStore.Change change) {
    HasMetadata object = change.object();
    boolean ours =
        switch (object) {
          case Secret s ->
              Names.KEYTURN.equals(ObjectStore.labels(s.getMetadata()).get(Names.MANAGED_BY));
          case Deployment d when change.before() != null && change.after() != null ->
              ObjectStore.labels(d.getMetadata()).containsKey(Names.CANARY_FOR)
                  || sameButAnnotations((Deployment) change.before(), (Deployment) change.after());
          case Deployment d -> ObjectStore.labels(d.getMetadata()).containsKey(Names.CANARY_FOR);
          default -> true;
        };
    require(9, ours, "what is not Keyturn's is left alone: " + object.getMetadata().getName());
  }

  private static boolean sameButAnnotations(Deployment before, Deployment after) {
    return before.getSpec().getReplicas().equals(after.getSpec().getReplicas())
        && before.getSpec().getTemplate().getSpec().equals(after.getSpec().getTemplate().getSpec());
  }

  private void state() {
    checked++;
    Map<String, Integer> unproven = new HashMap<>();
    store.look(Pod.class).forEach(p -> countUnproven(p, unproven));
    store
        .look(SecretRotation.class)
        .filter(r -> r.getStatus().policy() != null && !r.getStatus().stage().terminal())
        .forEach(r ->
            unproven
                .values()
                .forEach(n ->
                    require(
                        1,
                        n <= r.getStatus().policy().canary().pods(),
                        "no more canary pods run than the policy allows")));
    boolean delivered = !proven.isEmpty();
    require(
        3,
        !delivered
            || aliasTouchedByPerson
            || store.look(Secret.class, Simulation.ALIAS) != null
            || store.look(SecretBinding.class).findAny().isEmpty(),
        "the alias is there");
    List<SecretRotation> moving =
        store
            .look(SecretRotation.class)
            .filter(r -> r.getStatus().stage() != Stage.Pending)
            .filter(r -> !r.getStatus().stage().terminal())
            .filter(r -> !r.getStatus().stage().promoted())
            .toList();
    require(5, moving.size() <= 1, "one rotation moves at a time: " + names(moving));
  }

  private void countUnproven(Pod pod, Map<String, Integer> unproven) {
    String value = cluster.valueOf(pod);
    if (value == null
        || proven.contains(value)
        || foreign.contains(value)
        || pod.getMetadata().getDeletionTimestamp() != null) {
      return;
    }
    String workload = ObjectStore.labels(pod.getMetadata()).get(Names.CANARY_FOR);
    require(
        1,
        workload != null,
        pod.getMetadata().getName() + ", which is no canary, runs on no version that is unproven");
    unproven.merge(workload, 1, Integer::sum);
  }

  private static String names(List<SecretRotation> rotations) {
    return rotations.stream().map(r -> r.getMetadata().getName()).toList().toString();
  }

  static String value(Secret secret) {
    return new String(
        Base64.getDecoder().decode(secret.getData().get(Simulation.KEY)), StandardCharsets.UTF_8);
  }

  private void require(int number, boolean holds, String sentence) {
    if (!holds) {
      throw new AssertionError(
          "invariant %d does not hold at %s: %s".formatted(number, clock.instant(), sentence));
    }
  }
}
