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
 * and keeps the turn. Those who come late make up for half a second at most; if more of them come
 * at once, they get new turns. Nothing is lost with it: an operator that starts anew gives new
 * turns.
 */
public final class Pace {

  /** Whoever does not come for so long has something else to do. */
  private static final Duration FORGOTTEN = Duration.ofMinutes(1);

  /**
   * Where looks take long, many come late at once; without a bound all of them would go at once.
   */
  private static final Duration CATCH_UP = Duration.ofMillis(500);

  private final Duration spacing;
  private final Clock clock;
  private final Map<String, Instant> turns = new LinkedHashMap<>();

  /** The next turn for somebody new. */
  private Instant next = Instant.MIN;

  /** The next turn for somebody late. */
  private Instant nextLate = Instant.MIN;

  /** From when one more patch may follow those that were done. */
  private Instant free = Instant.MIN;

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
    forgetTimesBeyondReach(now);
    Instant turn = turns.get(who);
    if (turn == null) {
      turn = later(next, now);
      next = turn.plus(spacing);
    }
    if (!turn.isAfter(now) && free.isAfter(now)) {
      turn = later(nextLate, free);
      nextLate = turn.plus(spacing);
    }
    if (turn.isAfter(now)) {
      turns.put(who, turn);
      return Optional.of(turn);
    }
    turns.remove(who);
    free = later(free, now.minus(CATCH_UP)).plus(spacing);
    return Optional.empty();
  }

  /** A clock that was put back must not make anybody wait until it is there again. */
  private void forgetTimesBeyondReach(Instant now) {
    Instant reach = now.plus(spacing.multipliedBy(turns.size() + 1L)).plus(CATCH_UP);
    turns.values().removeIf(t -> t.isAfter(reach));
    next = next.isAfter(reach) ? now : next;
    nextLate = nextLate.isAfter(reach) ? now : nextLate;
    free = free.isAfter(reach) ? now : free;
  }

  private static Instant later(Instant one, Instant other) {
    return one.isAfter(other) ? one : other;
  }
}
