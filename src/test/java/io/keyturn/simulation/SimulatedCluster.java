package io.keyturn.simulation;

import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatusBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import io.keyturn.api.v1alpha1.Names;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/**
 * The controllers and kubelets of a cluster, as far as secrets are concerned: Deployments replace
 * their pods, containers read Secrets when they start, and a kubelet may serve what a Secret held a
 * moment ago.
 */
final class SimulatedCluster {

  private static final String KUBELET = "simulation/kubelet";
  private static final Duration STARTS = Duration.ofSeconds(1);
  private static final Duration BECOMES_READY = Duration.ofSeconds(1);
  private static final Duration FAILS = Duration.ofSeconds(4);
  private static final Duration TERMINATES = Duration.ofSeconds(2);

  private record Held(Instant since, Secret secret) {}

  private final ObjectStore store;
  private final Clock clock;
  private final Random random;
  private final Duration kubeletLag;
  private final Map<String, Behaviour> behaviours = new HashMap<>();
  private final Map<String, List<Held>> history = new HashMap<>();
  private final Map<String, String> values = new HashMap<>();
  private long names;
  private int looked;
  private Instant lookedAt;

  SimulatedCluster(ObjectStore store, Clock clock, Random random, Duration kubeletLag) {
    this.store = store;
    this.clock = clock;
    this.random = random;
    this.kubeletLag = kubeletLag;
    store.observe(this::remember);
  }

  private void remember(ObjectStore.Change change) {
    if (change.object() instanceof Secret secret) {
      history
          .computeIfAbsent(secret.getMetadata().getName(), _ -> new ArrayList<>())
          .add(new Held(clock.instant(), (Secret) change.after()));
    }
    if (change.object() instanceof Pod pod && change.after() == null) {
      values.remove(pod.getMetadata().getUid());
    }
  }

  /** Decides what applications do with a value. */
  void behave(String value, Behaviour behaviour) {
    behaviours.put(value, behaviour);
  }

  /** The value that the container of a pod has read; null if it has not started. */
  String valueOf(Pod pod) {
    return values.get(pod.getMetadata().getUid());
  }

  /** One step of each controller and kubelet; says whether anything has changed. */
  boolean step() {
    int before = store.changes().size();
    if (before == looked && clock.instant().equals(lookedAt)) {
      return false;
    }
    looked = before;
    lookedAt = clock.instant();
    boolean collected = store.collectGarbage();
    store.look(Deployment.class).toList().forEach(this::roll);
    store.look(Pod.class).toList().forEach(this::live);
    return collected || store.changes().size() > before;
  }

  /** When something happens next by itself. */
  Optional<Instant> next() {
    return store
        .look(Pod.class)
        .flatMap(p -> timers(p).stream())
        .filter(t -> t.isAfter(clock.instant()))
        .min(Comparator.naturalOrder());
  }

  private List<Instant> timers(Pod pod) {
    if (pod.getMetadata().getDeletionTimestamp() != null) {
      return List.of(Instant.parse(pod.getMetadata().getDeletionTimestamp()).plus(TERMINATES));
    }
    Instant created = Instant.parse(pod.getMetadata().getCreationTimestamp());
    Instant started = startedAt(pod);
    return started == null
        ? List.of(created.plus(STARTS))
        : List.of(started.plus(BECOMES_READY), started.plus(FAILS));
  }

  /** Ends the container of a pod, which starts anew and reads its Secrets again. */
  void restart(Pod seen) {
    Pod pod = store.edit(Pod.class, seen.getMetadata().getName());
    if (pod != null && startedAt(pod) != null) {
      start(pod, restarts(pod) + 1);
    }
  }

  private void roll(Deployment deployment) {
    if (Boolean.TRUE.equals(deployment.getSpec().getPaused())) {
      return;
    }
    List<ReplicaSet> sets =
        store.look(ReplicaSet.class).filter(r -> controls(deployment, r)).toList();
    ReplicaSet current =
        sets.stream()
            .filter(r -> r.getSpec().getTemplate().equals(deployment.getSpec().getTemplate()))
            .findFirst()
            .orElseGet(() -> createReplicaSet(deployment));
    List<Pod> pods =
        store
            .look(Pod.class)
            .filter(p -> sets.stream().anyMatch(r -> controls(r, p)) || controls(current, p))
            .toList();
    List<Pod> live =
        pods.stream().filter(p -> p.getMetadata().getDeletionTimestamp() == null).toList();
    List<Pod> updated = live.stream().filter(p -> controls(current, p)).toList();
    List<Pod> old = live.stream().filter(p -> !controls(current, p)).toList();
    int wanted = deployment.getSpec().getReplicas();
    if ("Recreate".equals(deployment.getSpec().getStrategy().getType())) {
      old.forEach(store::delete);
      if (pods.stream().allMatch(p -> controls(current, p)) && updated.size() < wanted) {
        createPod(current);
      }
    } else {
      replaceOneByOne(current, updated, old, wanted);
    }
    updated.stream().skip(wanted).forEach(store::delete);
    report(deployment, live.size(), updated, old.size(), wanted);
  }

