package io.keyturn.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.bench.MortalRelay.State;
import io.keyturn.cluster.Team;
import io.keyturn.testing.AuditedRequest;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.Scrape;
import io.keyturn.testing.SharedControlPlane;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What stores that are dead take from the bindings of those that are well. It runs with {@code
 * ./mvnw verify -Pbench}; alone with {@code -Dit.test=DeadStoresBench}.
 */
class DeadStoresBench {

  private static final int STORES = 10;
  private static final int MORTAL = 2;
  private static final int BINDINGS = Integer.getInteger("bench.bindingsOfAStore", 5);
  private static final int ROUNDS = Integer.getInteger("bench.rounds", 2);
  private static final Duration REFRESH = Duration.ofSeconds(5);

  /** Between two changes: so rotations do not wait for each other, nor for the pace of patches. */
  private static final Duration BETWEEN = Duration.ofMillis(750);

  private static final Duration REST = Duration.ofSeconds(12);

  @TempDir Path directory;

  private final ControlPlane plane = SharedControlPlane.get();
  private final KubernetesClient client = plane.adminClient();
  private final List<Key> keys =
      IntStream.range(0, BINDINGS)
          .boxed()
          .flatMap(b -> IntStream.range(0, STORES).mapToObj(s -> new Key(s, b)))
          .toList();

  /** What one binding reads. */
  private record Key(int store, int binding) {

    String namespace() {
      return "store-" + store;
    }

    String name() {
      return "binding-" + binding;
    }

    String path() {
      return "kv/data/%s/%s".formatted(namespace(), name());
    }

    boolean mortal() {
      return store < MORTAL;
    }
  }

  /**
   * What changes of the keys of the stores that are well came to.
   *
   * @param whole from the change to the delivered Secret
   * @param look from the change to the answer of the store that tells of it
   * @param rotation from that answer to the delivered Secret
   * @param seconds that the store was asked for in all
   * @param reads answers of the store
   */
  private record Phase(
      Latencies whole, Latencies look, Latencies rotation, double seconds, double reads) {

    Phase and(Phase other) {
      return new Phase(
          whole.and(other.whole),
          look.and(other.look),
          rotation.and(other.rotation),
          seconds + other.seconds,
          reads + other.reads);
    }

    double read() {
      return 1000 * seconds / reads;
    }

    void print(String what) {
      Figures.print(what + ": change to Secret (median, p95, most)", whole.toString());
      Figures.print(what + ": change to answer of the store", look.toString());
      Figures.print(what + ": answer of the store to Secret", rotation.toString());
      Figures.print(what + ": reads (all, mean)", "%.0f, %.2f ms".formatted(reads, read()));
    }

    void compare(String what, Phase well) {
      Figures.print(what + ", times as long: change to Secret", whole.times(well.whole));
      Figures.print(what + ", times as long: change to answer", look.times(well.look));
      Figures.print(what + ", times as long: answer to Secret", rotation.times(well.rotation));
      Figures.print(what + ", times as long: read", "%.2f".formatted(read() / well.read()));
    }
  }

  @Test
  void deadStoresDelayNoOthers() {
    try (MeasuredVault vault = MeasuredVault.start(plane, directory);
        MortalRelay relay = new MortalRelay(URI.create(vault.server().address()).getPort())) {
      prepare(vault, relay);
      try (OperatorProcess operator = MeasuredOperator.start(plane)) {
        bind();
        measure(vault, operator).print("the first time, not counted");
        Map<State, Phase> phases = new EnumMap<>(State.class);
        for (int round = 1; round <= ROUNDS; round++) {
          for (State death : List.of(State.SILENT, State.CLOSED)) {
            for (State state : List.of(State.ALIVE, death)) {
              relay.become(state);
              Phase phase = measure(vault, operator);
              phase.print("round %d, %s".formatted(round, state));
              phases.merge(state, phase, Phase::and);
            }
            relay.become(State.ALIVE);
            awaitWell();
          }
        }
        compare(phases);
        assertThat(operator.errors()).isEmpty();
      }
    }
  }

  private static void compare(Map<State, Phase> phases) {
    Phase well = phases.get(State.ALIVE);
    phases.forEach((state, phase) -> phase.print("all rounds, " + state));
    List<State> deaths = List.of(State.SILENT, State.CLOSED);
    deaths.forEach(d -> phases.get(d).compare("%d of %d %s".formatted(MORTAL, STORES, d), well));
    for (State death : deaths) {
      Phase dead = phases.get(death);
      assertThat(Latencies.ratio(dead.look().p95(), well.look().p95()))
          .as("change to answer")
          .isLessThanOrEqualTo(1.1);
      // What else runs on this machine counts, too.
      assertThat(Latencies.ratio(dead.whole().p95(), well.whole().p95()))
          .as("change to Secret")
          .isLessThanOrEqualTo(1.5);
    }
  }

