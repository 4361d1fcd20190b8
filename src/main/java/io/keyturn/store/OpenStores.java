package io.keyturn.store;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.RemovalCause;
import com.github.benmanes.caffeine.cache.Scheduler;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.audit.AuditTrail;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.Fingerprint;
import io.keyturn.store.Recorder.Access;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreType;
import io.quarkus.arc.All;
import jakarta.annotation.PreDestroy;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

/**
 * The stores that namespaces have open: one for each that a namespace uses, until its description
 * changes, it goes, or nobody has used it for half an hour.
 */
@ApplicationScoped
public class OpenStores {

  private static final Duration UNUSED = Duration.ofMinutes(30);

  /** When to look at a source that nobody has read. */
  private static final Duration UNKNOWN = Duration.ofMinutes(1);

  private record Key(String namespace, String uid) {}

  private record Limited(String uid, int perSecond) {}

  private final List<StoreType> types;
  private final ApiServer api;
  private final Clock clock;
  private final Recorder recorder;
  private final Descriptions descriptions;
  private final StoreListener listener;
  private final Cadence reaches;

  /** Stores that have given as much as they may, until they give something again. */
  private final Map<String, StoreException> exhausted = new ConcurrentHashMap<>();

  private final Cache<Key, OpenStore> open;
  private final Cache<Limited, RequestLimit> limits;

  /** None so far. */
  @Inject
  public OpenStores(
      @All List<StoreType> types,
      ApiServer api,
      Clock clock,
      StoreObserver observer,
      StoreListener listener,
      AuditTrail audit,
      Fingerprint fingerprint) {
    this.types = List.copyOf(types);
    this.api = api;
    this.clock = clock;
    this.recorder = new Recorder(observer, audit, fingerprint, clock);
    this.listener = listener;
    this.descriptions = new Descriptions(api, clock);
    this.reaches = new Cadence(clock);
    this.limits = Caches.of(clock).expireAfterAccess(UNUSED).build();
    this.open =
        Caches.of(clock)
            .expireAfterAccess(UNUSED)
            .scheduler(Scheduler.systemScheduler())
            .removalListener((Key _, OpenStore store, RemovalCause _) -> close(store))
            .build();
  }

  private static void close(OpenStore store) {
    if (store != null) {
      store.close();
    }
  }

  /**
   * Uses the store that something in a namespace refers to.
   *
   * @throws StoreException with the time after which to try again
   */
  <T> T use(String namespace, StoreRef ref, Function<OpenStore, T> use) {
    return use(namespace, described(namespace, ref), use);
  }

  /**
   * The provider of a store, which is not opened.
   *
   * @throws StoreException if there is no such store, or the namespace may not use it
   */
  Provider provider(String namespace, StoreRef ref) {
    return described(namespace, ref).spec().provider();
  }

  private Description described(String namespace, StoreRef ref) {
    return descriptions.known(namespace, ref).orElseGet(() -> find(namespace, ref));
  }

  /** Closes what the namespace must not use any more. */
  private Description find(String namespace, StoreRef ref) {
    try {
      Description now = descriptions.find(namespace, ref);
      drop(namespace, ref, d -> !d.uid().equals(now.uid()));
      return now;
    } catch (StoreException e) {
      if (e.kind() != StoreException.Kind.TRANSIENT) {
        drop(namespace, ref, _ -> true);
      }
      throw Cadence.first(e);
    }
  }

  private void drop(String namespace, StoreRef ref, Predicate<Description> which) {
    open.asMap()
        .entrySet()
        .removeIf(e ->
            e.getKey().namespace().equals(namespace)
                && e.getValue().description().ref().equals(ref)
                && which.test(e.getValue().description()));
  }

  private <T> T use(String namespace, Description description, Function<OpenStore, T> use) {
    while (true) {
      OpenStore store = opened(namespace, description);
      // One that is being closed is not in the cache any more.
      if (store.enter()) {
        try {
          return use.apply(store);
        } finally {
          store.leave();
        }
      }
    }
  }

