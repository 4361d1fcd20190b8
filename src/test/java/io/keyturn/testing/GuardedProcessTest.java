package io.keyturn.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GuardedProcessTest {
  @TempDir Path directory;

  @Test
  void saysWhyAServerEnded() {
    GuardedProcess process = start("sh", "-c", "echo no such port; exit 3");

    await().atMost(Duration.ofSeconds(10)).until(() -> !process.isAlive());

    assertThat(process.diagnosis()).contains("server ended with code 3", "no such port");
  }

  @Test
  void endsTheServerWhenClosed() {
    GuardedProcess process = start("sleep", "600");
    List<ProcessHandle> all =
        process.pids().stream().flatMap(pid -> ProcessHandle.of(pid).stream()).toList();

    process.close();

    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(all).isNotEmpty().noneMatch(ProcessHandle::isAlive));
  }

  private GuardedProcess start(String... command) {
    return GuardedProcess.start("server", List.of(command), directory.resolve("log"));
  }
}
