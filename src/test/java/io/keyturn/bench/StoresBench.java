package io.keyturn.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.cluster.Team;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.Scrape;
import io.keyturn.testing.SharedControlPlane;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What many bindings ask of one Vault, counted by Vault. It runs with {@code ./mvnw verify
 * -Pbench}; alone with {@code -Dit.test=StoresBench}.
 */
class StoresBench {

  private static final int BINDINGS = Integer.getInteger("bench.bindings", 1000);
  private static final int KEYS = Integer.getInteger("bench.keys", 100);
  private static final Duration INTERVAL =
      Duration.ofSeconds(Integer.getInteger("bench.interval", 60));

  private static final Duration PHASE = INTERVAL.multipliedBy(3);

  /** An interval is up to a tenth shorter or longer by source, and a phase cuts some. */
  private static final double FEWEST_READS = 0.85;

  private static final double MOST_READS = 1.15;

  private static final int AT_ONCE = 50;
  private static final int ROUNDS = 10;

  private static final int LEASES = Integer.getInteger("bench.leases", 1000);
  private static final Duration LEASE_TTL = Duration.ofMinutes(5);
  private static final Duration RENEWING =
      Duration.ofMinutes(Integer.getInteger("bench.minutes", 30));

  private static final String LOST = "keyturn_leases_expired_in_use_total";

  private static final String MAY_LOG_IN =
      "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'v-%' AND rolvaliduntil > now()";

  @TempDir Path directory;

  private final ControlPlane plane = SharedControlPlane.get();
  private final KubernetesClient client = plane.adminClient();

  @Test
  void oneKeyIsReadOnceHoweverManyBindingsWantIt() {
    try (MeasuredVault vault = MeasuredVault.start(plane, directory)) {
      vault.server().enableKv("kv");
      writeKeys(vault, "key");
      writeKeys(vault, "other");
      prepare("keys", vault, "30m", BINDINGS);
      try (OperatorProcess operator = MeasuredOperator.start(plane)) {
        Instant begin = Instant.now();
        bind("keys", BINDINGS, i -> key("key", i));
        Figures.print(
            "until %d bindings of %d keys were delivered".formatted(BINDINGS, KEYS),
            "%.1f s".formatted(Figures.secondsSince(begin)));
        assertEachIsAskedOnce("for them", vault);
        edit("keys", i -> key("other", i));
        await("each binding has a rotation", () -> rotations("keys") == BINDINGS);
        assertEachIsAskedOnce("when all of them want another key", vault);
        printRetrievals(operator);
        assertThat(operator.errors()).isEmpty();
        clear("keys");
      }
    }
  }

  /** Once for each key, logins included. */
  private static void assertEachIsAskedOnce(String when, MeasuredVault vault) {
    double asked = asked(vault.audit().next()).size();
    Figures.print(
        "reads and logins %s (all, for each key)".formatted(when),
        "%.0f, %.2f".formatted(asked, asked / KEYS));
    assertThat(asked / KEYS).isBetween(1.0, 1.05);
  }

  @Test
  void aKeyIsReadOnceEachIntervalAtRestWhenAllChangeAndWhenItsStoreIsBack() {
    try (MeasuredVault vault = MeasuredVault.start(plane, directory)) {
      vault.server().enableKv("kv");
      writeKeys(vault, "key");
      prepare("intervals", vault, INTERVAL.toSeconds() + "s", BINDINGS);
      try (OperatorProcess operator = MeasuredOperator.start(plane)) {
        bind("intervals", BINDINGS, i -> key("key", i));
        MeasuredOperator.awaitRest(plane);
        measureRest(vault);
        measureChange(vault);
        measureReturn(vault);
        assertThat(operator.errors()).isEmpty();
        clear("intervals");
      }
    }
  }

