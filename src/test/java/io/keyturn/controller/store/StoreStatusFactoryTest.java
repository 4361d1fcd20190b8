package io.keyturn.controller.store;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretStoreStatus;
import io.keyturn.controller.store.StoreStatusFactory.Look;
import io.keyturn.domain.Finding;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the status of a store says. */
class StoreStatusFactoryTest {

  private static final Instant NOW = Instant.parse("2026-11-25T10:00:00Z");
  private static final Optional<String> PROVIDER = Optional.of("postgresql");
  private static final Capabilities CAN =
      new Capabilities(true, false, Overlap.Slots, false, true, true);

  private static SecretStoreStatus status(
      SecretStoreStatus before, boolean asIdentity, StoreException failure, Instant now) {
    return StoreStatusFactory.status(
        before,
        3L,
        new Look(
            PROVIDER, Optional.of(CAN), asIdentity, Optional.ofNullable(failure), Optional.empty()),
        now);
  }

  private static String conditions(SecretStoreStatus status) {
    return status.conditions().stream()
        .map(c -> c.type() + "=" + c.status())
        .collect(Collectors.joining(" "));
  }

  @Test
  void aStoreThatLetsTheIdentityInIsReady() {
    SecretStoreStatus status = status(SecretStoreStatus.EMPTY, true, null, NOW);

    assertThat(conditions(status)).isEqualTo("AuthValid=True Ready=True");
    assertThat(status.observedGeneration()).isEqualTo(3);
    assertThat(status.provider()).isEqualTo("postgresql");
    assertThat(status.capabilities())
        .isEqualTo(new SecretStoreStatus.Capabilities(Overlap.Slots, false, true, true));
  }

  @Test
  void aStoreOfTheClusterSaysNothingOfAnIdentity() {
    assertThat(conditions(status(SecretStoreStatus.EMPTY, false, null, NOW)))
        .isEqualTo("Ready=True");
  }

  @ParameterizedTest
  @CsvSource({
    "TRANSIENT, AuthValid=Unknown Ready=False Reconciling=True",
    "THROTTLED, AuthValid=Unknown Ready=False Reconciling=True",
    "CONFLICT, AuthValid=Unknown Ready=False Reconciling=True",
    "DENIED, AuthValid=False Ready=False Stalled=True",
    "NOT_FOUND, AuthValid=False Ready=False Stalled=True",
    "PERMANENT, AuthValid=Unknown Ready=False Stalled=True",
    "INTEGRITY, AuthValid=Unknown Ready=False Stalled=True",
  })
  void whatFailsIsSaidAsKubernetesToolsReadIt(Kind kind, String conditions) {
    StoreException failure = new StoreException(kind, "It fails.");

    SecretStoreStatus status = status(SecretStoreStatus.EMPTY, true, failure, NOW);

    assertThat(conditions(status)).isEqualTo(conditions);
    assertThat(status.conditions())
        .filteredOn(c -> c.type().equals("Ready"))
        .extracting(Condition::reason, Condition::message)
        .containsExactly(org.assertj.core.groups.Tuple.tuple(failure.reason(), "It fails."));
  }

  @Test
  void aQuotaThatIsUsedUpIsSaidOnlyWhileItIs() {
    StoreException failure =
        new StoreException(Kind.THROTTLED, Reasons.QUOTA_EXCEEDED, "Full.", Optional.empty());
    SecretStoreStatus full =
        StoreStatusFactory.status(
            SecretStoreStatus.EMPTY,
            3L,
            new Look(PROVIDER, Optional.of(CAN), true, Optional.empty(), Optional.of(failure)),
            NOW);
    assertThat(conditions(full)).contains("QuotaExceeded=True", "Ready=True");

    assertThat(conditions(status(full, true, null, NOW))).doesNotContain("QuotaExceeded");
  }

  @Test
  void theSameAgainIsNoOtherStatusAndNoNews() {
    StoreException first =
        new StoreException(Kind.TRANSIENT, Reasons.STORE_UNAVAILABLE, "Away.", after(5));
    StoreException again =
        new StoreException(Kind.TRANSIENT, Reasons.STORE_UNAVAILABLE, "Away.", after(40));
    SecretStoreStatus before = status(SecretStoreStatus.EMPTY, true, first, NOW);

    SecretStoreStatus now = status(before, true, again, NOW.plusSeconds(60));

    assertThat(now).isEqualTo(before);
    assertThat(StoreStatusFactory.news(before, now)).isEmpty();
  }

  private static Optional<Duration> after(long seconds) {
    return Optional.of(Duration.ofSeconds(seconds));
  }

  @Test
  void eachTransitionIsNewsOnce() {
    SecretStoreStatus ready = status(SecretStoreStatus.EMPTY, true, null, NOW);
    SecretStoreStatus denied =
        status(ready, true, new StoreException(Kind.DENIED, "No entry."), NOW);

    assertThat(StoreStatusFactory.news(SecretStoreStatus.EMPTY, ready))
        .extracting(Finding::severity)
        .containsExactly(Finding.Severity.Normal);
    assertThat(StoreStatusFactory.news(ready, denied))
        .isEqualTo(List.of(Finding.warning("StoreDenied", "No entry.")));
  }
}
