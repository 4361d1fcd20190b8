package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Stage;
import org.junit.jupiter.api.Test;

class RotationIT {

  @Test
  void aGoodValueIsBakedPromotedAndRetiredWithoutOneFailedLogin() {
    Team team = SharedWorld.team("good");
    Team.Login first = team.newLogin();
    Team.Login second = team.newLogin();
    team.writeUpstream(first);
    team.quickPolicy("2s", "");
    team.bind("payments");
    team.deploy("payments", 3);
    team.awaitVersion(1);
    team.awaitRolledOut("payments");

    team.writeUpstream(second);

    team.awaitStage(2, Stage.Complete);
    team.awaitVersion(2);
    assertThat(team.holds(Team.SECRET, second)).isTrue();
    assertThat(team.refused()).isZero();
    System.out.println(team.kubectl("describe", "sbind").stdout());
    System.out.println(team.kubectl("describe", "srot").stdout());
    System.out.println(team.kubectl("get", "sbind,srot,rpol,secrets,pods").stdout());
    System.out.println(team.events());
  }
}
