package io.keyturn.workload.deployment;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaim;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.RotationPolicySpec.Traffic;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.domain.rotation.Observation.Canary;
import io.keyturn.domain.rotation.Observation.Workload;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.Fingerprint;
import io.keyturn.workload.PodUsage;
import io.keyturn.workload.SecretReferences;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.net.HttpURLConnection;
import java.time.Instant;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Deployments: what is observed of them, and the few things that are done to them. */
@ApplicationScoped
public class Deployments {

  private static final KubernetesSerialization JSON = new KubernetesSerialization();

  private final ApiServer api;
  private final Fingerprint fingerprint;

  /** Works on the given API server. */
  @Inject
  public Deployments(ApiServer api, Fingerprint fingerprint) {
    this.api = api;
    this.fingerprint = fingerprint;
  }

  /** The Deployment of that name; null if there is none. */
  public Deployment read(String namespace, String name) {
    return api.read(Deployment.class, namespace, name);
  }

  /** The Deployments that an entry of a binding means, clones left out. */
  public List<Deployment> select(String namespace, SecretBindingSpec.Workload entry) {
    if (entry.name() != null) {
      return Optional.ofNullable(read(namespace, entry.name())).stream().toList();
    }
    return api
        .list(Deployment.class, namespace, ApiServer.labelled(entry.selector().matchLabels()))
        .stream()
        .filter(d -> !labels(d).containsKey(Names.CANARY_FOR))
        .sorted(Comparator.comparing(d -> d.getMetadata().getName()))
        .toList();
  }

  /** The Deployments that a binding means, each once. */
  public Collection<Deployment> select(SecretBinding binding) {
    return binding.getSpec().workloads().stream()
        .flatMap(w -> select(binding.getMetadata().getNamespace(), w).stream())
        .collect(
            Collectors.toMap(
                d -> d.getMetadata().getUid(), d -> d, (a, b) -> a, LinkedHashMap::new))
        .values();
  }

  /** Whether a binding means a Deployment of its namespace. */
  public static boolean means(SecretBinding binding, Deployment deployment) {
    return binding.getSpec().workloads().stream().anyMatch(w -> means(w, deployment));
  }

  private static boolean means(SecretBindingSpec.Workload entry, Deployment deployment) {
    return entry.name() != null
        ? entry.name().equals(deployment.getMetadata().getName())
        : labels(deployment).entrySet().containsAll(entry.selector().matchLabels().entrySet());
  }

  /** The wave of a Deployment, as the first entry of the binding says that means it. */
  public static int waveOf(Deployment deployment, SecretBinding binding) {
    return binding.getSpec().workloads().stream()
        .filter(w -> means(w, deployment))
        .mapToInt(SecretBindingSpec.Workload::wave)
        .findFirst()
        .orElse(0);
  }

  /** Whether a pod template of the namespace refers to a Secret. */
  public boolean refers(String namespace, String secret) {
    return referring(namespace, secret).findAny().isPresent();
  }

  /** The Deployments whose pod template refers to a Secret, but the clones of a rotation. */
  public List<Deployment> askingFor(String secret, SecretRotation rotation) {
    return referring(rotation.getMetadata().getNamespace(), secret)
        .filter(d -> !ownedBy(d, rotation))
        .toList();
  }

  private Stream<Deployment> referring(String namespace, String secret) {
    return api.list(Deployment.class, namespace, null).stream().filter(d -> refers(d, secret));
  }

  /** Whether the pod template of a Deployment refers to a Secret. */
  public static boolean refers(Deployment deployment, String secret) {
    return SecretReferences.refers(deployment.getSpec().getTemplate().getSpec(), secret);
  }

  /** The live pods of a Deployment: those of its ReplicaSets, by UID. */
  public List<Pod> pods(Deployment deployment) {
    Set<String> replicaSets =
        replicaSets(deployment).stream()
            .map(r -> r.getMetadata().getUid())
            .collect(Collectors.toSet());
    return api
        .list(
            Pod.class, deployment.getMetadata().getNamespace(), deployment.getSpec().getSelector())
        .stream()
        .filter(p -> controllerOf(p).map(replicaSets::contains).orElse(false))
        .toList();
  }

  private List<ReplicaSet> replicaSets(Deployment deployment) {
    return api
        .list(
            ReplicaSet.class,
            deployment.getMetadata().getNamespace(),
            deployment.getSpec().getSelector())
        .stream()
        .filter(r -> controllerOf(r).filter(deployment.getMetadata().getUid()::equals).isPresent())
        .toList();
  }

