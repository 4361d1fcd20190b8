package io.keyturn.playground;

import io.keyturn.cluster.Team;
import java.time.Duration;

/**
 * The RotationPolicy of the demo: in seconds what the default does in minutes, but for emergencies.
 */
final class Policy {

  private Policy() {}

  static void apply(Team team, Pace pace) {
    apply(team, pace.bake(), pace.deadline(), pace.grace(), "");
  }

  /** The same with a gate that asks a service while the canary bakes. */
  static void applyGated(Team team, Pace pace, String url) {
    apply(
        team,
        pace.bake(),
        pace.deadline(),
        pace.grace(),
        "gates: [{name: orders, stage: Canary, interval: 1s, failureLimit: 2, http: {url: \"%s\"}}]"
            .formatted(url));
  }

  /** The same, as unhurried as people set it who have time. */
  static void applyUnhurried(Team team) {
    apply(team, Duration.ofMinutes(10), Duration.ofMinutes(30), Duration.ofHours(1), "");
  }

  private static void apply(
      Team team, Duration bake, Duration deadline, Duration grace, String gates) {
    team.apply(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: RotationPolicy
        metadata: {name: canary-first}
        spec:
          canary: {bake: %ds, deadline: %ds}
          retirement: {grace: %ds}
          retry: {maxAttempts: 1}
          %s
        """
            .formatted(bake.toSeconds(), deadline.toSeconds(), grace.toSeconds(), gates));
  }
}
