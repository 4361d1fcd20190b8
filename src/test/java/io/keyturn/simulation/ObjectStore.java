package io.keyturn.simulation;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorRequirement;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntryBuilder;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.api.model.apps.DeploymentStatus;
import io.fabric8.kubernetes.api.model.apps.ReplicaSet;
import io.fabric8.kubernetes.api.model.apps.ReplicaSetBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.api.model.batch.v1.JobBuilder;
import io.fabric8.kubernetes.api.model.batch.v1.JobStatus;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.RotationPolicy;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.kubernetes.ApiServer;
import java.time.Clock;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * An API server in memory, as far as Keyturn can tell: optimistic locking, generations, status as a
 * subresource, immutable Secrets, finalizers, owner references, and server-side apply of the
 * annotations of a pod template.
 */
final class ObjectStore implements ApiServer {

  private static final int NOT_FOUND = 404;
  private static final int CONFLICT = 409;
  private static final int UNPROCESSABLE = 422;

  private record Key(Class<?> kind, String name) {}

  /** An object that was created, changed or deleted. */
  record Change(HasMetadata before, HasMetadata after) {

    /** The object, as it is or was. */
    HasMetadata object() {
      return after == null ? before : after;
    }
  }

  private final Clock clock;
  private final Map<Key, HasMetadata> objects = new LinkedHashMap<>();
  private final List<Change> changes = new ArrayList<>();
  private final List<Consumer<Change>> observers = new ArrayList<>();
  private long version;
  private long uids;

  ObjectStore(Clock clock) {
    this.clock = clock;
  }

  /** Tells somebody of each change, at once. */
  void observe(Consumer<Change> observer) {
    observers.add(observer);
  }

  /** All changes, in order. */
  List<Change> changes() {
    return changes;
  }

  /** A copy to change and write back; null if there is no such object. */
  <T extends HasMetadata> T edit(Class<T> kind, String name) {
    T object = look(kind, name);
    return object == null ? null : kind.cast(copy(object));
  }

  /** All objects of a kind, not copied: for looking, never for changing. */
  <T extends HasMetadata> Stream<T> look(Class<T> kind) {
    return objects.entrySet().stream()
        .filter(e -> e.getKey().kind() == kind)
        .map(e -> kind.cast(e.getValue()));
  }

  /** One object, not copied; null if there is none. */
  <T extends HasMetadata> T look(Class<T> kind, String name) {
    return kind.cast(objects.get(new Key(kind, name)));
  }

  @Override
  public <T extends HasMetadata> T read(Class<T> kind, String namespace, String name) {
    T object = look(kind, name);
    return object == null ? null : kind.cast(handOut(object));
  }

  @Override
  public <T extends HasMetadata> List<T> list(
      Class<T> kind, String namespace, LabelSelector selector) {
    return look(kind)
        .filter(o -> selector == null || selects(selector, labels(o.getMetadata())))
        .map(o -> kind.cast(handOut(o)))
        .toList();
  }

  @Override
  public void create(HasMetadata given) {
    if (objects.containsKey(key(given))) {
      throw failure(CONFLICT);
    }
    HasMetadata object = copy(given);
    object.getMetadata().setUid("00000000-0000-4000-8000-%012d".formatted(++uids));
    object.getMetadata().setGeneration(1L);
    object.getMetadata().setCreationTimestamp(now());
    dropStatus(object);
    put(null, object);
  }

  @Override
  public void update(HasMetadata given) {
    HasMetadata stored = current(given);
    HasMetadata object = copy(given);
    if (stored instanceof Secret before
        && Boolean.TRUE.equals(before.getImmutable())
        && !Objects.equals(before.getData(), ((Secret) object).getData())) {
      throw failure(UNPROCESSABLE);
    }
    keepStatus(stored, object);
    boolean specChanged = !Objects.equals(spec(stored), spec(object));
    object.getMetadata().setUid(stored.getMetadata().getUid());
    object.getMetadata().setCreationTimestamp(stored.getMetadata().getCreationTimestamp());
    object.getMetadata().setDeletionTimestamp(stored.getMetadata().getDeletionTimestamp());
    object
        .getMetadata()
        .setGeneration(stored.getMetadata().getGeneration() + (specChanged ? 1 : 0));
    if (object.getMetadata().getDeletionTimestamp() != null
        && object.getMetadata().getFinalizers().isEmpty()) {
      remove(stored);
    } else {
      put(stored, object);
    }
  }

  @Override
  public void updateStatus(HasMetadata given) {
    HasMetadata stored = current(given);
    HasMetadata object = copy(stored);
    keepStatus(given, object);
    put(stored, object);
  }

  @Override
  public void delete(HasMetadata given) {
    HasMetadata stored = current(given);
    if (stored.getMetadata().getFinalizers().isEmpty()) {
      remove(stored);
    } else if (stored.getMetadata().getDeletionTimestamp() == null) {
      HasMetadata object = copy(stored);
      object.getMetadata().setDeletionTimestamp(now());
      put(stored, object);
    }
  }

