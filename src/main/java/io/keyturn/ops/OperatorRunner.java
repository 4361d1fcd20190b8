package io.keyturn.ops;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.ConfigurationServiceOverrider;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfigurationBuilder;
import io.javaoperatorsdk.operator.health.EventSourceHealthIndicator;
import io.javaoperatorsdk.operator.health.InformerHealthIndicator;
import io.javaoperatorsdk.operator.health.InformerWrappingEventSourceHealthIndicator;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.controller.binding.SecretBindingReconciler;
import io.keyturn.controller.policy.RotationPolicyReconciler;
import io.keyturn.controller.rotation.SecretRotationReconciler;
import io.keyturn.controller.store.ClusterSecretStoreReconciler;
import io.keyturn.controller.store.SecretStoreReconciler;
import io.keyturn.kubernetes.TrimmedStore;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import org.jboss.logging.Logger;

/** Starts and stops the reconcilers, and knows whether this process leads. */
@ApplicationScoped
public class OperatorRunner {

  private static final Logger LOG = Logger.getLogger(OperatorRunner.class);
  private static final Duration LONGEST_INTERVAL = Duration.ofMinutes(10);
  private static final Duration CACHE_SYNC = Duration.ofMinutes(2);

  /** The framework would go on with caches that lack what it could not list. */
  private static final Duration NEVER = CACHE_SYNC.multipliedBy(2);

  /** A leader that dies is followed when its Lease has run out, and another one has looked. */
  private static final Duration LEASE = Duration.ofSeconds(10);

  private static final Duration RENEWED_WITHIN = Duration.ofSeconds(7);

  /** The framework waits up to 2.2 times as long. */
  private static final Duration LEASE_LOOK = Duration.ofSeconds(1);

