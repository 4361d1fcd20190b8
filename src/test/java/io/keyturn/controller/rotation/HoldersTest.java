package io.keyturn.controller.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.controller.Census;
import io.keyturn.domain.rotation.Observation.Queue;
import io.keyturn.testing.NoApiServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whom a rotation waits for, and what it costs to know. */
class HoldersTest {

  private final KubernetesSerialization yaml = new KubernetesSerialization();
  private final Listed listed = new Listed();
  private final Remembered remembered = new Remembered();
  private final Holders holders = new Holders(listed, remembered);
  private final Deployment api =
      yaml.unmarshal(
          """
          apiVersion: apps/v1
          kind: Deployment
          metadata: {name: api, namespace: team, labels: {tier: front}}
          """,
          Deployment.class);

  @Test
  void nobodyIsWaitedForWhereNobodyIs() {
    assertThat(known()).isEqualTo(Queue.EMPTY);
    assertThat(now()).isEqualTo(Queue.EMPTY);
  }

  @Test
  void whoWaitsAsksNobody() {
    remembered.rotations.add(admitted("other-2", "api"));
    remembered.rotations.add(waiting("other-3", "StoreUnavailable"));

    assertThat(known()).isEqualTo(new Queue(Optional.of("other-2"), 1));
    assertThat(listed.requests).isEmpty();
  }

  @Test
  void whoBeginsDoesNotGoByWhatIsRemembered() {
    remembered.rotations.add(admitted("gone-2", "api"));
    listed.rotations.add(admitted("other-2", "api"));

    assertThat(now().holder()).contains("other-2");
    assertThat(listed.requests).containsExactly("SecretRotation");
  }

  @Test
  void nothingIsReadOfOthersButTwoLists() {
    for (int i = 0; i < 300; i++) {
      listed.rotations.add(waiting("other%03d-2".formatted(i), "StoreUnavailable"));
      listed.bindings.add(binding("other%03d".formatted(i), "name: web"));
    }

    assertThat(now()).isEqualTo(Queue.EMPTY);
    assertThat(listed.requests).containsExactly("SecretRotation", "SecretBinding");
  }

  @ParameterizedTest
  @CsvSource({
    "name: api, true",
    "name: web, false",
    "'selector: {matchLabels: {tier: front}}', true",
    "'selector: {matchLabels: {tier: back}}', false"
  })
  void anOlderOneThatWaitsHoldsWhatItsBindingMeans(String workload, boolean holds) {
    listed.rotations.add(waiting("other-2", "StoreUnavailable"));
    listed.bindings.add(binding("other", workload));

    assertThat(now().holder().isPresent()).isEqualTo(holds);
  }

  @Test
  void oneThatRestsHoldsNothing() {
    listed.rotations.add(waiting("other-2", Reasons.WINDOW_CLOSED));
    listed.bindings.add(binding("other", "name: api"));

    assertThat(now()).isEqualTo(Queue.EMPTY);
  }

  @Test
  void norDoesOneWhoseBindingHasGone() {
    listed.rotations.add(waiting("other-2", "StoreUnavailable"));

    assertThat(now()).isEqualTo(Queue.EMPTY);
  }

  @Test
  void onesThatWaitForTheNumberGoFirstIfTheyAreOlder() {
    listed.rotations.add(waiting("other-2", Reasons.BUDGET_EXHAUSTED));
    listed.bindings.add(binding("other", "name: web"));

    assertThat(now()).isEqualTo(new Queue(Optional.empty(), 1));
  }

  private Queue known() {
    return holders.known(mine(), List.of(api));
  }

  private Queue now() {
    return holders.now(mine(), List.of(api));
  }

  private SecretRotation mine() {
    return rotation("orders-db-3", "2026-11-24T12:00:00Z", "{stage: Pending}");
  }

  private SecretRotation admitted(String name, String workload) {
    return rotation(
        name,
        "2026-11-24T13:00:00Z",
        "{stage: Canary, workloads: [{kind: Deployment, name: %s, uid: u, state: Waiting, wave: 0}]}"
            .formatted(workload));
  }

  private SecretRotation waiting(String name, String reason) {
    return rotation(
        name,
        "2026-11-24T11:00:00Z",
        "{stage: Pending, conditions: [{type: Blocked, status: 'True', reason: %s}]}"
            .formatted(reason));
  }

  private SecretRotation rotation(String name, String created, String status) {
    return yaml.unmarshal(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretRotation
        metadata:
          name: %1$s
          namespace: team
          uid: %1$s
          creationTimestamp: "%3$s"
          ownerReferences: [{kind: SecretBinding, name: %2$s, uid: b, controller: true}]
        spec: {bindingRef: {name: %2$s}, trigger: Scheduled}
        status: %4$s
        """
            .formatted(name, name.substring(0, name.lastIndexOf('-')), created, status),
        SecretRotation.class);
  }

  private SecretBinding binding(String name, String workload) {
    return yaml.unmarshal(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretBinding
        metadata: {name: %s, namespace: team}
        spec:
          source: {secret: {name: upstream}}
          workloads: [{kind: Deployment, %s}]
        """
            .formatted(name, workload),
        SecretBinding.class);
  }

  /** What a cache has. */
  private static final class Remembered extends Census {

    private final List<SecretRotation> rotations = new ArrayList<>();

    @Override
    public Stream<SecretRotation> underWay(String namespace) {
      return rotations.stream();
    }
  }

  /** What there is. */
  private static final class Listed extends NoApiServer {

    private final List<SecretRotation> rotations = new ArrayList<>();
    private final List<SecretBinding> bindings = new ArrayList<>();
    private final List<String> requests = new ArrayList<>();

    @Override
    public <T extends HasMetadata> List<T> list(
        Class<T> kind, String namespace, LabelSelector selector) {
      requests.add(kind.getSimpleName());
      return (kind == SecretRotation.class ? rotations : bindings)
          .stream().map(kind::cast).toList();
    }
  }
}
