package io.keyturn.domain.schedule;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.RotationPolicySpec.MissedRuns;
import io.keyturn.api.v1alpha1.RotationPolicySpec.Schedule;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Objects;
import java.util.Optional;

/**
 * When a policy wants a version to be followed by the next one.
 *
 * <p>A window is a preference and the maximal age is not: a rotation that would find no window
 * before it starts when it is reached, and says so.
 */
public final class Timetable {

  /** So late a run may begin before it counts as missed. */
  static final Duration TOLERANCE = Duration.ofMinutes(10);

  /** So far one looks ahead for whether a policy can be followed; it has each month once. */
  private static final Duration HORIZON = Duration.ofDays(400);

  private static final int MAX_MISSED = 400;
  private static final int PARTS = 10_000;

  private final Schedule schedule;
  private final OpeningTimes opening;
  private final Duration every;
  private final Cron cron;
  private final Duration maxAge;
  private final int jitterPercent;

  /**
   * When a rotation is to start.
   *
   * @param at when
   * @param reason one of {@link Reasons}: Scheduled, WindowClosed, WindowOverridden
   * @param message why then
   */
  public record Start(Instant at, String reason, String message) {}

  /**
   * Reads a policy.
   *
   * @throws InvalidSchedule if a cron or a time zone cannot be read
   */
  public Timetable(RotationPolicySpec policy) {
    schedule = policy.schedule();
    opening = new OpeningTimes(policy.windows(), policy.blackouts());
    every = schedule.every() == null ? null : Durations.parse(schedule.every());
    cron = schedule.cron() == null ? null : new Cron(schedule.cron(), schedule.timeZone());
    maxAge = schedule.maxAge() == null ? null : Durations.parse(schedule.maxAge());
    String jitter = Objects.requireNonNullElse(schedule.jitter(), cron == null ? "10%" : "0%");
    jitterPercent = Integer.parseInt(jitter.substring(0, jitter.length() - 1));
  }

  /**
   * Reads a policy that can be followed.
   *
   * @throws InvalidSchedule if it cannot
   */
  public static Timetable of(RotationPolicySpec policy, Instant now) {
    Timetable timetable = new Timetable(policy);
    if (timetable.cron != null && timetable.cron.next(now).isEmpty()) {
      throw new InvalidSchedule(
          "the cron \"%s\" names a day that no month has, so it never comes"
              .formatted(policy.schedule().cron()));
    }
    if (timetable.opening.firstOpen(now).isEmpty()) {
      throw new InvalidSchedule(
          "no window opens any more outside of the blackouts, so that no rotation could start");
    }
    return timetable;
  }

  /** What keeps a policy from being used; empty: nothing. */
  public static Optional<String> problem(RotationPolicySpec policy, Instant now) {
    try {
      of(policy, now);
      return Optional.empty();
    } catch (InvalidSchedule e) {
      return Optional.of(e.getMessage());
    }
  }

  /**
   * Why windows and blackouts leave too little room for the deadline; empty: they do not, or there
   * is no deadline.
   */
  public Optional<String> infeasible(Instant now) {
    if (maxAge == null || opening.always()) {
      return Optional.empty();
    }
    Duration room = maxAge.minus(interval(now));
    Optional<Duration> closed = opening.longestClosed(now, now.plus(HORIZON));
    return closed.isPresent() && closed.get().compareTo(room) <= 0
        ? Optional.empty()
        : Optional.of(
            "From the time at which a rotation is due to its deadline there are %s, and no window opens for up to %s: the deadline will outrank the windows."
                .formatted(
                    words(room.isNegative() ? Duration.ZERO : room),
                    closed.map(Timetable::words).orElse("more than a year")));
  }

  /** From one rotation to the next; for fixed times the longest that there is. */
  private Duration interval(Instant now) {
    if (cron == null) {
      return every == null ? Duration.ZERO : every;
    }
    Duration longest = Duration.ZERO;
    Optional<Instant> time = cron.next(now);
    for (int i = 0; i < MAX_MISSED && time.isPresent(); i++) {
      Optional<Instant> next = cron.next(time.get());
      Duration between = Duration.between(time.get(), next.orElse(time.get()));
      longest = between.compareTo(longest) > 0 ? between : longest;
      time = next.filter(n -> n.isBefore(now.plus(HORIZON)));
    }
    return longest;
  }

  /** The time itself if a rotation may start then, else when one may next; empty: never again. */
  public Optional<Instant> firstOpen(Instant now) {
    return opening.firstOpen(now);
  }

  /** When a version becomes too old; empty: never. */
  public Optional<Instant> deadline(Instant since) {
    return Optional.ofNullable(maxAge).map(since::plus);
  }

