package io.keyturn.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;
import static org.awaitility.Awaitility.await;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ControlPlaneIT {
  private static ControlPlane plane;

  @BeforeAll
  static void start() {
    plane = SharedControlPlane.get();
  }

  @Test
  void isKubernetesWithNodesThatTakePods() {
    assertThat(plane.adminClient().getKubernetesVersion().getGitVersion()).startsWith("v1.");
    assertThat(plane.adminClient().nodes().list().getItems())
        .hasSize(ControlPlane.DEFAULT_NODES)
        .allSatisfy(node -> assertThat(node.getSpec().getTaints()).isEmpty());
  }

  @Test
  void appliesManifestsAndRunsKubectl() {
    String namespace = SharedControlPlane.newNamespace("kubectl");
    plane.apply(
        """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: greeting, namespace: %s}
        data: {hello: world}
        """
            .formatted(namespace));

    ControlPlane.Result get =
        plane.kubectl("get", "configmap", "greeting", "-n", namespace, "-o=jsonpath={.data.hello}");
    assertThat(get).isEqualTo(new ControlPlane.Result(0, "world", ""));

    ControlPlane.Result missing = plane.kubectl("get", "configmap", "missing", "-n", namespace);
    assertThat(missing.exitCode()).isEqualTo(1);
    assertThat(missing.stderr()).contains("NotFound");
    assertThatThrownBy(() -> plane.apply("kind: Nonsense"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("kubectl apply failed");
  }

  @Test
  void letsAServiceAccountDoWhatItsRoleSaysAndNoMore() {
    String namespace = SharedControlPlane.newNamespace("rbac");
    plane.apply(
        """
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: reader, namespace: %1$s}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: Role
        metadata: {name: reader, namespace: %1$s}
        rules: [{apiGroups: [""], resources: [configmaps], verbs: [list]}]
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: RoleBinding
        metadata: {name: reader, namespace: %1$s}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
        subjects: [{kind: ServiceAccount, name: reader, namespace: %1$s}]
        """
            .formatted(namespace));
    KubernetesClient reader = plane.clientFor(namespace, "reader");

    // The authorizer learns of the new role by a watch.
    await()
        .atMost(Duration.ofSeconds(10))
        .ignoreExceptionsInstanceOf(KubernetesClientException.class)
        .until(() -> reader.configMaps().inNamespace(namespace).list() != null);
    assertThatThrownBy(() -> reader.secrets().inNamespace(namespace).list())
        .isInstanceOfSatisfying(
            KubernetesClientException.class, e -> assertThat(e.getCode()).isEqualTo(403));

    Path kubeconfig = plane.kubeconfigFor(namespace, "reader");
    assertThat(plane.kubectl(kubeconfig, "", "get", "configmaps").succeeded()).isTrue();
    assertThat(plane.kubectl(kubeconfig, "", "get", "secrets").stderr()).contains("Forbidden");
  }

  @Test
  void countsRequestsByUser() {
    String namespace = SharedControlPlane.newNamespace("audit");
    KubernetesClient counted = plane.clientForUser("counted", "system:masters");
    Secret secret =
        counted
            .secrets()
            .inNamespace(namespace)
            .resource(Manifests.secret("counted", "key", "never-in-the-audit-log"))
            .create();
    counted.secrets().inNamespace(namespace).withName("missing").get();
    counted.secrets().inNamespace(namespace).resource(secret).delete();

    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() ->
            assertThat(plane.audit().requests(request -> request.user().equals("counted")))
                .extracting(AuditedRequest::verb, AuditedRequest::resource, AuditedRequest::code)
                .containsExactly(
                    tuple("create", "secrets", 201),
                    tuple("get", "secrets", 404),
                    tuple("delete", "secrets", 200)));
    assertThat(plane.audit().file()).content().doesNotContain("never-in-the-audit-log");
  }

  @Test
  void leavesNothingBehindWhenTheJvmIsKilled(@TempDir Path directory) {
    List<ProcessHandle> started = AbandonedJvm.killAfterReport(Victim.class, directory);

    // Four servers, each with its shell and the shell's watch.
    assertThat(started).hasSize(12);
    await()
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() -> assertThat(started).noneMatch(ProcessHandle::isAlive));
  }

  static final class Victim {
    public static void main(String[] args) throws InterruptedException {
      AbandonedJvm.reportAndWait(ControlPlane.start(Path.of(args[0])).pids());
    }
  }
}
