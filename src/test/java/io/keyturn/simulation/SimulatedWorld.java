package io.keyturn.simulation;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.keyturn.invariant.World;
import java.time.Clock;
import java.util.Set;
import java.util.stream.Stream;

/** What the invariants see of a simulation. */
record SimulatedWorld(ObjectStore store, SimulatedCluster cluster, Clock clock) implements World {

  @Override
  public <T extends HasMetadata> Stream<T> look(Class<T> kind) {
    return store.look(kind);
  }

  @Override
  public <T extends HasMetadata> T look(Class<T> kind, String name) {
    return store.look(kind, name);
  }

  @Override
  public Set<String> valuesOf(Pod pod) {
    String value = cluster.valueOf(pod);
    return value == null ? Set.of() : Set.of(value);
  }

  @Override
  public boolean mayBeLate() {
    return true;
  }

  @Override
  public String moment() {
    return clock.instant().toString();
  }
}
