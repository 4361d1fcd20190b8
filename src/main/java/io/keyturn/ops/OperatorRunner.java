package io.keyturn.ops;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.ConfigurationServiceOverrider;
import io.javaoperatorsdk.operator.api.config.ControllerConfigurationOverrider;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfigurationBuilder;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.controller.binding.SecretBindingReconciler;
import io.keyturn.controller.policy.RotationPolicyReconciler;
import io.keyturn.controller.rotation.SecretRotationReconciler;
import io.keyturn.kubernetes.TrimmedStore;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jboss.logging.Logger;

/** Starts and stops the reconcilers, and knows whether this process leads. */
@ApplicationScoped
public class OperatorRunner {

  private static final Logger LOG = Logger.getLogger(OperatorRunner.class);
  private static final Duration LONGEST_INTERVAL = Duration.ofMinutes(10);
  private static final Duration CACHE_SYNC = Duration.ofMinutes(2);
  private static final long PAGE = 500;

  private final KubernetesClient client;
  private final OperatorConfig config;
  private final Metrics metrics;
  private final SecretBindingReconciler bindings;
  private final SecretRotationReconciler rotations;
  private final RotationPolicyReconciler policies;
  private volatile boolean stopping;
  private volatile boolean leading;
  private volatile boolean started;
  private Operator operator;
  private ExecutorService workers;

  @Inject
  OperatorRunner(
      KubernetesClient client,
      OperatorConfig config,
      Metrics metrics,
      SecretBindingReconciler bindings,
      SecretRotationReconciler rotations,
      RotationPolicyReconciler policies) {
    this.client = client;
    this.config = config;
    this.metrics = metrics;
    this.bindings = bindings;
    this.rotations = rotations;
    this.policies = policies;
  }

  /** Starting blocks until this process leads, so it has a thread of its own. */
  void start(@Observes StartupEvent event) {
    workers = Executors.newFixedThreadPool(config.parallelism(), Thread.ofVirtual().factory());
    operator = new Operator(this::configure);
    operator.register(bindings, this::configure);
    operator.register(rotations, this::configure);
    operator.register(policies, this::configure);
    Thread.ofPlatform().name("operator-start").start(this::startOperator);
  }

  private void startOperator() {
    try {
      operator.start();
      leading |= !config.leaderElection();
      started = true;
      LOG.infof("started, leader=%s", leading);
    } catch (RuntimeException e) {
      if (!stopping) {
        LOG.errorf("cannot start: %s", e.getMessage());
        Runtime.getRuntime().halt(1);
      }
    }
  }

  private void configure(ConfigurationServiceOverrider overrider) {
    overrider
        .withKubernetesClient(client)
        .checkingCRDAndValidateLocalModel(false)
        .withExecutorService(workers)
        .withCacheSyncTimeout(CACHE_SYNC)
        .withReconciliationTerminationTimeout(Duration.ofSeconds(3))
        .withCloseClientOnStop(false)
        .withMetrics(metrics.framework());
    if (config.leaderElection()) {
      overrider.withLeaderElectionConfiguration(
          LeaderElectionConfigurationBuilder.aLeaderElectionConfiguration(Names.KEYTURN)
              .withLeaseNamespace(config.operatorNamespace())
              .withIdentity(identity())
              .withLeaderCallbacks(
                  new LeaderCallbacks(this::onLeading, this::onStopLeading, id -> {}))
              .withExitOnStopLeading(false)
              .build());
    }
  }

  private static String identity() {
    String host = System.getenv().getOrDefault("HOSTNAME", "keyturn");
    return host + "-" + ProcessHandle.current().pid();
  }

  private <R extends HasMetadata> void configure(ControllerConfigurationOverrider<R> overrider) {
    overrider
        .withRetry(new Retries())
        .withReconciliationMaxInterval(LONGEST_INTERVAL)
        .withItemStore(TrimmedStore.withoutManagedFields())
        .withOnUpdateFilter(OperatorRunner::byOthers)
        .withInformerListLimit(PAGE);
    Set<String> namespaces = config.namespaces().orElse(Set.of());
    if (!namespaces.isEmpty()) {
      overrider.settingNamespaces(namespaces);
    }
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
    operator.stop();
    workers.shutdownNow();
  }

  /** Whether this process acts. */
  boolean leading() {
    return leading;
  }

  /** Whether the caches are filled and the reconcilers run. */
  boolean started() {
    return started;
  }

  /** What the framework knows of its controllers and informers. */
  Operator operator() {
    return operator;
  }
}
