package io.keyturn.playground;

import io.keyturn.cluster.Team;

/** The scenes, in order. */
final class Play {

  private final Options options;
  private final Cast cast;
  private final WhatYouSee docs = new WhatYouSee();
  private int number;

  Play(Options options, Cast cast) {
    this.options = options;
    this.cast = cast;
  }

  void all() {
    Payments payments = new Payments(cast.world());
    play(new Adoption(cast, payments), payments.team());
    play(new GoodRotation(cast, payments), payments.team());
    play(new BadPassword(cast, payments), payments.team());
    play(new ClosedGate(cast, payments), payments.team());
    play(new KilledOperator(cast, payments), payments.team());
    play(new LeakedPassword(cast, payments), payments.team());
    Team web = cast.world().team("web");
    play(new GeneratedValue(cast, web), web);
    if (cast.world().hasVault()) {
      Team ledger = cast.world().team("ledger");
      play(new LeasedUser(cast, ledger), ledger);
    } else {
      cast.promises()
          .leaveOut(Promise.LEASED, "there is no Vault here; hack/vault/build builds it.");
    }
    cast.terminal().blank();
    cast.terminal().title(++number + "  What was never shown");
    cast.terminal()
        .say(
            "At last, each password of this demo is searched for in all that was written: here, in"
                + " the status of every object, in events, and in the logs of the operator.");
    new LeakSearch(cast).judge();
    if (options.writeDocs()) {
      docs.write();
      cast.terminal().blank();
      cast.terminal().say("docs/what-you-see.md is written.");
    }
  }

  private void play(Scene scene, Team team) {
    cast.terminal().blank();
    cast.terminal().title(++number + "  " + scene.title());
    scene.play();
    if (options.writeDocs()) {
      docs.capture(number + ". " + scene.title(), team, cast.kubectl(team));
    }
    cast.pace().breathe();
  }
}
