package io.keyturn.simulation;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.controller.Adoption;
import io.keyturn.controller.Candidates;
import io.keyturn.controller.Census;
import io.keyturn.controller.Epoch;
import io.keyturn.controller.EventRecorder;
import io.keyturn.controller.Executor;
import io.keyturn.controller.Intents;
import io.keyturn.controller.KubeletLag;
import io.keyturn.controller.LeaseBook;
import io.keyturn.controller.Leases;
import io.keyturn.controller.Pace;
import io.keyturn.controller.VersionUsers;
import io.keyturn.controller.binding.BindingReconcilers;
import io.keyturn.controller.rotation.RotationReconcilers;
import io.keyturn.gate.Judge;
import io.keyturn.gate.PreflightJobs;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.Fingerprint;
import io.keyturn.secret.SecretWriter;
import io.keyturn.store.Stores;
import io.keyturn.testing.SilentTelemetry;
import io.keyturn.workload.deployment.Deployments;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.stream.Stream;

/**
 * One process of the operator: the production reconcilers over the simulated API server, with
 * caches that lag behind, events that may be lost, a queue, and retries as the framework does them.
 */
final class SimulatedOperator {

  /** The controllers reconcile each object at least this often. */
  private static final Duration RESYNC = Duration.ofMinutes(10);

  private static final Duration FIRST_RETRY = Duration.ofMillis(500);
  private static final Duration LONGEST_RETRY = Duration.ofMinutes(5);

  private record Key(Class<? extends HasMetadata> kind, String name) {}

  private final String name;
  private final ObjectStore store;
  private final Clock clock;
  private final Weather weather;
  private final Reconciler<SecretBinding> bindings;
  private final Reconciler<SecretRotation> rotations;
  private final Map<Key, HasMetadata> cache = new LinkedHashMap<>();
  private final Map<Key, Instant> due = new LinkedHashMap<>();
  private final Map<Key, Integer> failures = new HashMap<>();
  private int seen;

  SimulatedOperator(
      String name,
      ObjectStore store,
      SimulatedIssuer issuer,
      Clock clock,
      Weather weather,
      Duration kubeletLag,
      Judge judge,
      Epoch epoch) {
    this.name = name;
    this.store = store;
    this.clock = clock;
    this.weather = weather;
    ApiServer api = new Port();
    KubeletLag lag = new KubeletLag(kubeletLag);
    Fingerprint fingerprint = new Fingerprint(new byte[Fingerprint.KEY_LENGTH]);
    SecretWriter secrets = new SecretWriter(api, fingerprint);
    Deployments deployments = new Deployments(api, fingerprint);
    Stores stores = new SimulatedStores(api, issuer, this, weather);
    Candidates candidates = new Candidates(stores, fingerprint, new SilentTelemetry());
    LeaseBook book = new LeaseBook(clock);
    Intents intents = new Intents(stores, secrets, new SilentTelemetry());
    VersionUsers users = new VersionUsers(api, deployments, lag);
    Executor executor =
        new Executor(
            api,
            secrets,
            deployments,
            new PreflightJobs(api),
            candidates,
            new Adoption(),
            intents,
            new Leases(stores, secrets, candidates, intents, book, new SilentTelemetry(), clock),
            new SilentTelemetry(),
            new Pace(5, clock),
            clock);
    EventRecorder events = new EventRecorder(api, clock);
    bindings =
        BindingReconcilers.of(
            api,
            secrets,
            fingerprint,
            candidates,
            deployments,
            executor,
            events,
            clock,
            () -> cached(SecretBinding.class),
            this::snapshots,
            b -> cached(SecretRotation.class),
            users,
            book);
    rotations =
        RotationReconcilers.of(
            api,
            secrets,
            fingerprint,
            candidates,
            deployments,
            executor,
            events,
            new SilentTelemetry(),
            lag,
            clock,
            new Caches(),
            this::hasClone,
            judge,
            epoch,
            book);
    seen = store.changes().size();
    List.of(SecretBinding.class, SecretRotation.class, Secret.class, Deployment.class)
        .forEach(kind -> store.look(kind).forEach(this::learn));
    enqueueAll();
  }

  private void enqueueAll() {
    cache.keySet().stream()
        .filter(k -> CustomResource.class.isAssignableFrom(k.kind()))
        .forEach(k -> due.put(k, clock.instant()));
  }

  private void learn(HasMetadata object) {
    cache.put(new Key(object.getClass(), object.getMetadata().getName()), object);
  }

  private <T extends HasMetadata> List<T> cached(Class<T> kind) {
    return cache.entrySet().stream()
        .filter(e -> e.getKey().kind() == kind)
        .map(e -> kind.cast(e.getValue()))
        .toList();
  }

  /** What was heard of others. */
  private final class Caches extends Census {

    @Override
    public Stream<SecretRotation> underWay(String namespace) {
      return cached(SecretRotation.class).stream();
    }

    @Override
    public Optional<SecretBinding> binding(String namespace, String name) {
      return cached(SecretBinding.class).stream()
          .filter(b -> b.getMetadata().getName().equals(name))
          .findFirst();
    }
  }

  private List<GenericKubernetesResource> snapshots(SecretBinding binding) {
    return cached(Secret.class).stream()
        .filter(s -> ObjectStore.labels(s.getMetadata()).containsKey(Names.NO_BACKUP))
        .map(s -> {
          GenericKubernetesResource metadata = new GenericKubernetesResource();
          metadata.setMetadata(new ObjectMetaBuilder(s.getMetadata()).build());
          return metadata;
        })
        .toList();
  }

