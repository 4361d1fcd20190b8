package io.keyturn.controller.store;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The cache of a controller, with what a test puts there. */
record Known<T extends HasMetadata>(List<T> objects) implements IndexerResourceCache<T> {

  @Override
  public Stream<T> list(Predicate<T> which) {
    return objects.stream().filter(which);
  }

  @Override
  public Stream<T> list(String namespace, Predicate<T> which) {
    return list(which).filter(o -> o.getMetadata().getNamespace().equals(namespace));
  }

  @Override
  public Optional<T> get(ResourceID id) {
    return objects.stream().filter(o -> ResourceID.fromResource(o).equals(id)).findFirst();
  }

  @Override
  public Stream<ResourceID> keys() {
    return objects.stream().map(ResourceID::fromResource);
  }

  @Override
  public List<T> byIndex(String index, String key) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void addIndexers(Map<String, Function<T, List<String>>> indexers) {
    throw new UnsupportedOperationException();
  }
}
