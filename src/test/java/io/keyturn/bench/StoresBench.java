package io.keyturn.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.cluster.Team;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.Scrape;
import io.keyturn.testing.SharedControlPlane;
import io.keyturn.testing.VaultServer;
import io.keyturn.testing.VaultServer.Tokens;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.Predicate;
import java.util.stream.Stream;
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

  private static final ObjectMapper JSON = new ObjectMapper();

  private static final String POLICY =
      """
      path "kv/data/*" { capabilities = ["read"] }
      path "database/creds/app" { capabilities = ["read"] }
      path "sys/leases/revoke" { capabilities = ["update"] }
      path "auth/token/renew-accessor" { capabilities = ["update"] }
      path "auth/token/revoke-accessor" { capabilities = ["update"] }
      """;

  @TempDir Path directory;

  private final ControlPlane plane = SharedControlPlane.get();
  private final KubernetesClient client = plane.adminClient();

  @Test
  void oneKeyIsReadOnceHoweverManyBindingsWantIt() {
    try (VaultServer vault = startVault()) {
      vault.enableKv("kv");
      for (int key = 0; key < KEYS; key++) {
        vault.write("kv/data/key-" + key, Map.of("data", Map.of("password", Team.newValue())));
      }
      prepare("keys", vault);
      try (OperatorProcess operator = MeasuredOperator.start(plane)) {
        Instant begin = Instant.now();
        bind("keys", BINDINGS, i -> "vaultKv: {mount: kv, path: key-%d}".formatted(i % KEYS));
        double took = Figures.secondsSince(begin);
        long reads = asked(p -> p.startsWith("kv/data/key-"));
        long logins = asked(p -> p.endsWith("/login"));
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
        VaultServer vault = startVault()) {
      vault.enableDatabase("database", postgres);
      vault.databaseRole("database", "app", LEASE_TTL, Duration.ofHours(24));
      prepare("leases", vault);
      try (OperatorProcess operator = MeasuredOperator.start(plane)) {
        bind("leases", LEASES, _ -> "vaultLease: {path: database/creds/app}");
        Duration before = cpu(operator);
        Instant begin = Instant.now();
        Awaitility.await("leases are renewed")
            .atMost(RENEWING.plusMinutes(1))
            .pollInterval(Duration.ofSeconds(5))
            .until(() -> Instant.now().isAfter(begin.plus(RENEWING)));
        double share = Figures.seconds(cpu(operator).minus(before)) / RENEWING.toSeconds();
        Scrape scrape = Scrape.parse(operator.get("/q/metrics"));
        double lost = sum(scrape, "keyturn_leases_expired_in_use_total", _ -> true);
        Figures.print(
            "%d leases of %s for %s (renewals, lost)".formatted(LEASES, LEASE_TTL, RENEWING),
            "%.0f, %.0f"
                .formatted(
                    sum(scrape, "keyturn_lease_renewals_total", l -> "ok".equals(l.get("outcome"))),
                    lost));
        Figures.print("one core's share of that", "%.1f %%".formatted(100 * share));
        assertThat(lost).isZero();
        assertThat(bindings("leases"))
            .allMatch(b -> b.getStatus().expiresAt().isAfter(Instant.now()));
      }
    }
  }

  private static Duration cpu(OperatorProcess operator) {
    return ProcessHandle.of(operator.pid()).flatMap(p -> p.info().totalCpuDuration()).orElseThrow();
  }

  private VaultServer startVault() {
    VaultServer vault = VaultServer.start();
    vault.write(
        "sys/audit/file",
        Map.of("type", "file", "options", Map.of("file_path", auditLog().toString())));
    return vault;
  }

  private Path auditLog() {
    return directory.resolve("vault-audit.log");
  }

  /** How many requests Vault was asked with such a path, beside those of its administrator. */
  private long asked(Predicate<String> path) {
    try (Stream<String> lines = Files.lines(auditLog())) {
      return lines
          .map(StoresBench::parse)
          .filter(l -> l.path("type").asText().equals("request"))
          .filter(l -> !l.at("/auth/display_name").asText().equals("root"))
          .map(l -> l.at("/request/path").asText())
          .filter(path)
          .count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode parse(String line) {
    try {
      return JSON.readTree(line);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void prepare(String namespace, VaultServer vault) {
    OperatorProcess.install(plane);
    client
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build())
        .create();
    vault.enableKubernetesAuth("kubernetes", plane);
    vault.policy("bench", POLICY);
    vault.kubernetesRole(
        "kubernetes",
        "bench",
        namespace,
        "default",
        "vault",
        Tokens.service(Duration.ofHours(24), "bench"));
    plane.apply(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretStore
        metadata: {name: vault, namespace: %1$s}
        spec:
          refreshInterval: 30m
          limits: {requestsPerSecond: 1000}
          provider:
            vault:
              address: %2$s
              auth: {kubernetes: {role: bench, serviceAccountName: default}}
              caBundle: |
        %3$s
        ---
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: app, namespace: %1$s}
        spec:
          replicas: 0
          selector: {matchLabels: {app: app}}
          template:
            metadata: {labels: {app: app}}
            spec: {containers: [{name: app, image: hollow/ready}]}
        """
            .formatted(
                namespace, vault.address(), vault.caBundle().strip().indent(10).stripTrailing()));
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
