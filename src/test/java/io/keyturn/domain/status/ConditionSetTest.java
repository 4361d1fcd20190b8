package io.keyturn.domain.status;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConditionSetTest {

  private static final Instant THEN = Instant.parse("2026-11-24T12:00:00Z");
  private static final Instant NOW = THEN.plusSeconds(60);

  private final List<Condition> before =
      new ConditionSet(List.of(), 1L, THEN).isTrue("Ready", "Ready", "fine").toList();

  @Test
  void theTransitionTimeStaysWhenOnlyReasonOrMessageChange() {
    List<Condition> after =
        new ConditionSet(before, 2L, NOW).isTrue("Ready", "Better", "finer").toList();

    assertThat(after).singleElement().extracting(Condition::lastTransitionTime).isEqualTo(THEN);
    assertThat(after).singleElement().extracting(Condition::observedGeneration).isEqualTo(2L);
  }

  @Test
  void theTransitionTimeMovesWithTheStatus() {
    List<Condition> after =
        new ConditionSet(before, 1L, NOW).isFalse("Ready", "Broken", "not fine").toList();

    assertThat(after).singleElement().extracting(Condition::lastTransitionTime).isEqualTo(NOW);
  }

  @Test
  void whatIsSaidTwiceIsEqual() {
    assertThat(new ConditionSet(before, 1L, NOW).isTrue("Ready", "Ready", "fine").toList())
        .isEqualTo(before);
  }

  @Test
  void whatIsNotSaidAgainIsGone() {
    assertThat(new ConditionSet(before, 1L, NOW).toList()).isEmpty();
  }

  @Test
  void theOrderIsThatOfTheTypes() {
    assertThat(
            new ConditionSet(List.of(), 1L, NOW)
                .isTrue("Ready", "R", "")
                .isUnknown("Blocked", "B", "")
                .toList())
        .extracting(Condition::type)
        .containsExactly("Blocked", "Ready");
  }
}
