package io.keyturn.store;

import com.github.benmanes.caffeine.cache.Cache;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.ClusterSecretStoreSpec.AllowedNamespaces;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreKind;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.store.spi.StoreException;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * Finds the store that a binding refers to, if its namespace may use it. What was found is kept for
 * a moment, because many bindings look at once; what was not found is not.
 */
final class Descriptions {

  private static final Duration KEPT = Duration.ofSeconds(10);
  private static final Duration UNUSED = Duration.ofMinutes(30);

  private record Place(String namespace, StoreRef ref) {}

  private final ApiServer api;
  private final Cache<Place, Description> found;
  private final Cache<Place, Description> last;

  Descriptions(ApiServer api, Clock clock) {
    this.api = api;
    this.found = Caches.of(clock).expireAfterWrite(KEPT).build();
    this.last = Caches.of(clock).expireAfterAccess(UNUSED).build();
  }

  /** What was found a moment ago; empty if it has to be looked for. */
  Optional<Description> known(String namespace, StoreRef ref) {
    return Optional.ofNullable(found.getIfPresent(new Place(namespace, ref)));
  }

  /** What was found last, which may be so no more; empty if nobody has looked for long. */
  Optional<Description> last(String namespace, StoreRef ref) {
    return Optional.ofNullable(last.getIfPresent(new Place(namespace, ref)));
  }

  /**
   * Looks for the store.
   *
   * @throws StoreException if there is none, or the namespace may not use it
   */
  Description find(String namespace, StoreRef ref) {
    Description now =
        ref.kind() == StoreKind.SecretStore ? own(namespace, ref) : ofCluster(namespace, ref);
    found.put(new Place(namespace, ref), now);
    last.put(new Place(namespace, ref), now);
    return now;
  }

  /** Looks anew next time. */
  void forget(StoreRef ref) {
    found.asMap().keySet().removeIf(place -> place.ref().equals(ref));
  }

  private Description own(String namespace, StoreRef ref) {
    SecretStore store = read(SecretStore.class, namespace, ref.name()).orElse(null);
    if (store == null) {
      throw new StoreException(
          StoreException.Kind.NOT_FOUND,
          Reasons.STORE_NOT_FOUND,
          "The SecretStore %s does not exist in this namespace: create it, or correct spec.source.storeRef."
              .formatted(ref.name()),
          Optional.empty());
    }
    return Description.of(store);
  }

  /**
   * Whether there is no such store, or it does not allow the namespace, is not told: what others
   * call their stores is nobody's business.
   */
  private Description ofCluster(String namespace, StoreRef ref) {
    return read(ClusterSecretStore.class, null, ref.name())
        .filter(s -> allows(s.getSpec().allowedNamespaces(), namespace))
        .map(Description::of)
        .orElseThrow(() ->
            notAllowed(
                "No ClusterSecretStore %s allows the namespace %s: whoever runs it names the namespace in its spec.allowedNamespaces; or correct spec.source.storeRef."
                    .formatted(ref.name(), namespace)));
  }

  private boolean allows(AllowedNamespaces allowed, String namespace) {
    if (allowed == null) {
      return false;
    }
    return allowed.names().contains(namespace)
        || (allowed.selector() != null
            && !allowed.selector().matchLabels().isEmpty()
            && labels(namespace)
                .entrySet()
                .containsAll(allowed.selector().matchLabels().entrySet()));
  }

  private Map<String, String> labels(String namespace) {
    return read(Namespace.class, null, namespace)
        .map(n -> n.getMetadata().getLabels())
        .orElse(Map.of());
  }

  private <T extends HasMetadata> Optional<T> read(Class<T> kind, String namespace, String name) {
    try {
      return Optional.ofNullable(api.read(kind, namespace, name));
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_FORBIDDEN && kind == ClusterSecretStore.class) {
        throw notAllowed(
            "ClusterSecretStores are not served here, because Keyturn may not read them: refer to a SecretStore, or have the ClusterRole keyturn-cluster-stores bound to it.");
      }
      throw new StoreException(
          StoreException.Kind.TRANSIENT,
          "The API server does not answer (code %d).".formatted(e.getCode()));
    }
  }

  private static StoreException notAllowed(String sentence) {
    return new StoreException(
        StoreException.Kind.DENIED, Reasons.STORE_NOT_ALLOWED, sentence, Optional.empty());
  }
}
