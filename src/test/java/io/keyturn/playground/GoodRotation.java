package io.keyturn.playground;

import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Team;

/** Scene 2: a good value goes all the way. */
final class GoodRotation implements Scene {

  private final Cast cast;
  private final Payments payments;

  GoodRotation(Cast cast, Payments payments) {
    this.cast = cast;
    this.payments = payments;
  }

  @Override
  public String title() {
    return "A good password";
  }

  @Override
  public void play() {
    Team team = payments.team();
    cast.terminal()
        .say(
            "The tool writes a new login to payments-db-upstream. Keyturn tries it on one extra"
                + " pod, the canary. Only when that stayed healthy do the five pods follow.");
    cast.terminal().blank();
    cast.terminal()
        .say(
            "Each line is a stage: the pods by the version that they run on, in brackets while they"
                + " are not Ready, and below it what the operator itself says.");
    cast.terminal().blank();
    Tally before = cast.tally(team);
    try (RotationView view = cast.view(team, Team.SECRET)) {
      Team.Login login = payments.rotateUpstream();
      view.follow(s -> s == Stage.Baking || s.terminal());
      boolean canary = payments.canarySaw(login.password());
      boolean others = team.seenOutsideCanary(login.password());
      SecretRotation rotation = view.follow(Stage::terminal);

      cast.kubectl(team).get("sbind");
      cast.kubectl(team).get("srot");
      cast.kubectl(team).pods(Team.SECRET);
      int canaries = payments.canaries(rotation.getMetadata().getName()).size();
      cast.promises()
          .judge(
              Promise.CANARY_FIRST,
              canary && !others && canaries == 1,
              "during the bake %d canary had it, and %s of the %d pods"
                  .formatted(canaries, others ? "some" : "none", Payments.PODS));
      Tally since = cast.tally(team).since(before);
      cast.promises()
          .judge(
              Promise.PROMOTED,
              rotation.getStatus().stage() == Stage.Complete
                  && view.podsOnVersion() == Payments.PODS
                  && since.accepted() > 0
                  && since.failed() + since.failedInCanary() == 0,
              "%d of %d pods on version %d, %d logins meanwhile, %d failed"
                  .formatted(
                      view.podsOnVersion(),
                      Payments.PODS,
                      view.version(),
                      since.accepted(),
                      since.failed() + since.failedInCanary()));
    }
  }
}
