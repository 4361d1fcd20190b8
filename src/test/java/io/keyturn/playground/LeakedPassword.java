package io.keyturn.playground;

import io.keyturn.api.v1alpha1.Condition.Status;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Team;
import io.keyturn.testing.LoginOutcome;
import java.util.Set;

/** Scene 6: the current value is known to others. */
final class LeakedPassword implements Scene {

  private static final String REPORT =
      "{\"spec\":{\"rotate\":{\"nonce\":\"incident-4711\",\"reason\":\"Compromise\"}}}";

  private final Cast cast;
  private final Payments payments;

  LeakedPassword(Cast cast, Payments payments) {
    this.cast = cast;
    this.payments = payments;
  }

  @Override
  public String title() {
    return "A password leaks";
  }

  @Override
  public void play() {
    Team team = payments.team();
    Terminal terminal = cast.terminal();
    Policy.applyUnhurried(team);
    terminal.say(
        "The policy now has the times of everyday life: a canary bakes for ten minutes, and the old"
            + " version stays for an hour. Then the current password turns up in a chat. Somebody"
            + " reports it:");
    terminal.blank();
    Team.Login leaked = payments.login();
    Tally before = cast.tally(team);
    try (RotationView view = cast.view(team, Team.SECRET)) {
      cast.kubectl(team).run("patch", "sbind", Team.SECRET, "--type=merge", "-p", REPORT);
      terminal.command("kubectl patch sbind payments-db --type=merge -p '" + REPORT + "'");
      terminal.blank();
      view.followUntil(LeakedPassword::waitsForTheSource);
      terminal.blank();
      terminal.say("Keyturn cannot make a password there. The tool does:");
      terminal.blank();
      Team.Login fresh = payments.rotateUpstream();
      SecretRotation rotation = view.follow(Stage::terminal);

      String name = rotation.getMetadata().getName();
      cast.kubectl(team).get("srot");
      cast.kubectl(team).describe("srot/" + name, Set.of("Time To Contain", "Message", "Timeline"));
      Tally since = cast.tally(team).since(before);
      cast.promises()
          .judge(
              Promise.HURRIED,
              rotation.getStatus().stage() == Stage.Complete
                  && view.podsOnVersion() == Payments.PODS
                  && payments.canarySaw(fresh.password())
                  && since.accepted() > 0
                  && since.failed() + since.failedInCanary() == 0,
              "over after %s, %d of %d pods on version %d, %d logins meanwhile, %d failed"
                  .formatted(
                      rotation.getStatus().timeToContain(),
                      view.podsOnVersion(),
                      Payments.PODS,
                      view.version(),
                      since.accepted(),
                      since.failed() + since.failedInCanary()));
      revoke(leaked, fresh);
    }
  }

  private static boolean waitsForTheSource(SecretRotation rotation) {
    return rotation.getStatus().conditions().stream()
        .anyMatch(c -> c.type().equals("Blocked") && c.reason().equals("SourceUnchanged"));
  }

  /** What Keyturn cannot do, and what it does if somebody undoes it. */
  private void revoke(Team.Login leaked, Team.Login fresh) {
    Team team = payments.team();
    Terminal terminal = cast.terminal();
    terminal.blank();
    terminal.say(
        "Whoever issued the leaked password ends it: PostgreSQL gives that role another one. Then"
            + " the tool makes one more mistake, and writes the leaked password once more.");
    Tally before = cast.tally(team);
    payments.revoke(leaked);
    LoginOutcome answer = payments.attempt(leaked);
    int rotations = team.rotations().size();
    team.writeUpstream(leaked);
    team.await(
        "the binding says that it does not go back",
        () ->
            team.binding().getStatus().conditions().stream()
                .anyMatch(
                    c -> c.status() == Status.False && c.reason().equals("SourceCompromised")));
    cast.kubectl(team).events("secretbinding/" + Team.SECRET);
    Tally since = cast.tally(team).since(before);
    boolean kept = team.holds(Team.SECRET, fresh) && team.rotations().size() == rotations;
    cast.promises()
        .judge(
            Promise.REFUSED,
            answer == LoginOutcome.REFUSED && kept && since.failed() == 0,
            "PostgreSQL says %s, payments-db %s, %d logins failed"
                .formatted(
                    answer,
                    kept ? "keeps the new value" : "has lost the new value",
                    since.failed()));
    team.writeUpstream(fresh);
    Policy.apply(team, cast.pace());
  }
}
