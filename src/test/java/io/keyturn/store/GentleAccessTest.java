package io.keyturn.store;

import static io.keyturn.store.World.clusterKv;
import static io.keyturn.store.World.failure;
import static io.keyturn.store.World.kv;
import static io.keyturn.store.World.lease;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.audit.AuditRecord;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a store that fails is spared, and what it costs others. */
class GentleAccessTest {

  private static final String VAULT = "https://vault";

  private final World world = new World();

  private StoreException readFails(String path) {
    return failure(() -> world.read(kv("payments", "vault", path)));
  }

  private void down() {
    world.vault.weather.put(
        VAULT,
        () -> {
          throw FakeVault.down();
        });
  }

  private void fails(Kind kind, Duration retryAfter) {
    world.vault.weather.put(
        VAULT,
        () -> {
          throw new StoreException(
              kind, Reasons.STORE_UNAVAILABLE, "It fails.", Optional.ofNullable(retryAfter));
        });
  }

  @Test
  void afterFiveFailuresInARowItIsLeftAlone() {
    world.store("payments", "vault");
    down();
    for (int i = 0; i < 5; i++) {
      assertThat(readFails("key" + i).reason()).isEqualTo("StoreUnavailable");
    }

    for (int i = 5; i < 100; i++) {
      StoreException e = readFails("key" + i);
      assertThat(e.kind()).isEqualTo(Kind.TRANSIENT);
      assertThat(e.reason()).isEqualTo("StoreCircuitOpen");
      assertThat(e.retryAfter().orElseThrow())
          .isBetween(Duration.ofSeconds(4), Duration.ofMillis(7500));
    }
    assertThat(world.vault.allCalls()).isEqualTo(5);
  }

  @Test
  void fourFailuresAndAnAnswerAreNoFiveInARow() {
    world.store("payments", "vault");
    for (int round = 0; round < 5; round++) {
      down();
      for (int i = 0; i < 4; i++) {
        assertThat(readFails("key" + round + i).reason()).isEqualTo("StoreUnavailable");
      }
      world.vault.weather.clear();
      world.read(kv("payments", "vault", "good" + round));
    }
  }

  @Test
  void aQuotaThatIsUsedUpIsRememberedUntilTheStoreGivesSomething() {
    String uid = world.store("payments", "vault").getMetadata().getUid();
    assertThat(world.stores.quotaExceeded(uid)).isEmpty();
    world.vault.weather.put(
        VAULT,
        () -> {
          throw new StoreException(
              Kind.THROTTLED, Reasons.QUOTA_EXCEEDED, "Full.", Optional.of(Duration.ofSeconds(1)));
        });

    assertThatThrownBy(
            () -> world.stores.issue(lease("payments", "vault", "db"), order("t1"), _ -> {}))
        .isInstanceOf(StoreException.class);
    assertThat(world.stores.quotaExceeded(uid).orElseThrow()).hasMessage("Full.");
    assertThat(world.heard).containsExactly("payments vault exhausted: true");

    world.vault.weather.clear();
    world.clock.advance(Duration.ofMinutes(1));
    for (int i = 0; i < 2; i++) {
      world.stores.issue(lease("payments", "vault", "db"), order("t1"), _ -> {}).data().close();
    }
    assertThat(world.stores.quotaExceeded(uid)).isEmpty();
    assertThat(world.heard)
        .containsExactly("payments vault exhausted: true", "payments vault exhausted: false");
  }

  @Test
  void whoListensIsToldOnceThatAStoreDoesNotAnswerAndOnceThatItDoesAgain() {
    world.store("payments", "vault");
    world.read(kv("payments", "vault", "before"));
    assertThat(world.heard).isEmpty();
    down();
    for (int i = 0; i < 10; i++) {
      readFails("key" + i);
    }
    assertThat(world.heard).containsExactly("payments vault answers: false");

    world.vault.weather.clear();
    world.clock.advance(Duration.ofMinutes(10));
    for (int i = 0; i < 10; i++) {
      world.read(kv("payments", "vault", "after" + i));
    }
    assertThat(world.heard)
        .containsExactly("payments vault answers: false", "payments vault answers: true");
  }

  @Test
  void whoAsksAStoreHowItIsNeedNotBeTold() {
    SecretStore vault = world.store("payments", "vault");
    down();
    failure(() -> world.stores.check(vault));
    assertThat(world.heard).isEmpty();

    readFails("key");
    world.vault.weather.clear();
    world.stores.check(vault);
    world.read(kv("payments", "vault", "key"));
    assertThat(world.heard).containsExactly("payments vault answers: false");
  }

