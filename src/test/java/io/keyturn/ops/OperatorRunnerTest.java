package io.keyturn.ops;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.javaoperatorsdk.operator.Operator;
import io.javaoperatorsdk.operator.api.config.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.config.LeaderElectionConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The framework's defaults that would hurt are not in force. */
@EnableKubernetesMockClient
class OperatorRunnerTest {

  private static KubernetesClient client;

  private Operator operator;
  private ControllerConfiguration<SecretBinding> controller;

  @BeforeEach
  void configure() {
    OperatorRunner runner =
        new OperatorRunner(
            client,
            new Defaults(),
            null,
            new Metrics(new SimpleMeterRegistry()),
            null,
            null,
            null,
            null,
            null);
    operator = new Operator(runner::configure);
    controller = operator.register(new Nothing(), runner::configure).getConfiguration();
  }

  @Test
  void everyObjectIsLookedAtEveryTenMinutes() {
    assertThat(controller.maxReconciliationInterval())
        .hasValueSatisfying(i -> assertThat(i).isLessThanOrEqualTo(Duration.ofMinutes(10)));
  }

  @Test
  void failuresAreRetriedForEver() {
    assertThat(controller.getRetry()).isInstanceOf(Retries.class);
  }

  @Test
  void objectsAreListedInPages() {
    assertThat(controller.getInformerConfig().getInformerListLimit()).isEqualTo(500);
  }

  @Test
  void theFrameworkNeverEndsTheProcessByItself() {
    assertThat(operator.getConfigurationService().getLeaderElectionConfiguration())
        .get()
        .returns(false, LeaderElectionConfiguration::isExitOnStopLeading);
  }

  private static final class Nothing implements Reconciler<SecretBinding> {

    @Override
    public UpdateControl<SecretBinding> reconcile(
        SecretBinding binding, Context<SecretBinding> context) {
      return UpdateControl.noUpdate();
    }
  }

  private static final class Defaults implements OperatorConfig {

    @Override
    public Optional<Set<String>> namespaces() {
      return Optional.empty();
    }

    @Override
    public String operatorNamespace() {
      return "keyturn-system";
    }

    @Override
    public boolean leaderElection() {
      return true;
    }

    @Override
    public double workloadPatchesPerSecond() {
      return 5;
    }

    @Override
    public Duration kubeletLag() {
      return Duration.ofSeconds(10);
    }

    @Override
    public int parallelism() {
      return 1;
    }
  }
}
