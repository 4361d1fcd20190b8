package io.keyturn.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.ContainerStatus;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.client.KubernetesClient;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.function.Predicate;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class HollowKubeletIT {
  private static ControlPlane plane;
  private static KubernetesClient client;
  private static HollowKubelet kubelet;
  private static PostgresServer postgres;

  private String namespace;

  @BeforeAll
  static void start() {
    plane = SharedControlPlane.get();
    client = plane.adminClient();
    kubelet = SharedControlPlane.kubelet();
    postgres = PostgresServer.start();
  }

  @AfterAll
  static void stop() {
    if (postgres != null) {
      postgres.close();
    }
  }

  @BeforeEach
  void newNamespace() {
    namespace = SharedControlPlane.newNamespace("kubelet");
  }

  @AfterEach
  void deleteNamespace() {
    // Or its applications would crash and log in until the JVM ends.
    client.namespaces().withName(namespace).delete();
  }

  @Test
  void aDeploymentBecomesAvailable() {
    deployment("web", 3, "", "image: hollow/ready");

    awaiting().until(() -> available("web") == 3);

    Pod pod = onlyOne(pods("web").subList(0, 1));
    assertThat(pod.getStatus().getPhase()).isEqualTo("Running");
    assertThat(condition(pod, "PodScheduled").getStatus()).isEqualTo("True");
    assertThat(condition(pod, "Ready").getStatus()).isEqualTo("True");
    ContainerStatus status = container(pod);
    assertThat(status.getRestartCount()).isZero();
    assertThat(Instant.parse(status.getState().getRunning().getStartedAt()))
        .isBetween(Instant.now().minusSeconds(60), Instant.now());
    assertThat(pods("web")).extracting(each -> each.getStatus().getPodIP()).doesNotHaveDuplicates();
  }

  @Test
  void hundredsOfPodsBecomeAvailable() {
    Instant begin = Instant.now();
    deployment("many", 200, "", "image: hollow/ready");

    await().atMost(Duration.ofSeconds(60)).until(() -> available("many") == 200);

    System.out.printf(
        "200 pods available after %d ms%n", Duration.between(begin, Instant.now()).toMillis());
  }

  @Test
  void aRollingUpdateReplacesEveryPodAndDeletedPodsGoAway() {
    deployment("web", 2, "", "image: hollow/ready");
    awaiting().until(() -> available("web") == 2);
    List<String> before = pods("web").stream().map(pod -> pod.getMetadata().getUid()).toList();

    deployment("web", 2, "ready-after: 500ms", "image: hollow/ready");

    awaiting()
        .untilAsserted(() ->
            assertThat(pods("web"))
                .hasSize(2)
                .allMatch(pod -> "True".equals(condition(pod, "Ready").getStatus()))
                .noneMatch(pod -> before.contains(pod.getMetadata().getUid())));
  }

  @Test
  void anApplicationWithTheRightPasswordIsReadyAndIsCounted() {
    postgres.createLogin("right", "swordfish");
    secret("db", "username", "right", "password", "swordfish");

    deployment("app", 2, "", postgresClient("db"));

    awaiting().until(() -> available("app") == 2);
    awaiting()
        .untilAsserted(() ->
            assertThat(kubelet.logins(namespace))
                .hasSize(2)
                .allMatch(count -> count.accepted() >= 3 && count.refused() == 0)
                .allMatch(count -> count.labels().get("app").equals("app")));
    assertThat(kubelet.anyPodStartedWith(namespace, pod -> true, "swordfish")).isTrue();
    assertThat(kubelet.anyPodStartedWith(namespace, pod -> true, "swordfis")).isFalse();
    Predicate<HollowPod> others = pod -> !"app".equals(pod.labels().get("app"));
    assertThat(kubelet.anyPodStartedWith(namespace, others, "swordfish")).isFalse();
  }

  @Test
  void anApplicationWithTheWrongPasswordIsNeverReady() {
    postgres.createLogin("wrong", "swordfish");
    secret("db", "username", "wrong", "password", "guess");

    deployment("app", 1, "", postgresClient("db"));

    awaiting()
        .untilAsserted(() ->
            assertThat(kubelet.logins(namespace))
                .singleElement()
                .matches(count -> count.refused() >= 3 && count.accepted() == 0));
    Pod pod = onlyOne(pods("app"));
    assertThat(pod.getStatus().getPhase()).isEqualTo("Running");
    assertThat(condition(pod, "Ready").getStatus()).isEqualTo("False");
    assertThat(available("app")).isZero();
  }

  @Test
  void aPasswordThatIsRevokedTakesReadinessAway() {
    postgres.createLogin("revoked", "old");
    secret("db", "username", "revoked", "password", "old");
    deployment("app", 1, "login-every: 100ms", postgresClient("db"));
    awaiting().until(() -> available("app") == 1);

    postgres.setPassword("revoked", "new");

    awaiting().until(() -> available("app") == 0);
  }

  @Test
  void aMissingSecretKeepsTheContainerFromStarting() {
    deployment("app", 1, "", postgresClient("db"));

    awaiting()
        .untilAsserted(() ->
            assertThat(waiting("app"))
                .isEqualTo("CreateContainerConfigError: secret \"db\" not found"));
    secret("db", "username", "late");
    awaiting()
        .untilAsserted(() ->
            assertThat(waiting("app"))
                .isEqualTo(
                    "CreateContainerConfigError: couldn't find key password in Secret "
                        + namespace
                        + "/db"));
    assertThat(onlyOne(pods("app")).getStatus().getPhase()).isEqualTo("Pending");

    postgres.createLogin("late", "found");
    secret("db", "username", "late", "password", "found");
    awaiting().until(() -> available("app") == 1);
  }

  @Test
  void optionalSecretsMayBeMissing() {
    deployment(
        "app",
        1,
        "",
        """
        image: hollow/ready
        env:
        - name: A
          valueFrom: {secretKeyRef: {name: missing, key: a, optional: true}}
        envFrom:
        - secretRef: {name: missing, optional: true}
        """);

    awaiting().until(() -> available("app") == 1);
  }

  @Test
  void envFromReadsAWholeSecretAndARestartReadsItAgain() {
    secret("all", "KEY", "first");
    deployment(
        "app",
        1,
        "",
        """
        image: hollow/ready
        envFrom:
        - prefix: PRE_
          secretRef: {name: all}
        """);
    awaiting().until(() -> available("app") == 1);
    secret("all", "KEY", "second");
    assertThat(kubelet.anyPodStartedWith(namespace, pod -> true, "first")).isTrue();
    assertThat(kubelet.anyPodStartedWith(namespace, pod -> true, "second")).isFalse();

    kubelet.restartContainer(namespace, onlyOne(pods("app")).getMetadata().getName());

    awaiting().until(() -> kubelet.anyPodStartedWith(namespace, pod -> true, "second"));
    awaiting()
        .untilAsserted(() -> {
          ContainerStatus status = container(onlyOne(pods("app")));
          assertThat(status.getRestartCount()).isEqualTo(1);
          assertThat(status.getReady()).isTrue();
          assertThat(status.getLastState().getTerminated()).isNotNull();
        });
    assertThatThrownBy(() -> kubelet.restartContainer(namespace, "missing"))
        .isInstanceOf(NoSuchElementException.class);
  }

  @Test
  void aRestartThatFindsNoSecretWaitsForIt() {
    secret("all", "KEY", "value");
    deployment(
        "app",
        1,
        "",
        """
        image: hollow/ready
        envFrom:
        - secretRef: {name: all}
        """);
    awaiting().until(() -> available("app") == 1);
    client.secrets().inNamespace(namespace).withName("all").delete();

    kubelet.restartContainer(namespace, onlyOne(pods("app")).getMetadata().getName());

    awaiting()
        .untilAsserted(() ->
            assertThat(waiting("app"))
                .isEqualTo("CreateContainerConfigError: secret \"all\" not found"));
    assertThat(available("app")).isZero();
  }

  @Test
  void filesFollowTheirSecretWithoutARestart() {
    postgres.createLogin("files", "one");
    postgres.createLogin("files2", "two");
    secret("db", "username", "files", "password", "one");
    deployment("app", 1, "read: files", MOUNTED, "- {name: db, secret: {secretName: db}}");
    awaiting().until(() -> available("app") == 1);

    postgres.setPassword("files", "revoked");
    awaiting().until(() -> available("app") == 0);
    secret("db", "username", "files2", "password", "two");

    awaiting().until(() -> available("app") == 1);
    assertThat(container(onlyOne(pods("app"))).getRestartCount()).isZero();
  }

  @Test
  void projectedVolumesMapKeysAndAMissingOneKeepsThePodPending() {
    postgres.createLogin("projected", "value");
    deployment(
        "app",
        1,
        "read: files",
        MOUNTED,
        """
        - name: db
          projected:
            sources:
            - secret: {name: user, items: [{key: u, path: username}]}
            - secret: {name: word, items: [{key: p, path: password}]}
        """);
    awaiting().untilAsserted(() -> assertThat(waiting("app")).isEqualTo("ContainerCreating: null"));

    secret("user", "u", "projected");
    secret("word", "p", "value");

    awaiting().until(() -> available("app") == 1);
  }

  @Test
  void aCrashingContainerIsRestartedAgainAndAgain() {
    deployment("app", 1, "", "image: hollow/crash");

    awaiting()
        .untilAsserted(() ->
            assertThat(container(onlyOne(pods("app"))).getRestartCount())
                .isGreaterThanOrEqualTo(2));

    awaiting()
        .untilAsserted(
            () -> assertThat(waiting("app")).startsWith("CrashLoopBackOff: restarting failed"));
    ContainerStatus status = container(onlyOne(pods("app")));
    assertThat(status.getLastState().getTerminated().getExitCode()).isEqualTo(1);
    assertThat(onlyOne(pods("app")).getStatus().getPhase()).isEqualTo("Running");
  }

  @Test
  void jobsSucceedAndFail() {
    postgres.createLogin("job", "fits");
    secret("good", "username", "job", "password", "fits");
    secret("bad", "username", "job", "password", "does-not");
    job("good", "Never", postgresClient("good").replace("-client", "-check"));
    job("bad", "Never", postgresClient("bad").replace("-client", "-check"));
    job("stubborn", "OnFailure", "image: hollow/crash");

    awaiting().until(() -> jobCondition("good", "Complete"));
    awaiting().until(() -> jobCondition("bad", "Failed"));
    awaiting().until(() -> jobCondition("stubborn", "Failed"));
    awaiting()
        .untilAsserted(() -> {
          assertThat(onlyOne(pods("good")).getStatus().getPhase()).isEqualTo("Succeeded");
          assertThat(onlyOne(pods("bad")).getStatus().getPhase()).isEqualTo("Failed");
        });

    client.batch().v1().jobs().inNamespace(namespace).delete();
    awaiting().until(() -> client.pods().inNamespace(namespace).list().getItems().isEmpty());
  }

  @Test
  void aStragglerGoesOnUntilItsDelayIsOver() {
    postgres.createLogin("straggler", "value");
    secret("db", "username", "straggler", "password", "value");
    deployment("app", 1, "termination-delay: 3s", postgresClient("db"));
    awaiting().until(() -> available("app") == 1);
    String name = onlyOne(pods("app")).getMetadata().getName();

    client.apps().deployments().inNamespace(namespace).withName("app").scale(0);
    awaiting()
        .until(() ->
            client.pods().inNamespace(namespace).withName(name).get() instanceof Pod pod
                && pod.getMetadata().getDeletionTimestamp() != null);

    long before = kubelet.logins(namespace).getFirst().accepted();
    awaiting().until(() -> kubelet.logins(namespace).getFirst().accepted() > before + 2);
    awaiting().until(() -> pods("app").isEmpty());
    assertThat(kubelet.logins(namespace)).singleElement().matches(count -> count.refused() == 0);
  }

  @Test
  void anApplicationMayBeReadyBeforeItsFirstLogin() {
    postgres.createLogin("lazy", "value");
    secret("db", "username", "lazy", "password", "wrong");
    deployment("app", 1, "login-after: 2s", postgresClient("db"));

    awaiting().until(() -> available("app") == 1);
    assertThat(kubelet.logins(namespace)).isEmpty();
    awaiting().until(() -> available("app") == 0);
  }

  @Test
  void conditionsMoveTheirTimeOnlyWithTheirStatus() {
    deployment("app", 1, "ready-after: 2s", "image: hollow/ready");
    awaiting().until(() -> available("app") == 1);

    Pod pod = onlyOne(pods("app"));
    Instant initialized = Instant.parse(condition(pod, "Initialized").getLastTransitionTime());
    Instant ready = Instant.parse(condition(pod, "Ready").getLastTransitionTime());
    assertThat(Duration.between(initialized, ready))
        .isBetween(Duration.ofSeconds(1), Duration.ofSeconds(10));
    assertThat(condition(pod, "Ready").getReason()).isNullOrEmpty();
  }

  private static final String MOUNTED =
      """
      image: hollow/postgres-client
      volumeMounts: [{name: db, mountPath: /var/run/secrets/db}]
      env:
      - {name: DB_HOST, value: PG_HOST}
      - {name: DB_PORT, value: "PG_PORT"}
      """;

  private static String postgresClient(String secret) {
    return """
    image: hollow/postgres-client
    env:
    - {name: DB_HOST, value: PG_HOST}
    - {name: DB_PORT, value: "PG_PORT"}
    - name: DB_USER
      valueFrom: {secretKeyRef: {name: %1$s, key: username}}
    - name: DB_PASSWORD
      valueFrom: {secretKeyRef: {name: %1$s, key: password}}
    """
        .formatted(secret);
  }

  private void deployment(String name, int replicas, String annotation, String container) {
    deployment(name, replicas, annotation, container, "[]");
  }

  private void deployment(
      String name, int replicas, String annotation, String container, String volumes) {
    plane.apply(
        """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: %1$s, namespace: %2$s}
        spec:
          replicas: %3$d
          selector: {matchLabels: {app: %1$s}}
          template:
        %4$s
        """
            .formatted(name, namespace, replicas, template(name, annotation, container, volumes)));
  }

  private void job(String name, String restartPolicy, String container) {
    plane.apply(
        """
        apiVersion: batch/v1
        kind: Job
        metadata: {name: %1$s, namespace: %2$s}
        spec:
          backoffLimit: %3$d
          template:
        %4$s
              restartPolicy: %5$s
        """
            .formatted(
                name,
                namespace,
                restartPolicy.equals("Never") ? 0 : 1,
                template(name, "", container, "[]").stripTrailing(),
                restartPolicy));
  }

  private static String template(String name, String annotation, String container, String volumes) {
    return """
    metadata:
      labels: {app: %s}
      annotations: {%s}
    spec:
      terminationGracePeriodSeconds: 30
      containers:
      - name: main
    %s
      volumes:
    %s
    """
        .formatted(
            name,
            annotation.isEmpty() ? "" : "hollow.keyturn.io/" + annotation,
            container
                .replace("PG_HOST", postgres.host())
                .replace("PG_PORT", String.valueOf(postgres.port()))
                .indent(4)
                .stripTrailing(),
            volumes.indent(4).stripTrailing())
        .indent(4)
        .stripTrailing();
  }

  private void secret(String name, String... keysAndValues) {
    client
        .secrets()
        .inNamespace(namespace)
        .resource(Manifests.secret(name, keysAndValues))
        .forceConflicts()
        .serverSideApply();
  }

  private int available(String deployment) {
    var status =
        client.apps().deployments().inNamespace(namespace).withName(deployment).get().getStatus();
    return status == null || status.getAvailableReplicas() == null
        ? 0
        : status.getAvailableReplicas();
  }

  private boolean jobCondition(String job, String type) {
    return client
        .batch()
        .v1()
        .jobs()
        .inNamespace(namespace)
        .withName(job)
        .get()
        .getStatus()
        .getConditions()
        .stream()
        .anyMatch(c -> c.getType().equals(type) && c.getStatus().equals("True"));
  }

  private List<Pod> pods(String app) {
    return client.pods().inNamespace(namespace).withLabel("app", app).list().getItems();
  }

  private static Pod onlyOne(List<Pod> pods) {
    assertThat(pods).hasSize(1);
    return pods.getFirst();
  }

  private static PodCondition condition(Pod pod, String type) {
    return pod.getStatus().getConditions().stream()
        .filter(c -> c.getType().equals(type))
        .findFirst()
        .orElseGet(PodCondition::new);
  }

  private static ContainerStatus container(Pod pod) {
    assertThat(pod.getStatus().getContainerStatuses()).hasSize(1);
    return pod.getStatus().getContainerStatuses().getFirst();
  }

  private String waiting(String app) {
    var waiting = container(onlyOne(pods(app))).getState().getWaiting();
    assertThat(waiting).isNotNull();
    return waiting.getReason() + ": " + waiting.getMessage();
  }

  private static ConditionFactory awaiting() {
    return await().atMost(Duration.ofSeconds(20)).pollInterval(Duration.ofMillis(50));
  }
}
