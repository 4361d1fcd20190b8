package io.keyturn.testing;

import io.fabric8.kubernetes.api.model.DeleteOptionsBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.PodConditionBuilder;
import io.fabric8.kubernetes.api.model.PodStatus;
import io.fabric8.kubernetes.api.model.PodStatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * One pod, from the moment that it has a node until it is deleted: its volumes, its containers, its
 * status.
 */
final class PodLife {
  private static final int NOT_FOUND = 404;
  private static final int CONFLICT = 409;

  /** What all pods of a kubelet share. Threads are virtual; the timer only hands over to them. */
  record World(
      KubernetesClient client,
      HollowKubelet.Settings settings,
      ExecutorService threads,
      ScheduledExecutorService timer,
      Set<String> resting) {}

  private final World world;
  private final PodRecord recorded;
  private final String ip;
  private final String startTime = KubernetesTime.text(Instant.now());
  private final List<ContainerLife> initContainers;
  private final List<ContainerLife> containers;
  private final CountDownLatch stop = new CountDownLatch(1);
  private final CountDownLatch ended = new CountDownLatch(1);
  private final AtomicBoolean terminating = new AtomicBoolean();
  private volatile Pod pod;
  private volatile boolean initialized;
  private volatile Map<String, Map<String, String>> volumes = Map.of();

  // One writer at a time, so that an older status never lands on a newer one.
  private final ReentrantLock writing = new ReentrantLock();
  private final Map<String, PodCondition> conditions = new HashMap<>();
  private PodStatus written;

  PodLife(World world, Pod pod, PodRecord recorded, String ip) {
    this.world = world;
    this.pod = pod;
    this.recorded = recorded;
    this.ip = ip;
    Map<String, Integer> restarts = new HashMap<>();
    if (pod.getStatus() != null) {
      // Another kubelet ran it before us: go on with its numbers and times.
      pod.getStatus()
          .getContainerStatuses()
          .forEach(status -> restarts.put(status.getName(), status.getRestartCount()));
      pod.getStatus()
          .getConditions()
          .forEach(condition -> conditions.put(condition.getType(), condition));
    }
    initContainers =
        pod.getSpec().getInitContainers().stream()
            .map(spec -> new ContainerLife(this, spec, 0))
            .toList();
    containers =
        pod.getSpec().getContainers().stream()
            .map(spec -> new ContainerLife(this, spec, restarts.getOrDefault(spec.getName(), 0)))
            .toList();
  }

  HollowKubelet.Settings settings() {
    return world.settings();
  }

  /** Whether nobody looks at what its applications do any more. */
  boolean rests() {
    return world.resting().contains(recorded.pod().namespace());
  }

  PodRecord recorded() {
    return recorded;
  }

  boolean mounts(String secret) {
    return InputResolver.mounts(pod, secret);
  }

  void start() {
    if (isOver(pod)) {
      ended.countDown();
    } else {
      world.threads().execute(this::live);
    }
  }

  /** The pod has changed: its labels, or it is to go. */
  void seen(Pod latest) {
    pod = latest;
    recorded.seen(latest);
    if (latest.getMetadata().getDeletionTimestamp() != null
        && terminating.compareAndSet(false, true)) {
      world.threads().execute(this::terminate);
    }
  }

  /** Ends every application; nothing is written any more. */
  void stop() {
    stop.countDown();
    containers.forEach(ContainerLife::end);
  }

  /**
   * Restarts one container, or all if {@code name} is empty.
   *
   * @return whether there is such a container
   */
  boolean restart(Optional<String> name) {
    List<ContainerLife> chosen =
        containers.stream()
            .filter(each -> name.isEmpty() || name.get().equals(each.spec().getName()))
            .toList();
    chosen.forEach(ContainerLife::restart);
    return !chosen.isEmpty();
  }

  /** Reads the volumes again. What has gone missing stays as it was, as with a real kubelet. */
  void refreshVolumes() {
    try {
      volumes = new InputResolver(world.client(), pod).volumes();
    } catch (MissingInput e) {
      // keep the old files
    } catch (KubernetesClientException e) {
      after(settings().retryEvery(), this::refreshVolumes);
    }
  }

  boolean stopsWithin(Duration time) throws InterruptedException {
    return stop.await(time.toNanos(), TimeUnit.NANOSECONDS);
  }

  boolean restartsAfter(int code) {
    return switch (pod.getSpec().getRestartPolicy()) {
      case "Never" -> false;
      case "OnFailure" -> code != Application.SUCCESS;
      default -> true;
    };
  }

  /** Waits until everything that a container needs is there; empty if the pod ends before. */
  Optional<ContainerInputs> awaitInputs(ContainerLife container) throws InterruptedException {
    do {
      try {
        Map<String, String> environment =
            new InputResolver(world.client(), pod).environment(container.spec());
        Map<String, Map<String, String>> atStart = volumes;
        return Optional.of(
            new ContainerInputs(
                environment, () -> InputResolver.files(container.spec(), atStart, volumes)));
      } catch (MissingInput missing) {
        container.waitFor(missing);
      } catch (KubernetesClientException e) {
        // The API server is away; the next attempt may find it.
      }
    } while (!stopsWithin(settings().retryEvery()));
    return Optional.empty();
  }

