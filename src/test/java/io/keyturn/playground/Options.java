package io.keyturn.playground;

import java.util.List;
import java.util.Set;

/**
 * What was asked for on the command line.
 *
 * @param fast for machines: short bakes, no pauses
 * @param keep leave the world open at the end
 * @param writeDocs write docs/what-you-see.md
 */
record Options(boolean fast, boolean keep, boolean writeDocs) {

  private static final Set<String> KNOWN = Set.of("--fast", "--keep", "--write-docs");

  static Options parse(List<String> arguments) {
    for (String argument : arguments) {
      if (!KNOWN.contains(argument)) {
        throw new IllegalArgumentException("./demo does not know " + argument + "; see ./demo -h.");
      }
    }
    return new Options(
        arguments.contains("--fast"),
        arguments.contains("--keep"),
        arguments.contains("--write-docs"));
  }
}
