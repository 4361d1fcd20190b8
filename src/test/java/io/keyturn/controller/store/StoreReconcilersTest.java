package io.keyturn.controller.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreKind;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.api.v1alpha1.SecretStoreStatus;
import io.keyturn.controller.Census;
import io.keyturn.controller.EventRecorder;
import io.keyturn.controller.Nudge;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.LogLines;
import io.keyturn.testing.ManualClock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How the controllers of stores ask, tell, and let others look again. */
class StoreReconcilersTest {

  private static final KubernetesSerialization YAML = new KubernetesSerialization();
  private static final Instant NOW = Instant.parse("2026-11-25T10:00:00Z");
  private static final String PROVIDER =
      "{postgresql: {host: db, database: app, adminSecretRef: {name: admin}}}";

  private final ManualClock clock = new ManualClock(NOW);
  private final OneStore api = new OneStore();
  private final FakeStores stores = new FakeStores();
  private final Census census = new Census();
  private final Nudge nudge = new Nudge();
  private final List<ResourceID> nudged = new ArrayList<>();
  private final StoreReport report =
      new StoreReport(api, stores, new EventRecorder(api, clock), census, nudge, clock);
  private final SecretStoreReconciler reconciler =
      new SecretStoreReconciler(stores, report, census, nudge);
  private final ClusterSecretStoreReconciler ofCluster =
      new ClusterSecretStoreReconciler(stores, report, census, nudge);

  @BeforeEach
  void listen() {
    nudge.ofBindings().setEventHandler(e -> nudged.add(e.getRelatedCustomResourceID()));
    nudge.ofBindings().start();
  }

  private static SecretStore store() {
    return YAML.unmarshal(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretStore
        metadata: {namespace: payments, name: db, uid: uid-of-db, generation: 3}
        spec: {provider: %s}
        """
            .formatted(PROVIDER),
        SecretStore.class);
  }

  private static ClusterSecretStore clusterStore() {
    return YAML.unmarshal(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: ClusterSecretStore
        metadata: {name: db, uid: uid-of-db, generation: 3}
        spec: {provider: %s}
        """
            .formatted(PROVIDER),
        ClusterSecretStore.class);
  }

