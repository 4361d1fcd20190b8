package io.keyturn.testing;

import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a container was given: its variables, fixed at its start, and its files, which may change
 * under it.
 */
record ContainerInputs(Map<String, String> environment, MountedFiles files) {

  /** The files of a container; each call reads what is there now. */
  @FunctionalInterface
  interface MountedFiles {
    Map<String, String> now();
  }

  Optional<String> variable(String name) {
    return Optional.ofNullable(environment.get(name));
  }

  Optional<String> file(String path) {
    return Optional.ofNullable(files.now().get(path));
  }

  Stream<String> values() {
    return Stream.concat(environment.values().stream(), files.now().values().stream());
  }

  /** Secrets are in here. */
  @Override
  public String toString() {
    return "ContainerInputs[redacted]";
  }
}
