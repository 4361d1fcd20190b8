package io.keyturn.playground;

import io.keyturn.cluster.Team;
import io.keyturn.testing.ControlPlane;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Shows what kubectl says to a team: the command, and its output as it is. */
final class Kubectl {

  private final Terminal terminal;
  private final Team team;

  Kubectl(Terminal terminal, Team team) {
    this.terminal = terminal;
    this.team = team;
  }

  /** The columns of objects. */
  void get(String what) {
    show(run("get", what), "kubectl get " + what);
  }

  /** The pods, with the version that each runs on. */
  void pods(String secret) {
    String columns =
        "NAME:.metadata.name,"
            + "VERSION:.metadata.annotations.version\\.keyturn\\.io/"
            + secret
            + ",READY:.status.containerStatuses[0].ready"
            + ",RESTARTS:.status.containerStatuses[0].restartCount";
    show(
        run("get", "pods", "-o", "custom-columns=" + columns),
        "kubectl get pods   (VERSION is an annotation)");
  }

  /** Some fields of the status, as they stand in the description of an object. */
  void describe(String object, Set<String> fields) {
    List<String> part = new ArrayList<>();
    boolean wanted = false;
    for (String line : run("describe", object).lines().toList()) {
      if (!line.startsWith("    ")) {
        wanted = line.startsWith("  ") && fields.contains(line.strip().replaceFirst(":.*", ""));
      }
      if (wanted) {
        part.add(line);
      }
    }
    show(String.join("\n", part).stripIndent(), "kubectl describe " + object + "   (a part)");
  }

  /** What happened to an object, in order. */
  void events(String object) {
    show(run("events", "--for", object), "kubectl events --for " + object);
  }

  /** The output, without showing it. */
  String run(String... arguments) {
    ControlPlane.Result result = team.kubectl(arguments);
    if (!result.succeeded()) {
      throw new IllegalStateException(result.stderr().strip());
    }
    return result.stdout();
  }

  private void show(String output, String command) {
    terminal.command(command);
    terminal.table(output);
  }
}