  /**
   * When the version that was promoted at a time is to be followed, in the future or already due.
   *
   * @param since when it was promoted
   * @param seed what is the binding's own and stays the same
   * @return empty if the policy has no schedule
   */
  public Optional<Start> next(Instant since, String seed, Instant now) {
    if (since.isAfter(now) && putBack(since, now)) {
      return Optional.of(
          new Start(
              now,
              Reasons.SCHEDULED,
              "the clock was put back, so the age of the version is not known"));
    }
    Optional<Instant> deadline = deadline(since);
    Optional<Instant> due = due(since, seed, now);
    boolean limited = deadline.isPresent() && due.map(deadline.get()::isBefore).orElse(true);
    if (limited) {
      return Optional.of(
          new Start(
              deadline.get(),
              Reasons.SCHEDULED,
              "the version becomes %s old".formatted(schedule.maxAge())));
    }
    return due.flatMap(d -> withinWindow(d, deadline, now));
  }

  private Optional<Start> withinWindow(Instant due, Optional<Instant> deadline, Instant now) {
    // What is overdue waits from now on: a window that has closed does not help it.
    Instant earliest = due.isBefore(now) ? now : due;
    Optional<Instant> opens = opening.firstOpen(earliest);
    if (opens.filter(earliest::equals).isPresent()) {
      return Optional.of(new Start(due, Reasons.SCHEDULED, words()));
    }
    if (deadline.isPresent() && opens.map(deadline.get()::isBefore).orElse(true)) {
      return Optional.of(
          new Start(
              deadline.get(),
              Reasons.WINDOW_OVERRIDDEN,
              "the version becomes %s old, and no window opens before"
                  .formatted(schedule.maxAge())));
    }
    return opens.map(
        o -> new Start(o, Reasons.WINDOW_CLOSED, words() + ", when the next window opens"));
  }

  /** The first time by the schedule alone that is not missed, with the binding's own part. */
  private Optional<Instant> due(Instant since, String seed, Instant now) {
    Optional<Instant> due = occurrence(since, since, seed);
    if (schedule.missedRuns() != MissedRuns.Skip) {
      return due;
    }
    if (opening.always()) {
      Instant oldest = now.minus(TOLERANCE);
      return due.filter(d -> !d.isBefore(oldest)).or(() -> occurrence(since, oldest, seed));
    }
    for (int missed = 0; missed < MAX_MISSED && due.isPresent(); missed++) {
      Instant could = opening.firstOpen(due.get()).orElse(Instant.MAX);
      if (!could.isBefore(now.minus(TOLERANCE))) {
        return due;
      }
      due = occurrence(since, could, seed);
    }
    return occurrence(since, now, seed);
  }

  /**
   * The first time by the schedule after another time, whatever windows and deadline say.
   *
   * @param since when the version was promoted
   * @param seed what is the binding's own and stays the same
   * @return empty if the policy has neither every nor cron
   */
  public Optional<Instant> occurrence(Instant since, Instant after, String seed) {
    if (every != null) {
      Instant first = since.plus(every).minus(part(every, seed));
      long passed = first.isAfter(after) ? 0 : Duration.between(first, after).dividedBy(every) + 1;
      return Optional.of(first.plus(every.multipliedBy(passed)).truncatedTo(ChronoUnit.SECONDS));
    }
    return cron == null ? Optional.empty() : laterThanCron(since, after, seed);
  }

  /** The own part of a binding lies between one fixed time and the next. */
  private Optional<Instant> laterThanCron(Instant since, Instant after, String seed) {
    Instant before = cron.before(after);
    Instant from = before.isAfter(since) ? before : since;
    Optional<Instant> fixed = cron.next(from);
    while (fixed.isPresent()) {
      Instant time = fixed.get();
      Instant own =
          cron.next(time)
              .map(n -> time.plus(part(Duration.between(time, n), seed)))
              .orElse(time)
              .truncatedTo(ChronoUnit.SECONDS);
      if (own.isAfter(after)) {
        return Optional.of(own);
      }
      fixed = cron.next(time);
    }
    return Optional.empty();
  }

  /** The same for a binding each time, and spread evenly over bindings. */
  private Duration part(Duration interval, String seed) {
    long share = Math.floorMod(seed.hashCode() * 0x9E3779B97F4A7C15L >>> 20, (long) PARTS);
    return interval.multipliedBy(share * jitterPercent).dividedBy(PARTS * 100L);
  }

  /**
   * A version from the future, by more than a whole interval: when it was made is not known, and
   * the rotation that this leads to makes it known.
   */
  private boolean putBack(Instant since, Instant now) {
    if (every != null) {
      return now.plus(every).isBefore(since);
    }
    Optional<Instant> next = cron == null ? Optional.empty() : cron.next(now);
    return next.isPresent()
        ? next.get().isBefore(since)
        : maxAge != null && now.plus(maxAge).isBefore(since);
  }

  private String words() {
    return every != null
        ? "%s after the last promotion".formatted(schedule.every())
        : "by the cron %s in %s".formatted(schedule.cron(), schedule.timeZone());
  }

  private static String words(Duration duration) {
    if (duration.toDays() > 1) {
      return duration.toDays() + " days";
    }
    return duration.toHours() > 1
        ? duration.toHours() + " hours"
        : duration.toMinutes() + " minutes";
  }
}
