package io.keyturn.testing;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/**
 * Plays every node of a cluster: it does to each scheduled pod what a kubelet does, as far as
 * secrets are concerned. Variables are resolved when a container starts, volumes are refreshed a
 * while after their Secret has changed, and what is missing keeps a container waiting.
 *
 * <p>The image says what the application does:
 *
 * <ul>
 *   <li>{@code hollow/ready} is ready at once, or after {@code ready-after}; so is any image that
 *       is not hollow
 *   <li>{@code hollow/never-ready} runs and is never ready
 *   <li>{@code hollow/crash} exits with 1 at once, or after {@code crash-after}; it is ready until
 *       then
 *   <li>{@code hollow/complete} exits with 0 at once, or after {@code exit-after}
 *   <li>{@code hollow/postgres-client} logs in to a PostgreSQL again and again, afresh each time,
 *       and is ready while its last login worked
 *   <li>{@code hollow/postgres-check} logs in once, and exits with 0 if that worked, else with 1
 * </ul>
 *
 * <p>The PostgreSQL clients read the variables {@code DB_HOST}, {@code DB_PORT}, {@code DB_USER}
 * and {@code DB_PASSWORD}.
 *
 * <p>Annotations of the pod, all beginning with {@code hollow.keyturn.io/}; times as {@code 500ms}
 * or {@code 5s}:
 *
 * <ul>
 *   <li>{@code ready-after}, {@code crash-after}, {@code exit-after}: see above
 *   <li>{@code read: files}: the PostgreSQL clients take user and password from {@code
 *       /var/run/secrets/db/username} and {@code password}, each time
 *   <li>{@code login-every}: the time between two logins, {@code 1s}
 *   <li>{@code when-refused: exit}: exit with 1 when a login is refused
 *   <li>{@code login-after}: be ready first, and log in that much later
 *   <li>{@code termination-delay}: how long the application goes on after the pod was deleted
 * </ul>
 */
public final class HollowKubelet implements AutoCloseable {
  private final PodLife.World world;
  private final Map<String, PodLife> alive = new ConcurrentHashMap<>();
  private final Map<String, PodRecord> records = new ConcurrentHashMap<>();
  private final AtomicInteger addresses = new AtomicInteger();
  private SharedIndexInformer<Pod> pods;
  private SharedIndexInformer<Secret> secrets;

  /**
   * How quick a kubelet is.
   *
   * @param retryEvery how often it looks again for what was missing
   * @param volumeRefresh how long after a change of a Secret the files change
   * @param crashBackOff how long a container that has ended waits for its next start
   */
  public record Settings(Duration retryEvery, Duration volumeRefresh, Duration crashBackOff) {
    /** A second each: real kubelets take up to a minute, and five. */
    public static final Settings QUICK =
        new Settings(Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofSeconds(1));
  }

  private HollowKubelet(KubernetesClient client, Settings settings) {
    world =
        new PodLife.World(
            client,
            settings,
            Executors.newVirtualThreadPerTaskExecutor(),
            Executors.newSingleThreadScheduledExecutor(
                Thread.ofPlatform().daemon().name("hollow-kubelet-timer").factory()),
            ConcurrentHashMap.newKeySet());
  }

  /** Starts to play the nodes with {@link Settings#QUICK}; there must be only one in a cluster. */
  public static HollowKubelet start(KubernetesClient client) {
    return start(client, Settings.QUICK);
  }

  /**
   * Like {@link #start(KubernetesClient)}, as quick as {@code settings} say. The client stays the
   * caller's.
   */
  public static HollowKubelet start(KubernetesClient client, Settings settings) {
    HollowKubelet kubelet = new HollowKubelet(client, settings);
    kubelet.watch();
    return kubelet;
  }

  private void watch() {
    secrets = world.client().secrets().inAnyNamespace().inform(new SecretHandler());
    pods =
        world
            .client()
            .pods()
            .inAnyNamespace()
            .withoutField("spec.nodeName", "")
            .inform(new PodHandler());
  }

  /**
   * Restarts all containers of a pod, as after a crash or a failed probe: they read what is there
   * now.
   *
   * @throws NoSuchElementException if no such pod is running
   */
  public void restartContainer(String namespace, String pod) {
    restart(namespace, pod, Optional.empty());
  }

  /** Restarts one container of a pod; see {@link #restartContainer(String, String)}. */
  public void restartContainer(String namespace, String pod, String container) {
    restart(namespace, pod, Optional.of(container));
  }

  private void restart(String namespace, String pod, Optional<String> container) {
    boolean found =
        alive.values().stream()
            .filter(life ->
                life.recorded().pod().namespace().equals(namespace)
                    && life.recorded().pod().name().equals(pod))
            .anyMatch(life -> life.restart(container));
    if (!found) {
      throw new NoSuchElementException(
          "no pod %s in %s with container %s"
              .formatted(pod, namespace, container.orElse("of any name")));
    }
  }

