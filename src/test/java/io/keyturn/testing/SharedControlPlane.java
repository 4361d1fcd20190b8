package io.keyturn.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/**
 * The one control plane of this JVM, with one {@link HollowKubelet} that plays its nodes. It starts
 * with the first test that asks and ends with the JVM; tests keep out of each other's way by a
 * {@link #newNamespace namespace} of their own.
 *
 * <p>Where no control plane can be started, tests that ask are skipped, with one line that says so;
 * with {@code CI=true} they fail, because nobody reads lines there.
 */
public final class SharedControlPlane {
  private static final Path TARGET = Path.of("target");
  private static final String PREFIX = "control-plane-";
  private static ControlPlane plane;
  private static HollowKubelet kubelet;

  private SharedControlPlane() {}

  /**
   * The control plane, started if need be.
   *
   * @throws IllegalStateException if there is none and {@code CI=true}, or if it does not start
   */
  public static synchronized ControlPlane get() {
    if (plane == null) {
      requireAvailable();
      deleteOld();
      ControlPlane started =
          ControlPlane.start(TARGET.resolve(PREFIX + ProcessHandle.current().pid()));
      HollowKubelet playing =
          HollowKubelet.start(started.clientForUser("hollow-kubelet", "system:masters"));
      Runtime.getRuntime()
          .addShutdownHook(
              Thread.ofPlatform()
                  .unstarted(() -> {
                    playing.close();
                    started.close();
                  }));
      plane = started;
      kubelet = playing;
    }
    return plane;
  }

  /** The kubelet of the shared control plane's nodes. */
  public static synchronized HollowKubelet kubelet() {
    get();
    return kubelet;
  }

  /** Creates a namespace for one test; see {@link ControlPlane#createNamespace}. */
  public static String newNamespace(String prefix) {
    return get().createNamespace(prefix);
  }

  /**
   * Skips a test where no control plane can be started.
   *
   * @throws IllegalStateException if that is so and {@code CI=true}
   */
  public static synchronized void requireAvailable() {
    ControlPlane.PROGRAMS.require();
  }

  /** What the control planes of earlier runs and of this one have left, or are leaving. */
  public static List<Path> directories() {
    try (Stream<Path> files = Files.list(TARGET)) {
      return files.filter(f -> f.getFileName().toString().matches(PREFIX + "[0-9]+")).toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Those of JVMs that have ended are of an earlier run: a run starts all of its JVMs at once. */
  private static void deleteOld() {
    directories().stream()
        .filter(d -> {
          long pid = Long.parseLong(d.getFileName().toString().substring(PREFIX.length()));
          return ProcessHandle.of(pid).isEmpty();
        })
        .forEach(ControlPlane::deleteTree);
  }
}
