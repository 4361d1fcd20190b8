package io.keyturn.playground;

import io.keyturn.cluster.Team;

/** What every scene needs. */
record Cast(World world, Pace pace, Terminal terminal, Promises promises) {

  Tally tally(Team team) {
    return Tally.of(world.kubelet(), team.namespace());
  }

  RotationView view(Team team, String secret) {
    return new RotationView(world, terminal, team, secret);
  }

  Kubectl kubectl(Team team) {
    return new Kubectl(terminal, team);
  }
}
