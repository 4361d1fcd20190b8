package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Previous;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.VaultServer;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.ExtendWith;

/** Values, leases and certificates of a real Vault, with the tenant's identity. */
@ExtendWith(SharedWorld.Rest.class)
class VaultIT {

  private static final String QUICK =
      "{canary: {bake: 2s, deadline: 60s}, retirement: {grace: 1s}, retry: {maxAttempts: 1}}";

  /** So short that a lease is renewed six times in a minute. */
  private static final Duration BRIEF = Duration.ofSeconds(15);

  @ConcurrentTest
  void aLeaseIsRotatedUnderFivePodsAndTheOldOneIsRefusedAfterwards() {
    Issued issued = Issued.byVault("lease", Duration.ofMinutes(5), Duration.ofHours(1), 5, QUICK);
    Team team = issued.team();
    Issued.Login first = issued.current();
    assertThat(Issued.attempt(first)).isEqualTo(LoginOutcome.ACCEPTED);
    issued.scene().awaitCondition("LeaseHealthy", Status.True, "LeaseRenewed");
    assertThat(team.binding().getStatus().lease().renewAt()).isAfter(Instant.now());
    assertThat(team.binding().getStatus().expiresAt()).isAfter(Instant.now());

    issued.ask("now");

    team.awaitStage(2, s -> s == Stage.Promoting || s == Stage.Retiring);
    team.awaitStage(2, Stage.Complete);
    Issued.Login second = issued.current();
    assertThat(second.user()).isNotEqualTo(first.user());
    assertThat(Issued.attempt(second)).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(Issued.attempt(first)).isEqualTo(LoginOutcome.REFUSED);
    issued.scene().assertCondition(2, "OldRevoked", Status.True, "Revoked");
    assertThat(issued.scene().condition(2, "OldRevoked").message()).contains("is refused");
    assertThat(team.rotation(2).getStatus().timeline().revokedAt()).isNotNull();
    assertThat(team.refused()).as("refused logins").isZero();
    team.await(
        "the binding says so",
        () -> team.binding().getStatus().previous().state() == Previous.State.Revoked);
  }

  @ConcurrentTest
  void aPodThatStaysOnTheOldLeaseForAMinuteKeepsItAliveAndIsNamed() {
    Issued issued = Issued.byVault("straggler", BRIEF, Duration.ofHours(1), 2, QUICK);
    Team team = issued.team();
    Issued.Login first = issued.current();
    issued.runAlone("straggler");

    issued.ask("now");
    issued.awaitStraggler(2, "straggler");
    Set<String> renewals = new HashSet<>();
    Awaitility.await("the old lease lives for a minute, and the rotation says for whom")
        .pollInterval(Duration.ofSeconds(1))
        .during(Duration.ofMinutes(1))
        .atMost(Duration.ofSeconds(65))
        .until(() -> {
          renewals.add(lookUp(issued.lease(1)).at("/data/last_renewal").asText());
          return Issued.attempt(first) == LoginOutcome.ACCEPTED
              && issued.stragglers(2).equals(List.of("straggler"));
        });
    assertThat(renewals).hasSizeGreaterThan(3);
    assertThat(lookUp(issued.lease(1)).at("/data/ttl").asLong()).isBetween(1L, BRIEF.toSeconds());
    issued.scene().stillIn(2, Stage.Retiring);

    issued.scene().run("delete", "pod", "straggler", "--wait=false");

    team.awaitStage(2, Stage.Complete);
    assertThat(Issued.attempt(first)).isEqualTo(LoginOutcome.REFUSED);
    issued.scene().assertCondition(2, "OldRevoked", Status.True, "Revoked");
    assertThat(team.refused()).as("refused logins").isZero();
  }

  private static JsonNode lookUp(String lease) {
    return SharedWorld.vault().write("sys/leases/lookup", Map.of("lease_id", lease));
  }