  private void replaceOneByOne(ReplicaSet current, List<Pod> updated, List<Pod> old, int wanted) {
    old.stream().filter(p -> !ready(p)).forEach(store::delete);
    List<Pod> serving = old.stream().filter(SimulatedCluster::ready).toList();
    long available = serving.size() + updated.stream().filter(SimulatedCluster::ready).count();
    if (available > wanted && !serving.isEmpty()) {
      store.delete(serving.getFirst());
    }
    if (updated.size() < wanted && old.size() + updated.size() <= wanted) {
      createPod(current);
    }
  }

  private ReplicaSet createReplicaSet(Deployment deployment) {
    String name = deployment.getMetadata().getName() + "-" + ++names;
    store.create(
        new ReplicaSetBuilder()
            .withNewMetadata()
            .withNamespace(Simulation.NAMESPACE)
            .withName(name)
            .withLabels(deployment.getSpec().getTemplate().getMetadata().getLabels())
            .withOwnerReferences(controller(deployment))
            .endMetadata()
            .withNewSpec()
            .withTemplate(deployment.getSpec().getTemplate())
            .endSpec()
            .build());
    return store.look(ReplicaSet.class, name);
  }

  private void createPod(ReplicaSet set) {
    store.create(
        new PodBuilder()
            .withNewMetadata()
            .withNamespace(Simulation.NAMESPACE)
            .withName(set.getMetadata().getName() + "-" + ++names)
            .withLabels(set.getSpec().getTemplate().getMetadata().getLabels())
            .withAnnotations(set.getSpec().getTemplate().getMetadata().getAnnotations())
            .withOwnerReferences(controller(set))
            .withFinalizers(KUBELET)
            .endMetadata()
            .withSpec(set.getSpec().getTemplate().getSpec())
            .build());
  }

  private void report(Deployment deployment, int all, List<Pod> updated, int old, int wanted) {
    int available = (int) updated.stream().filter(SimulatedCluster::ready).count();
    boolean complete = updated.size() == wanted && available == wanted && old == 0;
    DeploymentStatus before = deployment.getStatus();
    boolean sameTemplate =
        before.getObservedGeneration() != null
            && before.getObservedGeneration().equals(deployment.getMetadata().getGeneration());
    boolean completeBefore =
        sameTemplate
            && before.getConditions().stream()
                .anyMatch(c -> "NewReplicaSetAvailable".equals(c.getReason()));
    DeploymentStatus status =
        new DeploymentStatusBuilder()
            .withObservedGeneration(deployment.getMetadata().getGeneration())
            .withReplicas(all)
            .withUpdatedReplicas(updated.size())
            .withAvailableReplicas(available)
            .addNewCondition()
            .withType("Progressing")
            .withStatus("True")
            .withReason(complete || completeBefore ? "NewReplicaSetAvailable" : "ReplicaSetUpdated")
            .endCondition()
            .build();
    if (!status.equals(before)) {
      Deployment object = store.edit(Deployment.class, deployment.getMetadata().getName());
      object.setStatus(status);
      store.updateStatus(object);
    }
  }

  private void live(Pod seen) {
    Pod pod = store.look(Pod.class, seen.getMetadata().getName());
    if (pod == null) {
      return;
    }
    Instant now = clock.instant();
    if (pod.getMetadata().getDeletionTimestamp() != null) {
      Instant deleted = Instant.parse(pod.getMetadata().getDeletionTimestamp());
      if (!now.isBefore(deleted.plus(TERMINATES))) {
        Pod gone = store.edit(Pod.class, pod.getMetadata().getName());
        gone.getMetadata().setFinalizers(List.of());
        store.update(gone);
      }
      return;
    }
    Instant started = startedAt(pod);
    Instant created = Instant.parse(pod.getMetadata().getCreationTimestamp());
    if (started == null) {
      if (!now.isBefore(created.plus(STARTS))) {
        start(pod, restarts(pod));
      }
      return;
    }
    if (now.isBefore(started.plus(BECOMES_READY))) {
      return;
    }
    switch (behaviour(pod)) {
      case WORKS -> becomeReady(pod, started);
      case CRASHES -> {
        if (restarts(pod) < 3) {
          start(pod, restarts(pod) + 1);
        }
      }
      case FAILS_LATER -> {
        if (restarts(pod) == 0 && now.isBefore(started.plus(FAILS))) {
          becomeReady(pod, started);
        } else if (restarts(pod) == 0) {
          start(pod, 1);
        }
      }
      case NEVER_READY, WORKS_IN_CANARIES_ALONE -> {}
    }
  }

