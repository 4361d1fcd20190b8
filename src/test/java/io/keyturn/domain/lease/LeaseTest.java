package io.keyturn.domain.lease;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.domain.lease.Lease.Trouble;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** When a credential is renewed, when it is too late for that, and when it has to be replaced. */
class LeaseTest {

  private static final Instant ISSUED = Instant.parse("2026-11-24T12:00:00Z");
  private static final Duration LIFE = Duration.ofHours(3);
  private static final Duration TWO_THIRDS = Duration.ofHours(2);
  private static final Duration TENTH = Duration.ofMinutes(18);

  private String snapshot = "payments-db-v3-0000000a";
  private Instant renewedAt = ISSUED;
  private Instant expiresAt = ISSUED.plus(LIFE);
  private boolean renewable = true;
  private Instant hardExpiry;
  private boolean ended;
  private Instant retryAt;

  private Lease lease() {
    return new Lease(
        snapshot,
        3,
        ISSUED,
        renewedAt,
        expiresAt,
        renewable,
        Optional.ofNullable(hardExpiry),
        ended,
        Optional.ofNullable(retryAt)
            .map(at -> new Trouble(Reasons.STORE_UNAVAILABLE, "It is sealed.", at)),
        true);
  }

  private Instant renewAt() {
    return lease().renewAt().orElseThrow();
  }

  private List<Instant> renewalsOfMany() {
    return IntStream.range(0, 500)
        .mapToObj(i -> {
          snapshot = "payments-db-v%d-%08x".formatted(i, i * 31);
          return renewAt();
        })
        .toList();
  }

  @Test
  void itIsRenewedAtTwoThirdsOfItsTimeUpToATenthEarlierAndNeverLater() {
    assertThat(renewalsOfMany())
        .allSatisfy(at ->
            assertThat(at)
                .isAfterOrEqualTo(ISSUED.plus(TWO_THIRDS).minus(TENTH))
                .isBeforeOrEqualTo(ISSUED.plus(TWO_THIRDS)));
  }

  @Test
  void thoseThatWereIssuedTogetherAreRenewedApart() {
    List<Instant> renewals = renewalsOfMany();
    Instant middle = ISSUED.plus(TWO_THIRDS).minus(TENTH.dividedBy(2));

    assertThat(renewals.stream().distinct().count()).isGreaterThan(100);
    assertThat(renewals.stream().filter(middle::isBefore).count()).isBetween(100L, 400L);
  }

  @Test
  void itsOwnTimeStaysTheSame() {
    Instant planned = renewAt();
    String same = new String(snapshot.toCharArray());
    renewalsOfMany();
    snapshot = same;

    assertThat(renewAt()).isEqualTo(planned);
  }

  @Test
  void itsTimeCountsFromTheLastRenewal() {
    final Instant first = renewAt();
    renewedAt = ISSUED.plus(Duration.ofDays(2));
    expiresAt = renewedAt.plus(LIFE);

    assertThat(renewAt()).isEqualTo(first.plus(Duration.ofDays(2)));
    assertThat(lease().lastCall()).isEqualTo(expiresAt.minus(Duration.ofMinutes(30)));
  }

  @Test
  void whatCannotLiveLongerIsNotRenewed() {
    renewable = false;
    assertThat(lease().renewAt()).as("not renewable").isEmpty();

    renewable = true;
    ended = true;
    assertThat(lease().renewAt()).as("ended").isEmpty();

    ended = false;
    hardExpiry = expiresAt;
    assertThat(lease().renewAt()).as("lives until its end").isEmpty();

    hardExpiry = expiresAt.minusSeconds(1);
    assertThat(lease().renewAt()).as("and beyond, by the store's clock").isEmpty();

    hardExpiry = expiresAt.plusSeconds(1);
    assertThat(lease().renewAt()).as("there is time to gain").isPresent();
  }

  @Test
  void whatCouldNotBeRenewedIsTriedAgainWhenItsStoreMayBeAskedAgain() {
    Instant planned = renewAt();
    retryAt = planned.plusSeconds(45);
    assertThat(renewAt()).isEqualTo(retryAt);

    retryAt = planned.minusSeconds(45);
    assertThat(renewAt()).as("and not before its time").isEqualTo(planned);
  }

  @Test
  void itIsRotatedByItsEndLessWhatARotationMayTake() {
    assertThat(lease().rotateBy(Duration.ofHours(1))).as("no end is known").isEmpty();

    hardExpiry = ISSUED.plus(Duration.ofDays(30));
    assertThat(lease().rotateBy(Duration.ofHours(1)))
        .contains(hardExpiry.minus(Duration.ofHours(1)));
  }

  @Test
  void butNotBeforeTwoThirdsOfItsWholeLifeHoweverLongARotationMayTake() {
    hardExpiry = ISSUED.plus(Duration.ofDays(30));
    renewedAt = ISSUED.plus(Duration.ofDays(29));

    assertThat(lease().rotateBy(Duration.ofDays(10))).contains(ISSUED.plus(Duration.ofDays(20)));
    assertThat(lease().rotateBy(Duration.ofDays(25))).contains(ISSUED.plus(Duration.ofDays(20)));
    assertThat(lease().rotateBy(Duration.ofDays(9))).contains(ISSUED.plus(Duration.ofDays(21)));
  }

  @Test
  void itsEndIsTheOneThatNoRenewalPutsOffWhereThatIsKnown() {
    assertThat(lease().end()).isEqualTo(expiresAt);

    hardExpiry = ISSUED.plus(Duration.ofDays(30));
    assertThat(lease().end()).isEqualTo(hardExpiry);
  }

  @Test
  void itIsAtRiskOnceASixthOfItsTimeIsLeftAndItCannotBeRenewed() {
    Instant lastCall = expiresAt.minus(Duration.ofMinutes(30));
    assertThat(lease().lastCall()).isEqualTo(lastCall);
    assertThat(lease().atRisk(expiresAt)).as("nothing is wrong").isFalse();

    retryAt = lastCall.minusSeconds(60);
    assertThat(lease().atRisk(lastCall.minusSeconds(1))).isFalse();
    assertThat(lease().atRisk(lastCall)).isTrue();
  }

  @Test
  void itIsDeadWhenItsTimeIsOverOrItsStoreKnowsItNoMore() {
    hardExpiry = ISSUED.plus(Duration.ofDays(30));
    assertThat(lease().dead(expiresAt.minusSeconds(1))).isFalse();
    assertThat(lease().dead(expiresAt)).as("whatever its hard end").isTrue();

    ended = true;
    assertThat(lease().dead(ISSUED)).isTrue();
  }
}
