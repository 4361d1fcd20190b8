package io.keyturn.controller;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class PaceTest {

  private Instant now = Instant.parse("2026-11-24T12:00:00Z");
  private final Pace pace =
      new Pace(
          5,
          new Clock() {
            @Override
            public Instant instant() {
              return now;
            }

            @Override
            public ZoneId getZone() {
              return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(ZoneId zone) {
              return this;
            }
          });

  @Test
  void theFirstGoesAtOnceAndTheOthersOneAfterTheOther() {
    assertThat(pace.take("a")).isEmpty();
    assertThat(pace.take("b")).contains(now.plusMillis(200));
    assertThat(pace.take("c")).contains(now.plusMillis(400));
    assertThat(pace.take("b")).as("keeps the turn").contains(now.plusMillis(200));
  }

  @Test
  void hundredAtOnceTakeTwentySeconds() {
    List<Instant> done = new ArrayList<>();
    List<String> waiting = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      waiting.add("workload-" + i);
    }
    Instant start = now;
    while (!waiting.isEmpty()) {
      waiting.removeIf(w -> {
        boolean turn = pace.take(w).isEmpty();
        if (turn) {
          done.add(now);
        }
        return turn;
      });
      now = now.plusMillis(50);
    }
    assertThat(Duration.between(start, done.getLast())).isEqualTo(Duration.ofMillis(19_800));
    for (int i = 5; i < done.size(); i++) {
      assertThat(Duration.between(done.get(i - 5), done.get(i))).isEqualTo(Duration.ofSeconds(1));
    }
  }

  @Test
  void whoComesLateTakesItsTurnThen() {
    pace.take("a");
    pace.take("b");
    now = now.plusSeconds(30);

    assertThat(pace.take("b")).isEmpty();
    assertThat(pace.take("c")).isEmpty();
    assertThat(pace.take("d")).contains(now.plusMillis(200));
  }

  @Test
  void aClockThatIsPutBackKeepsNobodyWaiting() {
    pace.take("a");
    pace.take("b");
    now = now.minus(Duration.ofDays(400));

    assertThat(List.of(pace.take("b"), pace.take("c")))
        .containsExactly(Optional.empty(), Optional.of(now.plusMillis(200)));
  }
}
