package io.keyturn.gate;

import static io.keyturn.gate.Candidates.assertThatItSays;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.ContainerStatusBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.PodSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.Serialization;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.gate.PreflightJobs.State;
import io.keyturn.testing.NoApiServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PreflightJobsTest {

  private static final String SNAPSHOT = "db-v7-1a2b3c4d";

  private final OneJob api = new OneJob();
  private final PreflightJobs jobs = new PreflightJobs(api);
  private final SecretRotation rotation = new SecretRotation();

  @BeforeEach
  void rotation() {
    rotation.getMetadata().setNamespace("team");
    rotation.getMetadata().setName("db-7");
    rotation.getMetadata().setUid("uid-of-the-rotation");
  }

  private static Preflight check(String template) {
    return Serialization.unmarshal(
        "name: login\ntimeout: 90s\njob:\n  template:\n" + template.indent(4), Preflight.class);
  }

  private static Preflight plain() {
    return check("spec: {containers: [{name: app, image: psql}]}");
  }

  private Job started(Preflight check) {
    jobs.start(rotation, check, "db", SNAPSHOT);
    return api.job;
  }

  @Test
  void theCandidateIsInEachContainer() {
    PodSpec spec =
        started(
                check(
                    """
                    spec:
                      initContainers: [{name: wait, image: wait}]
                      containers:
                      - name: app
                        image: psql
                        envFrom: [{secretRef: {name: other}}]
                      - {name: second, image: psql}
                    """))
            .getSpec()
            .getTemplate()
            .getSpec();

    assertThat(spec.getVolumes())
        .singleElement()
        .satisfies(v -> assertThat(v.getSecret().getSecretName()).isEqualTo(SNAPSHOT));
    List<io.fabric8.kubernetes.api.model.Container> containers =
        new ArrayList<>(spec.getContainers());
    containers.addAll(spec.getInitContainers());
    assertThat(containers)
        .hasSize(3)
        .allSatisfy(c -> {
          assertThat(c.getEnvFrom().getLast().getSecretRef().getName()).isEqualTo(SNAPSHOT);
          assertThat(c.getVolumeMounts())
              .singleElement()
              .satisfies(m -> {
                assertThat(m.getMountPath()).isEqualTo("/keyturn/secret");
                assertThat(m.getReadOnly()).isTrue();
              });
        });
  }

  @Test
  void whatRefersToTheAliasRefersToTheCandidate() {
    PodSpec spec =
        started(
                check(
                    """
                    spec:
                      containers:
                      - name: app
                        image: psql
                        env: [{name: A, valueFrom: {secretKeyRef: {name: db, key: a}}}]
                        envFrom: [{secretRef: {name: db}}]
                      volumes: [{name: v, secret: {secretName: db}}]
                    """))
            .getSpec()
            .getTemplate()
            .getSpec();

    assertThat(Serialization.asYaml(spec)).doesNotContain("name: \"db\"").contains(SNAPSHOT);
  }

  @Test
  void theUsersOwnWordsStay() {
    Job job =
        started(
            check(
                """
                metadata:
                  labels: {app: payments, sidecar: "true"}
                  annotations: {note: mine}
                spec:
                  serviceAccountName: payments
                  nodeSelector: {disk: ssd}
                  activeDeadlineSeconds: 5
                  containers: [{name: app, image: psql, command: [psql, -c, SELECT 1]}]
                """));

    var template = job.getSpec().getTemplate();
    assertThat(template.getMetadata().getLabels())
        .containsEntry("app", "payments")
        .containsEntry("sidecar", "true")
        .containsEntry(Names.PREFLIGHT, "login");
    assertThat(template.getMetadata().getAnnotations())
        .containsEntry("note", "mine")
        .containsEntry(Names.ROTATION, "db-7")
        .containsEntry(Names.versionAnnotation("db"), "v7-1a2b3c4d");
    assertThat(template.getSpec().getServiceAccountName()).isEqualTo("payments");
    assertThat(template.getSpec().getNodeSelector()).containsEntry("disk", "ssd");
    assertThat(template.getSpec().getActiveDeadlineSeconds()).isEqualTo(5);
    assertThat(template.getSpec().getContainers().getFirst().getCommand())
        .containsExactly("psql", "-c", "SELECT 1");
  }

  @Test
  void theJobIsTheRotationsAndRunsOnce() {
    Job job = started(plain());

    assertThat(job.getMetadata().getName())
        .isEqualTo(PreflightJobs.name(rotation, plain()))
        .startsWith("db-7-login-");
    assertThat(job.getMetadata().getNamespace()).isEqualTo("team");
    assertThat(job.getMetadata().getOwnerReferences())
        .singleElement()
        .satisfies(o -> {
          assertThat(o.getUid()).isEqualTo("uid-of-the-rotation");
          assertThat(o.getKind()).isEqualTo("SecretRotation");
          assertThat(o.getController()).isTrue();
        });
    assertThat(job.getMetadata().getLabels())
        .containsOnly(
            Map.entry(Names.PREFLIGHT, "login"), Map.entry(Names.MANAGED_BY, Names.KEYTURN));
    assertThat(job.getSpec().getBackoffLimit()).isZero();
    assertThat(job.getSpec().getActiveDeadlineSeconds()).isEqualTo(150);
    assertThat(job.getSpec().getTtlSecondsAfterFinished()).isEqualTo(86400);
    assertThat(job.getSpec().getTemplate().getSpec().getRestartPolicy()).isEqualTo("Never");
    assertThat(job.getSpec().getTemplate().getSpec().getActiveDeadlineSeconds()).isEqualTo(90);
  }

  @Test
  void startingAgainStartsNothing() {
    Job first = started(plain());

    assertThat(jobs.start(rotation, plain(), "db", SNAPSHOT)).isFalse();

    assertThat(api.job).isSameAs(first);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{}|its template has no container, write one under template.spec.containers",
        "spec: {containers: []}|its template has no container, write one under"
            + " template.spec.containers",
        "spec: {restartPolicy: OnFailure, containers: [{name: a}]}|the restartPolicy of its"
            + " template must be Never, for a check is made once: leave it out",
        "spec: {volumes: [{name: keyturn-secret}], containers: [{name: a}]}|its template has a"
            + " volume named keyturn-secret, and that name is Keyturn's: choose another",
        "spec: {containers: [{name: a, volumeMounts: [{name: v, mountPath: /keyturn/secret}]}]}|its"
            + " template mounts something at /keyturn/secret, where the candidate goes: choose"
            + " another path",
        "spec: {containers: words}|spec.containers of its template has a wrong type, see kubectl"
            + " explain job.spec.template",
        "spec: {containers: [{name: a, image: [words]}]}|spec.containers[0].image of its template"
            + " has a wrong type, see kubectl explain job.spec.template",
        "spec: {activeDeadlineSeconds: words, containers: [{name: a}]}|spec.activeDeadlineSeconds of"
            + " its template has a wrong type, see kubectl explain job.spec.template"
      })
  void aTemplateThatCannotBeUsedIsNoVerdict(String template, String message) {
    assertThatItSays(
        PreflightJobs.obstacle(check(template)).orElseThrow(),
        Verdict.Inconclusive,
        "the Job of check login cannot start: " + message,
        "words");
    assertThat(api.job).isNull();
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 403, 422, 503})
  void aJobThatIsRefusedIsToldAsARefusal(int code) {
    api.refusal = code;

    assertThatThrownBy(() -> jobs.start(rotation, plain(), "db", SNAPSHOT))
        .isInstanceOfSatisfying(
            KubernetesClientException.class, e -> assertThat(e.getCode()).isEqualTo(code));
  }

  @Test
  void aJobOfAnotherRotationIsNotTouched() {
    started(plain()).getMetadata().getOwnerReferences().getFirst().setUid("another");

    assertThat(jobs.observe(rotation, plain())).isEqualTo(new State.Absent());
    assertThat(jobs.stop(rotation, plain())).isFalse();
    assertThat(api.job).isNotNull();
  }

  @Test
  void aJobIsStoppedOnce() {
    started(plain());

    assertThat(jobs.stop(rotation, plain())).isTrue();
    assertThat(api.job).isNull();
    assertThat(jobs.stop(rotation, plain())).isFalse();
    assertThat(jobs.observe(rotation, plain())).isEqualTo(new State.Absent());
  }

  @Test
  void whileItRunsItSaysWhatItWaitsFor() {
    started(plain());
    assertRunning("has no pod yet");

    pod("Pending", p -> {});
    assertRunning("runs");

    pod(
        "Pending",
        p ->
            p.editStatus()
                .addNewCondition()
                .withType("PodScheduled")
                .withStatus("False")
                .withReason("Unschedulable")
                .withMessage("secret words")
                .endCondition()
                .endStatus());
    assertRunning("cannot start: no node takes its pod");

    pod("Pending", waiting("ContainerCreating"));
    assertRunning("runs");
    for (String reason : List.of("ErrImagePull", "ImagePullBackOff", "CreateContainerError")) {
      pod("Pending", waiting(reason));
      assertRunning("cannot start: container app has " + reason);
    }
    api.pods =
        List.of(
            new PodBuilder(api.pods.getFirst())
                .editMetadata()
                .withOwnerReferences()
                .endMetadata()
                .build());
    assertRunning("has no pod yet");
  }

  private void assertRunning(String what) {
    assertThat(jobs.observe(rotation, plain()))
        .isEqualTo(new State.Running("the Job of check login " + what));
  }

  @Test
  void aJobThatIsCompletePasses() {
    started(plain());
    end("Complete", null);

    assertEnd(Verdict.Passed, "the Job of check login passed");
  }

  @Test
  void anExitCodeFails() {
    started(plain());
    end("Failed", "BackoffLimitExceeded");
    pod("Failed", terminated(3, "Error"));
    assertEnd(
        Verdict.Failed, "the Job of check login failed: container app ended with exit code 3");

    pod("Failed", terminated(137, "OOMKilled"));
    assertEnd(
        Verdict.Failed,
        "the Job of check login failed: container app ended with exit code 137, out of memory");
  }

  @Test
  void aCheckThatDoesNotEndInTimeFailsOnlyIfItRan() {
    started(plain());
    end("Failed", "BackoffLimitExceeded");
    pod("Failed", terminated(137, "Error").andThen(reason("DeadlineExceeded")));
    assertEnd(Verdict.Failed, "the Job of check login did not end within 90s");

    pod("Failed", waiting("ImagePullBackOff").andThen(reason("DeadlineExceeded")));
    assertEnd(
        Verdict.Inconclusive,
        "the Job of check login did not start within 90s: container app has ImagePullBackOff");

    pod("Failed", reason("DeadlineExceeded"));
    assertEnd(Verdict.Inconclusive, "the Job of check login did not start within 90s");
  }

  @Test
  void whatNeverRanIsNoVerdict() {
    started(plain());
    end("Failed", "DeadlineExceeded");
    assertEnd(
        Verdict.Inconclusive,
        "the Job of check login did not start within 90s: its pod was not created, or no node took"
            + " it, see kubectl describe job "
            + api.job.getMetadata().getName());

    end("Failed", "BackoffLimitExceeded");
    assertEnd(
        Verdict.Inconclusive,
        "the Job of check login has failed, and its pod, which would say why, is gone");
    pod("Failed", terminated(128, "StartError"));
    assertEnd(
        Verdict.Inconclusive,
        "the Job of check login cannot start: the program of container app cannot be run");
    pod("Failed", p -> {});
    assertEnd(
        Verdict.Inconclusive,
        "the Job of check login has failed without an exit code: its pod may have been deleted");
    pod("Failed", terminated(137, "Error").andThen(reason("Evicted")));
    assertEnd(
        Verdict.Inconclusive,
        "the Job of check login was interrupted: its pod was taken from its node");
    pod(
        "Failed",
        terminated(143, "Error")
            .andThen(p ->
                p.editStatus()
                    .addNewCondition()
                    .withType("DisruptionTarget")
                    .withStatus("True")
                    .endCondition()
                    .endStatus()));
    assertEnd(
        Verdict.Inconclusive,
        "the Job of check login was interrupted: its pod was taken from its node");
  }

  private void assertEnd(Verdict verdict, String message) {
    assertThat(jobs.observe(rotation, plain()))
        .isInstanceOfSatisfying(
            State.Ended.class, e -> assertThatItSays(e.measurement(), verdict, message));
  }

  private void end(String condition, String reason) {
    api.job =
        new JobBuilder(api.job)
            .withNewStatus()
            .addNewCondition()
            .withType(condition)
            .withStatus("True")
            .withReason(reason)
            .withMessage("secret words")
            .endCondition()
            .endStatus()
            .build();
  }

  private void pod(String phase, Consumer<PodBuilder> change) {
    PodBuilder pod =
        new PodBuilder()
            .withNewMetadata()
            .withName("pod")
            .withCreationTimestamp("2026-11-25T00:00:00Z")
            .addNewOwnerReference()
            .withController(true)
            .withUid("uid-of-the-job")
            .endOwnerReference()
            .endMetadata()
            .withNewStatus()
            .withPhase(phase)
            .withMessage("secret words")
            .endStatus();
    change.accept(pod);
    api.pods = List.of(pod.build());
  }

  private static Consumer<PodBuilder> reason(String reason) {
    return p -> p.editStatus().withReason(reason).endStatus();
  }

  private static Consumer<PodBuilder> waiting(String reason) {
    return p ->
        p.editStatus()
            .withContainerStatuses(
                new ContainerStatusBuilder()
                    .withName("app")
                    .withNewState()
                    .withNewWaiting("secret words", reason)
                    .endState()
                    .build())
            .endStatus();
  }

  private static Consumer<PodBuilder> terminated(int code, String reason) {
    return p ->
        p.editStatus()
            .withContainerStatuses(
                new ContainerStatusBuilder()
                    .withName("app")
                    .withNewState()
                    .withNewTerminated()
                    .withExitCode(code)
                    .withReason(reason)
                    .withMessage("secret words")
                    .withStartedAt("2026-11-25T00:00:00Z")
                    .endTerminated()
                    .endState()
                    .build())
            .endStatus();
  }

  /** An API server with one place for a Job, whose pods are what a test says. */
  private static final class OneJob extends NoApiServer {

    private Job job;
    private List<Pod> pods = List.of();
    private int refusal;

    @Override
    public <T extends HasMetadata> T read(Class<T> kind, String namespace, String name) {
      boolean found =
          job != null
              && job.getMetadata().getName().equals(name)
              && job.getMetadata().getNamespace().equals(namespace);
      return found ? kind.cast(job) : null;
    }

    @Override
    public <T extends HasMetadata> List<T> list(
        Class<T> kind, String namespace, LabelSelector selector) {
      assertThat(selector.getMatchLabels()).containsExactly(Map.entry(Names.PREFLIGHT, "login"));
      return pods.stream().map(kind::cast).toList();
    }

    @Override
    public void create(HasMetadata object) {
      if (refusal != 0) {
        throw new KubernetesClientException("secret words", refusal, null);
      }
      if (job != null) {
        throw new KubernetesClientException("there", 409, null);
      }
      job = (Job) object;
      job.getMetadata().setUid("uid-of-the-job");
    }

    @Override
    public void delete(HasMetadata seen) {
      job = null;
    }
  }
}