  /** Nothing is asked when a store is opened, so this takes no time. */
  private OpenStore opened(String namespace, Description now) {
    return open.asMap()
        .compute(
            new Key(namespace, now.uid()),
            (_, before) ->
                before != null && before.description().generation() >= now.generation()
                    ? before
                    : create(namespace, now));
  }

  private OpenStore create(String namespace, Description now) {
    Provider provider = now.spec().provider();
    RequestLimit limit = limit(now);
    try {
      StoreType type = typeOf(provider);
      return new OpenStore(
          now,
          type,
          type.open(new NamespaceTenant(api, namespace, provider, limit::take)),
          limit,
          recorder,
          answers -> listener.answering(namespace, now.ref(), answers),
          clock);
    } catch (StoreException e) {
      throw Cadence.first(e);
    }
  }

  private RequestLimit limit(Description store) {
    return limits.get(
        new Limited(store.uid(), store.spec().limits().requestsPerSecond()),
        l -> new RequestLimit(l.perSecond()));
  }

  /** The kind of store that a SecretStore describes. */
  StoreType typeOf(Provider provider) {
    return types.stream()
        .filter(t -> t.provides(provider))
        .findFirst()
        .orElseThrow(() ->
            new StoreException(
                StoreException.Kind.PERMANENT, "This Keyturn knows no store of this provider."));
  }

  /** When it is time to look at a source again. */
  Instant nextRead(String namespace, StoreRef ref, Object source) {
    return descriptions
        .last(namespace, ref)
        .map(d -> open.getIfPresent(new Key(namespace, d.uid())))
        .map(store -> store.nextRead(source))
        .orElseGet(() -> clock.instant().plus(UNKNOWN));
  }

  /** Looks for the store anew next time, because somebody has changed it. */
  void changed(StoreRef ref) {
    descriptions.forget(ref);
  }

  /** Lets a store give something, and remembers where it has given as much as it may. */
  <T> T give(String namespace, OpenStore store, Supplier<T> ask) {
    Description description = store.description();
    try {
      T given = ask.get();
      if (exhausted.remove(description.uid()) != null) {
        listener.exhausted(namespace, description.ref(), false);
      }
      return given;
    } catch (StoreException e) {
      if (e.reason().equals(Reasons.QUOTA_EXCEEDED)
          && exhausted.put(description.uid(), e) == null) {
        listener.exhausted(namespace, description.ref(), true);
      }
      throw e;
    }
  }

  /** What a store says that has given as much as it may; empty if it has not. */
  Optional<StoreException> exhausted(String uid) {
    return Optional.ofNullable(exhausted.get(uid));
  }

  /**
   * Asks a store whether it lets the identity of its own namespace in.
   *
   * @throws StoreException if not, with the time after which to try again
   */
  void check(SecretStore store) {
    String namespace = store.getMetadata().getNamespace();
    Description now = Description.of(store);
    changed(now.ref());
    use(
        namespace,
        now,
        open -> {
          open.check(Access.to(Operation.CHECK, namespace));
          return null;
        });
  }

  /**
   * Asks a store whether it answers, without any identity: it has none of its own.
   *
   * @throws StoreException if not, with the time after which to try again
   */
  void reach(ClusterSecretStore store) {
    Description now = Description.of(store);
    changed(now.ref());
    try {
      StoreType type = typeOf(now.spec().provider());
      limit(now).take();
      recorder.recorded(
          type,
          now,
          Access.to(Operation.CHECK, ""),
          () -> {
            type.reach(now.spec().provider());
            return null;
          });
      reaches.worked(now.uid());
    } catch (StoreException e) {
      throw reaches.failed(now.uid(), e);
    }
  }

  /** An operator that stops revokes nothing; it only forgets. */
  @PreDestroy
  void closeAll() {
    open.invalidateAll();
  }
}
