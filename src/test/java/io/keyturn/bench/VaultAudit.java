package io.keyturn.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.keyturn.testing.VaultServer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What a Vault was asked by anybody but its administrator, as its audit log has it. */
final class VaultAudit {

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final List<Entry> entries = new ArrayList<>();
  private long offset;

  /**
   * An answer.
   *
   * @param lease that it is about; empty: none
   */
  record Entry(Instant at, String path, boolean ok, String lease) {}

  private VaultAudit(Path file) {
    this.file = file;
  }

  /** Lets a Vault write down what it is asked from now on. */
  static VaultAudit of(VaultServer vault, Path file) {
    vault.write(
        "sys/audit/file", Map.of("type", "file", "options", Map.of("file_path", file.toString())));
    return new VaultAudit(file);
  }

  /** All answers until now. */
  List<Entry> entries() {
    next();
    return List.copyOf(entries);
  }

  /** The answers since this was asked last. */
  List<Entry> next() {
    int known = entries.size();
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      in.seek(offset);
      byte[] bytes = new byte[(int) (in.length() - offset)];
      in.readFully(bytes);
      String text = new String(bytes, StandardCharsets.UTF_8);
      // The last line may be half written.
      String whole = text.substring(0, text.lastIndexOf('\n') + 1);
      offset += whole.getBytes(StandardCharsets.UTF_8).length;
      for (String line : whole.lines().toList()) {
        entry(JSON.readTree(line)).ifPresent(entries::add);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return List.copyOf(entries.subList(known, entries.size()));
  }

  private static Optional<Entry> entry(JsonNode line) {
    if (!line.path("type").asText().equals("response")
        || line.at("/auth/display_name").asText().equals("root")) {
      return Optional.empty();
    }
    return Optional.of(
        new Entry(
            Instant.parse(line.path("time").asText()),
            line.at("/request/path").asText(),
            line.path("error").asText().isEmpty(),
            line.at("/response/secret/lease_id").asText()));
  }

  /**
   * What was left of the leases when they were renewed, each time.
   *
   * @param ttl that all of them have
   */
  List<Duration> leftAtRenewal(Duration ttl) {
    Map<String, Instant> ends = new HashMap<>();
    List<Duration> left = new ArrayList<>();
    for (Entry entry : entries()) {
      if (entry.ok() && !entry.lease().isEmpty()) {
        Instant before = ends.put(entry.lease(), entry.at().plus(ttl));
        if (before != null) {
          left.add(Duration.between(entry.at(), before));
        }
      }
    }
    return left;
  }
}
