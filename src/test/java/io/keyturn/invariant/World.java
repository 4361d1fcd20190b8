package io.keyturn.invariant;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import java.util.Set;
import java.util.stream.Stream;

/** A namespace as it is at a moment of its history. */
public interface World {

  /** All objects of a kind. */
  <T extends HasMetadata> Stream<T> look(Class<T> kind);

  /** One object; null if there is none. */
  <T extends HasMetadata> T look(Class<T> kind, String name);

  /** The values that the processes of a pod hold, as far as any Secret ever held them. */
  Set<String> valuesOf(Pod pod);

  /**
   * Whether a process that stood still for minutes may make the snapshot that it was about to make:
   * then a version may have two for a while.
   */
  boolean mayBeLate();

  /** When it is, for people. */
  String moment();
}
