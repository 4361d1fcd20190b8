package io.keyturn.domain.schedule;

import static io.keyturn.testing.Policies.policy;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.domain.schedule.Timetable.Start;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Windows, blackouts and the deadline that outranks them. */
class OpeningTest {

  /** A Tuesday. */
  private static final Instant SINCE = Instant.parse("2026-11-24T12:00:00Z");

  private static Timetable timetable(String yaml) {
    return new Timetable(policy(yaml));
  }

  private static Instant at(String time) {
    return Instant.parse(time);
  }

  @ParameterizedTest
  @CsvSource({
    "2026-11-24T12:00:00Z, 2026-11-25T02:00:00Z",
    "2026-11-25T01:59:59Z, 2026-11-25T02:00:00Z",
    "2026-11-25T02:00:00Z, 2026-11-25T02:00:00Z",
    "2026-11-25T04:59:59Z, 2026-11-25T04:59:59Z",
    "2026-11-25T05:00:00Z, 2026-11-26T02:00:00Z"
  })
  void aWindowIsOpenFromItsTimeUntilItsDurationIsOver(String now, String opens) {
    assertThat(timetable("windows: [{cron: \"0 2 * * *\", duration: 3h}]").firstOpen(at(now)))
        .contains(at(opens));
  }

  @ParameterizedTest
  @CsvSource({
    "2026-12-19T23:59:59Z, 2026-12-19T23:59:59Z",
    "2026-12-20T00:00:00Z, 2027-01-02T00:00:00Z",
    "2027-01-01T23:59:59Z, 2027-01-02T00:00:00Z",
    "2027-01-02T00:00:00Z, 2027-01-02T00:00:00Z"
  })
  void aBlackoutLastsFromItsBeginUntilJustBeforeItsEnd(String now, String opens) {
    String yaml = "blackouts: [{from: \"2026-12-20T00:00:00Z\", to: \"2027-01-02T00:00:00Z\"}]";

    assertThat(timetable(yaml).firstOpen(at(now))).contains(at(opens));
  }

  @Test
  void ofSeveralWindowsTheNextOneCountsAndABlackoutMayCoverIt() {
    String windows =
        "windows: [{cron: \"0 2 * * *\", duration: 1h}, {cron: \"0 20 * * *\", duration: 1h}]";
    assertThat(timetable(windows).firstOpen(SINCE)).contains(at("2026-11-24T20:00:00Z"));

    String blackout =
        ", blackouts: [{from: \"2026-11-24T19:00:00Z\", to: \"2026-11-25T02:30:00Z\"}]";
    assertThat(timetable("{" + windows + blackout + "}").firstOpen(SINCE))
        .as("in the middle of the next window")
        .contains(at("2026-11-25T02:30:00Z"));
  }

  @Test
  void aVersionWhoseWindowNeverOpensStartsAtItsDeadline() {
    String yaml =
        "{schedule: {every: 1d, jitter: 0%, maxAge: 9d}, windows: [{cron: \"0 0 30 2 *\", duration:"
            + " 1h}]}";

    assertThat(timetable(yaml).next(SINCE, "seed", SINCE))
        .contains(
            new Start(
                SINCE.plus(Duration.ofDays(9)),
                Reasons.WINDOW_OVERRIDDEN,
                "the version becomes 9d old, and no window opens before"));
    assertThat(timetable(yaml.replace(", maxAge: 9d", "")).next(SINCE, "seed", SINCE))
        .as("without a deadline it never starts")
        .isEmpty();
  }

