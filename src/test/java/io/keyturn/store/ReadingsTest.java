package io.keyturn.store;

import static io.keyturn.store.World.clusterKv;
import static io.keyturn.store.World.failure;
import static io.keyturn.store.World.kv;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** How often a store is asked what it holds. */
class ReadingsTest {

  private final World world = new World();

  @Test
  void aThousandBindingsWhoLookAtOnceAskOnce() throws Exception {
    world.store("payments", "vault");
    CountDownLatch looking = new CountDownLatch(1000);
    world.vault.weather.put(
        "https://vault", () -> Awaitility.await("all look").until(() -> looking.getCount() == 0));

    try (var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<String>> answers =
          IntStream.range(0, 1000)
              .mapToObj(_ ->
                  threads.submit(() -> {
                    looking.countDown();
                    return world.read(kv("payments", "vault", "db"));
                  }))
              .toList();
      for (Future<String> answer : answers) {
        assertThat(answer.get()).isEqualTo("db");
      }
    }

    assertThat(world.vault.calls("read db")).isEqualTo(1);
    assertThat(world.via).hasSize(1000).containsOnlyOnce(Via.STORE).contains(Via.SHARED);
  }

  @Test
  void whoLooksLaterIsToldThatTheAnswerIsKept() {
    world.store("payments", "vault");
    world.read(kv("payments", "vault", "db"));
    world.read(kv("payments", "vault", "db"));
    assertThat(world.via).containsExactly(Via.STORE, Via.CACHE);

    world.clock.advance(Duration.ofMinutes(2));
    world.vault.weather.put("https://vault", () -> fail(Kind.NOT_FOUND));
    failure(() -> world.read(kv("payments", "vault", "db")));
    failure(() -> world.read(kv("payments", "vault", "db")));
    assertThat(world.via).containsExactly(Via.STORE, Via.CACHE, Via.STORE, Via.CACHE);
  }

  @Test
  void aStoreIsAskedOnceEachIntervalPerKeyHoweverManyBindingsLook() {
    world.store("payments", "vault");
    for (int minute = 0; minute < 10; minute++) {
      for (int binding = 0; binding < 1000; binding++) {
        String path = "key" + binding % 100;
        assertThat(world.read(kv("payments", "vault", path))).isEqualTo(path);
      }
      world.clock.advance(Duration.ofSeconds(66));
    }

    assertThat(world.vault.allCalls()).isEqualTo(1000);
  }

  @Test
  void whatWasReadIsKeptForTheIntervalATenthMoreOrLess() {
    world.store("payments", "vault");
    List<String> paths = IntStream.range(0, 200).mapToObj(i -> "key" + i).toList();
    Instant start = world.clock.instant();
    paths.forEach(path -> world.read(kv("payments", "vault", path)));

    List<Duration> intervals =
        paths.stream()
            .map(path -> world.stores.nextRead(kv("payments", "vault", path)).orElseThrow())
            .map(next -> Duration.between(start, next))
            .toList();

    assertThat(intervals)
        .allSatisfy(i -> assertThat(i).isBetween(Duration.ofSeconds(54), Duration.ofSeconds(66)));
    assertThat(intervals.stream().map(Duration::toSeconds).collect(Collectors.toSet()))
        .as("spread")
        .hasSizeGreaterThan(8);
    World anew = new World();
    anew.store("payments", "vault");
    anew.read(kv("payments", "vault", "key7"));
    assertThat(anew.stores.nextRead(kv("payments", "vault", "key7")))
        .as("the same at each start")
        .hasValue(start.plus(intervals.get(7)));
  }

  @Test
  void whoWakesAtTheNextReadAsksAnew() {
    world.store("payments", "vault");
    world.read(kv("payments", "vault", "db"));
    Instant next = world.stores.nextRead(kv("payments", "vault", "db")).orElseThrow();

    world.clock.advance(Duration.between(world.clock.instant(), next).minusMillis(1));
    world.read(kv("payments", "vault", "db"));
    assertThat(world.vault.calls("read db")).isEqualTo(1);
    world.clock.advance(Duration.ofMillis(1));
    world.read(kv("payments", "vault", "db"));
    assertThat(world.vault.calls("read db")).isEqualTo(2);
  }

