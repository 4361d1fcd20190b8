package io.keyturn.workload.deployment;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.RotationPolicySpec.Traffic;
import io.keyturn.workload.SecretReferences;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The canary of a Deployment: a Deployment of its own with a copy of the pod template in which the
 * alias is replaced by a snapshot. The user's object is not touched, and deleting the clone takes
 * everything back.
 *
 * <p>Only {@code spec.template} is copied: a copied tracking label would let Argo CD prune the
 * clone. Its selector is the added label alone, for selectors that overlap confuse ReplicaSets
 * (kubernetes#24152).
 */
final class CloneTemplate {

  private static final int PROGRESS_DEADLINE_SECONDS = 600;

  private CloneTemplate() {}

  /**
   * Why no clone can be made.
   *
   * @param claims the claims of the namespace that the Deployment mounts
   */
  static Optional<String> obstacle(
      Deployment deployment, String alias, List<PersistentVolumeClaim> claims) {
    return Stream.of(
            when(
                "disabled".equals(labels(deployment).get(Names.CANARY)),
                "its label " + Names.CANARY + " says disabled"),
            when(
                deployment.getMetadata().getOwnerReferences().stream()
                    .anyMatch(o -> Boolean.TRUE.equals(o.getController())),
                "another controller owns it"),
            when(
                "Recreate".equals(deployment.getSpec().getStrategy().getType()),
                "its strategy is Recreate, so a second pod must not run beside the first"),
            when(usesHostPort(deployment), "its pods take ports of the node"),
            when(
                claims.stream().anyMatch(CloneTemplate::exclusive),
                "it mounts a volume that only one node or pod may use"),
            when(
                !SecretReferences.refers(deployment.getSpec().getTemplate().getSpec(), alias),
                "its pod template does not refer to the Secret " + alias))
        .flatMap(Optional::stream)
        .findFirst();
  }

  private static Optional<String> when(boolean holds, String obstacle) {
    return holds ? Optional.of(obstacle) : Optional.empty();
  }

  private static boolean usesHostPort(Deployment deployment) {
    var spec = deployment.getSpec().getTemplate().getSpec();
    return Boolean.TRUE.equals(spec.getHostNetwork())
        || Stream.concat(spec.getInitContainers().stream(), spec.getContainers().stream())
            .map(Container::getPorts)
            .flatMap(List::stream)
            .anyMatch(p -> p.getHostPort() != null && p.getHostPort() > 0);
  }

  private static boolean exclusive(PersistentVolumeClaim claim) {
    return claim.getSpec().getAccessModes().stream()
        .anyMatch(m -> m.equals("ReadWriteOnce") || m.equals("ReadWriteOncePod"));
  }

  /**
   * The clone.
   *
   * @param name of the clone
   * @param owner the rotation
   * @param rotation its name
   * @param baseTemplateHash of the template that is copied
   */
  static Deployment of(
      Deployment deployment,
      String name,
      OwnerReference owner,
      String rotation,
      String alias,
      String snapshot,
      String baseTemplateHash,
      int pods,
      Traffic traffic,
      List<Service> services) {
    Map<String, String> mark =
        Map.of(Names.CANARY_FOR, Names.label(deployment.getMetadata().getName()));
    return new DeploymentBuilder()
        .withNewMetadata()
        .withNamespace(deployment.getMetadata().getNamespace())
        .withName(name)
        .withLabels(mark)
        .addToLabels(Names.MANAGED_BY, Names.KEYTURN)
        .addToAnnotations(Names.BASE_TEMPLATE, baseTemplateHash)
        .withOwnerReferences(owner)
        .endMetadata()
        .withNewSpec()
        .withReplicas(pods)
        .withRevisionHistoryLimit(0)
        .withProgressDeadlineSeconds(PROGRESS_DEADLINE_SECONDS)
        .withNewStrategy()
        .withType("Recreate")
        .endStrategy()
        .withNewSelector()
        .withMatchLabels(mark)
        .endSelector()
        .withTemplate(
            template(
                deployment, mark, rotation, alias, snapshot, baseTemplateHash, traffic, services))
        .endSpec()
        .build();
  }

  private static PodTemplateSpec template(
      Deployment deployment,
      Map<String, String> mark,
      String rotation,
      String alias,
      String snapshot,
      String baseTemplateHash,
      Traffic traffic,
      List<Service> services) {
    PodTemplateSpec template =
        new PodTemplateSpecBuilder(deployment.getSpec().getTemplate()).build();
    Map<String, String> labels = new HashMap<>(template.getMetadata().getLabels());
    if (traffic == Traffic.None) {
      services.stream()
          .map(s -> s.getSpec().getSelector())
          .filter(s -> s != null && !s.isEmpty())
          .filter(s -> template.getMetadata().getLabels().entrySet().containsAll(s.entrySet()))
          .forEach(s -> s.keySet().forEach(labels::remove));
    }
    labels.putAll(mark);
    Map<String, String> annotations =
        new HashMap<>(
            Objects.requireNonNullElse(template.getMetadata().getAnnotations(), Map.of()));
    annotations.put(Names.versionAnnotation(alias), Names.versionIdOf(snapshot));
    annotations.put(Names.BASE_TEMPLATE, baseTemplateHash);
    annotations.put(Names.ROTATION, rotation);
    template.getMetadata().setLabels(labels);
    template.getMetadata().setAnnotations(annotations);
    SecretReferences.rename(template.getSpec(), alias, snapshot);
    return template;
  }

  private static Map<String, String> labels(Deployment deployment) {
    return Objects.requireNonNullElse(deployment.getMetadata().getLabels(), Map.of());
  }
}
