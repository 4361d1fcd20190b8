package io.keyturn.playground;

import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Team;
import java.util.Set;

/** Scene 3: a bad value is stopped at the canary. */
final class BadPassword implements Scene {

  private final Cast cast;
  private final Payments payments;

  BadPassword(Cast cast, Payments payments) {
    this.cast = cast;
    this.payments = payments;
  }

  @Override
  public String title() {
    return "A bad password";
  }

  @Override
  public void play() {
    Team team = payments.team();
    cast.terminal()
        .say(
            "The tool makes a mistake: it writes a password that PostgreSQL refuses. The canary"
                + " cannot log in, so it does not become Ready, and has until its deadline.");
    cast.terminal().blank();
    Tally before = cast.tally(team);
    Team.Login good = payments.login();
    Team.Login bad = team.wrong(good);
    try (RotationView view = cast.view(team, Team.SECRET)) {
      team.writeUpstream(bad);
      SecretRotation rotation = view.follow(Stage::terminal);

      String name = rotation.getMetadata().getName();
      cast.kubectl(team).get("srot");
      cast.kubectl(team).describe("srot/" + name, Set.of("Message", "Stage", "Timeline"));
      cast.kubectl(team).events("secretrotation/" + name);
      Tally since = cast.tally(team).since(before);
      boolean kept = team.holds(Team.SECRET, good);
      cast.promises()
          .judge(
              Promise.REJECTED,
              rotation.getStatus().stage() == Stage.Failed && kept && since.failedInCanary() > 0,
              "the rotation is %s after %d refused logins of the canary, and payments-db %s"
                  .formatted(
                      rotation.getStatus().stage(),
                      since.failedInCanary(),
                      kept ? "still holds the good value" : "has lost the good value"));
      boolean seen = team.seenOutsideCanary(bad.password());
      cast.promises()
          .judge(
              Promise.CONTAINED,
              !seen && payments.canarySaw(bad.password()) && since.failed() == 0,
              "%s of the %d pods that ever ran here started with it, %d of their %d logins failed"
                  .formatted(
                      seen ? "some" : "none",
                      payments.podsOutsideCanary(),
                      since.failed(),
                      since.accepted()));
    }
  }
}
