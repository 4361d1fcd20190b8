package io.keyturn.testing;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/**
 * Programs of others that tests run, such as those of a control plane. A script of this repository
 * builds or fetches them where they are not cached, which takes minutes; it is asked once per JVM.
 */
final class BuiltPrograms {
  private final String script;
  private final String what;
  private Optional<Path> found;
  private String whyNot = "";
  private boolean complained;

  /**
   * Asks no script yet.
   *
   * @param script such as {@code hack/cluster/build}: it prints the directory of the programs as
   *     the last line of stdout, or says in one sentence on stderr why it cannot
   * @param what the programs are, for messages: "control plane"
   */
  BuiltPrograms(String script, String what) {
    this.script = script;
    this.what = what;
  }

  /** The directory that holds them, or nothing where they cannot be had. */
  synchronized Optional<Path> locate() {
    if (found == null) {
      found = build();
    }
    return found;
  }

  /** Why they cannot be had, a sentence; empty if they can. */
  synchronized String whyNot() {
    locate();
    return whyNot;
  }

  /**
   * The directory that holds them. Where they cannot be had, the test that asks is skipped, and the
   * first one says so.
   *
   * @throws IllegalStateException if they cannot be had and {@code CI=true}, because nobody reads
   *     lines there
   */
  synchronized Path require() {
    return locate().orElseGet(this::refuse);
  }

  private Path refuse() {
    if (Boolean.parseBoolean(System.getenv("CI"))) {
      throw new IllegalStateException("CI=true, and there is no " + what + ": " + whyNot);
    }
    if (!complained) {
      complained = true;
      System.err.println(
          "!!! SKIPPING ALL TESTS THAT NEED A " + what.toUpperCase(Locale.ROOT) + ": " + whyNot);
    }
    return Assumptions.abort("no " + what + ": " + whyNot);
  }

  private Optional<Path> build() {
    Path program = find();
    if (program == null) {
      whyNot = script + " was not found in any parent of " + Path.of("").toAbsolutePath();
      return Optional.empty();
    }
    try {
      Process process = new ProcessBuilder(program.toString()).start();
      String said = relay(process);
      List<String> lines =
          new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
              .lines()
              .toList();
      if (process.waitFor() == 0 && !lines.isEmpty()) {
        return Optional.of(Path.of(lines.getLast()));
      }
      whyNot = said.isEmpty() ? script + " failed" : said;
    } catch (IOException e) {
      whyNot = script + " cannot be run: " + e.getMessage();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      whyNot = "interrupted while the " + what + " was being built";
    }
    return Optional.empty();
  }

  /**
   * Shows how far the script is, as the first build takes minutes. A script that ends after one
   * sentence is not shown: that sentence is the reason.
   *
   * @return the last line
   */
  private static String relay(Process process) throws IOException, InterruptedException {
    String last = "";
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getErrorStream(), StandardCharsets.UTF_8))) {
      boolean first = true;
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        if (!first || !process.waitFor(1, TimeUnit.SECONDS)) {
          System.err.println(line);
        }
        first = false;
        last = line;
      }
    }
    return last;
  }

  private Path find() {
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      Path candidate = at.resolve(script);
      if (Files.isExecutable(candidate)) {
        return candidate;
      }
    }
    return null;
  }
}
