package io.keyturn.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.informers.cache.BasicItemStore;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import io.fabric8.kubernetes.client.informers.cache.ItemStore;
import java.util.Set;
import java.util.function.UnaryOperator;

/**
 * Keeps of each object in a cache what a function leaves of it. Managed fields alone would take
 * more of the heap than all the rest.
 */
public final class TrimmedStore<T extends HasMetadata> extends BasicItemStore<T> {

  private final UnaryOperator<T> trim;

  /**
   * A store for one cache.
   *
   * @param trim may change and return its argument
   */
  public TrimmedStore(UnaryOperator<T> trim) {
    super(Cache::metaNamespaceKeyFunc);
    this.trim = trim;
  }

  /** Keeps everything but managed fields. */
  public static <T extends HasMetadata> TrimmedStore<T> withoutManagedFields() {
    return new TrimmedStore<>(object -> {
      object.getMetadata().setManagedFields(null);
      return object;
    });
  }

  /**
   * The store for the caches of one kind; null, for one each that the framework makes, if there are
   * several namespaces. Each of them has a cache, all share the store that they are given, and each
   * drops from it what its own list does not hold: the objects of the others.
   */
  public static <T extends HasMetadata> ItemStore<T> unlessShared(
      ItemStore<T> store, Set<String> namespaces) {
    return namespaces.size() > 1 ? null : store;
  }

  @Override
  public T put(String key, T object) {
    return super.put(key, trim.apply(object));
  }
}