  @Override
  public String token(String namespace, String serviceAccount, String audience, Duration valid) {
    throw new UnsupportedOperationException("no store here asks for an identity");
  }

  @Override
  public void apply(HasMetadata fields) {
    Deployment stored = look(Deployment.class, fields.getMetadata().getName());
    if (stored == null) {
      throw failure(NOT_FOUND);
    }
    String locked = fields.getMetadata().getResourceVersion();
    if (locked != null && !locked.equals(stored.getMetadata().getResourceVersion())) {
      throw failure(CONFLICT);
    }
    Map<String, String> wanted =
        ((Deployment) fields).getSpec().getTemplate().getMetadata().getAnnotations();
    annotate(stored, Names.KEYTURN, wanted == null ? Map.of() : wanted);
  }

  /** Sets the annotations of a pod template that a field manager wants, and takes its others. */
  void annotate(Deployment stored, String manager, Map<String, String> wanted) {
    Deployment object = (Deployment) copy(stored);
    Map<String, String> annotations =
        new HashMap<>(
            Objects.requireNonNullElse(
                object.getSpec().getTemplate().getMetadata().getAnnotations(), Map.of()));
    List<ManagedFieldsEntry> entries = new ArrayList<>(object.getMetadata().getManagedFields());
    Set<String> owned = new HashSet<>();
    for (ManagedFieldsEntry entry : entries) {
      if (entry.getManager().equals(manager)) {
        owned.addAll(ownedAnnotations(entry));
      } else if (ownedAnnotations(entry).stream()
          .anyMatch(k -> wanted.containsKey(k) && !wanted.get(k).equals(annotations.get(k)))) {
        throw failure(CONFLICT);
      }
    }
    owned.removeAll(wanted.keySet());
    annotations.keySet().removeAll(owned);
    annotations.putAll(wanted);
    object.getSpec().getTemplate().getMetadata().setAnnotations(annotations);
    entries.removeIf(e -> e.getManager().equals(manager));
    entries.add(entry(manager, wanted.keySet()));
    object.getMetadata().setManagedFields(entries);
    update(object);
  }

  /** What a person does with kubectl: their tool owns what they wrote, whoever owned it before. */
  void edit(Deployment stored, Consumer<Deployment> change, String annotation) {
    Deployment object = (Deployment) copy(stored);
    change.accept(object);
    List<ManagedFieldsEntry> entries = new ArrayList<>(object.getMetadata().getManagedFields());
    entries.removeIf(e -> e.getManager().equals("kubectl"));
    if (annotation != null) {
      entries.removeIf(e -> ownedAnnotations(e).contains(annotation));
    }
    entries.add(entry("kubectl", annotation == null ? Set.of() : Set.of(annotation)));
    object.getMetadata().setManagedFields(entries);
    update(object);
  }

  private ManagedFieldsEntry entry(String manager, Set<String> annotations) {
    Map<String, Object> leaf = new HashMap<>();
    annotations.forEach(a -> leaf.put("f:" + a, Map.of()));
    return new ManagedFieldsEntryBuilder()
        .withManager(manager)
        .withTime(now())
        .withNewFieldsV1()
        .addToAdditionalProperties(
            "f:spec", Map.of("f:template", Map.of("f:metadata", Map.of("f:annotations", leaf))))
        .endFieldsV1()
        .build();
  }

  private static Set<String> ownedAnnotations(ManagedFieldsEntry entry) {
    Object node = entry.getFieldsV1().getAdditionalProperties();
    for (String step : List.of("f:spec", "f:template", "f:metadata", "f:annotations")) {
      node = ((Map<?, ?>) node).get(step);
    }
    Set<String> owned = new HashSet<>();
    ((Map<?, ?>) node).keySet().forEach(k -> owned.add(k.toString().substring(2)));
    return owned;
  }

  /** Deletes what has lost all of its owners. */
  boolean collectGarbage() {
    Set<String> uids = new HashSet<>();
    objects.values().forEach(o -> uids.add(o.getMetadata().getUid()));
    List<HasMetadata> orphans =
        objects.values().stream()
            .filter(o -> !o.getMetadata().getOwnerReferences().isEmpty())
            .filter(o -> o.getMetadata().getDeletionTimestamp() == null)
            .filter(o ->
                o.getMetadata().getOwnerReferences().stream()
                    .map(OwnerReference::getUid)
                    .noneMatch(uids::contains))
            .toList();
    orphans.forEach(this::delete);
    return !orphans.isEmpty();
  }

  private HasMetadata current(HasMetadata given) {
    HasMetadata stored = objects.get(key(given));
    if (stored == null) {
      throw failure(NOT_FOUND);
    }
    String locked = given.getMetadata().getResourceVersion();
    if (locked != null && !locked.equals(stored.getMetadata().getResourceVersion())) {
      throw failure(CONFLICT);
    }
    return stored;
  }

