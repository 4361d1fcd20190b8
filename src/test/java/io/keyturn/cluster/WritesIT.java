package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.testing.AuditedRequest;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

/** How often the operator writes to the API server, counted: ADR 0004 says how often it may. */
class WritesIT {

  private static final Instant EVER = Instant.EPOCH;

  /** Staging, Canary, Baking, Promoting, Retiring, Complete. */
  private static final long STAGES = 6;

  /** A snapshot, the alias, one status. */
  private static final Map<String, Long> DELIVERY =
      Map.of("create secrets", 2L, "update secretbindings/status", 1L);

  @ConcurrentTest
  void aBindingWhosePodsWaitForItIsDeliveredWithThreeWrites() {
    Team team = SharedWorld.team("three");
    team.writeUpstream(team.newLogin());
    team.deploy(Scene.APP, 2);
    team.await("pods are there", () -> team.pods().size() == 2);

    team.apply(Bindings.manifest(Team.SECRET, List.of(), Scene.APP));

    team.awaitVersion(1);
    team.awaitRolledOut(Scene.APP);
    Writes.assertExactly(DELIVERY, EVER, team.namespace());
    assertFieldManager(team);
  }

  @ConcurrentTest
  void aGeneratedSecretIsDeliveredWithThreeWrites() {
    Team team = SharedWorld.team("made");
    team.deploy(Scene.APP, 1);
    team.await("the pod is there", () -> team.pods().size() == 1);

    team.apply(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretBinding
        metadata: {name: payments-db}
        spec:
          source: {generated: {keys: {password: {length: 24}}, static: {username: app}}}
          workloads: [{kind: Deployment, name: payments}]
        """);

    team.awaitVersion(1);
    Writes.assertExactly(DELIVERY, EVER, team.namespace());
    assertFieldManager(team);
  }

  @ConcurrentTest
  void anIdenticalSecretIsTakenOverWithThreeWrites() {
    Team team = SharedWorld.team("takeover");
    Team.Login login = team.newLogin();
    team.writeSecret(Team.SECRET, login);
    team.writeUpstream(login);
    team.deploy(Scene.APP, 2);
    team.awaitRolledOut(Scene.APP);

    team.apply(Bindings.manifest(Team.SECRET, List.of("secret: {adopt: IfIdentical}"), Scene.APP));

    team.awaitVersion(1);
    Writes.assertExactly(
        Map.of("create secrets", 1L, "update secrets", 1L, "update secretbindings/status", 1L),
        EVER,
        team.namespace());
    assertFieldManager(team);
  }

  @ConcurrentTest
  void aDeploymentThatComesLaterCostsAtMostTwoStatusesMore() {
    Team team = SharedWorld.team("later");
    team.writeUpstream(team.newLogin());
    team.apply(Bindings.manifest(Team.SECRET, List.of(), Scene.APP));
    Bindings.awaitStalled(team, Team.SECRET, "WorkloadNotFound");
    Writes.assertExactly(DELIVERY, EVER, team.namespace());
    Instant delivered = Instant.now();

    team.deploy(Scene.APP, 1);

    team.awaitVersion(1);
    team.awaitRolledOut(Scene.APP);
    // It is there; and, unless its pod was there as quickly, how many pods it has.
    Writes.assertQuietWith(
        delivered,
        team.namespace(),
        writes -> {
          assertThat(writes).containsOnlyKeys("update secretbindings/status");
          assertThat(writes.get("update secretbindings/status")).isBetween(1L, 2L);
        });
  }

  @ConcurrentTest
  void whatKeyturnWritesItselfIsNoNewsToIt() {
    int bindings = 20;
    Team team = SharedWorld.team("news");
    team.writeUpstream(team.newLogin());
    StringBuilder manifests = new StringBuilder();
    for (int i = 0; i < bindings; i++) {
      manifests.append(Bindings.manifest("news-" + i, List.of(), "absent")).append("---\n");
    }

    team.apply(manifests.toString());

    for (int i = 0; i < bindings; i++) {
      Bindings.awaitStalled(team, "news-" + i, "WorkloadNotFound");
    }
    Writes.assertQuietWith(
        EVER, team.namespace(), w -> assertThat(w).containsEntry("create secrets", 2L * bindings));
    // One before the delivery and one after; few watches are quicker than the answer to a write.
    assertThat(Writes.looksSince(EVER, team.namespace())).isLessThan(2L * bindings + bindings / 2);
  }

  @ConcurrentTest
  void aPolicyCostsOneStatusOfItsOwnAndOneForEachBindingThatComes() {
    Team team = SharedWorld.team("policy");
    team.writeUpstream(team.newLogin());
    team.deploy(Scene.APP, 1);
    team.quickPolicy("1s", "");
    Writes.assertExactly(Map.of("update rotationpolicies/status", 1L), EVER, team.namespace());

    team.bind(Scene.APP);

    team.awaitVersion(1);
    Writes.assertQuietWith(
        EVER,
        team.namespace(),
        writes -> assertThat(writes).containsEntry("update rotationpolicies/status", 2L));
  }

  @ConcurrentTest
  void aRotationOfOneDeploymentWithACanary() {
    Scene scene = Scene.of("one", 2, policy(""), "ready-after: 1s");
    rotate(scene, 1, 1, STAGES);
    assertOneAnnotationIsAppliedWithoutForce(scene);
  }

  @ConcurrentTest
  void aRotationOfOneDeploymentWithoutACanary() {
    Scene scene =
        Scene.of("bare", "{canary: {strategy: None}, retirement: {grace: 4s}}", Scene.client(2));
    rotate(scene, 1, 0, STAGES - 2);
    assertOneAnnotationIsAppliedWithoutForce(scene);
  }

  @ConcurrentTest
  void aRotationOfFourDeploymentsThatMoveTwoAtATimeAndEndOneAfterTheOther() {
    Scene scene =
        Scene.of(
            "four",
            policy(", promotion: {maxParallel: 2}"),
            Scene.client("a", 1, "ready-after: 1s"),
            Scene.idle("b", 1, "ready-after: 3s"),
            Scene.idle("c", 1, "ready-after: 4s"),
            Scene.idle("d", 1, "ready-after: 4s"));
    rotate(scene, 4, 4, STAGES + 3);
  }

  /** Pods of the previous version are gone before the grace is over, so nothing is said of them. */
  private static String policy(String more) {
    return "{canary: {bake: 1s, deadline: 60s}, retirement: {grace: 4s}%s}".formatted(more);
  }

  /**
   * Rotates and counts.
   *
   * @param journal statuses of the rotation: one for each stage that it comes to, and one whenever
   *     workloads are found on the version while there is more to do
   */
  private static void rotate(Scene scene, long workloads, long clones, long journal) {
    scene.awaitCounted();
    Instant begun = Instant.now();
    Team.Login second = scene.rotate();
    scene.assertPromoted(2, second);
    Map<String, Long> expected = new TreeMap<>();
    expected.put("create secretrotations", 1L);
    expected.put("update secretrotations", 1L);
    expected.put("update secretbindings/status", 3L);
    expected.put("update secretrotations/status", journal);
    expected.put("create secrets", 1L);
    expected.put("update secrets", 1L);
    expected.put("patch deployments", workloads);
    if (clones > 0) {
      expected.put("create deployments", clones);
      expected.put("delete deployments", clones);
    }
    Writes.assertQuietWith(
        begun,
        scene.namespace(),
        writes -> {
          // Once a minute, for all bindings of a policy together.
          Long ofPolicy = writes.remove("update rotationpolicies/status");
          assertThat(ofPolicy == null ? 0 : ofPolicy).isLessThanOrEqualTo(2);
          assertThat(writes).isEqualTo(expected);
        });
    assertFieldManager(scene.team());
  }

  private static void assertFieldManager(Team team) {
    assertThat(Writes.since(EVER, team.namespace()))
        .isNotEmpty()
        .extracting(AuditedRequest::fieldManager)
        .containsOnly(Names.KEYTURN);
  }

  private static void assertOneAnnotationIsAppliedWithoutForce(Scene scene) {
    assertThat(Writes.since(EVER, scene.namespace()))
        .filteredOn(r -> r.verb().equals("patch"))
        .singleElement()
        .satisfies(r -> {
          assertThat(r.name()).isEqualTo(Scene.APP);
          assertThat(r.query().split("&"))
              .containsExactlyInAnyOrder("fieldManager=keyturn", "force=false");
        });
    List<ManagedFieldsEntry> ours =
        scene.team().workload(Scene.APP).getMetadata().getManagedFields().stream()
            .filter(f -> f.getManager().equals(Names.KEYTURN))
            .toList();
    assertThat(ours)
        .singleElement()
        .extracting(ManagedFieldsEntry::getOperation)
        .isEqualTo("Apply");
    assertThat(paths(ours.getFirst().getFieldsV1().getAdditionalProperties(), ""))
        .containsExactly(
            "f:spec f:template f:metadata f:annotations f:version.keyturn.io/payments-db");
  }

  private static List<String> paths(Map<?, ?> fields, String above) {
    return fields.entrySet().stream()
        .flatMap(e -> {
          String path = (above + " " + e.getKey()).strip();
          return e.getValue() instanceof Map<?, ?> below && !below.isEmpty()
              ? paths(below, path).stream()
              : Stream.of(path);
        })
        .toList();
  }
}
