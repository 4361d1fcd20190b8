package io.keyturn.cluster;

import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.OperatorProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.locks.LockSupport;

/**
 * Keeps an operator running as a kubelet does – one that has ended, or that says it does not live,
 * is started anew – and ends it at once now and then.
 */
final class Chaos implements AutoCloseable {

  private static final Duration LOOK = Duration.ofMillis(500);
  private static final int UNHEALTHY = 6;
  private static final long SHORTEST_LIFE = 12_000;
  private static final long LONGEST_LIFE = 40_000;

  private final ControlPlane plane;
  private final Map<String, String> settings;
  private final SplittableRandom random;
  private final Runnable starts;
  private final List<OperatorProcess> operators = new ArrayList<>();
  private final Thread keeper;
  private volatile OperatorProcess operator;
  private volatile boolean kills;
  private volatile boolean closed;
  private Instant next = Instant.MAX;
  private int unhealthy;
  private int killed;
  private int ended;
  private int restarted;

  private Chaos(
      ControlPlane plane, Map<String, String> settings, SplittableRandom random, Runnable starts) {
    this.plane = plane;
    this.settings = settings;
    this.random = random;
    this.starts = starts;
    start();
    operator.awaitReady();
    keeper = Thread.ofVirtual().name("chaos").start(this::keep);
  }

  /**
   * Starts an operator that is not killed yet.
   *
   * @param starts is told before each start
   */
  static Chaos start(
      ControlPlane plane, Map<String, String> settings, SplittableRandom random, Runnable starts) {
    return new Chaos(plane, settings, random, starts);
  }

  /** From now on it is killed at random. */
  void kill() {
    kills = true;
  }

  /** It is killed no more. */
  void calm() {
    kills = false;
  }

  private void start() {
    starts.run();
    operator = OperatorProcess.launch(plane, settings);
    operators.add(operator);
    unhealthy = 0;
    next = Instant.now().plusMillis(random.nextLong(SHORTEST_LIFE, LONGEST_LIFE));
  }

  private void keep() {
    while (!closed) {
      look();
      LockSupport.parkNanos(LOOK.toNanos());
    }
  }

  private synchronized void look() {
    if (closed) {
      return;
    }
    String live = operator.get("/q/health/live");
    unhealthy = live.startsWith("503") ? unhealthy + 1 : 0;
    if (!operator.isAlive()) {
      ended++;
      start();
    } else if (unhealthy >= UNHEALTHY) {
      restarted++;
      operator.kill();
      start();
    } else if (kills && Instant.now().isAfter(next)) {
      killed++;
      operator.kill();
      start();
    }
  }

  /** The operator that runs now. */
  OperatorProcess operator() {
    return operator;
  }

  /** How often it was killed. */
  synchronized int kills() {
    return killed;
  }

  /** How often it ended by itself because it could not start. */
  synchronized int ended() {
    return ended;
  }

  /** How often it said that it does not live. */
  synchronized int restarted() {
    return restarted;
  }

  /** What each of them has logged as an error. */
  synchronized List<String> errors() {
    return operators.stream().flatMap(o -> o.errors().stream()).toList();
  }

  @Override
  public void close() {
    closed = true;
    keeper.interrupt();
    synchronized (this) {
      operator.close();
    }
  }
}
