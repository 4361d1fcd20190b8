package io.keyturn.domain.schedule;

import com.cronutils.model.CronType;
import com.cronutils.model.definition.CronDefinitionBuilder;
import com.cronutils.model.time.ExecutionTime;
import com.cronutils.parser.CronParser;
import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.zone.ZoneOffsetTransition;
import java.util.Optional;
import java.util.Set;

/**
 * Times by the clock on a wall. Each comes once a day: one that a change to summer time skips comes
 * later by as much as the clock was put forward, and one that a change back repeats comes the first
 * time only ({@link ZonedDateTime#of(LocalDateTime, ZoneId)}).
 */
final class Cron {

  private static final CronParser PARSER =
      new CronParser(CronDefinitionBuilder.instanceDefinitionFor(CronType.UNIX));

  private static final Set<String> ZONES = ZoneId.getAvailableZoneIds();

  private final ExecutionTime times;
  private final ZoneId zone;

  /**
   * Reads an expression.
   *
   * @param expression five fields
   * @param zone name of the IANA database
   * @throws InvalidSchedule if one of them cannot be read
   */
  Cron(String expression, String zone) {
    if (!ZONES.contains(zone)) {
      throw new InvalidSchedule(
          "the time zone %s is unknown: write a name of the IANA database, such as Europe/Berlin"
              .formatted(zone));
    }
    this.zone = ZoneId.of(zone);
    try {
      this.times = ExecutionTime.forCron(PARSER.parse(expression).validate());
    } catch (IllegalArgumentException e) {
      throw new InvalidSchedule(
          ("the cron \"%s\" cannot be read: write minute (0-59), hour (0-23), day of month (1-31),"
                  + " month (1-12) and day of week (0-7), such as \"0 2 * * 1-5\"")
              .formatted(expression));
    }
  }

  /** The first time after another one; empty if there is none, as for the 30th of February. */
  Optional<Instant> next(Instant after) {
    Optional<LocalDateTime> time = following(beforeAnyGap(after));
    while (time.isPresent() && !instantOf(time.get()).isAfter(after)) {
      time = following(time.get());
    }
    return time.map(this::instantOf);
  }

  /** A time at or before the last one before another time, from which that one is found again. */
  Instant before(Instant time) {
    LocalDateTime local = LocalDateTime.ofInstant(time, zone);
    return times
        .lastExecution(local.atZone(ZoneOffset.UTC))
        .map(last -> instantOf(last.toLocalDateTime().minusDays(1)))
        .orElse(time);
  }

  private Optional<LocalDateTime> following(LocalDateTime time) {
    return times.nextExecution(time.atZone(ZoneOffset.UTC)).map(ZonedDateTime::toLocalDateTime);
  }

  private Instant instantOf(LocalDateTime time) {
    return ZonedDateTime.of(time, zone).toInstant();
  }

  /** What the clock skipped just before may still have to come. */
  private LocalDateTime beforeAnyGap(Instant after) {
    ZoneOffsetTransition last = zone.getRules().previousTransition(after.plusNanos(1));
    boolean justSkipped =
        last != null && last.isGap() && !last.getInstant().plus(last.getDuration()).isBefore(after);
    return justSkipped
        ? last.getDateTimeBefore().minusNanos(1)
        : LocalDateTime.ofInstant(after, zone);
  }
}
