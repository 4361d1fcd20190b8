package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMap;
import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Bindings.Running;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** How the first version, and nothing but a proven version, comes into the alias and stays. */
class DeliveryIT {

  private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
  private static final String ADOPT = "secret: {adopt: IfIdentical}";

  @ConcurrentTest
  void theFirstVersionIsDeliveredAtOnceAndWaitingPodsStartWithoutARestart() {
    Team team = SharedWorld.team("first");
    team.deploy("payments", 2);
    team.await(
        "pods wait for the Secret",
        () ->
            team.pods().size() == 2
                && team.pods().stream().allMatch(p -> waits(p, "CreateContainerConfigError")));
    Running before = Bindings.running(team);

    team.writeUpstream(team.newLogin());
    team.apply(Bindings.manifest(Team.SECRET, List.of(), "payments"));

    team.awaitVersion(1);
    team.awaitRolledOut("payments");
    assertThat(Bindings.running(team)).isEqualTo(before);
    assertThat(team.rotations()).isEmpty();
    assertThat(Bindings.snapshots(team, Team.SECRET)).hasSize(1);
    assertThat(team.refused()).isZero();
    assertThat(String.join(" ", team.events())).contains("Delivered");
  }

  private static boolean waits(Pod pod, String reason) {
    return pod.getStatus() != null
        && pod.getStatus().getContainerStatuses().stream()
            .anyMatch(s ->
                s.getState().getWaiting() != null
                    && reason.equals(s.getState().getWaiting().getReason()));
  }

  @ConcurrentTest
  void anIdenticalSecretIsAdoptedWithoutOneRestart() {
    Team team = SharedWorld.team("adopt");
    Team.Login login = team.newLogin();
    team.apply(applied(login));
    team.writeUpstream(login);
    team.deploy("payments", 2);
    team.awaitRolledOut("payments");
    assertThat(Bindings.annotations(team.secret(Team.SECRET))).containsKey(LAST_APPLIED);
    Running before = Bindings.running(team);

    team.apply(Bindings.manifest(Team.SECRET, List.of(ADOPT), "payments"));

    team.awaitVersion(1);
    assertThat(Bindings.annotations(team.secret(Team.SECRET))).doesNotContainKey(LAST_APPLIED);
    assertThat(team.secret(Team.SECRET).getMetadata().getLabels())
        .containsEntry(Names.VERSION, "1")
        .containsEntry(Names.MANAGED_BY, Names.KEYTURN);
    assertThat(team.holds(Team.SECRET, login)).isTrue();
    team.await(
        "the pods are counted",
        () ->
            team.binding().getStatus().workloads().stream()
                .anyMatch(w -> w.podsOnCurrent() == 2 && w.podsOnOther() == 0));
    assertThat(Bindings.running(team)).isEqualTo(before);
    assertThat(String.join(" ", team.events())).contains("Adopted");
  }

  private static String applied(Team.Login login) {
    return """
    apiVersion: v1
    kind: Secret
    metadata: {name: payments-db}
    stringData: {username: "%s", password: "%s"}
    """
        .formatted(login.user(), login.password());
  }

  @ConcurrentTest
  void aForeignSecretStaysUntouchedWhileAdoptIsNeverAndTheBindingSaysSo() {
    Team team = SharedWorld.team("never");
    Team.Login login = team.newLogin();
    team.writeSecret(Team.SECRET, login);
    team.writeUpstream(login);
    String before = Bindings.resourceVersion(team, Team.SECRET);

    team.apply(Bindings.manifest(Team.SECRET, List.of(), "payments"));

    String message = Bindings.awaitStalled(team, Team.SECRET, "SecretNotOwned");
    assertThat(message).contains("payments-db").contains("adopt").contains("IfIdentical");
    assertThat(Bindings.resourceVersion(team, Team.SECRET)).isEqualTo(before);

    Bindings.kubectl(team, "delete", "secret", Team.SECRET);
    team.deploy("payments", 1);
    team.awaitVersion(1);
    Bindings.awaitHealthy(team, Team.SECRET);
  }