  @Test
  void aStoreThatRefusesIsThere() {
    world.store("payments", "vault");
    fails(Kind.DENIED, null);
    for (int i = 0; i < 20; i++) {
      assertThat(readFails("key" + i).kind()).isEqualTo(Kind.DENIED);
    }
    assertThat(world.heard).isEmpty();
  }

  @Test
  void itIsTriedAgainByOneAfterATimeThatGrowsToFiveMinutes() {
    world.store("payments", "vault");
    down();
    for (int i = 0; i < 5; i++) {
      readFails("key" + i);
    }
    Duration waited = Duration.ZERO;
    for (int probe = 0; probe < 12; probe++) {
      int before = world.vault.allCalls();
      Duration wait = Duration.ZERO;
      while (world.vault.allCalls() == before) {
        world.clock.advance(Duration.ofSeconds(1));
        wait = wait.plusSeconds(1);
        readFails("probe" + probe + "-" + wait.toSeconds());
      }
      assertThat(world.vault.allCalls()).isEqualTo(before + 1);
      // The clock moves by seconds, and the time has to be over.
      assertThat(wait).isLessThanOrEqualTo(Duration.ofSeconds(301));
      waited = wait;
    }
    assertThat(waited).isGreaterThan(Duration.ofMinutes(4));

    world.vault.weather.clear();
    world.clock.advance(Duration.ofSeconds(301));
    assertThat(world.read(kv("payments", "vault", "good"))).isEqualTo("good");
    assertThat(world.read(kv("payments", "vault", "better"))).isEqualTo("better");
  }

  @Test
  void aCheckThatSucceedsEndsThatAtOnceForAll() {
    SecretStore store = world.store("payments", "vault");
    down();
    failure(() -> world.stores.check(store));
    for (int i = 0; i < 9; i++) {
      readFails("key" + i);
    }
    world.vault.weather.clear();

    world.stores.check(store);

    for (int i = 0; i < 9; i++) {
      assertThat(world.read(kv("payments", "vault", "key" + i))).isEqualTo("key" + i);
    }
  }

