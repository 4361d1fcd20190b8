package io.keyturn.playground;

import io.fabric8.kubernetes.client.informers.ResourceEventHandler;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Team;
import io.keyturn.playground.Terminal.Style;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;

/**
 * Shows a rotation as it passes its stages, in the words of its own status. It watches from before
 * the rotation exists, so that no stage passes unseen.
 */
final class RotationView implements AutoCloseable {

  private static final Duration PATIENCE = Duration.ofSeconds(90);
  private static final Duration BLINK = Duration.ofMillis(150);

  private final World world;
  private final Terminal terminal;
  private final Team team;
  private final long from;
  private final PodRow row;
  private final BlockingQueue<SecretRotation> seen = new LinkedBlockingQueue<>();
  private final SharedIndexInformer<SecretRotation> informer;
  private final long begun = System.nanoTime();
  private SecretRotation latest;
  private Stage shown;
  private String message = "";

  RotationView(World world, Terminal terminal, Team team, String secret) {
    this.world = world;
    this.terminal = terminal;
    this.team = team;
    this.from = newestVersion(team);
    this.row = new PodRow(terminal, secret, 1, from + 1);
    this.informer =
        team.client()
            .resources(SecretRotation.class)
            .inNamespace(team.namespace())
            .inform(new Handler());
  }

  private static long newestVersion(Team team) {
    return team.rotations().stream()
        .mapToLong(r -> Names.versionOfRotation(r.getMetadata().getName()))
        .max()
        .orElse(1);
  }

  /** The version that is on its way. */
  long version() {
    return from + 1;
  }

  /** How many pods outside the canary run, Ready, on that version. */
  long podsOnVersion() {
    return row.onNewest(team.pods());
  }

  /** Shows each stage until one is reached. */
  SecretRotation follow(Predicate<Stage> until) {
    return followUntil(r -> until.test(r.getStatus().stage()));
  }

  /** Shows each stage until something holds of the rotation. */
  SecretRotation followUntil(Predicate<SecretRotation> until) {
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    while (latest == null || !until.test(latest)) {
      SecretRotation next = poll();
      if (next != null) {
        latest = next;
        show(next);
      } else if (System.nanoTime() > deadline) {
        throw new IllegalStateException(
            "the rotation to version %d did not move on in %d s; it said: %s"
                .formatted(version(), PATIENCE.toSeconds(), message));
      }
      pulse();
    }
    return latest;
  }

  /** Shows the pods for a while, whatever the rotation does. */
  void watchPods(Duration time, String caption) {
    long until = System.nanoTime() + time.toNanos();
    while (System.nanoTime() < until) {
      terminal.live(columns(caption));
      Pace.sleep(BLINK);
    }
  }

  /** Writes one line with the pods as they are. */
  void line(String caption) {
    terminal.line(columns(caption));
  }

  private SecretRotation poll() {
    try {
      return seen.poll(BLINK.toMillis(), TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted", e);
    }
  }

  private void show(SecretRotation rotation) {
    var status = rotation.getStatus();
    if (status.stage() != shown) {
      shown = status.stage();
      line(shown.toString());
    }
    String text = status.message();
    if (text != null && !text.equals(message)) {
      message = text;
      terminal.quote(text, 10);
    }
  }

  private void pulse() {
    if (terminal.hasCursor()) {
      Tally tally = Tally.of(world.kubelet(), team.namespace());
      String logins =
          tally.accepted() == 0
              ? ""
              : "   %d logins, %d failed%s"
                  .formatted(
                      tally.accepted(),
                      tally.failed(),
                      tally.failedInCanary() > 0
                          ? ", %d in the canary".formatted(tally.failedInCanary())
                          : "");
      terminal.live(columns("") + terminal.paint(Style.DIM, logins));
    }
  }

  private String columns(String caption) {
    return "  %s %s %s"
        .formatted(
            terminal.paint(
                Style.DIM, "%5.1f s".formatted((System.nanoTime() - begun) / 1_000_000_000.0)),
            terminal.paint(Style.BOLD, "%-12s".formatted(caption)),
            row.of(team.pods()));
  }

  @Override
  public void close() {
    informer.close();
  }

  private final class Handler implements ResourceEventHandler<SecretRotation> {
    @Override
    public void onAdd(SecretRotation rotation) {
      take(rotation);
    }

    @Override
    public void onUpdate(SecretRotation before, SecretRotation now) {
      take(now);
    }

    @Override
    public void onDelete(SecretRotation rotation, boolean unsure) {
      // Only history goes.
    }

    private void take(SecretRotation rotation) {
      if (Names.versionOfRotation(rotation.getMetadata().getName()) == version()) {
        seen.add(rotation);
      }
    }
  }
}
