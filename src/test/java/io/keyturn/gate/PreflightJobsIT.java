package io.keyturn.gate;

import static io.keyturn.gate.Candidates.assertThatItSays;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.gate.PreflightJobs.State;
import io.keyturn.kubernetes.OwnWrites;
import io.keyturn.kubernetes.RemoteApiServer;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.SharedControlPlane;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Checks as Jobs of a real control plane, with the shipped role and no more. */
class PreflightJobsIT {

  private static final String PASSWORD = Candidates.value();
  private static final String WRONG = Candidates.value();
  private static ControlPlane plane;
  private static PostgresServer postgres;

  private String namespace;
  private PreflightJobs jobs;
  private KubernetesClient admin;

  @BeforeAll
  static void start() {
    plane = SharedControlPlane.get();
    plane.kubectl("apply", "--server-side", "--force-conflicts", "-k", "config/crd");
    plane.kubectl(
        "apply", "--server-side", "--force-conflicts", "-f", "config/rbac/cluster-role.yaml");
    plane.kubectl(
        "wait",
        "crd",
        "--selector=app.kubernetes.io/name=keyturn",
        "--for=condition=Established",
        "--timeout=30s");
    postgres = PostgresServer.start();
    postgres.createLogin("app", PASSWORD);
  }

  @AfterAll
  static void stop() {
    if (postgres != null) {
      postgres.close();
    }
  }

  @BeforeEach
  void setUp() {
    namespace = SharedControlPlane.newNamespace("preflight");
    admin = plane.adminClient();
    plane.apply(
        """
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: keyturn, namespace: %1$s}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: keyturn, namespace: %1$s}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: keyturn}
        subjects: [{kind: ServiceAccount, name: keyturn, namespace: %1$s}]
        """
            .formatted(namespace));
    KubernetesClient client = plane.clientFor(namespace, "keyturn");
    // The authorizer learns of the new binding by a watch.
    await()
        .atMost(Duration.ofSeconds(10))
        .ignoreExceptions()
        .until(() -> client.pods().inNamespace(namespace).list() != null);
    jobs = new PreflightJobs(new RemoteApiServer(client, new OwnWrites()));
  }

  private SecretRotation rotation(String binding, String password) {
    plane.apply(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretRotation
        metadata: {name: %s-7, namespace: %s}
        spec: {bindingRef: {name: %s}, trigger: Manual}
        """
            .formatted(binding, namespace, binding));
    admin
        .secrets()
        .inNamespace(namespace)
        .resource(
            new SecretBuilder()
                .withNewMetadata()
                .withName(binding + "-v7-1a2b3c4d")
                .endMetadata()
                .withStringData(Map.of("DB_USER", "app", "DB_PASSWORD", password))
                .build())
        .create();
    return admin
        .resources(SecretRotation.class)
        .inNamespace(namespace)
        .withName(binding + "-7")
        .get();
  }

  private static Preflight check(String image) {
    return Serialization.unmarshal(
        """
        name: login
        timeout: 60s
        job:
          template:
            metadata: {labels: {team: payments}}
            spec:
              containers:
              - name: app
                image: %s
                env:
                - {name: DB_HOST, value: "%s"}
                - {name: DB_PORT, value: "%d"}
        """
            .formatted(image, postgres.host(), postgres.port()),
        Preflight.class);
  }

  private void start(SecretRotation rotation, String binding, Preflight check) {
    assertThat(jobs.start(rotation, check, binding, binding + "-v7-1a2b3c4d")).isTrue();
  }

  private Measurement end(SecretRotation rotation, Preflight check) {
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> jobs.observe(rotation, check) instanceof State.Ended);
    return ((State.Ended) jobs.observe(rotation, check)).measurement();
  }

  @Test
  void aLoginWithTheCandidatePassesOrFails() {
    Preflight check = check("hollow/postgres-check");
    SecretRotation good = rotation("good", PASSWORD);
    SecretRotation bad = rotation("bad", WRONG);
    start(good, "good", check);
    start(bad, "bad", check);
    assertThat(jobs.start(good, check, "good", "good-v7-1a2b3c4d")).isFalse();

    assertThatItSays(end(good, check), Verdict.Passed, "the Job of check login passed", PASSWORD);
    assertThatItSays(
        end(bad, check),
        Verdict.Failed,
        "the Job of check login failed: container app ended with exit code 1",
        WRONG);
    assertThat(admin.pods().inNamespace(namespace).list().getItems())
        .hasSize(2)
        .allSatisfy(p -> {
          assertThat(p.getMetadata().getLabels()).containsEntry("team", "payments");
          assertThat(p.getMetadata().getAnnotations()).containsKey(Names.ROTATION);
        });
  }

  @Test
  void aPodThatCannotStartIsWaitedForAndGoesWhenItIsStopped() {
    Preflight check = check("hollow/no-such-image");
    SecretRotation rotation = rotation("db", PASSWORD);
    start(rotation, "db", check);

    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() ->
            assertThat(jobs.observe(rotation, check))
                .isEqualTo(
                    new State.Running(
                        "the Job of check login cannot start: container app has"
                            + " ErrImageNeverPull")));

    assertThat(jobs.stop(rotation, check)).isTrue();
    awaitNothing();
    assertThat(jobs.observe(rotation, check)).isEqualTo(new State.Absent());
  }

  @Test
  void aJobGoesWithItsRotation() {
    Preflight check = check("hollow/ready");
    SecretRotation rotation = rotation("db", PASSWORD);
    start(rotation, "db", check);
    await()
        .atMost(Duration.ofSeconds(30))
        .untilAsserted(() ->
            assertThat(jobs.observe(rotation, check))
                .isEqualTo(new State.Running("the Job of check login runs")));

    admin.resource(rotation).delete();

    awaitNothing();
  }

  /** The garbage collector learns of new kinds each half minute. */
  private void awaitNothing() {
    await()
        .atMost(Duration.ofSeconds(120))
        .untilAsserted(() -> {
          assertThat(admin.resources(Job.class).inNamespace(namespace).list().getItems()).isEmpty();
          assertThat(admin.pods().inNamespace(namespace).list().getItems()).isEmpty();
        });
  }

  @Test
  void aPodThatAQuotaForbidsIsWaitedFor() {
    SecretRotation rotation = rotation("db", PASSWORD);
    plane.apply(
        """
        apiVersion: v1
        kind: ResourceQuota
        metadata: {name: none, namespace: %s}
        spec: {hard: {pods: "0"}}
        """
            .formatted(namespace));
    await()
        .atMost(Duration.ofSeconds(30))
        .until(() ->
            List.of("0")
                .equals(
                    admin
                        .resourceQuotas()
                        .inNamespace(namespace)
                        .withName("none")
                        .get()
                        .getStatus()
                        .getHard()
                        .values()
                        .stream()
                        .map(Object::toString)
                        .toList()));
    start(rotation, "db", check("hollow/ready"));

    assertThat(jobs.observe(rotation, check("hollow/ready")))
        .isEqualTo(new State.Running("the Job of check login has no pod yet"));
  }
}