  @ConcurrentTest
  void aForeignSecretWithOtherDataStaysUntouchedUntilTheSourceIsEqual() {
    Team team = SharedWorld.team("differs");
    Team.Login theirs = team.newLogin();
    team.writeSecret(Team.SECRET, theirs);
    team.writeUpstream(team.newLogin());
    team.deploy("payments", 1);
    String before = Bindings.resourceVersion(team, Team.SECRET);

    team.apply(Bindings.manifest(Team.SECRET, List.of(ADOPT), "payments"));

    assertThat(Bindings.awaitStalled(team, Team.SECRET, "SecretNotOwned")).contains("differ");
    assertThat(Bindings.resourceVersion(team, Team.SECRET)).isEqualTo(before);
    assertThat(Bindings.snapshots(team, Team.SECRET)).isEmpty();

    team.writeUpstream(theirs);
    team.awaitVersion(1);
    Bindings.awaitHealthy(team, Team.SECRET);
    assertThat(team.holds(Team.SECRET, theirs)).isTrue();
  }

  @ConcurrentTest
  void aSecretThatAnotherObjectControlsStaysUntouchedAndItsOwnerIsNamed() {
    Team team = SharedWorld.team("owned");
    Team.Login login = team.newLogin();
    team.writeUpstream(login);
    team.deploy("payments", 1);
    ConfigMap owner =
        team.client()
            .configMaps()
            .inNamespace(team.namespace())
            .resource(
                new ConfigMapBuilder()
                    .withNewMetadata()
                    .withName("external-secret-payments")
                    .endMetadata()
                    .build())
            .create();
    team.writeSecret(Team.SECRET, login);
    edit(
        team,
        s ->
            s.getMetadata()
                .setOwnerReferences(
                    List.of(
                        new OwnerReferenceBuilder()
                            .withApiVersion("v1")
                            .withKind("ConfigMap")
                            .withName("external-secret-payments")
                            .withUid(owner.getMetadata().getUid())
                            .withController(true)
                            .build())));
    String before = Bindings.resourceVersion(team, Team.SECRET);

    team.apply(Bindings.manifest(Team.SECRET, List.of(ADOPT), "payments"));

    assertThat(Bindings.awaitStalled(team, Team.SECRET, "SecretNotOwned"))
        .contains("ConfigMap external-secret-payments");
    assertThat(Bindings.resourceVersion(team, Team.SECRET)).isEqualTo(before);

    edit(team, s -> s.getMetadata().setOwnerReferences(List.of()));
    team.awaitVersion(1);
    Bindings.awaitHealthy(team, Team.SECRET);
  }

  private static void edit(Team team, java.util.function.Consumer<Secret> change) {
    team.client()
        .secrets()
        .inNamespace(team.namespace())
        .withName(Team.SECRET)
        .edit(s -> {
          Secret edited = new SecretBuilder(s).build();
          change.accept(edited);
          return edited;
        });
  }

  @ConcurrentTest
  void anAliasThatIsDeletedOrEditedIsRestoredWithoutARollout() {
    Team team = SharedWorld.team("restore");
    Team.Login login = team.newLogin();
    team.writeUpstream(login);
    team.deploy("payments", 2);
    team.apply(Bindings.manifest(Team.SECRET, List.of(), "payments"));
    team.awaitVersion(1);
    team.awaitRolledOut("payments");
    Running before = Bindings.running(team);

    team.writeSecretData(Team.SECRET, Map.of("password", "bm90IGl0"));
    team.await("the edit is undone", () -> team.holds(Team.SECRET, login));
    Bindings.kubectl(team, "delete", "secret", Team.SECRET);
    team.await("the Secret is there again", () -> team.holds(Team.SECRET, login));

    team.await(
        "both are told",
        () -> team.events().stream().filter(e -> e.startsWith("AliasRestored")).count() >= 2);
    assertThat(team.secret(Team.SECRET).getData()).containsOnlyKeys("username", "password");
    assertThat(Bindings.running(team)).isEqualTo(before);
    assertThat(team.rotations()).isEmpty();
    Bindings.awaitHealthy(team, Team.SECRET);
  }

