package io.keyturn.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.controller.Epoch.Term;
import org.junit.jupiter.api.Test;

class EpochTest {

  private Term lease = new Term(7, true);
  private final Epoch epoch = new Epoch(() -> lease);

  @Test
  void whatEarlierLeadersWroteIsGoneOnWith() {
    assertThat(epoch.superseded(null)).isFalse();
    assertThat(epoch.current()).isEqualTo(7);
    assertThat(epoch.superseded(6L)).isFalse();
    assertThat(epoch.superseded(7L)).isFalse();
  }

  @Test
  void whatALaterLeaderWroteIsLetGoOf() {
    epoch.superseded(null);
    lease = new Term(8, false);

    assertThat(epoch.superseded(8L)).isTrue();
    assertThat(epoch.current()).isEqualTo(7);
  }

  @Test
  void whoStoodStillBeforeItDidAnythingLetsGo() {
    lease = new Term(8, false);

    assertThat(epoch.superseded(7L)).isTrue();
    assertThat(epoch.superseded(null)).isTrue();
  }

  @Test
  void aLeaseThatWasMadeAnewStopsNobody() {
    lease = new Term(0, true);

    assertThat(epoch.superseded(12L)).isFalse();
    assertThat(epoch.current()).isEqualTo(13);
    assertThat(epoch.superseded(12L)).isFalse();
  }

  @Test
  void withoutAnElectionNobodyIsSuperseded() {
    assertThat(Epoch.NONE.current()).isNull();
    assertThat(Epoch.NONE.superseded(12L)).isFalse();
  }
}
