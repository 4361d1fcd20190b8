package io.keyturn.invariant;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/** Each invariant is seen to break: a checker that never complains would pass any history. */
class InvariantsTest {

  private static final String FIRST = "the-first-value";
  private static final String SECOND = "the-second-value";
  private static final String PODS = "containers: [{name: app, env: [{name: P, valueFrom: {%s}}]}]";

  private final Namespace namespace = new Namespace();

  /** A namespace that a test makes up, change by change. */
  private static final class Namespace implements World {

    private final Map<Class<?>, Map<String, HasMetadata>> objects = new HashMap<>();
    private final Map<String, Set<String>> values = new HashMap<>();
    private final Invariants invariants = new Invariants(this);
    private long revision;

    <T extends HasMetadata> void put(Class<T> kind, String yaml, Object... arguments) {
      T object = Serialization.unmarshal("---\n" + yaml.formatted(arguments), kind);
      String name = object.getMetadata().getName();
      object.getMetadata().setUid("uid of " + name);
      object.getMetadata().setGeneration(++revision);
      HasMetadata before = objects.computeIfAbsent(kind, _ -> new HashMap<>()).put(name, object);
      invariants.observe(before, object);
    }

    void delete(Class<? extends HasMetadata> kind, String name) {
      invariants.observe(objects.get(kind).remove(name), null);
    }

    @Override
    public <T extends HasMetadata> Stream<T> look(Class<T> kind) {
      return objects.getOrDefault(kind, Map.of()).values().stream().map(kind::cast);
    }

    @Override
    public <T extends HasMetadata> T look(Class<T> kind, String name) {
      return kind.cast(objects.getOrDefault(kind, Map.of()).get(name));
    }

    @Override
    public Set<String> valuesOf(Pod pod) {
      return values.getOrDefault(pod.getMetadata().getName(), Set.of());
    }

    @Override
    public boolean mayBeLate() {
      return false;
    }

    @Override
    public String moment() {
      return "revision " + revision;
    }
  }

  private static void breaks(int number, String sentence, ThrowingCallable change) {
    assertThatThrownBy(change)
        .isInstanceOf(AssertionError.class)
        .hasMessageStartingWith("invariant " + number + " does not hold at revision ")
        .hasMessageContaining(sentence);
  }

  private void byPerson(Runnable action) {
    namespace.invariants.byPerson(action);
  }

  private void binding(String name) {
    namespace.put(
        SecretBinding.class,
        "{metadata: {name: %1$s}, spec: {source: {secret: {name: %1$s-upstream}}, workloads: []}}",
        name);
  }

  private void secret(String name, String value) {
    namespace.put(
        Secret.class, "{metadata: {name: %s}, data: {password: %s}}", name, encode(value));
  }