  @ConcurrentTest
  void aRejectedLeaseIsRevokedWithItsSnapshot() {
    Issued issued =
        Issued.byVault(
            "rejected",
            Duration.ofMinutes(5),
            Duration.ofHours(1),
            2,
            "{canary: {bake: 30s, deadline: 60s}, retirement: {grace: 1s}, retry: {maxAttempts: 1}}");
    Team team = issued.team();
    Issued.Login first = issued.current();
    issued.ask("now");
    team.awaitStage(2, Stage.Baking);
    Issued.Login candidate = issued.login(issued.scene().snapshots(2).getFirst());

    issued.scene().abort(2);

    team.awaitStage(2, Stage.Aborted);
    assertThat(issued.scene().snapshots(2)).isEmpty();
    assertThat(Issued.attempt(candidate)).isEqualTo(LoginOutcome.REFUSED);
    assertThat(Issued.attempt(first)).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(team.refusedOutsideCanary()).isZero();
  }

  @ConcurrentTest
  void aLeaseIsRenewedForAsLongAsItIsUsedAndRotatedBeforeItsEnd() {
    Issued issued =
        Issued.byVault(
            "renew",
            Duration.ofSeconds(15),
            Duration.ofSeconds(75),
            2,
            "{canary: {bake: 1s, deadline: 60s}, retirement: {grace: 1s},"
                + " schedule: {leadTime: 30s}}");
    Team team = issued.team();
    Issued.Login first = issued.current();
    team.await(
        "it was renewed, and its end is known",
        () ->
            team.binding().getStatus().lease().lastRenewedAt() != null
                && "Expiring".equals(team.binding().getStatus().nextRotationReason()));
    assertThat(team.binding().getStatus().expiresAt())
        .isBetween(Instant.now().plusSeconds(30), Instant.now().plusSeconds(75));

    team.awaitStage(2, Stage.Complete);

    assertThat(team.rotation(2).getSpec().trigger()).isEqualTo(Trigger.Expiring);
    assertThat(issued.current().user()).isNotEqualTo(first.user());
    assertThat(team.refused()).as("refused logins").isZero();
  }

  @ConcurrentTest
  void aLeaseThatSomebodyRevokesIsReplacedWithoutACanary() {
    Issued issued = Issued.byVault("lost", Duration.ofSeconds(12), Duration.ofHours(1), 2, QUICK);
    Team team = issued.team();
    Issued.Login first = issued.current();

    SharedWorld.vault().write("sys/leases/revoke", Map.of("lease_id", issued.lease(1)));
    assertThat(Issued.attempt(first)).isEqualTo(LoginOutcome.REFUSED);

    team.awaitStage(2, Stage.Complete);
    assertThat(team.rotation(2).getSpec().trigger()).isEqualTo(Trigger.Expiring);
    assertThat(issued.scene().condition(2, "CanaryVerified").reason()).isEqualTo("NoCanary");
    team.awaitRolledOut(Scene.APP);
    assertThat(Issued.attempt(issued.current())).isEqualTo(LoginOutcome.ACCEPTED);
    issued.scene().awaitCondition("LeaseHealthy", Status.True, "LeaseRenewed");
    issued.scene().awaitCondition("Ready", Status.True, "Ready");
  }

  @ConcurrentTest
  void aValueOfAKvEngineIsFollowedAndOneThatIsDeletedChangesNothing() {
    Team team = SharedWorld.team("kv");
    VaultServer vault = SharedWorld.vault();
    Team.Login first = team.newLogin();
    writeKv(team, first);
    Issued issued =
        Issued.of(
            team,
            Issued.vaultStore(team, "kv/data/" + team.namespace() + "/db"),
            "storeRef: {name: vault}, vaultKv: {mount: kv, path: %s/db}"
                .formatted(team.namespace()),
            2,
            QUICK);
    assertThat(team.holds(Team.SECRET, first)).isTrue();

    Team.Login second = team.newLogin();
    writeKv(team, second);
    issued.scene().assertPromoted(2, second);
    assertThat(team.rotation(2).getSpec().trigger()).isEqualTo(Trigger.SourceChanged);
    assertThat(team.refused()).isZero();
    assertThat(issued.snapshot(2).getMetadata().getAnnotations().get(Names.SOURCE_REVISION))
        .isEqualTo("2");

    vault.delete("kv/data/" + team.namespace() + "/db");
    issued.scene().awaitCondition("Stalled", Status.True, "SourceNotFound");
    assertThat(team.holds(Team.SECRET, second)).isTrue();
    issued.scene().awaitCondition("Ready", Status.True, "Ready");
  }

