package io.keyturn.domain.schedule;

import static io.keyturn.testing.Policies.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.domain.schedule.Timetable.Start;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TimetableTest {

  /** A Tuesday. */
  private static final Instant SINCE = Instant.parse("2026-11-24T12:00:00Z");

  private static final String SEED = "5f0b7a3e-8d1f-4a55-9d3e-000000000001";

  private static Start next(String yaml, Instant now) {
    return next(yaml, SINCE, now).orElseThrow();
  }

  private static Optional<Start> next(String yaml, Instant since, Instant now) {
    return new Timetable(policy(yaml)).next(since, SEED, now);
  }

  private static Instant at(String time) {
    return Instant.parse(time);
  }

  @Test
  void withoutAScheduleNothingIsEverDue() {
    assertThat(next("", SINCE, SINCE)).isEmpty();
  }

  @Test
  void everyCountsFromThePromotion() {
    assertThat(next("schedule: {every: 30d, jitter: 0%}", SINCE))
        .isEqualTo(
            new Start(
                at("2026-12-24T12:00:00Z"), Reasons.SCHEDULED, "30d after the last promotion"));
  }

  @Property(tries = 200)
  void jitterIsABindingsOwnAndNeverLater(@ForAll String seed) {
    Timetable timetable = new Timetable(policy("schedule: {every: 30d, jitter: 20%}"));
    Instant due = SINCE.plus(Duration.ofDays(30));

    Start start = timetable.next(SINCE, seed, SINCE).orElseThrow();

    assertThat(start.at()).isBetween(due.minus(Duration.ofDays(6)), due);
    assertThat(timetable.next(SINCE, seed, SINCE.plusSeconds(77)).orElseThrow()).isEqualTo(start);
  }

  @Test
  void jitterSpreadsBindings() {
    Timetable timetable = new Timetable(policy("schedule: {every: 10d}"));
    long days =
        IntStream.range(0, 200)
            .mapToObj(i -> timetable.next(SINCE, "binding-" + i, SINCE).orElseThrow().at())
            .map(t -> Duration.between(t, SINCE.plus(Duration.ofDays(10))).toHours())
            .distinct()
            .count();

    assertThat(days).as("different hours of the last day").isEqualTo(24);
  }

  @Test
  void cronIsReadInItsZone() {
    assertThat(next("schedule: {cron: \"0 3 1 * *\", timeZone: America/New_York}", SINCE).at())
        .isEqualTo(at("2026-12-01T08:00:00Z"));
  }

  @Test
  void jitterOfACronIsLaterAndBeforeTheNextTime() {
    String yaml = "schedule: {cron: \"0 0 * * 1\", jitter: 50%}";
    Instant monday = at("2026-11-30T00:00:00Z");

    assertThat(next(yaml, SINCE).at()).isBetween(monday, monday.plus(Duration.ofHours(84)));
    // Between the fixed time and its own it stays the same.
    assertThat(next(yaml, monday.plusSeconds(1))).isEqualTo(next(yaml, SINCE));
  }

  @ParameterizedTest
  @CsvSource({
    // since the promotion, so many days ago
    "45, RunOnce, 2026-12-24T12:00:00Z",
    "400, RunOnce, 2026-12-24T12:00:00Z",
    "45, Skip, 2027-01-23T12:00:00Z",
    "400, Skip, 2028-01-18T12:00:00Z"
  })
  void aMissedRunIsMadeUpForOnceOrSkipped(int days, String missed, String expected) {
    String yaml = "schedule: {every: 30d, jitter: 0%%, missedRuns: %s}".formatted(missed);

    assertThat(next(yaml, SINCE.plus(Duration.ofDays(days))).at()).isEqualTo(at(expected));
  }

  @Test
  void skipDoesNotMissARunThatWaitsForItsWindow() {
    String yaml =
        "{schedule: {cron: \"0 12 * * *\", missedRuns: Skip}, windows: [{cron: \"0 2 * * *\","
            + " duration: 3h}]}";

    assertThat(next(yaml, at("2026-11-26T02:00:01Z")).at())
        .as("due at noon of the day before, and the window has just opened")
        .isBeforeOrEqualTo(at("2026-11-26T02:00:01Z"));
    assertThat(next(yaml, at("2026-11-26T02:30:00Z")).at())
        .as("nobody started it in time")
        .isEqualTo(at("2026-11-27T02:00:00Z"));
  }

  @Test
  void whatIsDueWaitsForTheWindow() {
    String yaml =
        "{schedule: {every: 1d, jitter: 0%}, windows: [{cron: \"0 2 * * 1-5\", duration: 3h,"
            + " timeZone: Europe/Berlin}]}";

    Start start = next(yaml, SINCE);
    assertThat(start.at()).isEqualTo(at("2026-11-26T01:00:00Z"));
    assertThat(start.reason()).isEqualTo(Reasons.WINDOW_CLOSED);
    // On a Friday it waits until Monday, and while the window is open it starts.
    assertThat(next(yaml, at("2026-11-27T08:00:00Z")).at()).isEqualTo(at("2026-11-30T01:00:00Z"));
    assertThat(next(yaml, at("2026-11-30T01:30:00Z")).reason()).isEqualTo(Reasons.SCHEDULED);
  }

  @Test
  void aBlackoutPutsItOff() {
    String yaml =
        "{schedule: {every: 30d, jitter: 0%}, blackouts: [{from: \"2026-12-20T00:00:00Z\", to:"
            + " \"2027-01-02T00:00:00Z\"}, {from: \"2027-01-01T00:00:00Z\", to:"
            + " \"2027-01-03T00:00:00Z\"}]}";

    assertThat(next(yaml, SINCE).at()).isEqualTo(at("2027-01-03T00:00:00Z"));
  }

  @Test
  void theDeadlineOutranksWindowAndBlackoutAndSaysSo() {
    String yaml =
        "{schedule: {every: 30d, jitter: 0%, maxAge: 35d}, blackouts: [{from:"
            + " \"2026-12-20T00:00:00Z\", to: \"2027-01-20T00:00:00Z\"}]}";

    assertThat(next(yaml, SINCE))
        .isEqualTo(
            new Start(
                at("2026-12-29T12:00:00Z"),
                Reasons.WINDOW_OVERRIDDEN,
                "the version becomes 35d old, and no window opens before"));
  }

  @Test
  void afterTheDeadlineAnOpenWindowIsNotOverridden() {
    String yaml =
        "{schedule: {every: 1d, jitter: 0%, maxAge: 2d}, windows: [{cron: \"0 0 * * *\", duration:"
            + " 24h}]}";

    assertThat(next(yaml, SINCE.plus(Duration.ofDays(9))).reason()).isEqualTo(Reasons.SCHEDULED);
  }

  @Test
  void maxAgeAloneIsASchedule() {
    assertThat(next("schedule: {maxAge: 45d}", SINCE).at())
        .isEqualTo(SINCE.plus(Duration.ofDays(45)));
  }

  @Property(tries = 300)
  void aClockThatStepsLeadsToOneCatchUpAtMost(
      @ForAll @IntRange(min = -400, max = 400) int days,
      @ForAll @IntRange(min = 1, max = 60) int every,
      @ForAll @LongRange(min = 0, max = 86_399) long second) {
    String yaml = "schedule: {every: %dd}".formatted(every);
    Instant stepped = SINCE.plus(Duration.ofDays(days)).plusSeconds(second);

    Start first = next(yaml, SINCE, stepped).orElseThrow();
    if (!first.at().isAfter(stepped)) {
      // It is promoted by the clock that there is now; then nothing is due for most of an interval.
      Start second1 = next(yaml, stepped, stepped.plusSeconds(60)).orElseThrow();
      assertThat(second1.at()).isAfterOrEqualTo(stepped.plus(Duration.ofHours(every * 21L)));
    } else {
      assertThat(first.at()).isBefore(stepped.plus(Duration.ofDays(2L * every + 1)));
    }
  }

  @Test
  void anHourBackRotatesNothing() {
    assertThat(next("schedule: {every: 30d}", SINCE.minus(Duration.ofHours(1))).at())
        .isAfter(SINCE.plus(Duration.ofDays(26)));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          windows: [{cron: "0 0 30 2 *", duration: 1h}]                     | no window opens any more
          schedule: {cron: "0 0 31 4 *"}                                    | so it never comes
          blackouts: [{from: 2020-01-01T00:00:00Z, to: 9999-01-01T00:00:00Z}, {from: 2021-01-01T00:00:00Z, to: 2022-01-01T00:00:00Z}] |
          windows: [{cron: "0 2 * * *", duration: 1h, timeZone: Mars/Olympus}] | the time zone Mars/Olympus is unknown
          schedule: {cron: "0 25 * * *"}                                    | cannot be read
          schedule: {every: 30d}                                            |
          """)
  void whatCannotBeFollowedIsSaid(String yaml, String expected) {
    Optional<String> problem = Timetable.problem(policy(yaml), SINCE);
    if (expected == null) {
      assertThat(problem).isEmpty();
    } else {
      assertThat(problem.orElseThrow()).contains(expected);
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {schedule: {every: 30d, maxAge: 45d}, windows: [{cron: "0 2 * * 1-5", duration: 3h}]} | true
          {schedule: {every: 30d, maxAge: 31d}, windows: [{cron: "0 2 * * 1-5", duration: 3h}]} | false
          {schedule: {every: 1d, maxAge: 1d}, windows: [{cron: "0 0 * * *", duration: 24h}]}    | true
          {schedule: {every: 7d, maxAge: 8d}, windows: [{cron: "0 0 1 * *", duration: 4h}]}     | false
          {schedule: {cron: "0 0 1 * *", maxAge: 45d}, windows: [{cron: "0 2 * * 6", duration: 3h}]} | true
          {schedule: {cron: "0 0 1 * *", maxAge: 32d}, windows: [{cron: "0 2 * * 6", duration: 3h}]} | false
          {schedule: {every: 7d, maxAge: 10d}, blackouts: [{from: 2026-12-20T00:00:00Z, to: 2027-01-03T00:00:00Z}]} | false
          {schedule: {every: 7d}, windows: [{cron: "0 0 1 * *", duration: 4h}]}                 | true
          """)
  void whetherWindowsLeaveRoomForTheDeadlineIsKnown(String yaml, boolean feasible) {
    assertThat(new Timetable(policy(yaml)).infeasible(SINCE).isEmpty()).isEqualTo(feasible);
  }
}