  private void measureRest(MeasuredVault vault) {
    vault.audit().next();
    Instant begin = Instant.now();
    pass(PHASE);
    assertEachIsAskedOnce("at rest", vault, begin);
    int writes = MeasuredOperator.writesSince(plane, begin).size();
    Figures.print("writes of the API server at rest", Integer.toString(writes));
    assertThat(writes).isZero();
  }

  private void measureChange(MeasuredVault vault) {
    vault.audit().next();
    Instant begin = Instant.now();
    writeKeys(vault, "key");
    await("each binding has a rotation", () -> rotations("intervals") == BINDINGS);
    Figures.print(
        "until a change of all keys was a rotation of each binding",
        "%.1f s".formatted(Figures.secondsSince(begin)));
    pass(PHASE.minus(Duration.between(begin, Instant.now())));
    assertEachIsAskedOnce("when all keys change", vault, begin);
  }

  private void measureReturn(MeasuredVault vault) {
    vault.server().seal();
    await("each binding says that its store is away", () -> stalled("intervals") == BINDINGS);
    vault.audit().next();
    vault.server().unseal();
    Instant begin = Instant.now();
    await("no binding says so", () -> stalled("intervals") == 0);
    List<VaultAudit.Entry> entries = asked(vault.audit().next());
    long most =
        entries.stream()
            .collect(Collectors.groupingBy(e -> e.at().getEpochSecond(), Collectors.counting()))
            .values()
            .stream()
            .mapToLong(Long::longValue)
            .max()
            .orElseThrow();
    Figures.print(
        "until no binding missed a Vault that was back",
        "%.1f s".formatted(Figures.secondsSince(begin)));
    Figures.print(
        "reads and logins until then (all, for each key, most in a second)",
        "%d, %.2f, %d".formatted(entries.size(), entries.size() / (double) KEYS, most));
    assertThat(entries.size() / (double) KEYS).isBetween(1.0, MOST_READS);
  }

  /** Once for each key and interval, logins included. */
  private static void assertEachIsAskedOnce(String when, MeasuredVault vault, Instant begin) {
    double intervals = Figures.secondsSince(begin) / INTERVAL.toSeconds();
    int asked = asked(vault.audit().next()).size();
    double each = asked / (KEYS * intervals);
    Figures.print(
        "reads and logins %s (all, for each key and interval)".formatted(when),
        "%d, %.2f".formatted(asked, each));
    assertThat(each).isBetween(FEWEST_READS, MOST_READS);
  }

  private static List<VaultAudit.Entry> asked(List<VaultAudit.Entry> entries) {
    return entries.stream()
        .filter(e -> e.path().startsWith("kv/data/") || e.path().endsWith("/login"))
        .toList();
  }

  private long stalled(String namespace) {
    return bindings(namespace).stream()
        .flatMap(b -> b.getStatus().conditions().stream())
        .filter(c -> c.type().equals(Conditions.STALLED) && c.status() == Condition.Status.True)
        .count();
  }

  private int rotations(String namespace) {
    return client.resources(SecretRotation.class).inNamespace(namespace).list().getItems().size();
  }

  private static void await(String what, Callable<Boolean> condition) {
    Awaitility.await(what)
        .atMost(Duration.ofMinutes(10))
        .pollInterval(Duration.ofSeconds(1))
        .until(condition);
  }

  private static void writeKeys(MeasuredVault vault, String name) {
    for (int i = 0; i < KEYS; i++) {
      vault
          .server()
          .write(
              "kv/data/%s-%d".formatted(name, i),
              Map.of("data", Map.of("password", Team.newValue())));
    }
  }

  private static String key(String name, int i) {
    return "vaultKv: {mount: kv, path: %s-%d}".formatted(name, i % KEYS);
  }