  private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);
  private static final Duration LET_GO = Duration.ofSeconds(1);
  private static final long PAGE = 500;

  private final KubernetesClient client;
  private final OperatorConfig config;
  private final Prerequisites prerequisites;
  private final Metrics metrics;
  private final SecretBindingReconciler bindings;
  private final SecretRotationReconciler rotations;
  private final RotationPolicyReconciler policies;
  private final SecretStoreReconciler stores;
  private final ClusterSecretStoreReconciler clusterStores;
  private volatile boolean stopping;
  private volatile boolean leading;
  private volatile boolean started;
  private volatile String waitsFor = "The operator starts.";
  private volatile Operator operator;
  private Thread starter;
  private ExecutorService workers;

  @Inject
  OperatorRunner(
      KubernetesClient client,
      OperatorConfig config,
      Prerequisites prerequisites,
      Metrics metrics,
      SecretBindingReconciler bindings,
      SecretRotationReconciler rotations,
      RotationPolicyReconciler policies,
      SecretStoreReconciler stores,
      ClusterSecretStoreReconciler clusterStores) {
    this.client = client;
    this.config = config;
    this.prerequisites = prerequisites;
    this.metrics = metrics;
    this.bindings = bindings;
    this.rotations = rotations;
    this.policies = policies;
    this.stores = stores;
    this.clusterStores = clusterStores;
  }

  /** Starting blocks until the caches are filled, so it has a thread of its own. */
  void start(@Observes StartupEvent event) {
    workers = Executors.newFixedThreadPool(config.parallelism(), Thread.ofVirtual().factory());
    starter = Thread.ofPlatform().name("operator-start").start(this::startOperator);
  }

  private void startOperator() {
    try {
      awaitPrerequisites();
      waitsFor = "The caches are being filled.";
      operator = new Operator(this::configure);
      operator.register(bindings, this::configure);
      operator.register(rotations, this::configure);
      operator.register(policies, this::configure);
      operator.register(stores, this::configure);
      registerClusterStores();
      Thread.ofVirtual().start(this::endUnlessStarted);
      operator.start();
      leading |= !config.leaderElection();
      started = true;
      LOG.infof("started, leader=%s", leading);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException e) {
      if (!stopping) {
        LOG.error("cannot start; this process ends, and Kubernetes starts it anew", e);
        Runtime.getRuntime().halt(1);
      }
    }
  }

  /** They belong to no namespace; an installation may do without the right to read them. */
  private void registerClusterStores() {
    if (prerequisites.mayReadClusterStores()) {
      operator.register(clusterStores, this::configureAnywhere);
    } else {
      LOG.info("ClusterSecretStores are not served: Keyturn may not read them");
    }
  }

  private void endUnlessStarted() {
    try {
      Thread.sleep(CACHE_SYNC);
      if (!started && !stopping) {
        LOG.errorf(
            "the caches are not filled after %d s; this process ends, and Kubernetes starts it anew",
            CACHE_SYNC.toSeconds());
        Runtime.getRuntime().halt(1);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Says once what is missing, and goes on when it is there. */
  private void awaitPrerequisites() throws InterruptedException {
    Optional<String> missing = prerequisites.missing();
    while (missing.isPresent()) {
      if (!missing.get().equals(waitsFor)) {
        waitsFor = missing.get();
        LOG.warn(waitsFor);
      }
      Thread.sleep(LOOK_AGAIN);
      missing = prerequisites.missing();
    }
  }

  void configure(ConfigurationServiceOverrider overrider) {
    overrider
        .withKubernetesClient(client)
        .checkingCRDAndValidateLocalModel(false)
        .withExecutorService(workers)
        .withCacheSyncTimeout(NEVER)
        // One connection that breaks while dozens of caches are filled would end the process.
        .withStopOnInformerErrorDuringStartup(false)
        .withReconciliationTerminationTimeout(Duration.ofSeconds(3))
        .withCloseClientOnStop(false)
        .withMetrics(metrics.framework());
    if (config.leaderElection()) {
      overrider.withLeaderElectionConfiguration(
          LeaderElectionConfigurationBuilder.aLeaderElectionConfiguration(Names.KEYTURN)
              .withLeaseNamespace(config.operatorNamespace())
              .withIdentity(identity())
              .withLeaseDuration(LEASE)
              .withRenewDeadline(RENEWED_WITHIN)
              .withRetryPeriod(LEASE_LOOK)
              .withLeaderCallbacks(
                  new LeaderCallbacks(this::onLeading, this::onStopLeading, id -> {}))
              .withExitOnStopLeading(false)
              .build());
    }
  }

  /** Under which name this process holds the Lease. */
  static String identity() {
    String host = System.getenv().getOrDefault("HOSTNAME", "keyturn");
    return host + "-" + ProcessHandle.current().pid();
  }

  <R extends HasMetadata> void configure(ControllerConfigurationOverrider<R> overrider) {
    Set<String> namespaces = config.namespaces().orElse(Set.of());
    configure(overrider, namespaces);
    if (!namespaces.isEmpty()) {
      overrider.settingNamespaces(namespaces);
    }
  }

  private <R extends HasMetadata> void configureAnywhere(
      ControllerConfigurationOverrider<R> overrider) {
    configure(overrider, Set.of());
  }

  private static <R extends HasMetadata> void configure(
      ControllerConfigurationOverrider<R> overrider, Set<String> namespaces) {
    overrider
        .withRetry(new Retries())
        .withReconciliationMaxInterval(LONGEST_INTERVAL)
        .withItemStore(TrimmedStore.unlessShared(TrimmedStore.withoutManagedFields(), namespaces))
        .withOnUpdateFilter(OperatorRunner::byOthers)
        .withInformerListLimit(PAGE);
  }

  /** Keyturn alone writes statuses, and whoever has written one looks on by itself. */
  private static boolean byOthers(HasMetadata now, HasMetadata before) {
    ObjectMeta after = now.getMetadata();
    ObjectMeta was = before.getMetadata();
    return !Objects.equals(after.getGeneration(), was.getGeneration())
        || !Objects.equals(after.getUid(), was.getUid())
        || !Objects.equals(after.getDeletionTimestamp(), was.getDeletionTimestamp())
        || !after.getAnnotations().equals(was.getAnnotations())
        || !after.getLabels().equals(was.getLabels())
        || !after.getFinalizers().equals(was.getFinalizers());
  }

  private void onLeading() {
    leading = true;
    LOG.info("this process leads");
  }

  /**
   * A process that has lost its Lease must not act any more. The framework's own exit deadlocks
   * with the shutdown hooks, so this ends the process at once; Kubernetes starts another.
   */
  private void onStopLeading() {
    leading = false;
    if (!stopping) {
      LOG.error("the Lease was lost; this process ends, and another one leads");
      Runtime.getRuntime().halt(1);
    }
  }

  /** Before anything else goes, so that losing the Lease on the way out is no failure. */
  void stop(@Observes @Priority(1) ShutdownEvent event) {
    stopping = true;
    starter.interrupt();
    boolean led = leading;
    if (operator != null) {
      operator.stop();
    }
    workers.shutdownNow();
    if (led && config.leaderElection() && workers.isTerminated()) {
      letLeaseGo();
    }
  }

  /** So that the next process need not wait until the Lease has run out. */
  private void letLeaseGo() {
    try {
      CompletableFuture.runAsync(
              () -> {
                Lease lease =
                    client
                        .leases()
                        .inNamespace(config.operatorNamespace())
                        .withName(Names.KEYTURN)
                        .get();
                if (lease != null && identity().equals(lease.getSpec().getHolderIdentity())) {
                  lease.getSpec().setHolderIdentity(null);
                  client.resource(lease).update();
                }
              })
          .get(LET_GO.toMillis(), TimeUnit.MILLISECONDS);
    } catch (ExecutionException | TimeoutException e) {
      LOG.warn("the Lease was not let go; another process leads when it has run out");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Whether this process acts. */
  boolean leading() {
    return leading;
  }

  /** Whether the caches are filled and the reconcilers run, or wait for the Lease. */
  boolean started() {
    return started;
  }

  /** Why this process is not ready, a sentence; empty if it is. */
  Optional<String> waitsFor() {
    if (!started) {
      return Optional.of(waitsFor);
    }
    String interrupted =
        unhealthySources().entrySet().stream()
            .filter(e -> !e.getValue().isEmpty())
            .map(Map.Entry::getKey)
            .sorted()
            .collect(Collectors.joining(", "));
    return interrupted.isEmpty()
        ? Optional.empty()
        : Optional.of("Watches of the API server are interrupted: %s.".formatted(interrupted));
  }

  /** Whether each informer watches, or tries to. */
  boolean informersRun() {
    return unhealthySources().values().stream()
        .flatMap(sources -> sources.values().stream())
        .allMatch(OperatorRunner::runs);
  }

  private static boolean runs(EventSourceHealthIndicator source) {
    return !(source instanceof InformerWrappingEventSourceHealthIndicator<?> informers)
        || informers.informerHealthIndicators().values().stream()
            .allMatch(InformerHealthIndicator::isRunning);
  }

  /** By controller and name; a controller that has none is there, too. */
  private Map<String, Map<String, EventSourceHealthIndicator>> unhealthySources() {
    return started ? operator.getRuntimeInfo().unhealthyEventSources() : Map.of();
  }
}