  private static SecretBinding binding(String namespace, String name, String source) {
    return YAML.unmarshal(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretBinding
        metadata: {namespace: %s, name: %s}
        spec: {source: {%s}}
        """
            .formatted(namespace, name, source),
        SecretBinding.class);
  }

  private static SecretBinding user(String namespace, String name, String storeRef) {
    return binding(
        namespace, name, "storeRef: %s, postgresql: {roles: [a, b]}".formatted(storeRef));
  }

  private UpdateControl<SecretStore> reconcile(SecretStore store) {
    return reconciler.reconcile(store, null);
  }

  /** Reconciles it as the API server has it. */
  private UpdateControl<SecretStore> reconcileNow() {
    return reconcile(api.now(SecretStore.class));
  }

  private SecretStoreStatus status() {
    return api.now(SecretStore.class).getStatus();
  }

  private static String conditions(SecretStoreStatus status) {
    return status.conditions().stream()
        .map(c -> c.type() + "=" + c.status())
        .collect(Collectors.joining(" "));
  }

  private static StoreException denied() {
    return new StoreException(Kind.DENIED, "No entry.");
  }

  private static Duration delay(UpdateControl<?> control) {
    return Duration.ofMillis(control.getScheduleDelay().orElseThrow());
  }

  @Test
  void aStoreThatLetsTheIdentityOfItsNamespaceInIsReady() {
    api.put(store());

    UpdateControl<SecretStore> control = reconcileNow();

    assertThat(stores.asked).containsExactly("check db");
    assertThat(conditions(status())).isEqualTo("AuthValid=True Ready=True");
    assertThat(status().observedGeneration()).isEqualTo(3);
    assertThat(status().provider()).isEqualTo("postgresql");
    assertThat(status().capabilities().disable()).isTrue();
    assertThat(control.isNoUpdate()).as("the status is written already").isTrue();
  }

  @Test
  void aStoreOfTheClusterIsAskedAsNobody() {
    api.put(clusterStore());

    ofCluster.reconcile(api.now(ClusterSecretStore.class), null);

    assertThat(stores.asked).containsExactly("reach db");
    assertThat(conditions(api.now(ClusterSecretStore.class).getStatus())).isEqualTo("Ready=True");
    assertThat(api.events).hasSize(1);
    Event event = api.events.getFirst();
    assertThat(event.getRegarding().getKind()).isEqualTo("ClusterSecretStore");
    assertThat(event.getMetadata().getNamespace()).isEqualTo("default");
  }

  @Test
  void aStoreThatFailsSaysWhyInItsStatusAndInAnEvent() {
    api.put(store());
    stores.failure = denied();

    reconcileNow();

    assertThat(conditions(status())).isEqualTo("AuthValid=False Ready=False Stalled=True");
    assertThat(status().conditions())
        .filteredOn(c -> c.type().equals("Ready"))
        .extracting(Condition::message)
        .containsExactly("No entry.");
    assertThat(api.events).hasSize(1);
    Event event = api.events.getFirst();
    assertThat(event.getType()).isEqualTo("Warning");
    assertThat(event.getReason()).isEqualTo("StoreDenied");
    assertThat(event.getNote()).isEqualTo("No entry.");
    assertThat(event.getRegarding().getName()).isEqualTo("db");
    assertThat(event.getMetadata().getNamespace()).isEqualTo("payments");
  }

  @Test
  void aQuotaThatIsUsedUpIsSaidAndLeavesTheStoreReady() {
    api.put(store());
    stores.exhausted =
        new StoreException(Kind.THROTTLED, Reasons.QUOTA_EXCEEDED, "Full.", Optional.empty());

    reconcileNow();

    assertThat(conditions(status())).contains("QuotaExceeded=True", "Ready=True");
  }

  @Test
  void aStoreOfAKindThatNobodyKnowsHasNoCapabilities() {
    api.put(store());
    stores.unknown = new StoreException(Kind.PERMANENT, "Unknown.");
    stores.failure = stores.unknown;

    reconcileNow();

    assertThat(status().provider()).isNull();
    assertThat(status().capabilities()).isNull();
    assertThat(conditions(status())).contains("Ready=False", "Stalled=True");
  }

  @Test
  void whatIsNoNewsCostsNoRequestAndIsToldToNobody() {
    api.put(store());
    census.ofBindings(new Known<>(List.of(user("payments", "one", "{name: db}"))));
    reconcileNow();
    nudged.clear();
    clock.advance(Duration.ofMinutes(5));

    reconcileNow();

    assertThat(stores.asked).hasSize(2);
    assertThat(api.reads).isEqualTo(1);
    assertThat(api.writes).isEqualTo(1);
    assertThat(api.events).hasSize(1);
    assertThat(nudged).isEmpty();
  }

  @Test
  void whoseCacheLagsBehindWritesNothingTwice() {
    api.put(store());
    reconcileNow();

    reconcile(store());

    assertThat(api.writes).isEqualTo(1);
    assertThat(api.events).hasSize(1);
  }

  @Test
  void aStoreThatHasGoneMeanwhileIsLeftAlone() {
    reconcile(store());

    assertThat(api.writes).isZero();
    assertThat(api.events).isEmpty();
  }

  @Test
  void aStoreThatIsBeingDeletedIsNotAsked() {
    SecretStore going = store();
    going.getMetadata().setDeletionTimestamp("2026-11-25T10:00:00Z");
    api.put(going);

    UpdateControl<SecretStore> control = reconcileNow();

    assertThat(stores.asked).isEmpty();
    assertThat(api.writes).isZero();
    assertThat(control.getScheduleDelay()).isEmpty();
  }

  @Test
  void whoUsesAStoreLooksAgainWhenItHasChangedAndNobodyElseDoes() {
    api.put(store());
    census.ofBindings(
        new Known<>(
            List.of(
                user("payments", "user", "{name: db}"),
                user("payments", "of-another", "{name: other}"),
                user("payments", "of-the-cluster", "{kind: ClusterSecretStore, name: db}"),
                user("orders", "elsewhere", "{name: db}"),
                binding("payments", "of-none", "generated: {}"))));

    reconcileNow();

    assertThat(nudged).containsExactly(new ResourceID("user", "payments"));
  }

  @Test
  void whoUsesAStoreOfTheClusterLooksAgainInEachNamespace() {
    api.put(clusterStore());
    census.ofBindings(
        new Known<>(
            List.of(
                user("payments", "one", "{kind: ClusterSecretStore, name: db}"),
                user("orders", "other", "{kind: ClusterSecretStore, name: db}"),
                user("orders", "of-its-own", "{name: db}"))));

    ofCluster.reconcile(api.now(ClusterSecretStore.class), null);

    assertThat(nudged)
        .containsExactlyInAnyOrder(
            new ResourceID("one", "payments"), new ResourceID("other", "orders"));
  }

  @Test
  void aStoreThatIsReadyIsAskedAgainAfterFiveMinutesATenthMoreOrLess() {
    Set<Duration> delays = new HashSet<>();
    for (int i = 0; i < 200; i++) {
      SecretStore store = store();
      store.getMetadata().setUid("uid-" + i);
      api.put(store);
      Duration delay = delay(reconcileNow());
      assertThat(delay).isBetween(Duration.ofSeconds(270), Duration.ofSeconds(330));
      assertThat(delay(reconcileNow())).as("the same each time").isEqualTo(delay);
      delays.add(delay);
    }

    assertThat(delays).as("spread").hasSizeGreaterThan(50);
  }

  @Test
  void aStoreThatFailsIsAskedAgainWhenItSays() {
    api.put(store());
    stores.failure =
        new StoreException(
            Kind.TRANSIENT,
            Reasons.STORE_UNAVAILABLE,
            "Away.",
            Optional.of(Duration.ofSeconds(17)));

    assertThat(delay(reconcileNow())).isEqualTo(Duration.ofSeconds(17));
  }

  @Test
  void whoMeetsAnotherWriterLooksAgainSoonAndTellsNothing() {
    api.put(store());
    census.ofBindings(new Known<>(List.of(user("payments", "user", "{name: db}"))));
    api.refusal = 409;

    assertThat(delay(reconcileNow())).isEqualTo(Duration.ofSeconds(1));

    assertThat(api.events).isEmpty();
    assertThat(nudged).isEmpty();
  }

  @Test
  void anApiServerThatFailsIsTriedAgainByTheFramework() {
    api.put(store());
    api.refusal = 500;

    assertThatThrownBy(this::reconcileNow).isInstanceOf(KubernetesClientException.class);
    assertThat(api.events).isEmpty();
  }

  @Test
  void aFailureIsLoggedWithoutWhatItSaysAndNoStatusIsMadeOfIt() {
    String value = UUID.randomUUID().toString();
    Exception failure = new IllegalStateException(value);
    try (LogLines lines = LogLines.of("io.keyturn.reconcile")) {
      assertThat(reconciler.updateErrorStatus(store(), null, failure).getResource()).isEmpty();
      assertThat(ofCluster.updateErrorStatus(clusterStore(), null, failure).getResource())
          .isEmpty();

      assertThat(lines.all()).hasSize(2);
      assertThat(lines.all())
          .extracting(line -> line.getMdcCopy().get("kind"))
          .containsExactly("SecretStore", "ClusterSecretStore");
      assertThat(lines.all()).extracting(LogLines::text).noneMatch(text -> text.contains(value));
    }
  }

  @ParameterizedTest
  @EnumSource(StoreKind.class)
  void aStoreIsLookedAtWhenItsStatusIsNotWhatUsersFind(StoreKind kind) {
    api.put(store());
    stores.exhausted =
        new StoreException(Kind.THROTTLED, Reasons.QUOTA_EXCEEDED, "Full.", Optional.empty());
    reconcileNow();
    SecretStore known = api.now(SecretStore.class);
    ClusterSecretStore ofTheCluster = clusterStore();
    ofTheCluster.setStatus(known.getStatus());
    census.ofStores(new Known<>(List.of(known)));
    census.ofClusterStores(new Known<>(List.of(ofTheCluster)));
    List<ResourceID> looked = new ArrayList<>();
    for (Nudge.Source<?> source : List.of(nudge.ofStores(), nudge.ofClusterStores())) {
      source.setEventHandler(e -> looked.add(e.getRelatedCustomResourceID()));
      source.start();
    }
    StatusListener listener = new StatusListener(census, nudge);
    StoreRef db = new StoreRef(kind, "db");

    listener.answering("payments", db, true);
    listener.exhausted("payments", db, true);
    listener.answering("payments", new StoreRef(kind, "gone"), false);
    assertThat(looked).as("no news").isEmpty();

    listener.answering("payments", db, false);
    listener.exhausted("payments", db, false);
    assertThat(looked)
        .hasSize(2)
        .containsOnly(new ResourceID("db", kind == StoreKind.SecretStore ? "payments" : null));
  }

  @Test
  void theStoresThatTheControllersKnowAreCounted() {
    SecretStore one = store();
    one.setStatus(new SecretStoreStatus(1L, List.of(), "vault", null));
    ClusterSecretStore other = clusterStore();
    other.setStatus(new SecretStoreStatus(2L, List.of(), "vault", null));

    assertThat(census.stores()).isEmpty();
    assertThat(
            reconciler.prepareEventSources(
                new EventSourceContext<>(new Known<>(List.of(one)), null, null, SecretStore.class)))
        .containsExactly(nudge.ofStores());
    ofCluster.prepareEventSources(
        new EventSourceContext<>(
            new Known<>(List.of(other)), null, null, ClusterSecretStore.class));

    assertThat(census.stores()).containsExactly(one.getStatus(), other.getStatus());
  }
}
