package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.ControlPlane.Result;
import io.keyturn.testing.SharedControlPlane;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What {@code config/} builds, by the kustomize that is part of kubectl. */
class ConfigIT {

  private static ControlPlane plane;

  @BeforeAll
  static void start() {
    plane = SharedControlPlane.get();
  }

  @Test
  void theDefaultServesEveryNamespace() {
    assertThat(build("default"))
        .contains(
            "kind: CustomResourceDefinition", "kind: ClusterRoleBinding", "kind: NetworkPolicy")
        .doesNotContain("KEYTURN_NAMESPACES");
  }

  @Test
  void theOverlayServesTheNamespacesThatItNamesAndNoOther() {
    assertThat(
            Stream.of(build("overlays/namespaced").split("(?m)^---$"))
                .filter(object -> object.contains("kind: ClusterRoleBinding\n")))
        .singleElement()
        .asString()
        .contains("  name: keyturn-cluster-stores\nsubjects:");
    assertThat(build("overlays/namespaced"))
        .contains("name: KEYTURN_NAMESPACES\n          value: payments", "namespace: payments");
  }

  @Test
  void thePodSatisfiesTheRestrictedPodSecurityStandard() {
    String namespace = SharedControlPlane.newNamespace("restricted");
    succeeded(
        plane.kubectl(
            "label", "namespace", namespace, "pod-security.kubernetes.io/warn=restricted"));
    String deployment =
        build("manager")
            .lines()
            .dropWhile(line -> !line.equals("---"))
            .reduce("", (all, line) -> all + line + "\n")
            .replace("keyturn-system", namespace);
    assertThat(deployment).contains("kind: Deployment").doesNotContain("kind: Namespace");

    Result applied =
        plane.kubectlWithInput(
            deployment, "apply", "--dry-run=server", "--validate=strict", "-f", "-");

    assertThat(succeeded(applied).stderr()).as("warnings").isEmpty();
  }

  private static String build(String directory) {
    return succeeded(plane.kubectl("kustomize", "config/" + directory)).stdout();
  }

  private static Result succeeded(Result result) {
    assertThat(result.succeeded()).as(result.stderr()).isTrue();
    return result;
  }
}
