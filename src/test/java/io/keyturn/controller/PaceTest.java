package io.keyturn.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.testing.ManualClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;

class PaceTest {

  private final ManualClock clock = new ManualClock(Instant.parse("2026-11-24T12:00:00Z"));
  private final Pace pace = new Pace(5, clock);

  @Test
  void theFirstGoesAtOnceAndTheOthersOneAfterTheOther() {
    assertThat(pace.take("a")).isEmpty();
    assertThat(pace.take("b")).contains(clock.instant().plusMillis(200));
    assertThat(pace.take("c")).contains(clock.instant().plusMillis(400));
    assertThat(pace.take("b")).as("keeps the turn").contains(clock.instant().plusMillis(200));
  }

  @Test
  void hundredAtOnceTakeTwentySeconds() {
    List<Instant> done = new ArrayList<>();
    List<String> waiting = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      waiting.add("workload-" + i);
    }
    Instant start = clock.instant();
    while (!waiting.isEmpty()) {
      waiting.removeIf(w -> {
        boolean turn = pace.take(w).isEmpty();
        if (turn) {
          done.add(clock.instant());
        }
        return turn;
      });
      clock.set(clock.instant().plusMillis(50));
    }
    assertThat(Duration.between(start, done.getLast())).isEqualTo(Duration.ofMillis(19_800));
    for (int i = 5; i < done.size(); i++) {
      assertThat(Duration.between(done.get(i - 5), done.get(i))).isEqualTo(Duration.ofSeconds(1));
    }
  }

  @Test
  void howeverManyComeLateTheyMakeUpForHalfASecondAtMost() {
    for (int i = 0; i < 100; i++) {
      pace.take("workload-" + i);
    }
    clock.set(clock.instant().plusSeconds(8));

    List<Instant> done = playUntilDone(100, () -> 0);

    assertThat(mostIn(Duration.ofSeconds(10), done)).isLessThanOrEqualTo(50 + 3);
    assertThat(Duration.between(done.getFirst(), done.getLast()))
        .isBetween(Duration.ofSeconds(18), Duration.ofSeconds(21));
  }

  @Test
  void thePaceIsNeitherLostNorExceededWhereEverybodyComesLate() {
    Random random = new Random(7);

    List<Instant> done = playUntilDone(1000, () -> random.nextInt(1500));

    assertThat(mostIn(Duration.ofSeconds(10), done)).isLessThanOrEqualTo(50 + 3);
    assertThat(Duration.between(done.getFirst(), done.getLast()))
        .isBetween(Duration.ofSeconds(199), Duration.ofSeconds(210));
  }

  /**
   * A hundred at a time come again and again until each had a turn, and when one goes another
   * comes.
   *
   * @param late how many milliseconds somebody comes after the time that it was told
   */
  private List<Instant> playUntilDone(int all, IntSupplier late) {
    List<Instant> done = new ArrayList<>();
    Map<String, Instant> comes = new TreeMap<>();
    int begun = 0;
    while (done.size() < all) {
      while (begun < all && comes.size() < 100) {
        comes.put("workload-" + begun++, clock.instant());
      }
      for (String who : List.copyOf(comes.keySet())) {
        if (!comes.get(who).isAfter(clock.instant())) {
          pace.take(who)
              .ifPresentOrElse(
                  turn -> comes.put(who, turn.plusMillis(late.getAsInt())),
                  () -> {
                    comes.remove(who);
                    done.add(clock.instant());
                  });
        }
      }
      clock.set(clock.instant().plusMillis(10));
    }
    return done;
  }

  private static long mostIn(Duration time, List<Instant> done) {
    return done.stream()
        .mapToLong(first ->
            done.stream().filter(d -> !d.isBefore(first) && d.isBefore(first.plus(time))).count())
        .max()
        .orElseThrow();
  }

  @Test
  void whoComesLateTakesItsTurnThen() {
    pace.take("a");
    pace.take("b");
    clock.set(clock.instant().plusSeconds(30));

    assertThat(pace.take("b")).isEmpty();
    assertThat(pace.take("c")).isEmpty();
    assertThat(pace.take("d")).contains(clock.instant().plusMillis(200));
  }

  @Test
  void aClockThatIsPutBackKeepsNobodyWaiting() {
    pace.take("a");
    pace.take("b");
    clock.set(clock.instant().minus(Duration.ofDays(400)));

    assertThat(List.of(pace.take("b"), pace.take("c")))
        .containsExactly(Optional.empty(), Optional.of(clock.instant().plusMillis(200)));
  }
}
