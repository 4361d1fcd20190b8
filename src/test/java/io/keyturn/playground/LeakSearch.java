package io.keyturn.playground;

import io.keyturn.cluster.Team;
import io.keyturn.testing.LeakScan;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** Looks for each value that there was wherever none belongs. */
final class LeakSearch {

  private static final String KINDS = "sbind,srot,rpol,deployments,replicasets,pods";

  private final Cast cast;

  LeakSearch(Cast cast) {
    this.cast = cast;
  }

  void judge() {
    Map<String, String> texts = new LinkedHashMap<>();
    texts.put("this output", cast.terminal().written());
    texts.put("objects", read("get", KINDS, "-A", "-o", "yaml", "--show-managed-fields"));
    texts.put("events", read("get", "events", "-A", "-o", "yaml"));
    cast.world().operatorLogs().forEach(log -> texts.put(log.getFileName().toString(), read(log)));
    LeakScan scan = new LeakScan();
    Team.VALUES.forEach(value -> scan.add(LeakScan.anonymous(value), value));
    long found =
        texts.entrySet().stream()
            .flatMap(text -> scan.search(text.getKey(), text.getValue()).stream())
            .map(LeakScan.Hit::owner)
            .distinct()
            .count();
    long size = texts.values().stream().mapToLong(String::length).sum();
    cast.promises()
        .judge(
            Promise.SILENT,
            found == 0 && scan.size() > 0,
            "%d values searched for in %d KB of this output, status, events and logs, %d found"
                .formatted(scan.size(), size / 1024, found));
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
