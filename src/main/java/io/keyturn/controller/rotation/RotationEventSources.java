package io.keyturn.controller.rotation;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.GroupVersionKind;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.controller.MetadataSource;
import io.keyturn.controller.Nudge;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which object's change concerns which rotation. */
final class RotationEventSources {

  private static final String BY_WORKLOAD = "workload";

  private RotationEventSources() {}

  static List<EventSource<?, SecretRotation>> of(
      EventSourceContext<SecretRotation> context, MetadataSource metadata, Nudge nudge) {
    IndexerResourceCache<SecretRotation> rotations = context.getPrimaryCache();
    rotations.addIndexer(BY_WORKLOAD, r -> workloadKeys(r).distinct().toList());
    return List.of(
        nudge.source(),
        metadata.source(
            new GroupVersionKind("apps", "v1", "Deployment"),
            SecretRotation.class,
            context,
            null,
            d ->
                rotations.byIndex(BY_WORKLOAD, key(d, d.getMetadata().getName())).stream()
                    .map(ResourceID::fromResource)
                    .collect(Collectors.toSet())),
        metadata.source(
            new GroupVersionKind("", "v1", "Pod"),
            SecretRotation.class,
            context,
            Names.CANARY_FOR,
            RotationEventSources::ofPod));
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