  /**
   * What a rotation needs to know of a Deployment. Its pods are counted when its rollout is
   * complete, not while it moves: there are many looks at it then.
   *
   * @param alias name of the Secret
   * @param target id of the version that is moved to; null: not known yet
   * @param since when workloads began to move to it; null: this one does not move
   * @param cloneName name of its clone; null: there is none
   * @param wave in which it moves
   */
  public Workload observe(
      Deployment deployment,
      String alias,
      String target,
      Instant since,
      String cloneName,
      int wave) {
    String namespace = deployment.getMetadata().getNamespace();
    PodTemplateSpec template = deployment.getSpec().getTemplate();
    String annotation = annotations(template).get(Names.versionAnnotation(alias));
    boolean moves = target != null && since != null;
    boolean rolledOut = Rollout.rolledOut(deployment);
    List<Pod> pods =
        (moves && rolledOut ? pods(deployment) : List.<Pod>of())
            .stream().filter(p -> p.getMetadata().getDeletionTimestamp() == null).toList();
    int onTarget =
        (int) pods.stream().filter(p -> target.equals(PodUsage.annotation(p, alias))).count();
    return new Workload(
        WorkloadKind.Deployment,
        deployment.getMetadata().getName(),
        deployment.getMetadata().getUid(),
        wave,
        true,
        Objects.requireNonNullElse(deployment.getSpec().getReplicas(), 1),
        templateHash(template),
        annotation,
        Rollout.writtenBy(deployment, Names.KEYTURN).orElse(null),
        moves && (target.equals(annotation) || everAnnotated(deployment, alias, target, since)),
        Rollout.lastWriter(deployment),
        Rollout.annotationOwner(deployment, Names.versionAnnotation(alias)).orElse(null),
        Rollout.unsettled(deployment).orElse(null),
        Rollout.available(deployment),
        rolledOut,
        Rollout.stuck(deployment),
        onTarget,
        pods.size() - onTarget,
        CloneTemplate.obstacle(deployment, alias, claims(deployment)),
        cloneName == null ? Optional.empty() : observeClone(namespace, cloneName));
  }

  /** The clone of that name, if it exists. */
  public Optional<Canary> observeClone(String namespace, String cloneName) {
    Deployment clone = read(namespace, cloneName);
    if (clone == null || clone.getMetadata().getDeletionTimestamp() != null) {
      return Optional.empty();
    }
    return Optional.of(CanaryPods.observe(clone, pods(clone)));
  }

  private List<PersistentVolumeClaim> claims(Deployment deployment) {
    return deployment.getSpec().getTemplate().getSpec().getVolumes().stream()
        .filter(v -> v.getPersistentVolumeClaim() != null)
        .map(v ->
            api.read(
                PersistentVolumeClaim.class,
                deployment.getMetadata().getNamespace(),
                v.getPersistentVolumeClaim().getClaimName()))
        .filter(Objects::nonNull)
        .toList();
  }

  /**
   * A ReplicaSet with the version shows that its pods were replaced for it before. An older one is
   * of another attempt: a binding that was created anew may count from the same number again.
   */
  private boolean everAnnotated(Deployment deployment, String alias, String target, Instant since) {
    return replicaSets(deployment).stream()
        .filter(r -> !Instant.parse(r.getMetadata().getCreationTimestamp()).isBefore(since))
        .map(r -> annotations(r.getSpec().getTemplate()))
        .anyMatch(a -> target.equals(a.get(Names.versionAnnotation(alias))));
  }

  /** Keyed MAC of a pod template, whichever versions are written on it. */
  String templateHash(PodTemplateSpec template) {
    PodTemplateSpec bare = new PodTemplateSpecBuilder(template).build();
    Map<String, String> annotations = new HashMap<>(annotations(template));
    annotations.keySet().removeIf(Names::isVersionAnnotation);
    bare.getMetadata().setAnnotations(annotations.isEmpty() ? null : annotations);
    return fingerprint.of(JSON.asJson(bare));
  }