  @Test
  void aStoreThatSaysWhenItWantsToBeAskedIsAskedThen() {
    world.store("payments", "vault");
    fails(Kind.THROTTLED, Duration.ofSeconds(90));
    assertThat(readFails("a").retryAfter()).hasValue(Duration.ofSeconds(90));
    world.vault.weather.clear();

    assertThat(readFails("b").kind()).isEqualTo(Kind.THROTTLED);
    assertThat(readFails("b").retryAfter().orElseThrow())
        .isBetween(Duration.ofSeconds(90), Duration.ofSeconds(108));
    world.clock.advance(Duration.ofSeconds(90));
    assertThat(world.read(kv("payments", "vault", "c"))).isEqualTo("c");
    assertThat(world.vault.allCalls()).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({
    "TRANSIENT, 5, 10, 20, 40, 48, 48",
    "THROTTLED, 30, 30, 30, 30, 30, 30",
    "DENIED, 60, 120, 180, 240, 300, 300",
    "NOT_FOUND, 60, 60, 60, 60, 60, 60",
    "PERMANENT, 60, 60, 60, 60, 60, 60",
    "INTEGRITY, 60, 60, 60, 60, 60, 60",
    "CONFLICT, 15, 15, 15, 15, 15, 15",
  })
  void eachKindOfFailureHasACadence(
      Kind kind, long first, long second, long third, long fourth, long fifth, long sixth) {
    StoreException e = new StoreException(kind, "It fails.");
    long[] seconds = {first, second, third, fourth, fifth, sixth};
    for (int i = 0; i < seconds.length; i++) {
      assertThat(Cadence.after(e, i + 1, 0)).isEqualTo(Duration.ofSeconds(seconds[i]));
      assertThat(Cadence.after(e, i + 1, 1).toMillis())
          .isEqualTo(kind == Kind.TRANSIENT ? seconds[i] * 1250 : seconds[i] * 1000);
    }
  }

  @Test
  void aServerThatWantsToBeLeftAloneForDaysIsAskedAfterFiveMinutes() {
    StoreException e =
        new StoreException(
            Kind.THROTTLED, Reasons.STORE_THROTTLED, "", Optional.of(Duration.ofDays(3)));

    assertThat(Cadence.after(e, 1, 0)).isEqualTo(Duration.ofMinutes(5));
  }

  @Test
  void whatFailsOfOneKeySaysNothingOfAnother() {
    world.store("payments", "vault");
    fails(Kind.DENIED, null);
    readFails("a");
    world.clock.advance(Duration.ofMinutes(1));

    assertThat(readFails("a").retryAfter()).hasValue(Duration.ofMinutes(2));
    assertThat(readFails("b").retryAfter()).hasValue(Duration.ofMinutes(1));
    world.clock.advance(Duration.ofMinutes(2));
    world.vault.weather.clear();
    world.read(kv("payments", "vault", "a"));
    fails(Kind.DENIED, null);
    world.clock.advance(Duration.ofMinutes(2));
    assertThat(readFails("a").retryAfter()).hasValue(Duration.ofMinutes(1));
  }

  @Test
  void whoeverAsksTooEarlyGetsTheSameAnswerAndTheStoreIsLeftAlone() {
    world.store("payments", "vault");
    fails(Kind.DENIED, null);
    issueFails();
    world.clock.advance(Duration.ofSeconds(20));

    assertThat(issueFails().retryAfter()).hasValue(Duration.ofSeconds(40));
    assertThat(world.vault.calls("issue db")).isEqualTo(1);
    assertThat(world.vault.calls("login db")).isEqualTo(1);

    world.clock.advance(Duration.ofSeconds(40));
    assertThat(issueFails().retryAfter()).as("the second one").hasValue(Duration.ofMinutes(2));
    assertThat(world.vault.calls("issue db")).isEqualTo(2);
  }

  @Test
  void aStoreThatLetsTheIdentityInAgainIsAskedAtOnce() {
    SecretStore store = world.store("payments", "vault");
    fails(Kind.DENIED, null);
    issueFails();
    failure(() -> world.stores.check(store));

    world.vault.weather.clear();
    world.stores.check(store);
    world.stores.issue(lease("payments", "vault", "db"), order("t1"), _ -> {}).data().close();
  }

  @Test
  void aRenewalIsNotHeldUpBecauseItsTimeIsSetByTheEndOfTheLease() {
    world.store("payments", "vault");
    fails(Kind.DENIED, null);
    Credential credential = Credential.lasting("lease-t1", Instant.EPOCH);
    failure(() -> world.stores.renew("payments", new StoreRef(null, "vault"), credential));
    failure(() -> world.stores.renew("payments", new StoreRef(null, "vault"), credential));

    assertThat(world.vault.calls("renew lease-t1")).isEqualTo(2);
  }

  private StoreException issueFails() {
    return failure(
        () -> world.stores.issue(lease("payments", "vault", "db"), order("t1"), _ -> {}));
  }

  @Test
  void oneNamespaceCannotCloseAStoreOfTheClusterForAnother() {
    world.clusterStore("shared", "allowedNamespaces: {names: [a, b]}");
    world.vault.weather.put(
        "https://shared",
        () -> {
          throw FakeVault.down();
        });
    for (int i = 0; i < 9; i++) {
      String path = "key" + i;
      failure(() -> world.read(clusterKv("a", "shared", path)));
    }
    world.vault.weather.clear();

    assertThat(world.read(clusterKv("b", "shared", "db"))).isEqualTo("db");
  }

  @Test
  @Timeout(50)
  void aFifthOfAllStoresThatHangDelaysNobodyElse() throws Exception {
    CountDownLatch end = new CountDownLatch(1);
    for (int s = 0; s < 10; s++) {
      world.store("payments", "vault" + s);
      if (s % 5 == 0) {
        world.vault.weather.put("https://vault" + s, () -> await(end));
      }
    }
    try (var workers = Executors.newFixedThreadPool(16, Thread.ofVirtual().factory())) {
      List<Future<?>> healthy =
          IntStream.range(0, 1000)
              .filter(i -> {
                var binding = kv("payments", "vault" + i % 10, "key" + i / 100);
                if (i % 5 == 0) {
                  workers.submit(() -> failure(() -> world.read(binding)));
                }
                return i % 5 != 0;
              })
              .mapToObj(i ->
                  workers.submit(() -> {
                    var path = "key" + i / 100;
                    assertThat(world.read(kv("payments", "vault" + i % 10, path))).isEqualTo(path);
                  }))
              .<Future<?>>map(f -> f)
              .toList();
      try {
        for (Future<?> answer : healthy) {
          answer.get(20, TimeUnit.SECONDS);
        }
      } finally {
        end.countDown();
      }
    }
  }

  private static void await(CountDownLatch end) {
    try {
      end.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    throw FakeVault.down();
  }

  @Test
  void aStoreGetsAsManyRequestsAsItsLimitLets() {
    world.store("payments", "vault", 1, "{requestsPerSecond: 20}");
    long start = System.nanoTime();
    for (int i = 0; i < 21; i++) {
      world.read(kv("payments", "vault", "key" + i));
    }

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofMillis(900));
  }

  @Test
  void aValueThatIsNotProvenIsEndedAndNotHandedOut() {
    world.store("payments", "vault");
    world.stores.issue(lease("payments", "vault", "db"), order("t1"), _ -> {}).data().close();
    assertThat(world.vault.calls("verify db")).isEqualTo(1);
    world.vault.opened.getFirst().notProven =
        new StoreException(Kind.INTEGRITY, "The server does not take it.");

    assertThatThrownBy(
            () -> world.stores.issue(lease("payments", "vault", "db"), order("t2"), _ -> {}))
        .hasMessage("The server does not take it.");

    assertThat(world.vault.handedOut.getLast().get("password")).containsOnly(0);
    assertThat(world.vault.calls("revoke lease-t2")).isEqualTo(1);
  }

  @Test
  void theLoginOfAValueIsToldOfBeforeTheValueIsMade() {
    world.store("payments", "vault");
    List<String> told = new ArrayList<>();

    world
        .stores
        .issue(
            lease("payments", "vault", "db"),
            order("t1"),
            owner -> {
              assertThat(world.vault.calls("issue db")).isZero();
              told.add(owner);
            })
        .data()
        .close();

    assertThat(told).containsExactly("login-for-db");
    assertThat(world.vault.calls("login db")).isEqualTo(1);
    assertThat(world.vault.calls("issue db")).isEqualTo(1);
    assertThat(world.counted).contains("vault payments/vault login ok");
  }

  @Test
  void whatCannotBeNotedIsNotMade() {
    world.store("payments", "vault");
    KubernetesClientException down = new KubernetesClientException("down", 503, null);

    assertThatThrownBy(() ->
            world.stores.issue(
                lease("payments", "vault", "db"),
                order("t1"),
                _ -> {
                  throw down;
                }))
        .isSameAs(down);

    assertThat(world.vault.calls("issue db")).isZero();
  }

  private static Order order(String token) {
    return new Order("u", 7, token, Optional.empty(), () -> new byte[32]);
  }

  @Test
  void eachRequestIsCountedAndOnRecordWithoutWhatCouldEndACredential() {
    world.store("payments", "vault");
    world.stores.issue(lease("payments", "vault", "db"), order("t1"), _ -> {});
    Credential credential = Credential.lasting("database/creds/db/1234", Instant.EPOCH);
    world.stores.renew("payments", new StoreRef(null, "vault"), credential);
    fails(Kind.DENIED, null);
    failure(() -> world.stores.revoke("payments", new StoreRef(null, "vault"), credential, false));
    world.read(readable());
    world.read(readable());

    assertThat(world.counted)
        .containsExactly(
            "vault payments/vault login ok",
            "vault payments/vault issue ok",
            "vault payments/vault verify ok",
            "vault payments/vault renew ok",
            "vault payments/vault revoke denied",
            "vault payments/vault read ok");
    AuditRecord issue = world.audited.stream().skip(1).findFirst().orElseThrow();
    assertThat(issue.namespace()).isEqualTo("payments");
    assertThat(issue.binding()).hasValue("app-secret");
    assertThat(issue.identity()).hasValue("ServiceAccount app");
    assertThat(issue.version()).hasValue(7);
    assertThat(issue.credential()).hasValue(world.fingerprint.of("lease-t1"));
    assertThat(world.audited.stream().map(AuditRecord::operation))
        .containsExactly("login", "issue", "verify", "renew", "revoke", "read");
    assertThat(world.audited.toString()).doesNotContain("lease-t1", "database/creds/db/1234");
  }

  private io.keyturn.api.v1alpha1.SecretBinding readable() {
    world.vault.weather.clear();
    return kv("payments", "vault", "db");
  }

  @Test
  void anIdentityIsThatOfTheNamespaceAndMadeForOneAudience() {
    world.store("payments", "vault");
    world.read(kv("payments", "vault", "db"));
    var tenant = world.vault.opened.getFirst().tenant;

    assertThat(tenant.token("app", "vault")).isEqualTo("token-of-payments/app");
    assertThat(world.objects.lastToken)
        .isEqualTo(new Objects.Token("payments", "app", "vault", Duration.ofMinutes(10)));
    world.objects.refusal = 404;
    assertThat(failure(() -> tenant.token("app", "vault")))
        .hasMessageContaining("The ServiceAccount app does not exist");
    world.objects.refusal = 403;
    assertThat(failure(() -> tenant.token("app", "vault")).kind()).isEqualTo(Kind.DENIED);
    world.objects.refusal = 0;
    assertThat(failure(() -> tenant.secret("absent")).kind()).isEqualTo(Kind.NOT_FOUND);
  }
}
