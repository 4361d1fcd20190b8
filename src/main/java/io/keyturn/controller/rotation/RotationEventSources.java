package io.keyturn.controller.rotation;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.GroupVersionKind;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.controller.MetadataSource;
import io.keyturn.controller.Nudge;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which object's change concerns which rotation. */
final class RotationEventSources implements RotationIndex {

  private static final String BY_WORKLOAD = "workload";
  private static final String BY_OWNER = "owner";

  private final IndexerResourceCache<SecretRotation> rotations;
  private final InformerEventSource<GenericKubernetesResource, SecretRotation> deployments;
  private final InformerEventSource<GenericKubernetesResource, SecretRotation> pods;
  private final Nudge nudge;

  RotationEventSources(
      EventSourceContext<SecretRotation> context, MetadataSource metadata, Nudge nudge) {
    this.nudge = nudge;
    rotations = context.getPrimaryCache();
    rotations.addIndexer(BY_WORKLOAD, r -> workloadKeys(r).distinct().toList());
    deployments =
        metadata.source(
            new GroupVersionKind("apps", "v1", "Deployment"),
            SecretRotation.class,
            context,
            null,
            this::ofDeployment);
    deployments.addIndexers(
        Map.of(BY_OWNER, d -> ownerOf(d).map(OwnerReference::getUid).stream().toList()));
    pods =
        metadata.source(
            new GroupVersionKind("", "v1", "Pod"),
            SecretRotation.class,
            context,
            Names.CANARY_FOR,
            RotationEventSources::ofPod);
  }

  List<EventSource<?, SecretRotation>> all() {
    return List.of(nudge.source(), deployments, pods);
  }

  @Override
  public boolean hasClone(SecretRotation rotation) {
    return !deployments.byIndex(BY_OWNER, rotation.getMetadata().getUid()).isEmpty();
  }

  /** Those that move a workload of that name, and the one whose clone it is. */
  private Set<ResourceID> ofDeployment(GenericKubernetesResource deployment) {
    return Stream.concat(
            rotations
                .byIndex(BY_WORKLOAD, key(deployment, deployment.getMetadata().getName()))
                .stream()
                .map(ResourceID::fromResource),
            ownerOf(deployment).stream()
                .map(o -> new ResourceID(o.getName(), deployment.getMetadata().getNamespace())))
        .collect(Collectors.toSet());
  }

  private static Optional<OwnerReference> ownerOf(GenericKubernetesResource clone) {
    return clone.getMetadata().getOwnerReferences().stream()
        .filter(o -> SecretRotation.class.getSimpleName().equals(o.getKind()))
        .findFirst();
  }

  /** The Deployments of a rotation under way, and their clones. */
  private static Stream<String> workloadKeys(SecretRotation rotation) {
    return rotation.getStatus().stage().terminal()
        ? Stream.empty()
        : rotation.getStatus().workloads().stream()
            .flatMap(w -> Stream.of(w.name(), w.canaryRef()))
            .filter(n -> n != null)
            .map(n -> key(rotation, n));
  }

  private static Set<ResourceID> ofPod(GenericKubernetesResource pod) {
    Map<String, String> annotations = pod.getMetadata().getAnnotations();
    String rotation = annotations == null ? null : annotations.get(Names.ROTATION);
    return rotation == null
        ? Set.of()
        : Set.of(new ResourceID(rotation, pod.getMetadata().getNamespace()));
  }

  private static String key(HasMetadata object, String name) {
    return object.getMetadata().getNamespace() + "/" + name;
  }
}