  /**
   * Writes the version annotation of the pod template, by server-side apply and never by force. The
   * annotations of other bindings are Keyturn's, too, and must be applied along, else they would
   * go.
   *
   * @param versionId the value; null removes the annotation
   * @param stands asked when the Deployment has been read: whether what was decided before still
   *     holds. A process that stood still in between would move its pods back.
   * @return whether it stands, there was such a Deployment and it had another value
   * @throws KubernetesClientException with code 409 if somebody else owns the annotation, or the
   *     Deployment has changed in between
   */
  public boolean annotate(
      String namespace,
      String name,
      String uid,
      String alias,
      String versionId,
      BooleanSupplier stands) {
    Deployment seen = read(namespace, name);
    if (seen == null || !seen.getMetadata().getUid().equals(uid)) {
      return false;
    }
    String key = Names.versionAnnotation(alias);
    Map<String, String> annotations = new HashMap<>();
    annotations(seen.getSpec().getTemplate())
        .forEach((k, v) -> {
          if (Names.isVersionAnnotation(k)) {
            annotations.put(k, v);
          }
        });
    String before = versionId == null ? annotations.remove(key) : annotations.put(key, versionId);
    if (Objects.equals(before, versionId) || !stands.getAsBoolean()) {
      return false;
    }
    Deployment wanted =
        new DeploymentBuilder()
            .withNewMetadata()
            .withNamespace(namespace)
            .withName(name)
            .withResourceVersion(seen.getMetadata().getResourceVersion())
            .endMetadata()
            .withNewSpec()
            .withNewTemplate()
            .withNewMetadata()
            .withAnnotations(annotations)
            .endMetadata()
            .endTemplate()
            .endSpec()
            .build();
    api.apply(wanted);
    return true;
  }

  /**
   * Creates the clone of a Deployment, or brings it to the present template.
   *
   * @return whether that could be done: the template is still the one that the plan is about, and
   *     nothing is in the way that is being deleted
   */
  public boolean startCanary(
      SecretRotation rotation,
      WorkloadProgress plan,
      String alias,
      String snapshot,
      int pods,
      Traffic traffic) {
    String namespace = rotation.getMetadata().getNamespace();
    Deployment deployment = read(namespace, plan.name());
    if (deployment == null
        || !deployment.getMetadata().getUid().equals(plan.uid())
        || !templateHash(deployment.getSpec().getTemplate()).equals(plan.baseTemplateHash())) {
      return false;
    }
    List<Service> services =
        traffic == Traffic.None ? api.list(Service.class, namespace, null) : List.of();
    Deployment clone =
        CloneTemplate.of(
            deployment,
            plan.canaryRef(),
            owner(rotation),
            rotation.getMetadata().getName(),
            alias,
            snapshot,
            plan.baseTemplateHash(),
            pods,
            traffic,
            services);
    Deployment seen = read(namespace, plan.canaryRef());
    if (seen == null) {
      createIgnoringTwin(clone);
    } else if (isClone(seen, rotation) && seen.getMetadata().getDeletionTimestamp() == null) {
      clone.getMetadata().setResourceVersion(seen.getMetadata().getResourceVersion());
      api.update(clone);
    } else {
      return false;
    }
    return true;
  }

  private void createIgnoringTwin(Deployment clone) {
    try {
      api.create(clone);
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
        throw e;
      }
    }
  }

  /**
   * Deletes the clone of a workload, if it is the rotation's.
   *
   * @return whether there was one
   */
  public boolean stopCanary(SecretRotation rotation, String cloneName) {
    Deployment seen = read(rotation.getMetadata().getNamespace(), cloneName);
    boolean ours = seen != null && isClone(seen, rotation);
    if (ours) {
      api.delete(seen);
    }
    return ours;
  }

  /** The clone remains one where somebody has taken its owner off. */
  private static boolean isClone(Deployment deployment, SecretRotation rotation) {
    return ownedBy(deployment, rotation)
        || (controllerOf(deployment).isEmpty()
            && labels(deployment).containsKey(Names.CANARY_FOR)
            && Names.KEYTURN.equals(labels(deployment).get(Names.MANAGED_BY)));
  }

  private static OwnerReference owner(SecretRotation rotation) {
    return new OwnerReferenceBuilder()
        .withApiVersion(rotation.getApiVersion())
        .withKind(rotation.getKind())
        .withName(rotation.getMetadata().getName())
        .withUid(rotation.getMetadata().getUid())
        .withController(true)
        .withBlockOwnerDeletion(true)
        .build();
  }

  private static boolean ownedBy(HasMetadata object, SecretRotation rotation) {
    return controllerOf(object).filter(rotation.getMetadata().getUid()::equals).isPresent();
  }

  private static Optional<String> controllerOf(HasMetadata object) {
    return object.getMetadata().getOwnerReferences().stream()
        .filter(o -> Boolean.TRUE.equals(o.getController()))
        .map(OwnerReference::getUid)
        .findFirst();
  }

  private static Map<String, String> annotations(PodTemplateSpec template) {
    return template.getMetadata() == null
        ? Map.of()
        : Objects.requireNonNullElse(template.getMetadata().getAnnotations(), Map.of());
  }

  private static Map<String, String> labels(HasMetadata object) {
    return Objects.requireNonNullElse(object.getMetadata().getLabels(), Map.of());
  }
}
