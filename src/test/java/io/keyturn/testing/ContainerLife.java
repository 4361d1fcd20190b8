package io.keyturn.testing;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerState;
import io.fabric8.kubernetes.api.model.ContainerStateBuilder;
import io.fabric8.kubernetes.api.model.ContainerStateTerminated;
import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * One container, from its first start over its restarts to its end. Its pod calls {@link #run} on a
 * thread of its own.
 */
final class ContainerLife {
  private final PodLife pod;
  private final Container spec;

  // Guarded by this.
  private ContainerState state = waiting("ContainerCreating", null);
  private ContainerState lastState = new ContainerState();
  private String id;
  private int restarts;
  private boolean ready;
  private CountDownLatch stop = new CountDownLatch(1);
  private boolean ended;
  private boolean restartAsked;

  ContainerLife(PodLife pod, Container spec, int restarts) {
    this.pod = pod;
    this.spec = spec;
    this.restarts = restarts;
  }

  Container spec() {
    return spec;
  }

  /** Runs an application until the pod ends or its restart policy says that this is enough. */
  void run() throws InterruptedException {
    Optional<Application> application = Application.of(spec.getImage());
    if (application.isEmpty()) {
      become(waiting("ErrImageNeverPull", "no such hollow image: " + spec.getImage()), false);
      return;
    }
    while (true) {
      Optional<ContainerInputs> inputs = pod.awaitInputs(this);
      Optional<Run> run = inputs.flatMap(this::begin);
      if (run.isEmpty()) {
        return;
      }
      int code = run.get().execute(application.get());
      if (!goesOn(code, run.get().startedAt)) {
        return;
      }
    }
  }

  /** An init container: it succeeds as soon as it has what it needs. */
  boolean runToCompletion() throws InterruptedException {
    if (pod.awaitInputs(this).isEmpty()) {
      return false;
    }
    Instant now = Instant.now();
    synchronized (this) {
      id = newId();
      state = terminated(Application.SUCCESS, now);
      ready = true;
    }
    return true;
  }

  private synchronized Optional<Run> begin(ContainerInputs inputs) {
    if (ended) {
      return Optional.empty();
    }
    stop = new CountDownLatch(1);
    restartAsked = false;
    id = newId();
    return Optional.of(new Run(id, inputs, stop, Instant.now()));
  }

  /** Records an exit, and waits until the next start is due. */
  private boolean goesOn(int code, Instant startedAt) throws InterruptedException {
    boolean again;
    boolean atOnce;
    synchronized (this) {
      ContainerState exit = terminated(code, startedAt);
      ready = false;
      atOnce = restartAsked;
      again = !ended && (atOnce || pod.restartsAfter(code));
      if (!again) {
        state = exit;
      } else {
        lastState = exit;
        state =
            atOnce
                ? waiting("ContainerCreating", null)
                : waiting(
                    "CrashLoopBackOff", "restarting failed container=%s".formatted(spec.getName()));
      }
      if (ended) {
        return false; // the pod says the last word
      }
    }
    if (!again) {
      pod.publish();
      return false;
    }
    if (!atOnce) {
      pod.publish();
      if (pod.stopsWithin(pod.settings().crashBackOff())) {
        return false;
      }
    }
    synchronized (this) {
      restarts++;
    }
    return true;
  }

  /** Stops the application and starts it again with what there is then. */
  synchronized void restart() {
    restartAsked = true;
    stop.countDown();
  }

  /** Stops the application for good. */
  synchronized void end() {
    ended = true;
    stop.countDown();
  }

  void waitFor(MissingInput missing) {
    become(waiting(missing.reason(), missing.getMessage()), false);
  }

  synchronized boolean isReady() {
    return ready;
  }

  /** Waits for its first start, so that the pod is still pending. */
  synchronized boolean isPending() {
    return state.getWaiting() != null && lastState.getTerminated() == null;
  }

  synchronized Optional<Integer> exitCode() {
    return Optional.ofNullable(state.getTerminated()).map(ContainerStateTerminated::getExitCode);
  }

  /** Makes an application that was stopped look so. */
  synchronized void markTerminated() {
    if (state.getRunning() != null) {
      state = terminated(Application.SUCCESS, Instant.parse(state.getRunning().getStartedAt()));
    }
    ready = false;
  }

  synchronized ContainerStatus status() {
    return new ContainerStatusBuilder()
        .withName(spec.getName())
        .withImage(spec.getImage())
        .withImageID(id == null ? "" : "hollow://" + spec.getImage())
        .withContainerID(id)
        .withRestartCount(restarts)
        .withReady(ready)
        .withStarted(state.getRunning() != null)
        .withState(state)
        .withLastState(lastState)
        .build();
  }

  private void become(ContainerState next, boolean nextReady) {
    synchronized (this) {
      state = next;
      ready = nextReady;
    }
    pod.publish();
  }

  private static String newId() {
    return "hollow://" + UUID.randomUUID();
  }

  private static ContainerState waiting(String reason, String message) {
    return new ContainerStateBuilder()
        .withNewWaiting()
        .withReason(reason)
        .withMessage(message)
        .endWaiting()
        .build();
  }

  private ContainerState terminated(int code, Instant startedAt) {
    return new ContainerStateBuilder()
        .withNewTerminated()
        .withExitCode(code)
        .withReason(code == Application.SUCCESS ? "Completed" : "Error")
        .withStartedAt(KubernetesTime.text(startedAt))
        .withFinishedAt(KubernetesTime.text(Instant.now()))
        .withContainerID(id)
        .endTerminated()
        .build();
  }

  /** One run of the application, between a start and an exit. */
  private final class Run implements Application.Context {
    private final String id;
    private final ContainerInputs inputs;
    private final CountDownLatch stopped;
    private final Instant startedAt;

    Run(String id, ContainerInputs inputs, CountDownLatch stopped, Instant startedAt) {
      this.id = id;
      this.inputs = inputs;
      this.stopped = stopped;
      this.startedAt = startedAt;
    }

    int execute(Application application) throws InterruptedException {
      pod.recorded().startedWith(id, inputs.values());
      try {
        return application.run(this);
      } catch (RuntimeException e) {
        System.getLogger(ContainerLife.class.getName())
            .log(
                System.Logger.Level.WARNING,
                "the simulated application of pod {0} failed with {1}",
                pod.recorded().pod().name(),
                e.getClass().getName());
        return Application.FAILURE;
      }
    }

    @Override
    public ContainerInputs inputs() {
      return inputs;
    }

    @Override
    public PodOptions options() {
      return new PodOptions(pod.recorded().pod().annotations());
    }

    @Override
    public void report(boolean isReady) {
      if (stopped.getCount() == 0) {
        return; // an answer that came too late
      }
      become(
          new ContainerStateBuilder()
              .withNewRunning()
              .withStartedAt(KubernetesTime.text(startedAt))
              .endRunning()
              .build(),
          isReady);
    }

    @Override
    public boolean stopsWithin(Duration time) throws InterruptedException {
      boolean stops = stopped.await(time.toNanos(), TimeUnit.NANOSECONDS);
      if (!stops && pod.rests()) {
        stopped.await();
        return true;
      }
      return stops;
    }

    @Override
    public void count(LoginOutcome outcome) {
      pod.recorded().count(outcome);
    }
  }
}