  @ConcurrentTest
  void noMoreRotationsMovePodsThanAStoreOfTheClusterLets() {
    Team one = SharedWorld.team("one");
    Team two = SharedWorld.team("two");
    String store = "one-at-a-time-" + Team.random(4);
    one.apply(Issued.vaultOfTheCluster(store, "kv/data/+/db", List.of(one, two)));
    try {
      Issued first = followsKv(one, store, "{canary: {bake: 10m}, retirement: {grace: 1s}}");
      Issued second = followsKv(two, store, QUICK);
      writeKv(one, one.newLogin());
      one.awaitStage(2, Stage.Baking);

      Team.Login next = two.newLogin();
      writeKv(two, next);

      assertThat(second.scene().awaitBlocked(2, "StoreBudgetExhausted").getStatus().message())
          .startsWith("Waits until fewer than 1 rotations with the store move pods");
      first.scene().abort(2);
      second.scene().assertPromoted(2, next);
    } finally {
      one.client().resources(ClusterSecretStore.class).withName(store).delete();
    }
  }

  @ConcurrentTest
  void noMoreRotationsOfOneStoreMovePodsThanThePolicyLets() {
    Team team = SharedWorld.team("per-store");
    writeKv(team, "db", team.newLogin());
    writeKv(team, "cache", team.newLogin());
    String path =
        "storeRef: {name: vault}, vaultKv: {mount: kv, path: %s/".formatted(team.namespace());
    Issued first =
        Issued.of(
            team,
            Issued.vaultStore(team, "kv/data/" + team.namespace() + "/+"),
            path + "db}",
            1,
            "{concurrency: {perStore: 1}, canary: {bake: 10m}, retirement: {grace: 1s}}");
    team.apply(
        team.deployment("other", 1, "hollow/ready", "")
            + """
            ---
            apiVersion: keyturn.io/v1alpha1
            kind: SecretBinding
            metadata: {name: other}
            spec:
              source: {%s}
              rotationPolicyRef: {name: quick}
              workloads: [{kind: Deployment, name: other}]
            """
                .formatted(path + "cache}"));
    Bindings.awaitHealthy(team, "other");
    writeKv(team, "db", team.newLogin());
    team.awaitStage(2, Stage.Baking);

    writeKv(team, "cache", team.newLogin());

    team.await(
        "the other one waits",
        () ->
            ofOther(team)
                .filter(s -> Team.is(s.conditions(), "Blocked", Status.True))
                .filter(s -> s.message().contains("concurrency.perStore"))
                .isPresent());
    first.scene().abort(2);
    team.await(
        "the other one follows",
        () -> ofOther(team).filter(s -> s.stage() == Stage.Complete).isPresent());
  }

  private static Optional<SecretRotationStatus> ofOther(Team team) {
    return team.rotations().stream()
        .filter(r -> r.getMetadata().getName().equals("other-2"))
        .map(SecretRotation::getStatus)
        .findFirst();
  }

  private static Issued followsKv(Team team, String clusterStore, String policy) {
    writeKv(team, team.newLogin());
    return Issued.of(
        team,
        "",
        "storeRef: {kind: ClusterSecretStore, name: %s}, vaultKv: {mount: kv, path: %s/db}"
            .formatted(clusterStore, team.namespace()),
        1,
        policy);
  }

  private static void writeKv(Team team, Team.Login login) {
    writeKv(team, "db", login);
  }

  private static void writeKv(Team team, String key, Team.Login login) {
    SharedWorld.vault()
        .write(
            "kv/data/" + team.namespace() + "/" + key,
            Map.of("data", Map.of("username", login.user(), "password", login.password())));
  }

