package io.keyturn.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.AlphaChars;
import net.jqwik.api.constraints.Chars;
import net.jqwik.api.constraints.LongRange;
import net.jqwik.api.constraints.NumericChars;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class NamesTest {

  private static final String DNS_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

  @Property(tries = 200)
  void aVersionIsReadBackFromTheNameOfItsSnapshot(
      @ForAll @StringLength(min = 1, max = 200) @AlphaChars @NumericChars String alias,
      @ForAll @LongRange(min = 1) long version) {
    String snapshot = Names.snapshot(alias + "-v3-x", version, "1a2b3c4d");

    assertThat(Names.versionIdOf(snapshot)).isEqualTo("v" + version + "-1a2b3c4d");
    assertThat(Names.fingerprintOf(snapshot)).isEqualTo("1a2b3c4d");
    assertThat(Names.versionOfRotation(Names.rotation(alias, version))).isEqualTo(version);
    assertThat(Names.versionOfSnapshot(snapshot)).isEqualTo(version);
  }

  @Property(tries = 1000)
  void noNameAndNoLabelThatAPersonGivesIsAnError(
      @ForAll @StringLength(max = 63) @Chars({'v', '-', '.', '0', '7', '9', 'x'}) String text) {
    assertThat(Names.versionOfRotation(text)).isNotNegative();
    assertThat(Names.versionOfSnapshot(text)).isNotNegative();
    assertThat(Names.number(text)).isNotNegative();
  }

  @Test
  void aNumberIsReadOnlyWhereThereIsOne() {
    assertThat(Names.number("7")).isEqualTo(7);
    assertThat(Names.number(null)).isZero();
    assertThat(Names.number("seven")).isZero();
    assertThat(Names.number("99999999999999999999")).isZero();
    assertThat(Names.versionOfRotation("try-me")).isZero();
    assertThat(Names.versionOfSnapshot("payments-db")).isZero();
    assertThat(Names.versionOfSnapshot("payments-db-copy-1a2b3c4d")).isZero();
  }

  @Property(tries = 200)
  void anyNameBecomesALabelAndAnAnnotation(
      @ForAll @StringLength(min = 1, max = 250) @NumericChars String digits) {
    String name = "a" + digits.replace('0', '-').replace('1', '.') + "z";

    assertThat(Names.label(name))
        .hasSizeLessThanOrEqualTo(63)
        .matches("[a-z0-9]([-a-z0-9.]*[a-z0-9])?");
    assertThat(Names.isVersionAnnotation(Names.versionAnnotation(name))).isTrue();
  }

  @Property(tries = 200)
  void theNameOfACloneIsALabelAndDiffersBetweenRotations(
      @ForAll @StringLength(min = 1, max = 63) @NumericChars String name) {
    String clone = Names.clone(name, Names.cloneSuffix("uid-1"));

    assertThat(clone).hasSizeLessThanOrEqualTo(63).matches(DNS_LABEL);
    assertThat(clone).isNotEqualTo(Names.clone(name, Names.cloneSuffix("uid-2")));
  }

  @Test
  void longNamesThatBeginAlikeStayApart() {
    String begin = "x".repeat(80);

    assertThat(Names.label(begin + "a")).isNotEqualTo(Names.label(begin + "b"));
    assertThat(Names.label("short")).isEqualTo("short");
  }
}