  /**
   * Each namespace is an identity of its own, so that each time one of those who look logs in, and
   * the others wait for it.
   */
  @Test
  void retrievalsOfFiftyBindingsAtOnceAreQuick() {
    try (MeasuredVault vault = MeasuredVault.start(plane, directory)) {
      vault.server().enableKv("kv");
      writeKeys(vault, "key");
      for (int round = 0; round <= ROUNDS; round++) {
        prepare("quick-" + round, vault, "30m", AT_ONCE);
      }
      try (OperatorProcess operator = MeasuredOperator.start(plane)) {
        bind("quick-0", AT_ONCE, i -> key("key", i));
        Scrape warm = Scrape.parse(operator.get("/q/metrics"));
        for (int round = 1; round <= ROUNDS; round++) {
          bind("quick-" + round, AT_ONCE, i -> key("key", i));
        }
        Scrape end = Scrape.parse(operator.get("/q/metrics"));
        double asked = asked(end) - asked(warm);
        double quick = within(end, "0.5") - within(warm, "0.5");
        Figures.print(
            "retrievals of %d bindings at once, %d times: under 0.1 s, under 0.5 s, all"
                .formatted(AT_ONCE, ROUNDS),
            "%.0f, %.0f, %.0f".formatted(within(end, "0.1") - within(warm, "0.1"), quick, asked));
        assertThat(asked).isGreaterThanOrEqualTo(AT_ONCE * ROUNDS);
        assertThat(quick / asked).isGreaterThanOrEqualTo(0.99);
        assertThat(operator.errors()).isEmpty();
        for (int round = 0; round <= ROUNDS; round++) {
          clear("quick-" + round);
        }
      }
    }
  }

  private static double within(Scrape scrape, String seconds) {
    return sum(
        scrape,
        "keyturn_retrieval_duration_seconds_bucket",
        l -> seconds.equals(l.get("le")) && waited(l));
  }

  private static double asked(Scrape scrape) {
    return sum(scrape, "keyturn_retrieval_duration_seconds_count", StoresBench::waited);
  }

  /** Who gets what is kept waits for nobody. */
  private static boolean waited(Map<String, String> labels) {
    return !"cache".equals(labels.get("via"));
  }

  private static void printRetrievals(OperatorProcess operator) {
    Scrape scrape = Scrape.parse(operator.get("/q/metrics"));
    Figures.print(
        "retrievals under 0.5 s of those that asked or waited, queue and login included",
        "%.2f %% of %.0f".formatted(100 * within(scrape, "0.5") / asked(scrape), asked(scrape)));
  }

  private static double sum(Scrape scrape, String name, Predicate<Map<String, String>> labels) {
    return scrape.samples().stream()
        .filter(s -> s.name().equals(name) && labels.test(s.labels()))
        .mapToDouble(Scrape.Sample::value)
        .sum();
  }

  @Test
  void leasesAreRenewedInTime() {
    try (PostgresServer postgres = PostgresServer.start();
        MeasuredVault vault = MeasuredVault.start(plane, directory)) {
      vault.server().enableDatabase("database", postgres);
      vault.server().databaseRole("database", "app", LEASE_TTL, Duration.ofHours(24));
      prepare("leases", vault, "30m", LEASES);
      try (OperatorProcess operator = MeasuredOperator.start(plane)) {
        bind("leases", LEASES, _ -> "vaultLease: {path: database/creds/app}");
        double share = shareOfACore(operator);
        double lost = Scrape.parse(operator.get("/q/metrics")).sum(LOST);
        printLeases(vault.audit().leftAtRenewal(LEASE_TTL), lost, share);
        assertThat(lost).isZero();
        assertThat(vault.audit().entries())
            .filteredOn(e -> e.path().equals("database/creds/app"))
            .hasSize(LEASES);
        assertThat(postgres.ask(MAY_LOG_IN)).isEqualTo(Integer.toString(LEASES));
        assertThat(operator.errors()).isEmpty();
        assertThat(share).isLessThanOrEqualTo(0.1);
        clear("leases");
      }
    }
  }

