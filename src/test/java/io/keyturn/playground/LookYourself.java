package io.keyturn.playground;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/** Tells the watcher with which commands to look at the same objects. */
final class LookYourself {

  private static final List<String> COMMANDS =
      List.of(
          "get sbind,srot --all-namespaces --watch-only",
          "get pods --namespace payments --watch",
          "describe sbind,srot --namespace payments");

  private final Terminal terminal;
  private final World world;

  LookYourself(Terminal terminal, World world) {
    this.terminal = terminal;
    this.world = world;
  }

  void tell() {
    terminal.say("Look for yourself, in another terminal:");
    terminal.blank();
    String kubectl =
        Optional.ofNullable(System.getProperty("demo.binaries"))
            .map(directory -> Path.of(directory, "kubectl").toString())
            .orElse("kubectl");
    terminal.output(
        "alias k='%s --kubeconfig=%s'"
            .formatted(kubectl, world.plane().kubeconfig().toAbsolutePath()));
    COMMANDS.forEach(c -> terminal.output("k " + c));
    terminal.blank();
  }
}
