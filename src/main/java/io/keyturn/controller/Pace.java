package io.keyturn.controller;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * Spreads what replaces pods over time: each patch of a workload has a turn, and turns are a fixed
 * time apart, for all rotations of this operator. Whoever comes early is told when to come again
 * and keeps the turn. Nothing is lost with it: an operator that starts anew gives new turns.
 */
public final class Pace {

  /** Whoever does not come for so long has something else to do. */
  private static final Duration FORGOTTEN = Duration.ofMinutes(1);

  private final Duration spacing;
  private final Clock clock;
  private final Map<String, Instant> turns = new LinkedHashMap<>();
  private Instant next = Instant.MIN;

  /**
   * Turns that are a time apart.
   *
   * @param perSecond how many there are in a second; more than zero
   */
  public Pace(double perSecond, Clock clock) {
    this.spacing = Duration.ofNanos(Math.round(1e9 / perSecond));
    this.clock = clock;
  }

  /**
   * Takes a turn.
   *
   * @param who the same each time that somebody comes for the same patch
   * @return empty if it is now, else when it is
   */
  public synchronized Optional<Instant> take(String who) {
    Instant now = clock.instant();
    turns.values().removeIf(t -> t.isBefore(now.minus(FORGOTTEN)));
    Instant turn = turns.get(who);
    if (turn == null || turn.isAfter(now.plus(spacing.multipliedBy(turns.size() + 1L)))) {
      // A clock that was put back must not make anybody wait until it is there again.
      boolean sane = !next.isAfter(now.plus(spacing.multipliedBy(turns.size() + 1L)));
      turn = sane && next.isAfter(now) ? next : now;
      next = turn.plus(spacing);
      turns.put(who, turn);
    }
    if (turn.isAfter(now)) {
      return Optional.of(turn);
    }
    turns.remove(who);
    return Optional.empty();
  }
}
