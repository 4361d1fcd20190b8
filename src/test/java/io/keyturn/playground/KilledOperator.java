package io.keyturn.playground;

import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Team;

/** Scene 5: the operator dies in the middle, and another one goes on. */
final class KilledOperator implements Scene {

  private final Cast cast;
  private final Payments payments;

  KilledOperator(Cast cast, Payments payments) {
    this.cast = cast;
    this.payments = payments;
  }

  @Override
  public String title() {
    return "The operator is killed";
  }

  @Override
  public void play() {
    Team team = payments.team();
    Terminal terminal = cast.terminal();
    terminal.say(
        "The mistake is corrected: the tool writes a good login. While its canary bakes, the"
            + " operator gets kill -9.");
    terminal.blank();
    Tally before = cast.tally(team);
    try (RotationView view = cast.view(team, Team.SECRET)) {
      payments.rotateUpstream();
      view.follow(s -> s == Stage.Baking || s.terminal());
      long pid = cast.world().killOperator();
      terminal.command("kill -9 " + pid);
      terminal.say("Nobody is in charge now. The pods do not need anybody.");
      terminal.blank();
      view.watchPods(cast.pace().bake(), "no operator");
      view.line("no operator");
      terminal.blank();
      terminal.say("A new operator starts. What it has to know is in the status of the rotation.");
      terminal.blank();
      cast.world().startOperator();
      SecretRotation rotation = view.follow(Stage::terminal);

      cast.kubectl(team).get("srot");
      int canaries = payments.canaries(rotation.getMetadata().getName()).size();
      Tally since = cast.tally(team).since(before);
      cast.promises()
          .judge(
              Promise.RESUMED,
              rotation.getStatus().stage() == Stage.Complete
                  && canaries == 1
                  && view.podsOnVersion() == Payments.PODS
                  && since.failed() + since.failedInCanary() == 0,
              "%d canary in all, %d of %d pods on version %d, %d logins meanwhile, %d failed"
                  .formatted(
                      canaries,
                      view.podsOnVersion(),
                      Payments.PODS,
                      view.version(),
                      since.accepted(),
                      since.failed() + since.failedInCanary()));
    }
  }
}