  @ConcurrentTest
  void aCertificateIsIssuedAndRotated() {
    Team team = SharedWorld.team("pki");
    SharedWorld.vault().pkiRole("pki", team.namespace(), "payments.svc", Duration.ofHours(2));
    team.apply(
        Issued.vaultStore(team, "pki/*")
            + Scene.policyManifest(QUICK)
            + """
            apiVersion: keyturn.io/v1alpha1
            kind: SecretBinding
            metadata: {name: payments-db}
            spec:
              source:
                storeRef: {name: vault}
                vaultPki: {mount: pki, role: %s, commonName: payments.svc, ttl: 1h}
              secret: {type: kubernetes.io/tls}
              rotationPolicyRef: {name: quick}
              workloads: [{kind: Deployment, name: payments}]
            ---
            apiVersion: apps/v1
            kind: Deployment
            metadata: {name: payments, labels: {app: payments}}
            spec:
              replicas: 1
              selector: {matchLabels: {app: payments}}
              template:
                metadata: {labels: {app: payments}}
                spec:
                  terminationGracePeriodSeconds: 1
                  containers:
                    - name: app
                      image: hollow/ready
                      env:
                        - name: CERTIFICATE
                          valueFrom: {secretKeyRef: {name: payments-db, key: tls.crt}}
            """
                .formatted(team.namespace()));
    team.awaitVersion(1);
    team.awaitRolledOut("payments");
    Issued issued = new Issued(team, new Scene(team, null));
    assertThat(team.secret(Team.SECRET).getData()).containsKeys("tls.crt", "tls.key", "ca.crt");
    assertThat(team.binding().getStatus().expiresAt())
        .isBetween(Instant.now().plusSeconds(3000), Instant.now().plusSeconds(3700));
    String before = team.secret(Team.SECRET).getData().get("tls.crt");

    issued.ask("now");

    team.awaitStage(2, Stage.Complete);
    assertThat(team.secret(Team.SECRET).getData().get("tls.crt")).isNotEqualTo(before);
    issued.scene().assertCondition(2, "OldRevoked", Status.True, "Revoked");
  }

  @ConcurrentTest
  void aStoreThatIsNotThereIsSaidAndNothingElse() {
    Team team = SharedWorld.team("nostore");
    team.apply(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretBinding
        metadata: {name: payments-db}
        spec:
          source: {storeRef: {name: nowhere}, vaultKv: {mount: kv, path: a}}
          workloads: [{kind: Deployment, name: payments}]
        ---
        """
            + team.deployment(Scene.APP, 1, "hollow/ready", ""));
    Scene scene = new Scene(team, null);

    scene.awaitCondition("Stalled", Status.True, "StoreNotFound");

    assertThat(scene.condition("Stalled").message()).contains("nowhere");
    assertThat(team.secret(Team.SECRET)).isNull();
  }

  @ConcurrentTest
  void aStoreThatIsDeletedTakesNoLeaseWithIt() {
    Issued issued =
        Issued.byVault("storeless", Duration.ofSeconds(45), Duration.ofHours(1), 2, QUICK);
    Team team = issued.team();
    Issued.Login first = issued.current();

    issued.scene().run("delete", "secretstore", "vault");
    issued.scene().awaitCondition("LeaseHealthy", Status.Unknown, "LeaseAtRisk");
    assertThat(issued.scene().condition("LeaseHealthy").message())
        .contains("The SecretStore vault does not exist");
    team.apply(Issued.vaultStore(team, "database/creds/" + team.namespace()));

    issued.scene().awaitCondition("LeaseHealthy", Status.True, "LeaseRenewed");
    assertThat(team.binding().getStatus().lease().lastRenewedAt()).isNotNull();
    assertThat(Issued.attempt(first)).isEqualTo(LoginOutcome.ACCEPTED);
    assertThat(team.rotation(2)).isNull();
    assertThat(team.refused()).as("refused logins").isZero();
  }
}
