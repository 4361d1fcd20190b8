package io.keyturn.controller.binding;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.GroupVersionKind;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.RotationPolicy;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.controller.MetadataSource;
import io.keyturn.controller.Nudge;
import io.keyturn.kubernetes.TrimmedStore;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Which object's change concerns which binding. */
final class BindingEventSources implements BindingIndex {

  private static final String BY_SECRET = "secret";
  private static final String BY_WORKLOAD = "workload";
  private static final String BY_POLICY = "policy";
  private static final String SNAPSHOTS = "snapshots";

  private final Nudge nudge;
  private final IndexerResourceCache<SecretBinding> bindings;
  private final InformerEventSource<GenericKubernetesResource, SecretBinding> secrets;
  private final InformerEventSource<SecretRotation, SecretBinding> rotations;
  private final InformerEventSource<RotationPolicy, SecretBinding> policies;
  private final InformerEventSource<GenericKubernetesResource, SecretBinding> deployments;

  BindingEventSources(
      EventSourceContext<SecretBinding> context, MetadataSource metadata, Nudge nudge) {
    this.nudge = nudge;
    bindings = context.getPrimaryCache();
    bindings.addIndexer(BY_SECRET, b -> secretKeys(b).toList());
    bindings.addIndexer(BY_WORKLOAD, b -> workloadKeys(b).distinct().toList());
    bindings.addIndexer(BY_POLICY, b -> policyKeys(b).toList());
    Set<String> namespaces = context.getControllerConfiguration().getEffectiveNamespaces();
    secrets =
        metadata.source(
            new GroupVersionKind("", "v1", "Secret"),
            SecretBinding.class,
            context,
            null,
            this::ofSecret);
    secrets.addIndexers(Map.of(SNAPSHOTS, BindingEventSources::snapshotKeys));
    deployments =
        metadata.source(
            new GroupVersionKind("apps", "v1", "Deployment"),
            SecretBinding.class,
            context,
            null,
            this::ofDeployment);
    rotations =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(SecretRotation.class, SecretBinding.class)
                .withName("rotations")
                .withSecondaryToPrimaryMapper(r ->
                    Set.of(
                        new ResourceID(
                            r.getSpec().bindingRef().name(), r.getMetadata().getNamespace())))
                .withNamespacesInheritedFromController()
                .withItemStore(
                    TrimmedStore.unlessShared(TrimmedStore.withoutManagedFields(), namespaces))
                .withInformerListLimit(500L)
                .build(),
            context);
    rotations.addIndexers(Map.of("binding", r -> List.of(key(r, r.getSpec().bindingRef().name()))));
    policies =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(RotationPolicy.class, SecretBinding.class)
                .withName("policies")
                .withSecondaryToPrimaryMapper(
                    p -> ids(BY_POLICY, key(p, p.getMetadata().getName())))
                .withNamespacesInheritedFromController()
                .withItemStore(
                    TrimmedStore.unlessShared(TrimmedStore.withoutManagedFields(), namespaces))
                .withInformerListLimit(500L)
                .build(),
            context);
  }

  List<EventSource<?, SecretBinding>> all() {
    return List.of(nudge.ofBindings(), secrets, deployments, rotations, policies);
  }

  @Override
  public List<SecretBinding> bindingsOf(String namespace, String alias) {
    return bindings.byIndex(BY_SECRET, namespace + "/" + alias).stream()
        .filter(b -> b.alias().equals(alias))
        .toList();
  }

  @Override
  public List<GenericKubernetesResource> snapshots(SecretBinding binding) {
    return secrets.byIndex(
        SNAPSHOTS,
        binding.getMetadata().getNamespace() + "/" + Names.label(binding.getMetadata().getName()));
  }

  @Override
  public List<SecretRotation> rotations(SecretBinding binding) {
    return rotations.byIndex(
        "binding", binding.getMetadata().getNamespace() + "/" + binding.getMetadata().getName());
  }

  /** The binding whose alias or upstream a Secret is, or whose snapshot. */
  private Set<ResourceID> ofSecret(GenericKubernetesResource secret) {
    Set<ResourceID> named = ids(BY_SECRET, key(secret, secret.getMetadata().getName()));
    String binding = labels(secret).get(Names.BINDING);
    return named.isEmpty() && binding != null
        ? Set.of(new ResourceID(binding, secret.getMetadata().getNamespace()))
        : named;
  }

  private Set<ResourceID> ofDeployment(GenericKubernetesResource deployment) {
    if (labels(deployment).containsKey(Names.CANARY_FOR)) {
      return Set.of();
    }
    Stream<ResourceID> named =
        ids(BY_WORKLOAD, key(deployment, deployment.getMetadata().getName())).stream();
    Stream<ResourceID> selected =
        bindings.byIndex(BY_WORKLOAD, key(deployment, "*")).stream()
            .filter(b ->
                b.getSpec().workloads().stream()
                    .filter(w -> w.selector() != null)
                    .anyMatch(w ->
                        labels(deployment)
                            .entrySet()
                            .containsAll(w.selector().matchLabels().entrySet())))
            .map(ResourceID::fromResource);
    return Stream.concat(named, selected).collect(Collectors.toSet());
  }

  private Set<ResourceID> ids(String index, String key) {
    return bindings.byIndex(index, key).stream()
        .map(ResourceID::fromResource)
        .collect(Collectors.toSet());
  }

  /** A binding is concerned by its alias and by its upstream. */
  private static Stream<String> secretKeys(SecretBinding binding) {
    String upstream =
        binding.getSpec().source().secret() == null
            ? null
            : binding.getSpec().source().secret().name();
    return Stream.of(binding.alias(), upstream).filter(Objects::nonNull).map(n -> key(binding, n));
  }

  private static Stream<String> workloadKeys(SecretBinding binding) {
    return binding.getSpec().workloads().stream()
        .map(w -> key(binding, w.name() == null ? "*" : w.name()));
  }

  private static Stream<String> policyKeys(SecretBinding binding) {
    return Stream.ofNullable(binding.getSpec().rotationPolicyRef())
        .map(r -> key(binding, r.name()));
  }

  private static List<String> snapshotKeys(GenericKubernetesResource secret) {
    Map<String, String> labels = labels(secret);
    boolean snapshot =
        Names.KEYTURN.equals(labels.get(Names.MANAGED_BY)) && labels.containsKey(Names.NO_BACKUP);
    return snapshot ? List.of(key(secret, labels.get(Names.BINDING))) : List.of();
  }

  private static String key(HasMetadata object, String name) {
    return object.getMetadata().getNamespace() + "/" + name;
  }

  private static Map<String, String> labels(HasMetadata object) {
    return Objects.requireNonNullElse(object.getMetadata().getLabels(), Map.of());
  }
}
