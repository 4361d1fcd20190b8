package io.keyturn.domain.schedule;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CronTest {

  private static final String BERLIN = "Europe/Berlin";

  private static List<String> times(String cron, String zone, String from, int count) {
    List<String> times = new ArrayList<>();
    Instant time = Instant.parse(from);
    for (int i = 0; i < count; i++) {
      time = new Cron(cron, zone).next(time).orElseThrow();
      times.add(time.toString());
    }
    return times;
  }

  @Test
  void aTimeThatSummerTimeSkipsComesAnHourLater() {
    assertThat(times("30 2 * * *", BERLIN, "2027-03-27T12:00:00Z", 2))
        .containsExactly("2027-03-28T01:30:00Z", "2027-03-29T00:30:00Z");
    // Also for whoever looks only when the clock was put forward already.
    assertThat(times("30 2 * * *", BERLIN, "2027-03-28T01:10:00Z", 1))
        .containsExactly("2027-03-28T01:30:00Z");
  }

  @Test
  void aTimeThatTheChangeBackRepeatsComesOnce() {
    assertThat(times("30 2 * * *", BERLIN, "2027-10-30T12:00:00Z", 2))
        .containsExactly("2027-10-31T00:30:00Z", "2027-11-01T01:30:00Z");
    assertThat(times("30 2 * * *", BERLIN, "2027-10-31T00:45:00Z", 1))
        .containsExactly("2027-11-01T01:30:00Z");
  }

  @Test
  void theTwentyNinthOfFebruaryComesInLeapYears() {
    assertThat(times("0 0 29 2 *", "Etc/UTC", "2026-01-01T00:00:00Z", 2))
        .containsExactly("2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z");
  }

  @ParameterizedTest
  @ValueSource(strings = {"0 0 30 2 *", "0 0 31 4,6 *"})
  void aDayThatNoMonthHasNeverComes(String cron) {
    assertThat(new Cron(cron, "Etc/UTC").next(Instant.parse("2026-01-01T00:00:00Z"))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"60 * * * *", "* * * *", "0 0 32 1 *", "*/0 * * * *", "0 0 * * FOO"})
  void whatIsNoCronIsRefusedWithASentence(String cron) {
    assertThatThrownBy(() -> new Cron(cron, "Etc/UTC"))
        .isInstanceOf(InvalidSchedule.class)
        .hasMessageContaining("\"%s\" cannot be read".formatted(cron));
  }

  @ParameterizedTest
  @CsvSource({"Mars/Olympus", "UTC+2", "europe/berlin", "+02:00"})
  void whatIsNoZoneIsRefusedWithASentence(String zone) {
    assertThatThrownBy(() -> new Cron("0 2 * * *", zone))
        .isInstanceOf(InvalidSchedule.class)
        .hasMessageContaining("the time zone %s is unknown".formatted(zone));
  }

  @Property(tries = 300)
  void aDailyTimeComesOncePerDayWhateverTheClockDoes(
      @ForAll @IntRange(max = 23) int hour,
      @ForAll @IntRange(max = 59) int minute,
      @ForAll @LongRange(min = 0, max = 3000) long day) {
    for (String name : List.of(BERLIN, "America/New_York", "Australia/Lord_Howe", "Etc/UTC")) {
      Cron cron = new Cron("%d %d * * *".formatted(minute, hour), name);
      ZoneId zone = ZoneId.of(name);
      LocalDate date = LocalDate.of(2024, 1, 1).plusDays(day);
      Instant first = cron.next(date.atStartOfDay(zone).toInstant().minusSeconds(1)).orElseThrow();

      assertThat(first).isEqualTo(ZonedDateTime.of(date.atTime(hour, minute), zone).toInstant());
      assertThat(cron.next(first).orElseThrow())
          .isBetween(first.plus(Duration.ofHours(22)), first.plus(Duration.ofHours(26)));
    }
  }
}
