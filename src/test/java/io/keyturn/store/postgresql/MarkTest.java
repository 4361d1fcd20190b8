package io.keyturn.store.postgresql;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.StoreException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MarkTest {

  private static final Mark MARK = Mark.of(TestRoles.order(7, null));
  private static final String LINE = "keyturn: %s 7 %s".formatted(TestRoles.OWNER, MARK.attempt());

  @Test
  void isALineOfItsOwn() {
    assertThat(MARK.writtenInto(null)).isEqualTo(LINE);
    assertThat(MARK.writtenInto("")).isEqualTo(LINE);
    assertThat(MARK.writtenInto("of payments")).isEqualTo("of payments\n" + LINE);
    assertThat(MARK.ended().writtenInto("")).isEqualTo(LINE + " revoked");
    assertThat(Mark.in("of payments\n" + LINE + " revoked\nask Jo")).contains(MARK.ended());
  }

  @Test
  void leavesTheWordsOfPeopleWhereTheyAre() {
    String before =
        "a $1 \\ 'b'\n" + Mark.of(TestRoles.order(6, null)).writtenInto("") + "\nask Jo";

    assertThat(MARK.writtenInto(before)).isEqualTo("a $1 \\ 'b'\n" + LINE + "\nask Jo");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "keyturn: rotates this role",
        "see keyturn: uid 1 0123456789abcdef",
        "keyturn: uid 1 0123456789abcdef or so",
        "keyturn: uid 1 0123"
      })
  void isNotWhatPeopleWrite(String comment) {
    assertThat(Mark.in(comment)).isEmpty();
    assertThat(MARK.writtenInto(comment)).isEqualTo(comment + "\n" + LINE);
  }

  @Test
  void tellsAttemptsApart() {
    assertThat(MARK.isOfSameAttempt(Mark.of(TestRoles.order(7, null)).ended())).isTrue();
    assertThat(MARK.isOfSameAttempt(Mark.of(TestRoles.order(8, null)))).isFalse();
    assertThat(
            MARK.isOfSameAttempt(
                Mark.of(TestRoles.order(TestRoles.OWNER, 7, "another token", null))))
        .isFalse();
    assertThat(MARK.isOfSameAttempt(Mark.of(TestRoles.order("another", 7, "token-7", null))))
        .isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"payments_a", "a@b", "a@1.0123456789abcdef", "two\nlines", "ä \"q\""})
  void standsInTheIdOfACredential(String role) {
    Slot slot = Slot.of(role, MARK);

    Slot read = Slot.of(Credential.lasting(slot.id(), Instant.EPOCH));

    assertThat(read).isEqualTo(slot);
    assertThat(read.isMarked(MARK.ended())).isTrue();
    assertThat(read.isMarked(Mark.of(TestRoles.order(8, null)))).isFalse();
  }

  @Test
  void anIdOfAnotherStoreIsRefused() {
    Credential other = Credential.lasting("database/creds/app/xyz", Instant.EPOCH);

    assertThatThrownBy(() -> Slot.of(other))
        .isInstanceOf(StoreException.class)
        .hasMessageNotContaining("xyz");
  }
}