  private void becomeReady(Pod pod, Instant started) {
    if (!ready(pod)) {
      status(pod, started, restarts(pod), true);
    }
  }

  private Behaviour behaviour(Pod pod) {
    Behaviour behaviour = behaviours.getOrDefault(valueOf(pod), Behaviour.WORKS);
    if (behaviour != Behaviour.WORKS_IN_CANARIES_ALONE) {
      return behaviour;
    }
    return ObjectStore.labels(pod.getMetadata()).containsKey(Names.CANARY_FOR)
        ? Behaviour.WORKS
        : Behaviour.NEVER_READY;
  }

  private void start(Pod pod, int restarts) {
    var ref = pod.getSpec().getContainers().getFirst().getEnv().getFirst().getValueFrom();
    Secret secret = served(ref.getSecretKeyRef().getName());
    if (secret == null) {
      values.remove(pod.getMetadata().getUid());
      status(pod, null, restarts, false);
      return;
    }
    byte[] value = Base64.getDecoder().decode(secret.getData().get(Simulation.KEY));
    values.put(pod.getMetadata().getUid(), new String(value, StandardCharsets.UTF_8));
    status(pod, clock.instant(), restarts, false);
  }

  /** What a kubelet's cache may hold: the Secret as it is, or as it was a moment ago. */
  private Secret served(String name) {
    Instant asOf = clock.instant();
    if (!kubeletLag.isZero()) {
      asOf = asOf.minusMillis(random.nextLong(kubeletLag.toMillis()));
    }
    Secret served = store.look(Secret.class, name);
    List<Held> held = history.getOrDefault(name, List.of());
    for (int i = held.size() - 1; i >= 0 && held.get(i).since().isAfter(asOf); i--) {
      served = i == 0 ? null : held.get(i - 1).secret();
    }
    return served;
  }

  private void status(Pod seen, Instant startedAt, int restarts, boolean ready) {
    Pod pod = store.edit(Pod.class, seen.getMetadata().getName());
    String now = clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
    PodCondition before = readyCondition(pod);
    String status = ready ? "True" : "False";
    boolean same = before != null && before.getStatus().equals(status) && !restarted(pod, restarts);
    ContainerStateBuilder state = new ContainerStateBuilder();
    if (startedAt == null) {
      state.withNewWaiting().withReason("CreateContainerConfigError").endWaiting();
    } else {
      state
          .withNewRunning()
          .withStartedAt(startedAt.truncatedTo(ChronoUnit.SECONDS).toString())
          .endRunning();
    }
    pod.setStatus(
        new PodStatusBuilder()
            .withPhase(startedAt == null ? "Pending" : "Running")
            .withConditions(
                new PodConditionBuilder()
                    .withType("Ready")
                    .withStatus(status)
                    .withLastTransitionTime(same ? before.getLastTransitionTime() : now)
                    .build())
            .withContainerStatuses(
                new ContainerStatusBuilder()
                    .withName("app")
                    .withRestartCount(restarts)
                    .withState(state.build())
                    .build())
            .build());
    store.updateStatus(pod);
  }

  private static boolean restarted(Pod pod, int restarts) {
    return restarts(pod) != restarts;
  }

  private static PodCondition readyCondition(Pod pod) {
    return pod.getStatus() == null
        ? null
        : pod.getStatus().getConditions().stream()
            .filter(c -> "Ready".equals(c.getType()))
            .findFirst()
            .orElse(null);
  }

  static boolean ready(Pod pod) {
    PodCondition ready = readyCondition(pod);
    return ready != null && "True".equals(ready.getStatus());
  }

  private static int restarts(Pod pod) {
    return container(pod).map(ContainerStatus::getRestartCount).orElse(0);
  }

  static Instant startedAt(Pod pod) {
    return container(pod)
        .filter(c -> c.getState().getRunning() != null)
        .map(c -> Instant.parse(c.getState().getRunning().getStartedAt()))
        .orElse(null);
  }

  private static Optional<ContainerStatus> container(Pod pod) {
    return pod.getStatus() == null
        ? Optional.empty()
        : pod.getStatus().getContainerStatuses().stream().findFirst();
  }

  private static OwnerReference controller(HasMetadata owner) {
    return new OwnerReferenceBuilder()
        .withApiVersion(owner.getApiVersion())
        .withKind(owner.getKind())
        .withName(owner.getMetadata().getName())
        .withUid(owner.getMetadata().getUid())
        .withController(true)
        .build();
  }

  static boolean controls(HasMetadata owner, HasMetadata object) {
    return object.getMetadata().getOwnerReferences().stream()
        .anyMatch(o ->
            Boolean.TRUE.equals(o.getController())
                && o.getUid().equals(owner.getMetadata().getUid()));
  }
}
