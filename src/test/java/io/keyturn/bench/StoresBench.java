package io.keyturn.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.keyturn.api.v1alpha1.SecretBinding;
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
import java.util.function.IntFunction;
import java.util.function.Predicate;
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
      for (int key = 0; key < KEYS; key++) {
        vault
            .server()
            .write("kv/data/key-" + key, Map.of("data", Map.of("password", Team.newValue())));
      }
      prepare("keys", vault);
      try (OperatorProcess operator = MeasuredOperator.start(plane)) {
        Instant begin = Instant.now();
        bind("keys", BINDINGS, i -> "vaultKv: {mount: kv, path: key-%d}".formatted(i % KEYS));
        double took = Figures.secondsSince(begin);
        long reads = asked(vault, p -> p.startsWith("kv/data/key-"));
        long logins = asked(vault, p -> p.endsWith("/login"));
        Figures.print(
            "%d bindings of %d keys (reads, logins, all for each key)".formatted(BINDINGS, KEYS),
            "%d, %d, %.2f".formatted(reads, logins, (reads + logins) / (double) KEYS));
        Figures.print("until all of them were delivered", "%.1f s".formatted(took));
        printRetrievals(operator);
        assertThat((reads + logins) / (double) KEYS).isLessThanOrEqualTo(1.05);
        assertThat(operator.errors()).isEmpty();
      }
    }
  }

  private static long asked(MeasuredVault vault, Predicate<String> path) {
    return vault.audit().entries().stream().filter(e -> path.test(e.path())).count();
  }

  private static void printRetrievals(OperatorProcess operator) {
    Scrape scrape = Scrape.parse(operator.get("/q/metrics"));
    double all = sum(scrape, "keyturn_retrieval_duration_seconds_count", _ -> true);
    double quick =
        sum(scrape, "keyturn_retrieval_duration_seconds_bucket", l -> "0.5".equals(l.get("le")));
    Figures.print(
        "retrievals under 0.5 s, queue and login included",
        "%.2f %% of %.0f".formatted(100 * quick / all, all));
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
      prepare("leases", vault);
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

  private void prepare(String namespace, MeasuredVault vault) {
    vault.openIn(namespace);
    plane.apply(
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: app, namespace: %s}
        spec:
          replicas: 0
          selector: {matchLabels: {app: app}}
          template:
            metadata: {labels: {app: app}}
            spec: {containers: [{name: app, image: hollow/ready}]}
        """
            .formatted(namespace));
  }

  private void bind(String namespace, int count, IntFunction<String> source) {
    AtOnce.each(
        count,
        i ->
            client
                .resource(
                    """
                    apiVersion: keyturn.io/v1alpha1
                    kind: SecretBinding
                    metadata: {name: binding-%d, namespace: %s}
                    spec:
                      source: {storeRef: {name: vault}, %s}
                      workloads: [{kind: Deployment, name: app}]
                    """
                        .formatted(i, namespace, source.apply(i)))
                .create());
    Awaitility.await("all bindings have their first version")
        .atMost(Duration.ofMinutes(10))
        .pollInterval(Duration.ofSeconds(1))
        .until(() ->
            bindings(namespace).stream().filter(b -> b.getStatus().current() != null).count()
                == count);
  }

  private List<SecretBinding> bindings(String namespace) {
    return client.resources(SecretBinding.class).inNamespace(namespace).list().getItems();
  }
}