  private void live() {
    try {
      if (!mountVolumes() || !runInitContainers()) {
        return;
      }
      initialized = true;
      List<? extends Future<?>> runs =
          containers.stream()
              .map(container ->
                  world
                      .threads()
                      .submit(() -> {
                        container.run();
                        return null;
                      }))
              .toList();
      for (Future<?> run : runs) {
        run.get();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (java.util.concurrent.ExecutionException e) {
      if (stop.getCount() > 0) {
        throw new IllegalStateException(
            "the simulation of pod " + recorded.pod().name() + " failed", e.getCause());
      }
    } finally {
      ended.countDown();
    }
  }

  private boolean mountVolumes() throws InterruptedException {
    do {
      try {
        volumes = new InputResolver(world.client(), pod).volumes();
        return true;
      } catch (MissingInput e) {
        publish();
      } catch (KubernetesClientException e) {
        // The API server is away; the next attempt may find it.
      }
    } while (!stopsWithin(settings().retryEvery()));
    return false;
  }

  private boolean runInitContainers() throws InterruptedException {
    for (ContainerLife container : initContainers) {
      if (!container.runToCompletion()) {
        return false;
      }
    }
    return true;
  }

  private void terminate() {
    try {
      // The application goes on meanwhile: a straggler still uses what it was given.
      stopsWithin(new PodOptions(recorded.pod().annotations()).terminationDelay());
      containers.forEach(ContainerLife::end);
      stop.countDown();
      ended.await(10, TimeUnit.SECONDS);
      if (!pod.getMetadata().getFinalizers().isEmpty() && !isOver(pod)) {
        // It will be looked at after its deletion: by the Job controller, for one.
        containers.forEach(ContainerLife::markTerminated);
        publish();
      }
      delete();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void delete() {
    HollowPod me = recorded.pod();
    try {
      world
          .client()
          .raw(
              "/api/v1/namespaces/%s/pods/%s".formatted(me.namespace(), me.name()),
              "DELETE",
              new DeleteOptionsBuilder()
                  .withApiVersion("v1")
                  .withKind("DeleteOptions")
                  .withGracePeriodSeconds(0L)
                  .withNewPreconditions()
                  .withUid(me.uid())
                  .endPreconditions()
                  .build());
    } catch (KubernetesClientException e) {
      if (e.getCode() != NOT_FOUND && e.getCode() != CONFLICT) {
        after(settings().retryEvery(), this::delete);
      }
    }
  }

  private void after(Duration time, Runnable task) {
    world
        .timer()
        .schedule(() -> world.threads().execute(task), time.toMillis(), TimeUnit.MILLISECONDS);
  }

  /** Writes the status if it has changed since it was last written. */
  void publish() {
    writing.lock();
    try {
      PodStatus status = status();
      if (status.equals(written)) {
        return;
      }
      HollowPod me = recorded.pod();
      world
          .client()
          .pods()
          .inNamespace(me.namespace())
          .withName(me.name())
          .subresource("status")
          // Merged by the type of a condition, so that those of others stay.
          .patch(
              PatchContext.of(PatchType.STRATEGIC_MERGE),
              Serialization.asJson(
                  new PodBuilder()
                      .withNewMetadata()
                      // Another pod may have got the name.
                      .withUid(me.uid())
                      .endMetadata()
                      .withStatus(status)
                      .build()));
      written = status;
    } catch (KubernetesClientException e) {
      if (e.getCode() != NOT_FOUND && stop.getCount() > 0) {
        after(settings().retryEvery(), this::publish);
      }
    } finally {
      writing.unlock();
    }
  }

  private PodStatus status() {
    boolean ready = initialized && containers.stream().allMatch(ContainerLife::isReady);
    String phase = phase();
    List<String> unready =
        containers.stream()
            .filter(container -> !container.isReady())
            .map(container -> container.spec().getName())
            .toList();
    String reason = "Succeeded".equals(phase) ? "PodCompleted" : "ContainersNotReady";
    String message = "containers with unready status: [%s]".formatted(String.join(" ", unready));
    return new PodStatusBuilder()
        .withPhase(phase)
        .withStartTime(startTime)
        .withHostIP("192.0.2.1")
        .addNewHostIP("192.0.2.1")
        .withPodIP(ip)
        .addNewPodIP(ip)
        .withConditions(
            condition(
                "Initialized",
                initialized,
                "ContainersNotInitialized",
                "containers with incomplete status"),
            condition("ContainersReady", ready, reason, message),
            condition("Ready", ready, reason, message))
        .withInitContainerStatuses(initContainers.stream().map(ContainerLife::status).toList())
        .withContainerStatuses(containers.stream().map(ContainerLife::status).toList())
        .build();
  }

  private String phase() {
    if (!initialized || containers.stream().anyMatch(ContainerLife::isPending)) {
      return "Pending";
    }
    List<Integer> exits =
        containers.stream().map(ContainerLife::exitCode).flatMap(Optional::stream).toList();
    if (exits.size() < containers.size()) {
      return "Running";
    }
    return exits.stream().allMatch(code -> code == Application.SUCCESS) ? "Succeeded" : "Failed";
  }

  /**
   * Its time moves only when its status does; reason and message are written even if empty, to
   * clear old ones.
   */
  private PodCondition condition(String type, boolean status, String reason, String message) {
    String text = status ? "True" : "False";
    PodCondition last = conditions.get(type);
    String time =
        last != null && text.equals(last.getStatus())
            ? last.getLastTransitionTime()
            : KubernetesTime.text(Instant.now());
    PodCondition condition =
        new PodConditionBuilder()
            .withType(type)
            .withStatus(text)
            .withReason(status ? "" : reason)
            .withMessage(status ? "" : message)
            .withLastTransitionTime(time)
            .build();
    conditions.put(type, condition);
    return condition;
  }

  private static boolean isOver(Pod pod) {
    return pod.getStatus() != null
        && Stream.of("Succeeded", "Failed").anyMatch(p -> p.equals(pod.getStatus().getPhase()));
  }
}
