package io.keyturn.domain.gate;

import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.api.v1alpha1.Verdict;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Which numbers fail a gate: an operator and a bound, such as {@code > 0.01}.
 *
 * @param comparison how a number is compared with the bound
 * @param bound a finite number
 */
public record Threshold(Comparison comparison, double bound) {

  private static final Pattern SYNTAX = Pattern.compile("(>=|>|<=|<|==|!=) *(.+)", Pattern.DOTALL);

  /** The operators of PromQL. */
  public enum Comparison {
    /** Greater. */
    ABOVE(">"),
    /** Greater or equal. */
    AT_LEAST(">="),
    /** Less. */
    BELOW("<"),
    /** Less or equal. */
    AT_MOST("<="),
    /** Equal. */
    EQUAL("=="),
    /** Not equal. */
    UNEQUAL("!=");

    private final String symbol;

    Comparison(String symbol) {
      this.symbol = symbol;
    }

    private boolean holds(double number, double bound) {
      return switch (this) {
        case ABOVE -> number > bound;
        case AT_LEAST -> number >= bound;
        case BELOW -> number < bound;
        case AT_MOST -> number <= bound;
        case EQUAL -> number == bound;
        case UNEQUAL -> number != bound;
      };
    }
  }

  /** Refuses bounds that nothing can be compared with. */
  public Threshold {
    if (!Double.isFinite(bound)) {
      throw new IllegalArgumentException("a bound is a finite number");
    }
  }

  /**
   * The threshold that {@code failWhen} means.
   *
   * @throws IllegalArgumentException if the text does not match {@link Gate.Prometheus#FAIL_WHEN}
   */
  public static Threshold parse(String failWhen) {
    Matcher parts = SYNTAX.matcher(failWhen);
    if (!failWhen.matches(Gate.Prometheus.FAIL_WHEN) || !parts.matches()) {
      throw new IllegalArgumentException(
          "not an operator and a number such as \"> 0.01\": " + failWhen);
    }
    for (Comparison comparison : Comparison.values()) {
      if (comparison.symbol.equals(parts.group(1))) {
        return new Threshold(comparison, Double.parseDouble(parts.group(2)));
      }
    }
    throw new IllegalStateException("no operator " + parts.group(1));
  }

  /**
   * What a number says. What is not a number, or infinite, comes of a division by zero, that is of
   * nothing to judge.
   */
  public Verdict judge(double number) {
    if (!Double.isFinite(number)) {
      return Verdict.Inconclusive;
    }
    return comparison.holds(number, bound) ? Verdict.Failed : Verdict.Passed;
  }

  /** As users write it. */
  @Override
  public String toString() {
    return comparison.symbol + " " + bound;
  }
}
