package io.keyturn.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.controller.Credentials.Known;
import io.keyturn.domain.lease.Lease;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.StoreException;
import io.keyturn.testing.ManualClock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How long leases live, by what this process has done and what others have written down. */
class LeaseBookTest {

  private static final Instant ISSUED = Instant.parse("2026-11-25T12:00:00Z");
  private static final Duration TTL = Duration.ofSeconds(20);
  private static final Instant RENEWED = ISSUED.plusSeconds(12);

  private final ManualClock clock = new ManualClock(ISSUED);
  private final LeaseBook book = new LeaseBook(clock);
  private final ObjectMeta snapshot =
      new ObjectMetaBuilder().withName("payments-db-v4-0123abcd").withUid("four").build();
  private final Known known =
      new Known(
          new StoreRef(null, "vault"),
          new Credential(
              "lease:a",
              Optional.empty(),
              ISSUED,
              Optional.of(TTL),
              Optional.of(ISSUED.plus(TTL)),
              true,
              Optional.empty()),
          null,
          null,
          false);

  /** The status of a binding whose lease was renewed, of one of its versions. */
  private static SecretBindingStatus renewed(String snapshot) {
    return new SecretBindingStatus(
        null,
        null,
        null,
        new Current(4, snapshot, ISSUED),
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        RENEWED.plus(TTL),
        new SecretBindingStatus.Lease(true, RENEWED.plusSeconds(12), null, RENEWED),
        null,
        null,
        null);
  }

  private Lease lease(SecretBindingStatus status) {
    return book.lease(snapshot, known, status, true).orElseThrow();
  }

  @Test
  void aProcessThatStartsAnewBelievesWhatIsWrittenDown() {
    Lease lease = lease(renewed("payments-db-v4-0123abcd"));

    assertThat(lease.renewedAt()).isEqualTo(RENEWED);
    assertThat(lease.expiresAt()).isEqualTo(RENEWED.plus(TTL));
  }

  @Test
  void butNotWhereThatIsSaidOfTheVersionBefore() {
    Lease lease = lease(renewed("payments-db-v3-aaaaaaaa"));

    assertThat(lease.renewedAt()).isEqualTo(ISSUED);
    assertThat(lease.expiresAt()).isEqualTo(ISSUED.plus(TTL));
  }

  @Test
  void whatAnotherProcessRenewedLaterCounts() {
    book.renewed(snapshot, known.credential().until(ISSUED.plus(TTL), true, Optional.empty()));

    assertThat(lease(renewed("payments-db-v4-0123abcd")).renewedAt()).isEqualTo(RENEWED);
  }

  @Test
  void whatItsStoreDoesNotKnowStaysEndedWhateverIsWrittenDown() {
    book.notRenewed(snapshot, known, StoreException.leaseLost("It is not there."));

    Lease lease = lease(renewed("payments-db-v4-0123abcd"));
    assertThat(lease.ended()).isTrue();
    assertThat(lease.renewAt()).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"StoreNotFound", "SourceNotFound"})
  void aStoreOrPathThatIsNotThereSaysNothingOfTheLease(String reason) {
    book.notRenewed(
        snapshot,
        known,
        new StoreException(
            StoreException.Kind.NOT_FOUND, reason, "It is not there.", Optional.empty()));

    Lease lease = lease(null);
    assertThat(lease.ended()).isFalse();
    assertThat(lease.renewAt()).isPresent();
    assertThat(lease.trouble().orElseThrow().reason()).isEqualTo(reason);
  }

  @Test
  void aRenewalThatFailedIsTriedAgainBeforeTheLeaseEndsWhateverTheStoreWants() {
    clock.advance(Duration.ofSeconds(14));
    book.notRenewed(snapshot, known, trouble(Duration.ofMinutes(1)));
    assertThat(lease(null).renewAt()).contains(ISSUED.plusSeconds(16));

    clock.advance(Duration.ofSeconds(5));
    book.notRenewed(snapshot, known, trouble(Duration.ofMinutes(1)));
    assertThat(lease(null).renewAt()).contains(ISSUED.plusSeconds(20));
  }

  private static StoreException trouble(Duration retryAfter) {
    return new StoreException(
        StoreException.Kind.TRANSIENT,
        "StoreUnavailable",
        "It is sealed.",
        Optional.of(retryAfter));
  }

  @Test
  void aRenewalThatFailedIsTriedAgainWhenTheStoreWants() {
    clock.advance(Duration.ofSeconds(12));
    book.notRenewed(snapshot, known, trouble(Duration.ofSeconds(2)));

    Lease lease = lease(null);
    assertThat(lease.renewAt()).contains(ISSUED.plusSeconds(14));
    assertThat(lease.trouble().orElseThrow().message()).isEqualTo("It is sealed.");
    book.renewed(snapshot, known.credential());
    assertThat(lease(null).trouble()).isEmpty();
  }
}
