package io.keyturn.ops;

import io.smallrye.config.ConfigMapping;
import io.smallrye.config.WithDefault;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * What an installation may configure: {@code keyturn.…}, or {@code KEYTURN_…} in the environment.
 */
@ConfigMapping(prefix = "keyturn")
public interface OperatorConfig {

  /** The namespaces to serve; none: all of them. */
  Optional<Set<String>> namespaces();

  /** The namespace of the operator itself: its Lease and its key lie there. */
  @WithDefault("keyturn-system")
  String operatorNamespace();

  /** Whether only the holder of the Lease {@code keyturn} acts; off for development alone. */
  @WithDefault("true")
  boolean leaderElection();

  /**
   * How long after a change of a Secret a kubelet may still start containers with the value before
   * it. Kubelets that watch Secrets, which is their default, need far less than the default.
   */
  @WithDefault("10s")
  Duration kubeletLag();

  /** How many pod templates are changed per second at most, by all rotations together. */
  @WithDefault("5")
  double workloadPatchesPerSecond();

  /** How many objects are worked on at once. */
  @WithDefault("16")
  int parallelism();
}
