package io.keyturn.domain.gate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.gate.Threshold.Comparison;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ThresholdTest {

  @ParameterizedTest
  @CsvSource({
    "> 0.01, 0.01, Passed",
    "> 0.01, 0.011, Failed",
    ">= 0.01, 0.01, Failed",
    ">= 0.01, 0.0099, Passed",
    "< 5, 5, Passed",
    "< 5, 4.9, Failed",
    "<=5, 5, Failed",
    "<=5, 5.1, Passed",
    "== 0, 0, Failed",
    "== 0, -0.0, Failed",
    "== 0, 1, Passed",
    "!= -1, -1, Passed",
    "!= -1, 0, Failed",
    ">1e3, 1000.5, Failed",
    "> +2.5E-1, 0.25, Passed",
    "> 0, NaN, Inconclusive",
    "!= 0, NaN, Inconclusive",
    "> 0, Infinity, Inconclusive",
    "< 0, -Infinity, Inconclusive"
  })
  void aNumberIsJudged(String failWhen, double number, Verdict verdict) {
    assertThat(Threshold.parse(failWhen).judge(number)).isEqualTo(verdict);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "", ">", "0.01", "=> 1", "> one", "> 1 2", "> .5", "> 5.", "> 0x1p3", "> NaN", "> 1e999",
        "> 1f", "> 1\n", " > 1", "= 1", "<> 1", ">> 1", "> 1,5", "> --1"
      })
  void whatIsNoThresholdIsRefused(String failWhen) {
    assertThatThrownBy(() -> Threshold.parse(failWhen))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("not an operator and a number");
  }

  @Test
  void noBoundIsInfinite() {
    assertThat(Threshold.parse("> " + "9".repeat(28) + "e99").bound()).isFinite();
    assertThatThrownBy(() -> new Threshold(Comparison.ABOVE, Double.NaN))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Property
  void whatIsWrittenIsReadAgain(
      @ForAll Comparison comparison, @ForAll @DoubleRange(min = -1e90, max = 1e90) double bound) {
    Threshold threshold = new Threshold(comparison, bound);

    assertThat(Threshold.parse(threshold.toString())).isEqualTo(threshold);
  }

  @Property
  void oppositesNeverAgree(
      @ForAll @DoubleRange(min = -1e6, max = 1e6) double bound,
      @ForAll @IntRange(min = -2, max = 2) int steps) {
    double number = bound;
    for (int i = 0; i < Math.abs(steps); i++) {
      number = steps < 0 ? Math.nextDown(number) : Math.nextUp(number);
    }
    assertOpposite(Comparison.ABOVE, Comparison.AT_MOST, bound, number);
    assertOpposite(Comparison.BELOW, Comparison.AT_LEAST, bound, number);
    assertOpposite(Comparison.EQUAL, Comparison.UNEQUAL, bound, number);
  }

  private static void assertOpposite(
      Comparison one, Comparison other, double bound, double number) {
    assertThat(new Threshold(one, bound).judge(number))
        .isNotEqualTo(new Threshold(other, bound).judge(number))
        .isNotEqualTo(Verdict.Inconclusive);
  }

  @Property
  void noNumberIsInconclusiveForEachThreshold(
      @ForAll Comparison comparison, @ForAll @DoubleRange(min = -1e6, max = 1e6) double bound) {
    Threshold threshold = new Threshold(comparison, bound);

    assertThat(threshold.judge(Double.NaN)).isEqualTo(Verdict.Inconclusive);
    assertThat(threshold.judge(Double.POSITIVE_INFINITY)).isEqualTo(Verdict.Inconclusive);
    assertThat(threshold.judge(Double.NEGATIVE_INFINITY)).isEqualTo(Verdict.Inconclusive);
  }
}