  private boolean hasClone(SecretRotation rotation) {
    return cached(Deployment.class).stream()
        .flatMap(d -> d.getMetadata().getOwnerReferences().stream())
        .anyMatch(o -> o.getUid().equals(rotation.getMetadata().getUid()));
  }

  /**
   * Learns what has changed up to some changes ago, and queues whom it concerns.
   *
   * @param lag how many of the newest changes it has not heard of yet
   * @param lost whether it hears of them without anybody being queued
   */
  void hear(int lag, boolean lost) {
    List<ObjectStore.Change> changes = store.changes();
    for (; seen < changes.size() - lag; seen++) {
      ObjectStore.Change change = changes.get(seen);
      HasMetadata object = change.object();
      Key key = new Key(object.getClass(), object.getMetadata().getName());
      if (change.after() == null) {
        cache.remove(key);
        due.remove(key);
      } else if (object instanceof CustomResource<?, ?>
          || object instanceof Secret
          || object instanceof Deployment) {
        cache.put(key, change.after());
      }
      // A watch that broke lists anew, so nothing stays unknown.
      if (!lost || change.before() == null) {
        enqueue(key, change);
      }
    }
  }

  private void enqueue(Key key, ObjectStore.Change change) {
    boolean own = CustomResource.class.isAssignableFrom(key.kind());
    if (own && change.after() != null && !onlyStatus(change)) {
      now(key);
    }
    if (key.kind() != SecretBinding.class) {
      cache.keySet().stream().filter(k -> k.kind() == SecretBinding.class).forEach(this::now);
    }
    if (!own || key.kind() == SecretBinding.class) {
      cached(SecretRotation.class).stream()
          .filter(r -> !r.getStatus().stage().terminal() || hasClone(r))
          .forEach(r -> now(new Key(SecretRotation.class, r.getMetadata().getName())));
    }
  }

  private static boolean onlyStatus(ObjectStore.Change change) {
    return change.before() != null
        && change
            .before()
            .getMetadata()
            .getGeneration()
            .equals(change.after().getMetadata().getGeneration())
        && change
            .before()
            .getMetadata()
            .getFinalizers()
            .equals(change.after().getMetadata().getFinalizers())
        && change.before().getMetadata().getDeletionTimestamp()
            == change.after().getMetadata().getDeletionTimestamp();
  }

  private void now(Key key) {
    due.merge(key, clock.instant(), (a, b) -> a.isBefore(b) ? a : b);
  }

  /** When it wants to do something next, the regular look at everything left out. */
  Optional<Instant> next() {
    return due.values().stream().min(Comparator.naturalOrder());
  }

  /** Reconciles one object that is due; says whether there was one. */
  boolean step() {
    Optional<Key> key =
        due.entrySet().stream()
            .filter(e -> !e.getValue().isAfter(clock.instant()))
            .map(Map.Entry::getKey)
            .findFirst();
    key.ifPresent(this::reconcile);
    return key.isPresent();
  }

  private void reconcile(Key key) {
    due.remove(key);
    HasMetadata cached = cache.get(key);
    if (cached == null) {
      return;
    }
    try {
      UpdateControl<?> control =
          cached instanceof SecretBinding binding
              ? bindings.reconcile(binding, null)
              : cached instanceof SecretRotation rotation
                  ? rotations.reconcile(rotation, null)
                  : UpdateControl.noUpdate();
      failures.remove(key);
      Duration again = control.getScheduleDelay().map(Duration::ofMillis).orElse(RESYNC);
      due.merge(key, clock.instant().plus(again), (a, b) -> a.isBefore(b) ? a : b);
    } catch (KubernetesClientException e) {
      int attempt = failures.merge(key, 1, Integer::sum);
      Duration delay = FIRST_RETRY.multipliedBy(1L << Math.min(attempt - 1, 12));
      due.put(
          key, clock.instant().plus(delay.compareTo(LONGEST_RETRY) < 0 ? delay : LONGEST_RETRY));
    } catch (Exception e) {
      throw new IllegalStateException("a reconcile failed for no fault of the API server", e);
    }
  }

  /** The regular look at everything. */
  void resync() {
    enqueueAll();
  }

  @Override
  public String toString() {
    return name;
  }

  /** The API server as this process reaches it. */
  private final class Port implements ApiServer {

    private <T> T call(String verb, Class<?> kind, Supplier<T> action) {
      Call call = new Call(SimulatedOperator.this, verb, kind.getSimpleName());
      weather.before(call);
      T result = action.get();
      weather.after(call);
      return result;
    }

    private void write(String verb, HasMetadata object, Runnable action) {
      call(
          verb,
          object.getClass(),
          () -> {
            action.run();
            return null;
          });
    }

    @Override
    public <T extends HasMetadata> T read(Class<T> kind, String namespace, String name) {
      return call("get", kind, () -> store.read(kind, namespace, name));
    }

    @Override
    public <T extends HasMetadata> List<T> list(
        Class<T> kind, String namespace, LabelSelector selector) {
      return call("list", kind, () -> store.list(kind, namespace, selector));
    }

    @Override
    public void create(HasMetadata object) {
      write("create", object, () -> store.create(object));
    }

    @Override
    public void update(HasMetadata seen) {
      write("update", seen, () -> store.update(seen));
    }

    @Override
    public void updateStatus(HasMetadata seen) {
      write("status", seen, () -> store.updateStatus(seen));
    }

    @Override
    public void delete(HasMetadata seen) {
      write("delete", seen, () -> store.delete(seen));
    }

    @Override
    public void apply(HasMetadata fields) {
      write("apply", fields, () -> store.apply(fields));
    }

    @Override
    public String token(String namespace, String serviceAccount, String audience, Duration valid) {
      throw new UnsupportedOperationException();
    }
  }
}