  @ConcurrentTest
  void anAliasThatSomebodyTookOverIsLeftAlone() {
    Team team = SharedWorld.team("taken");
    team.writeUpstream(team.newLogin());
    team.deploy("payments", 1);
    team.apply(Bindings.manifest(Team.SECRET, List.of(), "payments"));
    team.awaitVersion(1);

    Bindings.kubectl(
        team,
        "label",
        "--overwrite",
        "secret",
        Team.SECRET,
        Names.MANAGED_BY + "=Helm",
        Names.BINDING + "-");
    team.writeSecretData(Team.SECRET, Map.of("theirs", "eWVz"));

    assertThat(Bindings.awaitStalled(team, Team.SECRET, "SecretNotOwned")).contains("payments-db");
    assertThat(team.secret(Team.SECRET).getData()).containsEntry("theirs", "eWVz");
    assertThat(team.secret(Team.SECRET).getMetadata().getLabels())
        .containsEntry(Names.MANAGED_BY, "Helm");

    Bindings.kubectl(team, "delete", "secret", Team.SECRET);
    Bindings.awaitHealthy(team, Team.SECRET);
    assertThat(team.secret(Team.SECRET).getData()).doesNotContainKey("theirs");
  }

  @ConcurrentTest
  void ofTwoBindingsWithOneSecretTheOlderWins() {
    Team team = SharedWorld.team("two");
    team.writeUpstream(team.newLogin());
    team.deploy("payments", 1);
    team.apply(
        Bindings.manifest(Team.SECRET, List.of("secret: {deletionPolicy: Delete}"), "payments"));
    team.awaitVersion(1);
    String before = Bindings.resourceVersion(team, Team.SECRET);

    team.apply(Bindings.manifest("younger", List.of("secret: {name: payments-db}"), "payments"));

    assertThat(Bindings.awaitStalled(team, "younger", "AliasTaken"))
        .contains("older SecretBinding payments-db");
    Bindings.awaitHealthy(team, Team.SECRET);
    assertThat(Bindings.resourceVersion(team, Team.SECRET)).isEqualTo(before);

    Bindings.kubectl(team, "delete", "sbind", Team.SECRET);
    Bindings.awaitHealthy(team, "younger");
    assertThat(team.secret(Team.SECRET).getMetadata().getLabels())
        .containsEntry(Names.BINDING, "younger");
  }

  @ConcurrentTest
  void whatARetainedBindingLeavesIsTakenOverByTheNextOfThatNameWithoutARestart() {
    Team team = SharedWorld.team("retain");
    team.writeUpstream(team.newLogin());
    team.quickPolicy("1s", "");
    team.bind("payments");
    team.deploy("payments", 1);
    team.awaitVersion(1);
    team.awaitRolledOut("payments");
    team.writeUpstream(team.newLogin());
    team.awaitStage(2, Stage.Complete);
    team.awaitVersion(2);
    Running before = Bindings.running(team);
    Set<String> kept = names(Bindings.snapshots(team, Team.SECRET));

    Bindings.kubectl(team, "delete", "--wait", "sbind", Team.SECRET);
    team.await("the history goes", () -> team.rotations().isEmpty());
    assertThat(team.secret(Team.SECRET)).isNotNull();
    assertThat(names(Bindings.snapshots(team, Team.SECRET))).isEqualTo(kept);

    team.bind("payments");
    team.awaitVersion(2);
    assertThat(Bindings.running(team)).isEqualTo(before);
    assertThat(names(Bindings.snapshots(team, Team.SECRET))).isEqualTo(kept);

    Team.Login third = team.newLogin();
    team.writeUpstream(third);
    team.awaitStage(3, Stage.Complete);
    assertThat(team.holds(Team.SECRET, third)).isTrue();
    assertThat(team.refused()).isZero();
  }

  private static Set<String> names(List<Secret> secrets) {
    return secrets.stream().map(s -> s.getMetadata().getName()).collect(Collectors.toSet());
  }