  /** How much of a processor an operator takes while leases are renewed. */
  private double shareOfACore(OperatorProcess operator) {
    Instant begin = Instant.now();
    double renewedBefore = renewals(operator);
    Duration before = cpu(operator);
    pass(RENEWING);
    double used = Figures.seconds(cpu(operator).minus(before));
    double renewals = renewals(operator) - renewedBefore;
    Figures.print(
        "renewals that the operator counts (all, CPU for each)",
        "%.0f, %.1f ms".formatted(renewals, 1000 * used / renewals));
    Figures.print(
        "writes and reads of the API server for each of them",
        "%.2f, %.2f"
            .formatted(
                MeasuredOperator.writesSince(plane, begin).size() / renewals,
                MeasuredOperator.readsSince(plane, begin).size() / renewals));
    return used / RENEWING.toSeconds();
  }

  private static double renewals(OperatorProcess operator) {
    return sum(
        Scrape.parse(operator.get("/q/metrics")),
        "keyturn_lease_renewals_total",
        l -> "ok".equals(l.get("outcome")));
  }

  private static void pass(Duration time) {
    Instant end = Instant.now().plus(time);
    Awaitility.await("time passes")
        .atMost(time.plusMinutes(1))
        .pollInterval(Duration.ofSeconds(1))
        .until(() -> Instant.now().isAfter(end));
  }

  private static void printLeases(List<Duration> left, double lost, double share) {
    Figures.print(
        "%d leases of %s for %s (renewals by Vault, lost)".formatted(LEASES, LEASE_TTL, RENEWING),
        "%d, %.0f".formatted(left.size(), lost));
    Figures.print(
        "least that was left of a lease when it was renewed",
        "%.1f s".formatted(Figures.seconds(Collections.min(left))));
    Figures.print("one core's share of that", "%.1f %%".formatted(100 * share));
  }

  private static Duration cpu(OperatorProcess operator) {
    return ProcessHandle.of(operator.pid()).flatMap(p -> p.info().totalCpuDuration()).orElseThrow();
  }

  private void prepare(
      String namespace, MeasuredVault vault, String refreshInterval, int deployments) {
    vault.openIn(namespace, vault.server().address(), refreshInterval);
    AtOnce.each(
        deployments,
        i ->
            client
                .resource(
                    """
                    apiVersion: apps/v1
                    kind: Deployment
                    metadata: {name: app-%d, namespace: %s}
                    spec:
                      replicas: 0
                      selector: {matchLabels: {app: app-%1$d}}
                      template:
                        metadata: {labels: {app: app-%1$d}}
                        spec: {containers: [{name: app, image: hollow/ready}]}
                    """
                        .formatted(i, namespace))
                .create());
  }

  private void bind(String namespace, int count, IntFunction<String> source) {
    AtOnce.each(count, i -> client.resource(binding(namespace, i, source)).create());
    await(
        "all bindings have their first version",
        () ->
            bindings(namespace).stream().filter(b -> b.getStatus().current() != null).count()
                == count);
  }

  private void edit(String namespace, IntFunction<String> source) {
    AtOnce.each(
        BINDINGS,
        i -> client.resource(binding(namespace, i, source)).forceConflicts().serverSideApply());
  }

  /** So that nothing is left that looks for a store which has gone while others are measured. */
  private void clear(String namespace) {
    client.resources(SecretBinding.class).inNamespace(namespace).delete();
    await("no rotation is left", () -> rotations(namespace) == 0);
    client.resources(SecretStore.class).inNamespace(namespace).delete();
  }

  private static String binding(String namespace, int i, IntFunction<String> source) {
    return """
    apiVersion: keyturn.io/v1alpha1
    kind: SecretBinding
    metadata: {name: binding-%d, namespace: %s}
    spec:
      source: {storeRef: {name: vault}, %s}
      workloads: [{kind: Deployment, name: app-%1$d}]
    """
        .formatted(i, namespace, source.apply(i));
  }

  private List<SecretBinding> bindings(String namespace) {
    return client.resources(SecretBinding.class).inNamespace(namespace).list().getItems();
  }
}