  @Test
  void theNextReadStaysWhenTheStoreHasToBeLookedForAgain() {
    world.store("payments", "vault");
    world.read(kv("payments", "vault", "db"));
    Instant next = world.stores.nextRead(kv("payments", "vault", "db")).orElseThrow();

    world.clock.advance(Duration.ofSeconds(11));
    assertThat(world.stores.nextRead(kv("payments", "vault", "db"))).hasValue(next);
    world.stores.changed(kv("payments", "vault", "db").getSpec().source().storeRef());
    assertThat(world.stores.nextRead(kv("payments", "vault", "db"))).hasValue(next);
  }

  @Test
  void thereIsANextReadBeforeTheFirst() {
    world.store("payments", "vault");

    assertThat(world.stores.nextRead(kv("payments", "vault", "db")).orElseThrow())
        .isAfter(world.clock.instant());
  }

  @Test
  void eachCallerHasACopyAndTheKeptOneIsOverwrittenWhenItGoes() {
    world.store("payments", "vault");
    SecretData first = data();
    SecretData second = data();
    first.close();
    assertThat(second.get("password")).isEqualTo("db".getBytes());
    SecretData kept = world.vault.handedOut.getFirst();
    assertThat(kept.get("password")).isEqualTo("db".getBytes());

    world.clock.advance(Duration.ofMinutes(2));
    data();

    assertThat(kept.get("password")).containsOnly(0);
    assertThat(second.get("password")).isEqualTo("db".getBytes());
  }

  private SecretData data() {
    return ((Reading.Value) world.stores.read(kv("payments", "vault", "db"), _ -> {})).data();
  }

  @Test
  void namespacesShareNothingOfOneStore() {
    world.clusterStore("shared", "allowedNamespaces: {names: [a, b]}");

    world.read(clusterKv("a", "shared", "db"));
    world.read(clusterKv("b", "shared", "db"));

    assertThat(world.vault.calls("read db")).isEqualTo(2);
    assertThat(world.vault.opened.stream().map(o -> o.tenant.namespace()))
        .containsExactly("a", "b");
  }

  @Test
  void aFailureIsKeptUntilItIsTimeToAskAgain() {
    world.store("payments", "vault");
    world.vault.weather.put("https://vault", () -> fail(Kind.NOT_FOUND));

    for (int i = 0; i < 100; i++) {
      assertThat(failure(() -> world.read(kv("payments", "vault", "db"))).kind())
          .isEqualTo(Kind.NOT_FOUND);
    }
    assertThat(world.vault.calls("read db")).isEqualTo(1);
    world.clock.advance(Duration.ofSeconds(40));
    assertThat(failure(() -> world.read(kv("payments", "vault", "db"))).retryAfter())
        .as("what is left of it")
        .hasValue(Duration.ofSeconds(20));

    world.clock.advance(Duration.ofSeconds(20));
    world.vault.weather.clear();
    assertThat(world.read(kv("payments", "vault", "db"))).isEqualTo("db");
  }

  @Test
  void aBugFailsEachWhoLooksAndIsNotKept() {
    world.store("payments", "vault");
    world.vault.weather.put(
        "https://vault",
        () -> {
          throw new IllegalStateException("a bug");
        });
    for (int i = 0; i < 10; i++) {
      org.assertj.core.api.Assertions.assertThatThrownBy(
              () -> world.read(kv("payments", "vault", "db")))
          .isInstanceOf(IllegalStateException.class);
    }
    assertThat(world.vault.calls("read db")).isEqualTo(10);
    world.vault.weather.clear();
    assertThat(world.read(kv("payments", "vault", "db"))).isEqualTo("db");
  }

  private static void fail(Kind kind) {
    throw new StoreException(kind, "It fails.");
  }
}