  @ConcurrentTest
  void deletionPolicyDeleteCollectsTheSecretsAlsoIfItWasSetLater() {
    Team team = SharedWorld.team("delete");
    team.writeUpstream(team.newLogin());
    team.deploy("payments", 1);
    team.apply(Bindings.manifest(Team.SECRET, List.of(), "payments"));
    team.awaitVersion(1);
    assertThat(team.secret(Team.SECRET).getMetadata().getOwnerReferences()).isEmpty();

    team.apply(
        Bindings.manifest(Team.SECRET, List.of("secret: {deletionPolicy: Delete}"), "payments"));
    team.await(
        "alias and snapshot are owned",
        () ->
            owned(team.secret(Team.SECRET))
                && Bindings.snapshots(team, Team.SECRET).stream().allMatch(DeliveryIT::owned));

    Bindings.kubectl(team, "delete", "sbind", Team.SECRET);
    team.await(
        "nothing is left",
        () -> team.secret(Team.SECRET) == null && Bindings.snapshots(team, Team.SECRET).isEmpty());
    assertThat(team.secret(Team.UPSTREAM)).isNotNull();
  }

  private static boolean owned(Secret secret) {
    return secret.getMetadata().getOwnerReferences().size() == 1;
  }

  @ConcurrentTest
  void aSourceThatIsMissingDelaysTheDeliveryAndNothingElse() {
    Team team = SharedWorld.team("missing");
    team.deploy("payments", 1);
    team.apply(Bindings.manifest(Team.SECRET, List.of(), "payments"));

    assertThat(Bindings.awaitStalled(team, Team.SECRET, "SourceNotFound")).contains(Team.UPSTREAM);
    assertThat(Bindings.condition(team, Team.SECRET, "Ready").orElseThrow().status())
        .isEqualTo(Condition.Status.False);

    team.writeUpstream(team.newLogin());
    team.awaitVersion(1);
    Bindings.awaitHealthy(team, Team.SECRET);
    team.awaitRolledOut("payments");
  }

  @ConcurrentTest
  void theLastGoodVersionStaysWhateverBecomesOfTheSource() {
    Team team = SharedWorld.team("lastgood");
    Team.Login login = team.newLogin();
    team.writeUpstream(login);
    team.deploy("payments", 1);
    team.apply(
        Bindings.manifest(
            Team.SECRET,
            List.of(
                "secret:",
                "  keys:",
                "    - {name: username, from: username}",
                "    - {name: password, from: password}"),
            "payments"));
    team.awaitVersion(1);
    team.awaitRolledOut("payments");
    Running before = Bindings.running(team);
    String version = Bindings.resourceVersion(team, Team.SECRET);

    team.writeSecretData(Team.UPSTREAM, Map.of("username", encode(login.user())));
    assertThat(Bindings.awaitStalled(team, Team.SECRET, "SourceKeyMissing"))
        .contains("password")
        .contains("Version 1 stays delivered");
    team.writeSecretData(Team.UPSTREAM, Map.of());
    Bindings.awaitStalled(team, Team.SECRET, "SourceEmpty");
    Bindings.kubectl(team, "delete", "secret", Team.UPSTREAM);
    Bindings.awaitStalled(team, Team.SECRET, "SourceNotFound");
    assertThat(Bindings.condition(team, Team.SECRET, "Ready").orElseThrow().status())
        .as("the workloads have a valid secret")
        .isEqualTo(Condition.Status.True);

    team.writeUpstream(login);
    Bindings.awaitHealthy(team, Team.SECRET);
    assertThat(Bindings.resourceVersion(team, Team.SECRET)).isEqualTo(version);
    assertThat(Bindings.running(team)).isEqualTo(before);
    assertThat(team.rotations()).isEmpty();
  }

  @ConcurrentTest
  void aValueOverOneMebibyteIsRefusedAndTheLastGoodVersionStays() {
    Team team = SharedWorld.team("large");
    team.deploy("payments", 1);
    team.writeUpstream(team.newLogin());
    String small = encode("small");
    team.writeSecretData(Team.UPSTREAM, Map.of("blob", small));
    team.apply(
        Bindings.manifest(
            Team.SECRET,
            List.of(
                "secret:",
                "  keys:",
                "    - {name: one, from: blob}",
                "    - {name: two, from: blob}"),
            "payments"));
    team.awaitVersion(1);
    String version = Bindings.resourceVersion(team, Team.SECRET);

    team.writeSecretData(Team.UPSTREAM, Map.of("blob", encode("x".repeat(600 * 1024))));
    assertThat(Bindings.awaitStalled(team, Team.SECRET, "SecretTooLarge")).contains("1228800");
    assertThat(Bindings.resourceVersion(team, Team.SECRET)).isEqualTo(version);

    team.writeSecretData(Team.UPSTREAM, Map.of("blob", small));
    Bindings.awaitHealthy(team, Team.SECRET);
    assertThat(Bindings.resourceVersion(team, Team.SECRET)).isEqualTo(version);
  }

