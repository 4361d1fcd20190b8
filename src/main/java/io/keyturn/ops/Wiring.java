package io.keyturn.ops;

import io.fabric8.kubernetes.api.model.coordination.v1.Lease;
import io.fabric8.kubernetes.api.model.coordination.v1.LeaseSpec;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.controller.Epoch;
import io.keyturn.controller.KubeletLag;
import io.keyturn.controller.MetadataClient;
import io.keyturn.controller.Pace;
import io.keyturn.kubernetes.RetryAfter;
import io.keyturn.secret.Fingerprint;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.inject.Disposes;
import jakarta.enterprise.inject.Produces;
import jakarta.inject.Singleton;
import java.time.Clock;
import java.util.Objects;
import org.eclipse.microprofile.config.inject.ConfigProperty;

/** Makes what the parts of the operator are given: clock, clients, and the installation's key. */
@ApplicationScoped
class Wiring {

  /** fabric8 allows five requests at once by default, and reconciles would queue behind them. */
  private static final int MAX_REQUESTS = 64;

  @Produces
  @Singleton
  Clock clock() {
    return Clock.systemUTC();
  }

  /**
   * In a cluster its ServiceAccount, elsewhere {@code KUBECONFIG}. The user agent up to the slash
   * is the field manager of plain writes.
   */
  @Produces
  @Singleton
  Config config(
      @ConfigProperty(name = "quarkus.application.version", defaultValue = "dev") String version) {
    Config config = Config.autoConfigure(null);
    config.setUserAgent(Names.KEYTURN + "/" + version);
    config.setMaxConcurrentRequests(MAX_REQUESTS);
    config.setMaxConcurrentRequestsPerHost(MAX_REQUESTS);
    return config;
  }

  @Produces
  @Singleton
  KubernetesClient client(Config config) {
    return new KubernetesClientBuilder()
        .withConfig(config)
        .withHttpClientBuilderConsumer(RetryAfter::addTo)
        .build();
  }

  void close(@Disposes KubernetesClient client) {
    client.close();
  }

  @Produces
  @Singleton
  KubeletLag kubeletLag(OperatorConfig operator) {
    return new KubeletLag(operator.kubeletLag());
  }

  @Produces
  @Singleton
  Pace pace(OperatorConfig operator, Clock clock) {
    return new Pace(operator.workloadPatchesPerSecond(), clock);
  }

  @Produces
  @Singleton
  Epoch epoch(OperatorConfig operator, KubernetesClient client) {
    return operator.leaderElection()
        ? new Epoch(() -> term(client, operator.operatorNamespace()))
        : Epoch.NONE;
  }

  private static Epoch.Term term(KubernetesClient client, String namespace) {
    Lease lease = client.leases().inNamespace(namespace).withName(Names.KEYTURN).get();
    LeaseSpec spec = lease == null ? new LeaseSpec() : lease.getSpec();
    return new Epoch.Term(
        Objects.requireNonNullElse(spec.getLeaseTransitions(), 0),
        OperatorRunner.identity().equals(spec.getHolderIdentity()));
  }

  @Produces
  @Singleton
  MetadataClient metadataClient(Config config) {
    return new MetadataClient(config);
  }

  @Produces
  @Singleton
  Fingerprint fingerprint(InstallationKey key) {
    return new Fingerprint(key.read());
  }
}