  private Phase measure(MeasuredVault vault, OperatorProcess operator) {
    Instant begin = Instant.now();
    Scrape before = Scrape.parse(operator.get("/q/metrics"));
    List<Change> changes = changeAll(vault);
    Awaitility.await("all changes are delivered")
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofSeconds(1))
        .until(() -> changes.stream().allMatch(c -> c.delivered(writes(begin)).isPresent()));
    Scrape after = Scrape.parse(operator.get("/q/metrics"));
    LockSupport.parkNanos(REST.toNanos());
    List<AuditedRequest> writes = writes(begin);
    List<VaultAudit.Entry> reads = vault.audit().entries();
    return new Phase(
        latencies(changes, c -> Duration.between(c.at(), c.delivered(writes).orElseThrow())),
        latencies(changes, c -> Duration.between(c.at(), c.read(reads))),
        latencies(changes, c -> Duration.between(c.read(reads), c.delivered(writes).orElseThrow())),
        asked(after, "sum") - asked(before, "sum"),
        asked(after, "count") - asked(before, "count"));
  }

  private static Latencies latencies(List<Change> changes, Function<Change, Duration> latency) {
    return new Latencies(changes.stream().map(latency).toList());
  }

  private List<AuditedRequest> writes(Instant begin) {
    return MeasuredOperator.writesSince(plane, begin).stream()
        .filter(r -> r.resource().equals("secrets") && r.code() < 300)
        .toList();
  }

  /** A new value of a key. */
  private record Change(Key key, Instant at) {

    Instant read(List<VaultAudit.Entry> reads) {
      return reads.stream()
          .filter(e -> e.path().equals(key.path()))
          .map(VaultAudit.Entry::at)
          .filter(at::isBefore)
          .findFirst()
          .orElseThrow();
    }

    Optional<Instant> delivered(List<AuditedRequest> writes) {
      return writes.stream()
          .filter(r -> r.namespace().equals(key.namespace()) && r.name().equals(key.name()))
          .map(AuditedRequest::at)
          .filter(at::isBefore)
          .min(Instant::compareTo);
    }
  }

  private static double asked(Scrape scrape, String of) {
    return scrape.samples().stream()
        .filter(s -> s.name().equals("keyturn_store_request_duration_seconds_" + of))
        .filter(s -> s.labels().get("operation").equals("read"))
        .filter(s -> mortalStores().noneMatch(s.labels().get("store")::equals))
        .mapToDouble(Scrape.Sample::value)
        .sum();
  }

  private static Stream<String> mortalStores() {
    return IntStream.range(0, MORTAL).mapToObj("store-%d/vault"::formatted);
  }

  /**
   * Changes each key of the stores that are well right after it was read, one after the other: so
   * each change waits for a whole refresh interval, and chance has no part in it.
   */
  private List<Change> changeAll(MeasuredVault vault) {
    List<Change> changes = new ArrayList<>();
    Map<String, Instant> due = due();
    vault.audit().next();
    Instant limit = Instant.now().plusSeconds(60).plus(BETWEEN.multipliedBy(due.size()));
    while (!due.isEmpty()) {
      for (VaultAudit.Entry read : vault.audit().next()) {
        if (due.getOrDefault(read.path(), Instant.MAX).isBefore(read.at())) {
          due.remove(read.path());
          changes.add(change(vault, read.path()));
        }
      }
      assertThat(Instant.now()).isBefore(limit);
      LockSupport.parkNanos(Duration.ofMillis(5).toNanos());
    }
    return changes;
  }

  private Map<String, Instant> due() {
    Map<String, Instant> due = new HashMap<>();
    Instant next = Instant.now();
    for (Key key : keys) {
      if (!key.mortal()) {
        due.put(key.path(), next);
        next = next.plus(BETWEEN);
      }
    }
    return due;
  }

  private Change change(MeasuredVault vault, String path) {
    Key key = keys.stream().filter(k -> k.path().equals(path)).findFirst().orElseThrow();
    Instant at = Instant.now();
    write(vault, key);
    return new Change(key, at);
  }

  private static void write(MeasuredVault vault, Key key) {
    vault.server().write(key.path(), Map.of("data", Map.of("password", Team.newValue())));
  }

  private void prepare(MeasuredVault vault, MortalRelay relay) {
    vault.server().enableKv("kv");
    for (int store = 0; store < STORES; store++) {
      vault.openIn(
          "store-" + store,
          store < MORTAL ? "https://127.0.0.1:" + relay.port() : vault.server().address(),
          REFRESH.toSeconds() + "s");
    }
    keys.forEach(key -> write(vault, key));
  }

  private void bind() {
    keys.forEach(key ->
        plane.apply(
            """
            apiVersion: keyturn.io/v1alpha1
            kind: RotationPolicy
            metadata: {name: quick, namespace: %1$s}
            spec: {retirement: {grace: 1s}}
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: %2$s, namespace: %1$s}
            spec:
              replicas: 0
              selector: {matchLabels: {app: %2$s}}
              template:
                metadata: {labels: {app: %2$s}}
                spec: {containers: [{name: app, image: hollow/ready}]}
            ---
            apiVersion: keyturn.io/v1alpha1
            kind: SecretBinding
            metadata: {name: %2$s, namespace: %1$s}
            spec:
              source: {storeRef: {name: vault}, vaultKv: {mount: kv, path: %1$s/%2$s}}
              rotationPolicyRef: {name: quick}
              workloads: [{kind: Deployment, name: %2$s}]
            """
                .formatted(key.namespace(), key.name())));
    Awaitility.await("all bindings have their first version")
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofSeconds(1))
        .until(() ->
            client.resources(SecretBinding.class).inAnyNamespace().list().getItems().stream()
                .allMatch(b -> b.getStatus().current() != null));
    LockSupport.parkNanos(REST.toNanos());
  }

  private void awaitWell() {
    Awaitility.await("all stores are ready")
        .atMost(Duration.ofMinutes(6))
        .pollInterval(Duration.ofSeconds(1))
        .until(() ->
            client.resources(SecretStore.class).inAnyNamespace().list().getItems().stream()
                .allMatch(
                    s -> ready(s).map(c -> c.status() == Condition.Status.True).orElse(false)));
    LockSupport.parkNanos(REST.toNanos());
  }

  private static Optional<Condition> ready(SecretStore store) {
    return store.getStatus().conditions().stream()
        .filter(c -> c.type().equals("Ready"))
        .findFirst();
  }
}
