package io.keyturn.playground;

import io.keyturn.cluster.Team;

/** The RotationPolicy of the demo: in seconds what the default does in minutes. */
final class Policy {

  private Policy() {}

  static void apply(Team team, Pace pace) {
    team.apply(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: RotationPolicy
        metadata: {name: canary-first}
        spec:
          canary: {bake: %ds, deadline: %ds}
          retirement: {grace: %ds}
          retry: {maxAttempts: 1}
        """
            .formatted(
                pace.bake().toSeconds(), pace.deadline().toSeconds(), pace.grace().toSeconds()));
  }
}
