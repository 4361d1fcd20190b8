package io.keyturn.playground;

import io.keyturn.cluster.Team;
import io.keyturn.testing.ControlPlane;
import java.util.List;

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

  /** The part of a description that follows a heading, without its indentation. */
  void describe(String object, String from, String to) {
    List<String> lines = run("describe", object).lines().toList();
    List<String> part =
        lines.stream()
            .dropWhile(line -> !line.strip().startsWith(from))
            .takeWhile(line -> !line.strip().startsWith(to))
            .toList();
    show(String.join("\n", part).stripIndent(), "kubectl describe " + object + "   (a part)");
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
    terminal.output(output);
  }
}
