package io.keyturn.domain.schedule;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.RotationPolicySpec.Blackout;
import io.keyturn.api.v1alpha1.RotationPolicySpec.Window;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** When rotations may start: within a window, if there are any, and in no blackout. */
final class OpeningTimes {

  /** Each step leaves a blackout or an opening behind; a year has seldom more. */
  private static final int MAX_STEPS = 1000;

  private record Opening(Cron cron, Duration duration) {

    /** The time itself if it is open then, else when it opens next. */
    Optional<Instant> from(Instant time) {
      return cron.next(time.minus(duration)).map(opens -> opens.isAfter(time) ? opens : time);
    }
  }

  private final List<Opening> windows;
  private final List<Blackout> blackouts;

  /**
   * Reads windows and blackouts.
   *
   * @throws InvalidSchedule if a window cannot be read
   */
  OpeningTimes(List<Window> windows, List<Blackout> blackouts) {
    this.windows =
        windows.stream()
            .map(w -> new Opening(new Cron(w.cron(), w.timeZone()), Durations.parse(w.duration())))
            .toList();
    this.blackouts = List.copyOf(blackouts);
  }

  /** Whether there are neither windows nor blackouts. */
  boolean always() {
    return windows.isEmpty() && blackouts.isEmpty();
  }

  /** The time itself if it is open then, else when it opens next; empty: never again. */
  Optional<Instant> firstOpen(Instant from) {
    Optional<Instant> time = Optional.of(from);
    for (int steps = 0; steps < MAX_STEPS && time.isPresent(); steps++) {
      Optional<Instant> within = inWindow(time.get());
      Optional<Instant> clear = within.map(this::afterBlackouts);
      if (clear.equals(within)) {
        return clear;
      }
      time = clear;
    }
    return Optional.empty();
  }

  private Optional<Instant> inWindow(Instant time) {
    return windows.isEmpty()
        ? Optional.of(time)
        : windows.stream().flatMap(w -> w.from(time).stream()).min(Comparator.naturalOrder());
  }

  private Instant afterBlackouts(Instant time) {
    return blackouts.stream()
        .filter(b -> !time.isBefore(b.from()) && time.isBefore(b.to()))
        .map(Blackout::to)
        .max(Comparator.naturalOrder())
        .orElse(time);
  }

  /** When what is open at a time closes; empty: it does not. */
  private Optional<Instant> closes(Instant open) {
    Optional<Instant> blackout =
        blackouts.stream()
            .map(Blackout::from)
            .filter(from -> from.isAfter(open))
            .min(Comparator.naturalOrder());
    Optional<Instant> end =
        windows.stream()
            .flatMap(w ->
                w.cron().next(open.minus(w.duration())).stream()
                    .filter(opened -> !opened.isAfter(open))
                    .map(opened -> opened.plus(w.duration())))
            .max(Comparator.naturalOrder());
    return blackout.isPresent() && (end.isEmpty() || blackout.get().isBefore(end.get()))
        ? blackout
        : end;
  }

  /**
   * The longest time between a closing and the next opening.
   *
   * @param from where the search begins
   * @param to where it ends
   * @return empty if it does not open any more after some time before the end
   */
  Optional<Duration> longestClosed(Instant from, Instant to) {
    Duration longest = Duration.ZERO;
    Instant closed = from;
    for (int steps = 0; steps < MAX_STEPS && closed.isBefore(to); steps++) {
      Optional<Instant> opens = firstOpen(closed);
      if (opens.isEmpty()) {
        return Optional.empty();
      }
      Duration time = Duration.between(closed, opens.get());
      longest = time.compareTo(longest) > 0 ? time : longest;
      Optional<Instant> closes = closes(opens.get());
      if (closes.isEmpty()) {
        return Optional.of(longest);
      }
      closed = closes.get();
    }
    return Optional.of(longest);
  }
}