  private static String encode(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  @ConcurrentTest
  void aPolicyOrAWorkloadThatIsMissingIsNamedAndTheSecretIsDeliveredAllTheSame() {
    Team team = SharedWorld.team("notfound");
    team.writeUpstream(team.newLogin());
    team.apply(
        Bindings.manifest(
            Team.SECRET, List.of("rotationPolicyRef: {name: quick}"), "payments", "ledger"));

    assertThat(Bindings.awaitStalled(team, Team.SECRET, "PolicyNotFound")).contains("quick");
    team.quickPolicy("1s", "");
    assertThat(Bindings.awaitStalled(team, Team.SECRET, "WorkloadNotFound"))
        .contains("Deployment payments")
        .contains("Deployment ledger");
    team.await("the Secret is delivered", () -> team.secret(Team.SECRET) != null);

    team.deploy("payments", 1);
    team.deploy("ledger", 1);
    Bindings.awaitHealthy(team, Team.SECRET);
    team.awaitRolledOut("payments");
  }

  @ConcurrentTest
  void aTemplateThatCannotBeReadIsNamedUntilItIsCorrected() {
    Team team = SharedWorld.team("template");
    Team.Login login = team.newLogin();
    team.writeUpstream(login);
    team.deploy("payments", 1);
    team.apply(withTemplate("postgresql://{username}:{password"));

    assertThat(Bindings.awaitStalled(team, Team.SECRET, "TemplateInvalid")).contains("DB_URL");
    assertThat(team.secret(Team.SECRET)).isNull();

    team.apply(withTemplate("postgresql://{username}:{password}@db"));
    team.awaitVersion(1);
    Bindings.awaitHealthy(team, Team.SECRET);
    assertThat(team.secret(Team.SECRET).getData())
        .containsEntry(
            "DB_URL", encode("postgresql://" + login.user() + ":" + login.password() + "@db"));
  }

  private static String withTemplate(String template) {
    return Bindings.manifest(
        Team.SECRET,
        List.of("secret: {keys: [{name: DB_URL, template: \"" + template + "\"}]}"),
        "payments");
  }

  @ConcurrentTest
  void onlyAContainerThatBeganWithoutAnOptionalSecretIsRestarted() {
    Team team = SharedWorld.team("optional");
    team.writeUpstream(team.newLogin());
    team.apply(optional("early", 1));
    team.apply(optional("none", 0));
    team.apply(optional("late", 0));
    team.deploy("waiting", 1);
    team.awaitRolledOut("early");
    Instant started = startedAt(team.pods(), "early");
    team.await(
        "the start lies a whole second back",
        () -> Instant.now().isAfter(started.plus(Duration.ofSeconds(2))));

    team.apply(Bindings.manifest(Team.SECRET, List.of(), "early", "late", "waiting", "none"));
    team.awaitVersion(1);
    Bindings.kubectl(team, "scale", "deployment", "late", "--replicas=1");

    team.await(
        "the early one is rolled", () -> team.workload("early").getMetadata().getGeneration() == 2);
    team.awaitRolledOut("early");
    team.awaitRolledOut("late");
    team.awaitRolledOut("waiting");
    String version = Names.versionIdOf(team.binding().getStatus().current().snapshot());
    assertThat(templateAnnotations(team, "early"))
        .containsEntry(Names.versionAnnotation(Team.SECRET), version);
    assertThat(List.of("late", "waiting", "none"))
        .allSatisfy(name ->
            assertThat(templateAnnotations(team, name))
                .doesNotContainKey(Names.versionAnnotation(Team.SECRET)));
    team.await(
        "all is counted",
        () ->
            team.binding().getStatus().workloads().stream()
                    .filter(w -> w.podsOnCurrent() == 1 && w.podsOnOther() == 0)
                    .count()
                == 3);
    assertThat(team.workload("early").getMetadata().getGeneration()).isEqualTo(2);
  }

  private static Map<String, String> templateAnnotations(Team team, String workload) {
    Map<String, String> annotations =
        team.workload(workload).getSpec().getTemplate().getMetadata().getAnnotations();
    return annotations == null ? Map.of() : annotations;
  }

  private static Instant startedAt(List<Pod> pods, String app) {
    return pods.stream()
        .filter(p -> app.equals(p.getMetadata().getLabels().get("app")))
        .map(p -> p.getStatus().getContainerStatuses().getFirst().getState().getRunning())
        .map(r -> Instant.parse(r.getStartedAt()))
        .findFirst()
        .orElseThrow();
  }

  private static String optional(String name, int replicas) {
    return """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: %1$s}
    spec:
      replicas: %2$d
      selector: {matchLabels: {app: %1$s}}
      template:
        metadata: {labels: {app: %1$s}}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
            - name: app
              image: hollow/ready
              env:
                - name: DB_PASSWORD
                  valueFrom: {secretKeyRef: {name: payments-db, key: password, optional: true}}
    """
        .formatted(name, replicas);
  }

  @ConcurrentTest
  void oldSnapshotsAndRecordsArePruned() {
    Team team = SharedWorld.team("prune");
    team.writeUpstream(team.newLogin());
    team.apply(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: RotationPolicy
        metadata: {name: quick}
        spec:
          canary: {strategy: None}
          retirement: {grace: 1s, keepSnapshots: 1}
          historyLimit: 2
        """);
    team.bind("payments");
    team.deploy("payments", 1);
    team.awaitVersion(1);
    team.awaitRolledOut("payments");

    for (long version = 2; version <= 5; version++) {
      team.writeUpstream(team.newLogin());
      team.awaitStage(version, Stage.Complete);
      if (version < 4) {
        nameSnapshot(team, version);
      }
    }

    awaitKept(team, 2L, 3L, 4L, 5L);
    team.kubectl("delete", "deployment", "names-2");
    awaitKept(team, 3L, 4L, 5L);
    team.kubectl("delete", "deployment", "names-3");
    awaitKept(team, 4L, 5L);
    team.await(
        "two records are kept",
        () ->
            team.rotations().stream()
                .map(r -> r.getMetadata().getName())
                .toList()
                .equals(List.of("payments-db-4", "payments-db-5")));
    assertThat(team.refused()).isZero();
  }

  private static void nameSnapshot(Team team, long version) {
    String snapshot =
        Bindings.snapshots(team, Team.SECRET).stream()
            .filter(s -> versionOf(s) == version)
            .map(s -> s.getMetadata().getName())
            .findFirst()
            .orElseThrow();
    team.apply(
        team.deployment("names-" + version, 0, "hollow/ready", "")
            .replace("name: payments-db,", "name: " + snapshot + ","));
  }

  private static void awaitKept(Team team, Long... versions) {
    team.await(
        "these snapshots are kept: " + List.of(versions),
        () ->
            Bindings.snapshots(team, Team.SECRET).stream()
                .map(DeliveryIT::versionOf)
                .collect(Collectors.toSet())
                .equals(Set.of(versions)));
  }

  private static long versionOf(Secret snapshot) {
    return Long.parseLong(snapshot.getMetadata().getLabels().get(Names.VERSION));
  }

  @ConcurrentTest
  void badBindingsDoNotDelayAGoodOne() {
    Team team = SharedWorld.team("bad");
    team.writeUpstream(team.newLogin());
    StringBuilder bad = new StringBuilder();
    for (int i = 0; i < 20; i++) {
      bad.append(
              Bindings.manifest(
                  "bad-" + i,
                  List.of("secret: {keys: [{name: a, from: missing-" + i + "}]}"),
                  "payments"))
          .append("---\n");
    }
    team.apply(bad.toString());
    team.deploy("payments", 1);
    Bindings.awaitStalled(team, "bad-19", "SourceKeyMissing");

    Instant asked = Instant.now();
    team.apply(Bindings.manifest(Team.SECRET, List.of(), "payments"));
    team.awaitVersion(1);

    assertThat(Duration.between(asked, Instant.now())).isLessThan(Duration.ofSeconds(10));
  }
}
