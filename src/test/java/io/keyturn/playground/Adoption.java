package io.keyturn.playground;

import io.fabric8.kubernetes.api.model.Pod;
import io.keyturn.cluster.Team;
import java.util.List;

/** Scene 1: a running application and its Secret are taken over, and nobody notices. */
final class Adoption implements Scene {

  private final Cast cast;
  private final Payments payments;

  Adoption(Cast cast, Payments payments) {
    this.cast = cast;
    this.payments = payments;
  }

  @Override
  public String title() {
    return "Take over what runs";
  }

  @Override
  public void play() {
    Terminal terminal = cast.terminal();
    Team team = payments.team();
    terminal.say(
        "Another tool wrote the Secret payments-db. Five pods read it, and log in to PostgreSQL"
            + " every half second. This was here before Keyturn.");
    team.writeSecret(Team.SECRET, payments.login());
    payments.deploy();
    List<Pod> before = team.pods();
    Tally tally = cast.tally(team);
    cast.kubectl(team).get("pods");
    terminal.blank();
    cast.pace().breathe();

    terminal.say(
        "From now on that tool writes payments-db-upstream instead, and a SecretBinding stands"
            + " between the two:");
    terminal.blank();
    terminal.output(Payments.BINDING);
    team.writeUpstream(payments.login());
    Policy.apply(team, cast.pace());
    team.apply(Payments.BINDING);
    team.awaitVersion(1);
    cast.pace().watch();
    cast.kubectl(team).get("sbind");

    List<Pod> after = team.pods();
    long same = after.stream().filter(p -> isIn(before, p)).count();
    int restarts = Payments.restarts(after);
    Tally since = cast.tally(team).since(tally);
    cast.promises()
        .judge(
            Promise.ADOPTED,
            Payments.uids(before).equals(Payments.uids(after)) && restarts == 0,
            "%d of %d pods are the very same, %d restarts, %d logins since, %d failed"
                .formatted(same, Payments.PODS, restarts, since.accepted(), since.failed()));
  }

  private static boolean isIn(List<Pod> pods, Pod pod) {
    return Payments.uids(pods).contains(pod.getMetadata().getUid());
  }
}
