package io.keyturn.controller;

import io.javaoperatorsdk.operator.processing.event.source.IndexerResourceCache;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.stream.Stream;

/** The objects in the caches of the controllers, for counting. */
@ApplicationScoped
public class Census {

  private volatile IndexerResourceCache<SecretBinding> bindings;
  private volatile IndexerResourceCache<SecretRotation> rotations;

  /** Told by the controller of bindings, once it has a cache. */
  public void ofBindings(IndexerResourceCache<SecretBinding> cache) {
    bindings = cache;
  }

  /** Told by the controller of rotations, once it has a cache. */
  public void ofRotations(IndexerResourceCache<SecretRotation> cache) {
    rotations = cache;
  }

  /** All bindings; none before the controller runs. */
  public Stream<SecretBinding> bindings() {
    return bindings == null ? Stream.empty() : bindings.list();
  }

  /** All rotations; none before the controller runs. */
  public Stream<SecretRotation> rotations() {
    return rotations == null ? Stream.empty() : rotations.list();
  }
}
