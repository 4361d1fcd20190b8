package io.keyturn.playground;

import io.keyturn.cluster.Team;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Looks for each value that there was wherever none belongs. */
final class LeakSearch {

  private final Cast cast;

  LeakSearch(Cast cast) {
    this.cast = cast;
  }

  void judge() {
    List<String> texts = new ArrayList<>(List.of(cast.terminal().written()));
    texts.add(read("get", "sbind,srot,rpol,deployments,pods", "-A", "-o", "yaml"));
    texts.add(read("get", "events", "-A", "-o", "yaml"));
    cast.world().operatorLogs().forEach(log -> texts.add(read(log)));
    long found =
        Team.VALUES.stream()
            .filter(value -> texts.stream().anyMatch(text -> holds(text, value)))
            .count();
    long size = texts.stream().mapToLong(String::length).sum();
    cast.promises()
        .judge(
            Promise.SILENT,
            found == 0 && !Team.VALUES.isEmpty(),
            "%d values searched for in %d KB of this output, status, events and logs, %d found"
                .formatted(Team.VALUES.size(), size / 1024, found));
  }

  private static boolean holds(String text, String value) {
    byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
    return text.contains(value) || text.contains(Base64.getEncoder().encodeToString(bytes));
  }

  private String read(String... arguments) {
    var result = cast.world().plane().kubectl(arguments);
    if (!result.succeeded()) {
      throw new IllegalStateException(result.stderr().strip());
    }
    return result.stdout();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
