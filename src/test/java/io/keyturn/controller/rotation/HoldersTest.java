package io.keyturn.controller.rotation;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretStoreSpec;
import io.keyturn.controller.Census;
import io.keyturn.domain.rotation.Observation.OfStore;
import io.keyturn.domain.rotation.Observation.Queue;
import io.keyturn.testing.NoApiServer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Whom a rotation waits for, and what it costs to know. */
class HoldersTest {

  private static final String VAULT = "storeRef: {name: vault}";

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

  private SecretBinding mine = binding("orders-db", "name: api");

  @Test
  void nobodyIsWaitedForWhereNobodyIs() {
    assertThat(known()).isEqualTo(Queue.EMPTY);
    assertThat(now()).isEqualTo(Queue.EMPTY);
  }

  @Test
  void whoWaitsAsksNobody() {
    remembered.rotations.add(admitted("other-2", "api"));
    remembered.rotations.add(waiting("other-3", "StoreUnavailable"));

    assertThat(known()).isEqualTo(new Queue(Optional.of("other-2"), 1, OfStore.NONE));
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

    assertThat(now()).isEqualTo(new Queue(Optional.empty(), 1, OfStore.NONE));
  }

  @Test
  void ofAStoreThoseCountThatUseIt() {
    mine = binding("orders-db", "name: api", VAULT);
    listed.bindings.add(binding("a", "name: web", VAULT));
    listed.bindings.add(binding("b", "name: web", "storeRef: {name: other}"));
    listed.bindings.add(binding("c", "name: web"));
    listed.rotations.add(admitted("a-2", "web"));
    listed.rotations.add(admitted("b-2", "web"));
    listed.rotations.add(admitted("c-2", "web"));
    listed.rotations.add(admitted("gone-2", "web"));

    assertThat(now().ahead()).isEqualTo(4);
    assertThat(now().store()).isEqualTo(new OfStore(1, 1, OptionalInt.empty()));
  }

  @Test
  void whoWaitsForAStoreKeepsNobodyWaitingWhoNeedsAnotherOne() {
    listed.bindings.add(binding("other", "name: web", VAULT));
    listed.rotations.add(waiting("other-2", Reasons.STORE_BUDGET_EXHAUSTED));

    assertThat(now()).isEqualTo(Queue.EMPTY);
    mine = binding("orders-db", "name: api", VAULT);
    assertThat(now().ahead()).isZero();
    assertThat(now().store().here()).isEqualTo(1);
  }

  @Test
  void butItGoesFirstAtAWorkloadOfBoth() {
    listed.bindings.add(binding("other", "name: api", VAULT));
    listed.rotations.add(waiting("other-2", Reasons.STORE_BUDGET_EXHAUSTED));

    assertThat(now().holder()).contains("other-2");
  }

  @Test
  void aStoreOfTheClusterCountsInAllNamespacesWhereItHasALimit() {
    String shared = "storeRef: {kind: ClusterSecretStore, name: vault}";
    mine = binding("orders-db", "name: api", shared);
    listed.bindings.add(binding("a", "name: web", shared));
    listed.rotations.add(admitted("a-2", "web"));
    remembered.elsewhere(admitted("b-2", "web"), shared);
    remembered.elsewhere(admitted("c-2", "web"), VAULT);
    remembered.elsewhere(waiting("d-2", Reasons.STORE_BUDGET_EXHAUSTED), shared);
    remembered.elsewhere(waiting("e-2", Reasons.WORKLOAD_BUSY), shared);
    remembered.elsewhere(rotation("f-2", "2026-11-24T12:00:01Z", "{stage: Pending}"), shared);
    remembered.rotations.add(admitted("a-2", "web"));

    assertThat(now().store()).isEqualTo(new OfStore(1, 1, OptionalInt.empty()));
    remembered.most = 7;
    assertThat(now().store()).isEqualTo(new OfStore(1, 3, OptionalInt.of(7)));
  }

  @Test
  void aStoreOfANamespaceCountsThereAlone() {
    mine = binding("orders-db", "name: api", VAULT);
    remembered.elsewhere(admitted("b-2", "web"), VAULT);
    remembered.most = 7;

    assertThat(now().store()).isEqualTo(new OfStore(0, 0, OptionalInt.of(7)));
  }

  private Queue known() {
    return holders.known(mine(), mine, List.of(api));
  }

  private Queue now() {
    return holders.now(mine(), mine, List.of(api));
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
    return binding(name, workload, "secret: {name: upstream}");
  }

  private SecretBinding binding(String name, String workload, String source) {
    return yaml.unmarshal(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretBinding
        metadata: {name: %s, namespace: team}
        spec:
          source: {%s}
          workloads: [{kind: Deployment, %s}]
        """
            .formatted(name, source, workload),
        SecretBinding.class);
  }

  /** What a cache has. */
  private final class Remembered extends Census {

    private final List<SecretRotation> rotations = new ArrayList<>();
    private final Map<String, SecretBinding> bindings = new HashMap<>();
    private Integer most;

    /** A rotation of another namespace. */
    void elsewhere(SecretRotation rotation, String source) {
      String name = rotation.getSpec().bindingRef().name();
      rotation.getMetadata().setNamespace("elsewhere");
      rotations.add(rotation);
      bindings.put(name, HoldersTest.this.binding(name, "name: web", source));
    }

    @Override
    public Stream<SecretRotation> underWay() {
      return rotations.stream();
    }

    @Override
    public Optional<SecretBinding> binding(String namespace, String name) {
      return Optional.ofNullable(bindings.get(name));
    }

    @Override
    public Optional<SecretStoreSpec.Limits> limits(String namespace, StoreRef store) {
      return Optional.of(new SecretStoreSpec.Limits(10, most));
    }

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