  private static String encode(String value) {
    return Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8));
  }

  private void snapshot(int version, String suffix, String value) {
    namespace.put(
        Secret.class,
        """
        metadata:
          name: db-v%1$d-%2$s
          labels:
            {app.kubernetes.io/managed-by: keyturn, keyturn.io/binding: db, keyturn.io/version: "%1$d"}
          annotations: {keyturn.io/binding-uid: uid of db, keyturn.io/token: %4$s}
        immutable: true
        data: {password: %3$s}
        """,
        version,
        suffix,
        encode(value),
        version == 1 ? "" : "token");
  }

  private void alias(int version, String value) {
    namespace.put(
        Secret.class,
        """
        metadata:
          name: db
          labels:
            {app.kubernetes.io/managed-by: keyturn, keyturn.io/binding: db, keyturn.io/version: "%d"}
        data: {password: %s}
        """,
        version,
        encode(value));
  }

  private void deployment(String image, String version) {
    namespace.put(
        Deployment.class,
        """
        metadata: {name: app}
        spec:
          replicas: 1
          template:
            metadata: {annotations: {%s}}
            spec: {containers: [{name: app, image: %s}]}
        """,
        version == null ? "" : "version.keyturn.io/db: " + version,
        image);
  }

  private void pod(String name, String value) {
    namespace.values.put(name, Set.of(value));
    namespace.put(
        Pod.class,
        "{metadata: {name: %s}, spec: {%s}}",
        name,
        PODS.formatted("secretKeyRef: {name: db, key: password}"));
  }

  private void clone(String name) {
    namespace.put(
        Deployment.class,
        """
        metadata:
          name: %s
          labels: {keyturn.io/canary-for: app}
          ownerReferences: [{name: db-2, uid: uid of db-2, controller: true}]
        spec: {template: {spec: {containers: []}}}
        """,
        name);
  }

  private void canary(String name, String readyAt) {
    namespace.values.put(name, Set.of(SECOND));
    namespace.put(
        Pod.class,
        """
        metadata:
          name: %s
          labels: {keyturn.io/canary-for: app}
          annotations: {keyturn.io/rotation: db-2, keyturn.io/base-template: base}
        spec: {%s}
        status:
          conditions: [{type: Ready, status: "True", lastTransitionTime: "2026-11-25T%sZ"}]
        """,
        name,
        PODS.formatted("secretKeyRef: {name: db-v2-b, key: password}"),
        readyAt);
  }

  private void rotation(String stage) {
    rotation(stage, "state: Waiting", "");
  }

  /** How the rotation to the second version stands. */
  private void rotation(String stage, String workload, String more) {
    rotation("db", "SourceChanged", stage, workload, more);
  }

  private void rotation(
      String binding, String trigger, String stage, String workload, String more) {
    namespace.put(
        SecretRotation.class,
        """
        metadata:
          name: %1$s-2
          ownerReferences: [{name: %1$s, uid: uid of %1$s, controller: true}]
        spec: {bindingRef: {name: %1$s}, trigger: %2$s}
        status:
          stage: %3$s
          policy: {canary: {bake: 10s}}
          from: {version: 1, snapshot: db-v1-a}
          to: {version: 2, snapshot: db-v2-b}
          timeline: {verifiedAt: "2026-11-25T12:00:10Z"}
          workloads:
            - {kind: Deployment, name: app, %4$s}
          %5$s
        """,
        binding,
        trigger,
        stage,
        workload,
        more.contains("token: ") ? more : more + "\n  token: token");
  }

  private static final String PROVEN = "baseTemplateHash: base, proof: PodCanary, state: Promoting";

  /** The first version is delivered. */
  private void delivered() {
    byPerson(() -> {
      binding("db");
      secret("db-upstream", FIRST);
      deployment("image", null);
    });
    snapshot(1, "a", FIRST);
    alias(1, FIRST);
    pod("app-1", FIRST);
  }

  private void staged() {
    delivered();
    byPerson(() -> secret("db-upstream", SECOND));
    rotation("Pending");
    rotation("Staging");
    snapshot(2, "b", SECOND);
  }

  private void baking() {
    staged();
    rotation("Canary");
    clone("app-canary");
    canary("app-canary-1", "12:00:00");
    rotation("Baking");
  }

  private void promoting() {
    baking();
    rotation("Promoting", PROVEN, "");
    alias(2, SECOND);
    deployment("image", "v2-b");
    pod("app-2", SECOND);
  }

  private void withoutCanary() {
    namespace.delete(Deployment.class, "app-canary");
    namespace.delete(Pod.class, "app-canary-1");
  }

  private void retiring() {
    promoting();
    rotation("Retiring", PROVEN, "");
    withoutCanary();
  }

  private void rollingBack() {
    promoting();
    rotation("RollingBack", PROVEN, "");
    withoutCanary();
  }

  @Test
  void aGoodRotationBreaksNothing() {
    retiring();
    namespace.delete(Pod.class, "app-1");
    rotation("Complete", PROVEN, "message: no pod uses version 1 any more");
    namespace.invariants.atRest();
    namespace.delete(Secret.class, "db-v1-a");
  }

  @Test
  void aRotationThatIsTakenBackBreaksNothing() {
    rollingBack();
    alias(1, FIRST);
    deployment("image", null);
    namespace.delete(Pod.class, "app-2");
    rotation("Discarding", "state: RolledBack", "");
    namespace.delete(Secret.class, "db-v2-b");
    rotation("Failed", "state: RolledBack", "message: taken back");
    namespace.invariants.atRest();
  }

  @Test
  void whatPeopleDoIsNotHeldAgainstKeyturn() {
    baking();
    byPerson(() -> {
      secret("db-upstream", "another-value");
      deployment("another", "v7-x");
      alias(1, "edited-by-hand");
      namespace.delete(Secret.class, "db");
    });
    alias(1, FIRST);
  }

  @Test
  void noOtherPodRunsOnAnUnprovenVersion() {
    baking();
    breaks(1, "app-2, which is no canary", () -> pod("app-2", SECOND));
  }

  @Test
  void noMoreCanariesRunThanThePolicyAllows() {
    baking();
    breaks(1, "than the policy allows, and not 2", () -> canary("app-canary-2", "12:00:00"));
  }

  @Test
  void noCanaryRunsForARotationThatIsNotThere() {
    baking();
    breaks(
        1,
        "than the policy allows, and not 1",
        () -> namespace.delete(SecretRotation.class, "db-2"));
  }

  @Test
  void noSnapshotIsDeletedWhileAPodNamesIt() {
    baking();
    breaks(2, "when nobody names it", () -> namespace.delete(Secret.class, "db-v2-b"));
  }

  @Test
  void noSnapshotIsDeletedWhileAPodTemplateNamesIt() {
    staged();
    byPerson(() ->
        namespace.put(
            Deployment.class,
            "{metadata: {name: other}, spec: {template: {spec: {%s}}}}",
            PODS.formatted("secretKeyRef: {name: db-v2-b, key: password}")));
    breaks(2, "when nobody names it", () -> namespace.delete(Secret.class, "db-v2-b"));
  }

  @Test
  void noRotationIsCompleteWhileAPodHoldsTheOldVersionThatIsNotCounted() {
    retiring();
    breaks(
        2,
        "when 0 pods use version 1, and not [app-1]",
        () -> rotation("Complete", PROVEN, "retirement: {usersRemaining: 0}"));
  }

  @Test
  void aPodThatIsCountedMayHoldTheOldVersion() {
    retiring();
    rotation("Complete", PROVEN, "retirement: {usersRemaining: 1}");
  }

  @Test
  void noRejectedVersionIsForgottenWhileAPodHoldsIt() {
    rollingBack();
    alias(1, FIRST);
    deployment("image", null);
    rotation("Discarding", "state: RolledBack", "");
    breaks(
        2,
        "or says who does: [app-2]",
        () -> rotation("Failed", "state: RolledBack", "message: taken back"));
  }

  @Test
  void anAliasThatWasDeliveredStays() {
    delivered();
    breaks(3, "the alias db is there", () -> namespace.delete(Secret.class, "db"));
  }

  @Test
  void theSnapshotOfTheCurrentVersionStays() {
    delivered();
    breaks(3, "while the alias holds its version", () -> namespace.delete(Secret.class, "db-v1-a"));
  }

  @Test
  void noVersionIsPromotedWhoseCanaryWasNotReadyForTheBake() {
    staged();
    rotation("Canary");
    clone("app-canary");
    canary("app-canary-1", "12:00:01");
    rotation("Baking");
    breaks(4, "a canary of app was Ready on db-v2-b", () -> rotation("Promoting", PROVEN, ""));
  }

  @Test
  void noCanaryOfAnotherTemplateProvesAVersion() {
    baking();
    breaks(
        4,
        "a canary of app was Ready on db-v2-b",
        () -> rotation("Promoting", PROVEN.replace("base,", "edited,"), ""));
  }

  @Test
  void noWorkloadIsLeftOutThatIsThere() {
    baking();
    breaks(4, "was not left out", () -> rotation("Promoting", "state: Gone", ""));
  }

  @Test
  void noWorkloadMovesBeforeItsAlias() {
    baking();
    rotation("Promoting", PROVEN, "");
    breaks(4, "app moves from null to v2-b when", () -> deployment("image", "v2-b"));
  }

  @Test
  void noWorkloadMovesBackWhileItsRotationGoesOn() {
    promoting();
    breaks(4, "app moves from v2-b to null when", () -> deployment("image", null));
  }

  @Test
  void oneRotationOfABindingMovesAtATime() {
    baking();
    breaks(
        5,
        "moves the binding db at a time: [db-2, db-3]",
        () ->
            namespace.put(
                SecretRotation.class,
                "{metadata: {name: db-3}, spec: {bindingRef: {name: db}}, status: {stage: Staging}}"));
  }

  @Test
  void oneRotationOfAWorkloadMovesAtATime() {
    baking();
    breaks(
        5,
        "moves Deployment app at a time: [db-2, other-2]",
        () -> rotation("other", "Manual", "Staging", "state: Waiting", ""));
  }

  @Test
  void noAliasMovesBeforeItIsWrittenDown() {
    baking();
    breaks(6, "from version 1 to 2 is written down", () -> alias(2, SECOND));
  }

  @Test
  void noAliasMovesBackWhileItsRotationGoesOn() {
    promoting();
    breaks(6, "from version 2 to 1 is written down", () -> alias(1, FIRST));
  }

  @Test
  void noAliasMovesASecondTimeToAVersionThatWasTakenBack() {
    rollingBack();
    alias(1, FIRST);
    breaks(6, "from version 1 to 2 is written down", () -> alias(2, SECOND));
  }

  @Test
  void noRotationSkipsAStage() {
    staged();
    breaks(6, "from Staging to Retiring", () -> rotation("Retiring"));
  }

  @Test
  void noSnapshotIsMadeWithATokenThatNobodyWroteDown() {
    delivered();
    breaks(6, "the token of the snapshot db-v2-b", () -> snapshot(2, "b", SECOND));
  }

  @Test
  void noVersionHasASecondSnapshot() {
    staged();
    breaks(6, "db-v2-b is the one snapshot", () -> snapshot(2, "c", "the-third-value"));
  }

  @Test
  void noJournalForgetsWhatWasMade() {
    baking();
    breaks(
        6,
        "the token and the snapshot of db-2 stay",
        () -> rotation("Baking", PROVEN, "token: another"));
  }

  @Test
  void noLeaderOfBeforeWritesTheJournal() {
    staged();
    rotation("Canary", PROVEN, "epoch: 2");
    breaks(6, "no leader of before", () -> rotation("Canary", PROVEN, "epoch: 1"));
  }

  @Test
  void noRotationIsBackBeforeItsAlias() {
    rollingBack();
    breaks(7, "the alias db is back on version 1", () -> rotation("Discarding", PROVEN, ""));
  }

  @Test
  void noWorkloadIsBackThatStillAsksForTheRejectedVersion() {
    rollingBack();
    alias(1, FIRST);
    breaks(7, "app is back on version 1", () -> rotation("Discarding", "state: RolledBack", ""));
  }

  @Test
  void nothingGoesBackToAValueThatOthersKnow() {
    baking();
    rotation("db", "Compromise", "Promoting", PROVEN, "");
    breaks(
        7,
        "a value that others know",
        () -> rotation("db", "Compromise", "RollingBack", PROVEN, ""));
  }

  @Test
  void inTheEndNoCanaryIsLeft() {
    promoting();
    rotation("Retiring", PROVEN, "");
    namespace.delete(Pod.class, "app-1");
    rotation("Complete", PROVEN, "");
    breaks(7, "no canary is left", namespace.invariants::atRest);
  }

  @Test
  void inTheEndEachPodRunsOnTheCurrentVersion() {
    retiring();
    rotation("Complete", PROVEN, "retirement: {usersRemaining: 1}");
    breaks(7, "app-1 runs on the current version", namespace.invariants::atRest);
  }

  @Test
  void noAliasHoldsWhatNoSnapshotHolds() {
    promoting();
    breaks(8, "holds version 2 whole", () -> alias(2, FIRST));
  }

  @Test
  void noSecretOfOthersIsChanged() {
    delivered();
    breaks(9, "left alone: db-upstream", () -> secret("db-upstream", SECOND));
  }

  @Test
  void noSecretOfOthersIsDeleted() {
    delivered();
    breaks(9, "left alone: db-upstream", () -> namespace.delete(Secret.class, "db-upstream"));
  }

  @Test
  void noDeploymentOfOthersIsChangedButForItsAnnotation() {
    delivered();
    breaks(9, "others' app is left alone", () -> deployment("another", null));
  }

  @Test
  void noDeploymentOfOthersIsDeleted() {
    delivered();
    breaks(9, "others' app is left alone", () -> namespace.delete(Deployment.class, "app"));
  }

  @Test
  void noEventHoldsAValue() {
    staged();
    breaks(
        10,
        "holds no value",
        () -> namespace.put(Event.class, "{metadata: {name: e}, note: \"it is %s\"}", SECOND));
  }

  @Test
  void noStatusHoldsAValue() {
    staged();
    breaks(
        10,
        "holds no value",
        () -> rotation("Canary", "state: Waiting", "message: it is " + SECOND));
  }

  @Test
  void inTheEndNoRotationIsUnderWay() {
    baking();
    breaks(12, "db-2 Baking", namespace.invariants::atRest);
  }
}
