package io.keyturn.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PostgresServerTest {
  private static PostgresServer postgres;

  @BeforeAll
  static void start() {
    postgres = PostgresServer.start();
  }

  @AfterAll
  static void stop() {
    postgres.close();
  }

  @Test
  void acceptsTheRightPasswordAndRefusesEveryOther() {
    postgres.createLogin("alice", "right '\"%I");

    assertThat(postgres.tryLogin("alice", "right '\"%I")).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(postgres.tryLogin("alice", "wrong")).isEqualTo(LoginOutcome.REFUSED);
    assertThat(postgres.tryLogin("nobody", "right '\"%I")).isEqualTo(LoginOutcome.REFUSED);
  }

  @Test
  void refusesTheOldPasswordAfterAChange() {
    postgres.createLogin("bob", "old");
    postgres.setPassword("bob", "new");

    assertThat(postgres.tryLogin("bob", "old")).isEqualTo(LoginOutcome.REFUSED);
    assertThat(postgres.tryLogin("bob", "new")).isEqualTo(LoginOutcome.ACCEPTED);
  }

  @Test
  void saysNothingOfThePasswordWhenItCannotBeSet() {
    assertThatThrownBy(() -> postgres.setPassword("missing", "do-not-print"))
        .isInstanceOf(IllegalStateException.class)
        .hasNoCause()
        .hasMessageContaining("missing")
        .hasMessageNotContaining("do-not-print");
  }

  @Test
  void isUnreachableAfterItHasStopped() {
    PostgresServer other = PostgresServer.start();
    other.createLogin("carol", "secret");
    other.close();

    assertThat(other.tryLogin("carol", "secret")).isEqualTo(LoginOutcome.UNREACHABLE);
    // Its parent is gone, so it stays listed until init has seen it end.
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(ProcessHandle.of(other.pid())).isEmpty());
  }

  @Test
  void endsWithAKilledJvm(@TempDir Path directory) {
    List<ProcessHandle> started = AbandonedJvm.killAfterReport(Victim.class, directory);

    assertThat(started).hasSize(1);
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(started).noneMatch(ProcessHandle::isAlive));
  }

  static final class Victim {
    public static void main(String[] args) throws InterruptedException {
      AbandonedJvm.reportAndWait(List.of(PostgresServer.start(Path.of(args[0])).pid()));
    }
  }
}
