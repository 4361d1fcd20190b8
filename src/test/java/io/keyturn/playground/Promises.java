package io.keyturn.playground;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** Keeps account of the promises, with the numbers that were counted. */
final class Promises {

  private record Verdict(boolean kept, String evidence) {}

  private final Map<Promise, String> leftOut = new EnumMap<>(Promise.class);

  private static final Verdict NOT_REACHED = new Verdict(false, "not reached");

  private final Terminal terminal;
  private final Map<Promise, Verdict> verdicts = new EnumMap<>(Promise.class);

  Promises(Terminal terminal) {
    this.terminal = terminal;
  }

  /**
   * Says and notes whether a promise came true.
   *
   * @param evidence the numbers, counted
   */
  void judge(Promise promise, boolean kept, String evidence) {
    verdicts.put(promise, new Verdict(kept, evidence));
    terminal.verdict(kept, promise.sentence() + ": " + evidence + ".");
  }

  /** Notes that nobody can judge a promise here, and why. */
  void leaveOut(Promise promise, String why) {
    leftOut.put(promise, why);
  }

  /** The promises that did not come true. */
  List<Promise> broken() {
    return verdicts.keySet().stream().filter(p -> !verdict(p).kept()).toList();
  }

  /** The promises that nobody could judge, because the demo stopped before. */
  List<Promise> notReached() {
    return Arrays.stream(Promise.values())
        .filter(p -> !verdicts.containsKey(p) && !leftOut.containsKey(p))
        .toList();
  }

  /** One line for each promise. */
  void summary() {
    terminal.blank();
    terminal.title("What was promised, and what was counted");
    for (Promise promise : Promise.values()) {
      if (leftOut.containsKey(promise)) {
        terminal.say("Left out: " + promise.sentence() + ": " + leftOut.get(promise));
        continue;
      }
      Verdict verdict = verdict(promise);
      terminal.row(verdict.kept(), promise.sentence(), verdict.evidence());
    }
    terminal.blank();
  }

  private Verdict verdict(Promise promise) {
    return verdicts.getOrDefault(promise, NOT_REACHED);
  }
}
