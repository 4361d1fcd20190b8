package io.keyturn.playground;

import io.keyturn.cluster.Team;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes docs/what-you-see.md: what kubectl shows after each scene, captured from the run. */
final class WhatYouSee {

  private static final Path FILE = Path.of("docs", "what-you-see.md");

  private static final String HEAD =
      """
      # What you see

      What `kubectl` shows of Keyturn's objects after each scene of the demo, captured by
      `./demo --write-docs`. Do not edit it; make it again.
      """;

  private final StringBuilder text = new StringBuilder(HEAD);

  /** Captures what there is to see in the namespace of a team. */
  void capture(String title, Team team, Kubectl kubectl) {
    text.append("\n## ").append(title).append("\n");
    block(kubectl, "get", "sbind,srot,rpol", "-o", "wide");
    block(kubectl, "describe", "sbind");
    if (!team.rotations().isEmpty()) {
      block(kubectl, "describe", "srot/" + team.rotations().getLast().getMetadata().getName());
    }
    if (team.rotations().isEmpty()) {
      block(kubectl, "describe", "rpol");
    }
  }

  private void block(Kubectl kubectl, String... arguments) {
    text.append("\n    $ kubectl ").append(String.join(" ", arguments)).append("\n");
    kubectl
        .run(arguments)
        .stripTrailing()
        .lines()
        .forEach(line -> text.append(("    " + line).stripTrailing()).append("\n"));
  }

  /** Writes the file; nothing else does. */
  void write() {
    try {
      Files.writeString(FILE, text);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write " + FILE, e);
    }
  }
}