  @Test
  void aWindowThatOpensBeforeTheDeadlineIsWaitedFor() {
    String yaml =
        "{schedule: {every: 1d, jitter: 0%, maxAge: 3d}, windows: [{cron: \"0 2 * * *\", duration:"
            + " 1h}]}";

    assertThat(timetable(yaml).next(SINCE, "seed", SINCE))
        .contains(
            new Start(
                at("2026-11-26T02:00:00Z"),
                Reasons.WINDOW_CLOSED,
                "1d after the last promotion, when the next window opens"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {schedule: {every: 30d, maxAge: 31d}, windows: [{cron: "0 2 * * 1-5", duration: 3h}]} | there are 24 hours, and no window opens for up to 2 days
          {schedule: {every: 1h, maxAge: 2h}, windows: [{cron: "0 2 * * *", duration: 3h}]}     | there are 60 minutes, and no window opens for up to 21 hours
          {schedule: {every: 1h, maxAge: 1h}, windows: [{cron: "0 2 * * *", duration: 23h}]}    | there are 0 minutes, and no window opens for up to 60 minutes
          {schedule: {cron: "0 0 1 * *", maxAge: 20d}, windows: [{cron: "0 2 * * *", duration: 3h}]} | there are 0 minutes, and no window opens for up to 21 hours
          {schedule: {maxAge: 20h}, windows: [{cron: "0 2 * * *", duration: 1h}]}               | there are 20 hours, and no window opens for up to 23 hours
          {schedule: {every: 1d, maxAge: 9d}, windows: [{cron: "0 0 30 2 *", duration: 3h}]}    | there are 8 days, and no window opens for up to more than a year
          {schedule: {every: 1d, maxAge: 9d}, blackouts: [{from: 2026-12-20T00:00:00Z, to: 2027-01-03T00:00:00Z}]} | there are 8 days, and no window opens for up to 14 days
          """)
  void whereADeadlineLeavesTooLittleRoomTheFiguresAreSaid(String yaml, String expected) {
    assertThat(timetable(yaml).infeasible(SINCE).orElseThrow()).contains(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          {schedule: {maxAge: 23h}, windows: [{cron: "0 2 * * *", duration: 1h}]}
          {schedule: {maxAge: 5h}, windows: [{cron: "0 */4 * * *", duration: 10m}]}
          {schedule: {every: 7d, maxAge: 22d}, blackouts: [{from: 2026-12-20T00:00:00Z, to: 2027-01-03T00:00:00Z}]}
          {schedule: {maxAge: 1h}, windows: [{cron: "0 0-11 * * *", duration: 1h}, {cron: "0 12-23 * * *", duration: 1h}]}
          {schedule: {every: 1d, maxAge: 2d}}
          """)
  void whereItLeavesEnoughNothingIsSaid(String yaml) {
    assertThat(timetable(yaml).infeasible(SINCE)).isEmpty();
  }

  @Test
  void aBlackoutThatBeginsWhileAWindowIsOpenClosesIt() {
    String yaml =
        "{schedule: {maxAge: 47h}, windows: [{cron: \"0 2 * * *\", duration: 3h}], blackouts: [{from:"
            + " \"2026-11-26T03:00:00Z\", to: \"2026-11-28T02:30:00Z\"}]}";

    assertThat(timetable(yaml).infeasible(SINCE).orElseThrow())
        .as("47 hours and a half from the middle of one window to the middle of another")
        .contains("for up to 47 hours");
    assertThat(timetable(yaml.replace("47h", "48h")).infeasible(SINCE)).isEmpty();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          schedule: {every: 10d, jitter: 0%}                | 11
          schedule: {cron: "0 0 1 * *"}                     | 40
          schedule: {maxAge: 10d}                           | 11
          schedule: {cron: "0 0 30 2 *", maxAge: 10d}       | 11
          """)
  void aVersionThatIsDatedMoreThanAnIntervalAheadIsReplacedAtOnce(String yaml, int days) {
    Instant now = SINCE.minus(Duration.ofDays(days));

    assertThat(timetable(yaml).next(SINCE, "seed", now))
        .contains(
            new Start(
                now,
                Reasons.SCHEDULED,
                "the clock was put back, so the age of the version is not known"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          schedule: {every: 10d, jitter: 0%} | 10 | 2026-12-04T12:00:00Z
          schedule: {cron: "0 0 1 * *"}      | 10 | 2026-12-01T00:00:00Z
          schedule: {maxAge: 10d}            | 10 | 2026-12-04T12:00:00Z
          """)
  void oneThatIsDatedLessAheadIsNot(String yaml, int days, String expected) {
    Instant now = SINCE.minus(Duration.ofDays(days));

    assertThat(timetable(yaml).next(SINCE, "seed", now).orElseThrow().at()).isEqualTo(at(expected));
  }

  @ParameterizedTest
  @CsvSource({"600, 2026-11-25T12:00:00Z", "601, 2026-11-26T12:00:00Z"})
  void aRunIsMissedWhenNobodyStartedItForTenMinutes(int seconds, String expected) {
    Timetable daily = timetable("schedule: {every: 1d, jitter: 0%, missedRuns: Skip}");
    Instant now = SINCE.plus(Duration.ofDays(1)).plusSeconds(seconds);

    assertThat(daily.next(SINCE, "seed", now).orElseThrow().at()).isEqualTo(at(expected));
  }

  @Test
  void afterAPromotionByHandACronWaitsForItsNextTime() {
    Timetable nightly = timetable("schedule: {cron: \"0 3 * * *\"}");
    Instant promoted = at("2026-11-24T03:00:01Z");

    assertThat(nightly.next(promoted, "seed", promoted).orElseThrow().at())
        .isEqualTo(at("2026-11-25T03:00:00Z"));
    assertThat(nightly.next(at("2026-11-24T02:59:59Z"), "seed", promoted).orElseThrow().at())
        .as("what was due since is not skipped")
        .isEqualTo(at("2026-11-24T03:00:00Z"));
  }

  @Test
  void aCronThatNeverComesAsksForNothing() {
    assertThat(timetable("schedule: {cron: \"0 0 30 2 *\"}").next(SINCE, "seed", SINCE)).isEmpty();
  }
}