  private void put(HasMetadata before, HasMetadata after) {
    if (before != null && same(before, after)) {
      return;
    }
    after.getMetadata().setResourceVersion(Long.toString(++version));
    objects.put(key(after), after);
    tell(new Change(before, after));
  }

  private void remove(HasMetadata object) {
    objects.remove(key(object));
    version++;
    tell(new Change(object, null));
  }

  private void tell(Change change) {
    changes.add(change);
    observers.forEach(o -> o.accept(change));
  }

  private static boolean same(HasMetadata before, HasMetadata after) {
    ObjectMeta was = before.getMetadata();
    ObjectMeta is = new ObjectMetaBuilder(after.getMetadata()).build();
    is.setResourceVersion(was.getResourceVersion());
    is.setManagedFields(was.getManagedFields());
    return was.equals(is)
        && Objects.equals(spec(before), spec(after))
        && Objects.equals(status(before), status(after));
  }

  private static Object spec(HasMetadata object) {
    return switch (object) {
      case CustomResource<?, ?> c -> c.getSpec();
      case Deployment d -> d.getSpec();
      case ReplicaSet r -> r.getSpec();
      case Job j -> j.getSpec();
      case Pod p -> p.getSpec();
      case Secret s -> s.getData();
      default -> null;
    };
  }

  private static Object status(HasMetadata object) {
    return switch (object) {
      case CustomResource<?, ?> c -> c.getStatus();
      case Deployment d -> d.getStatus();
      case Job j -> j.getStatus();
      case Pod p -> p.getStatus();
      default -> null;
    };
  }

  private static void keepStatus(HasMetadata from, HasMetadata to) {
    switch (to) {
      case SecretBinding b -> b.setStatus(((SecretBinding) from).getStatus());
      case SecretRotation r -> r.setStatus(((SecretRotation) from).getStatus());
      case RotationPolicy p -> p.setStatus(((RotationPolicy) from).getStatus());
      case Deployment d -> d.setStatus(((Deployment) from).getStatus());
      case Job j -> j.setStatus(((Job) from).getStatus());
      case Pod p -> p.setStatus(((Pod) from).getStatus());
      default -> {}
    }
  }

  private static void dropStatus(HasMetadata object) {
    switch (object) {
      case SecretBinding b -> b.setStatus(SecretBindingStatus.EMPTY);
      case SecretRotation r -> r.setStatus(SecretRotationStatus.EMPTY);
      case Deployment d -> d.setStatus(new DeploymentStatus());
      case Job j -> j.setStatus(new JobStatus());
      default -> {}
    }
  }

  /** A copy for an operator, which reads pods and ReplicaSets and never changes one. */
  private static HasMetadata handOut(HasMetadata object) {
    return object instanceof Pod || object instanceof ReplicaSet ? object : copy(object);
  }

  private static HasMetadata copy(HasMetadata object) {
    return switch (object) {
      case Secret s -> new SecretBuilder(s).build();
      case Deployment d -> new DeploymentBuilder(d).build();
      case ReplicaSet r -> new ReplicaSetBuilder(r).build();
      case Job j -> new JobBuilder(j).build();
      case Pod p -> new PodBuilder(p).build();
      case Namespace n -> new NamespaceBuilder(n).build();
      case SecretBinding b -> copy(b, new SecretBinding());
      case SecretRotation r -> copy(r, new SecretRotation());
      case RotationPolicy p -> copy(p, new RotationPolicy());
      default -> object;
    };
  }

  /** Specs and statuses are immutable records. */
  private static <S, T, R extends CustomResource<S, T>> R copy(R from, R to) {
    to.setMetadata(new ObjectMetaBuilder(from.getMetadata()).build());
    to.setSpec(from.getSpec());
    to.setStatus(from.getStatus());
    return to;
  }

  private static boolean selects(LabelSelector selector, Map<String, String> labels) {
    boolean matches =
        selector.getMatchLabels() == null
            || labels.entrySet().containsAll(selector.getMatchLabels().entrySet());
    return matches && selector.getMatchExpressions().stream().allMatch(e -> matches(e, labels));
  }

  private static boolean matches(LabelSelectorRequirement term, Map<String, String> labels) {
    return switch (term.getOperator()) {
      case "Exists" -> labels.containsKey(term.getKey());
      case "DoesNotExist" -> !labels.containsKey(term.getKey());
      case "In" -> term.getValues().contains(labels.get(term.getKey()));
      case "NotIn" -> !term.getValues().contains(labels.get(term.getKey()));
      default -> throw new IllegalStateException("no such operator: " + term.getOperator());
    };
  }

  static Map<String, String> labels(ObjectMeta metadata) {
    return Objects.requireNonNullElse(metadata.getLabels(), Map.of());
  }

  private static Key key(HasMetadata object) {
    return new Key(object.getClass(), object.getMetadata().getName());
  }

  private String now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS).toString();
  }

  static KubernetesClientException failure(int code) {
    return new KubernetesClientException("simulated", code, null);
  }
}
