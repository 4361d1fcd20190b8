package io.keyturn.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;

/** Another JVM that starts servers and is then killed: does anything stay behind? */
final class AbandonedJvm {
  private static final String PIDS = "pids ";

  private AbandonedJvm() {}

  /**
   * Runs a class whose main calls {@link #reportAndWait}, kills it by {@code kill -9} when it has
   * reported, and returns what it reported.
   *
   * @param directory its argument: where it may leave files behind
   */
  static List<ProcessHandle> killAfterReport(Class<?> main, Path directory) {
    try {
      Process jvm =
          new ProcessBuilder(
                  Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                  "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
                  "-cp",
                  System.getProperty("java.class.path"),
                  main.getName(),
                  directory.toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      try (BufferedReader out =
          new BufferedReader(new InputStreamReader(jvm.getInputStream(), StandardCharsets.UTF_8))) {
        String report =
            out.lines()
                .filter(line -> line.startsWith(PIDS))
                .findFirst()
                .orElseThrow(() -> new IllegalStateException("the other JVM ended early"));
        List<ProcessHandle> started =
            Arrays.stream(report.substring(PIDS.length()).split(","))
                .map(Long::parseLong)
                .flatMap(pid -> ProcessHandle.of(pid).stream())
                .toList();
        return started;
      } finally {
        jvm.destroyForcibly();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Says which processes this JVM has started, and waits to be killed. */
  static void reportAndWait(List<Long> pids) throws InterruptedException {
    System.out.println(PIDS + String.join(",", pids.stream().map(String::valueOf).toList()));
    new CountDownLatch(1).await();
  }
}