  /**
   * Lets the applications of a namespace do nothing more until they end: whoever has looked at them
   * spares the machine what they do again and again.
   */
  public void rest(String namespace) {
    world.resting().add(namespace);
  }

  /**
   * The logins of every pod until now, also of those that are gone; pods that never tried are left
   * out.
   */
  public List<LoginCount> logins() {
    return records.values().stream()
        .map(PodRecord::logins)
        .filter(count -> count.accepted() + count.refused() + count.unreachable() > 0)
        .toList();
  }

  /** {@link #logins()} of one namespace. */
  public List<LoginCount> logins(String namespace) {
    return logins().stream().filter(count -> count.namespace().equals(namespace)).toList();
  }

  /**
   * Whether a container of a matching pod was ever started with exactly this value in a variable or
   * a file. Pods that are gone count.
   */
  public boolean anyPodStartedWith(String namespace, Predicate<HollowPod> which, String value) {
    return records.values().stream()
        .filter(record -> record.pod().namespace().equals(namespace))
        .filter(record -> which.test(record.pod()))
        .anyMatch(record -> record.wasStartedWith(value));
  }

  /**
   * Which of some values the containers were started with that run by a status of a pod, which may
   * be an old one.
   */
  public Set<String> heldBy(Pod pod, Collection<String> values) {
    PodRecord record = records.get(pod.getMetadata().getUid());
    return record == null || pod.getStatus() == null
        ? Set.of()
        : pod.getStatus().getContainerStatuses().stream()
            .filter(container -> container.getState().getRunning() != null)
            .flatMap(container -> record.given(container.getContainerID(), values).stream())
            .collect(Collectors.toSet());
  }

  /** Every pod of a namespace that was ever run here, also those that are gone. */
  public List<HollowPod> everyPod(String namespace) {
    return records.values().stream()
        .map(PodRecord::pod)
        .filter(pod -> pod.namespace().equals(namespace))
        .toList();
  }

  /** Stops all applications and leaves the pods as they are, as a node does that loses power. */
  @Override
  public void close() {
    pods.close();
    secrets.close();
    alive.values().forEach(PodLife::stop);
    world.timer().shutdownNow();
    world.threads().shutdownNow();
  }

  private final class PodHandler implements ResourceEventHandler<Pod> {
    @Override
    public void onAdd(Pod pod) {
      String uid = pod.getMetadata().getUid();
      PodRecord recorded = records.computeIfAbsent(uid, u -> new PodRecord(pod));
      PodLife life = new PodLife(world, pod, recorded, nextAddress());
      if (alive.putIfAbsent(uid, life) == null) {
        life.start();
        life.seen(pod);
      }
    }

    @Override
    public void onUpdate(Pod before, Pod now) {
      if (!before.getMetadata().getUid().equals(now.getMetadata().getUid())) {
        // Deleted and made again while the watch was broken.
        onDelete(before, true);
        onAdd(now);
        return;
      }
      PodLife life = alive.get(now.getMetadata().getUid());
      if (life != null) {
        life.seen(now);
      }
    }

    @Override
    public void onDelete(Pod pod, boolean unsure) {
      PodLife life = alive.remove(pod.getMetadata().getUid());
      if (life != null) {
        life.stop();
      }
    }

    private String nextAddress() {
      int n = addresses.incrementAndGet();
      return "10.%d.%d.%d".formatted(128 + (n >> 16 & 127), n >> 8 & 255, n & 255);
    }
  }

  private final class SecretHandler implements ResourceEventHandler<Secret> {
    @Override
    public void onAdd(Secret secret) {
      refresh(secret);
    }

    @Override
    public void onUpdate(Secret before, Secret now) {
      if (!before
          .getMetadata()
          .getResourceVersion()
          .equals(now.getMetadata().getResourceVersion())) {
        refresh(now);
      }
    }

    @Override
    public void onDelete(Secret secret, boolean unsure) {
      // Mounted files outlive their Secret.
    }

    private void refresh(Secret secret) {
      try {
        world
            .timer()
            .schedule(
                () -> refreshMountsOf(secret),
                world.settings().volumeRefresh().toMillis(),
                TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException e) {
        // We are closed.
      }
    }

    private void refreshMountsOf(Secret secret) {
      String namespace = secret.getMetadata().getNamespace();
      String name = secret.getMetadata().getName();
      alive.values().stream()
          .filter(life -> life.recorded().pod().namespace().equals(namespace))
          .filter(life -> life.mounts(name))
          .forEach(life -> world.threads().execute(life::refreshVolumes));
    }
  }
}
