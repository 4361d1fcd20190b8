package io.keyturn.testing;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/**
 * The requests that an API server answered, read from its audit log. The server writes an entry
 * just after it has answered, so await a count instead of asserting it at once.
 */
public final class AuditLog {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path file;
  private final List<AuditedRequest> requests = new ArrayList<>();
  // A watch has an entry when it begins and another one when it ends.
  private final Set<String> seen = new HashSet<>();
  private long offset;

  AuditLog(Path file) {
    this.file = file;
  }

  /** Every request until now, in the order in which the answers began. */
  public synchronized List<AuditedRequest> requests() {
    readOn();
    return List.copyOf(requests);
  }

  /** The requests of interest until now. */
  public synchronized List<AuditedRequest> requests(Predicate<AuditedRequest> which) {
    readOn();
    return requests.stream().filter(which).toList();
  }

  /** How many requests of interest there were until now. */
  public synchronized long count(Predicate<AuditedRequest> which) {
    readOn();
    return requests.stream().filter(which).count();
  }

  /** The requests of interest that came in at {@code since} or later. */
  public List<AuditedRequest> since(Instant since, Predicate<AuditedRequest> which) {
    return requests(request -> !request.at().isBefore(since) && which.test(request));
  }

  /** Where the log is, one JSON object a line. */
  public Path file() {
    return file;
  }

  private void readOn() {
    if (!Files.exists(file)) {
      return;
    }
    try (RandomAccessFile in = new RandomAccessFile(file.toFile(), "r")) {
      in.seek(offset);
      byte[] bytes = new byte[1 << 16];
      ByteArrayOutputStream line = new ByteArrayOutputStream();
      for (int n = in.read(bytes); n >= 0; n = in.read(bytes)) {
        for (int i = 0; i < n; i++) {
          if (bytes[i] != '\n') {
            line.write(bytes[i]);
            continue;
          }
          add(JSON.readTree(line.toString(StandardCharsets.UTF_8)));
          offset += line.size() + 1; // a line that is still being written is read the next time
          line.reset();
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read the audit log " + file, e);
    }
  }

  private void add(JsonNode event) {
    if (!seen.add(event.path("auditID").asText())) {
      return;
    }
    JsonNode object = event.path("objectRef");
    requests.add(
        new AuditedRequest(
            // An impersonator acts as somebody else: it is that one who did it.
            event.path("impersonatedUser").has("username")
                ? event.path("impersonatedUser").path("username").asText()
                : event.path("user").path("username").asText(),
            event.path("userAgent").asText(""),
            event.path("verb").asText(),
            object.path("resource").asText(""),
            object.path("subresource").asText(""),
            object.path("namespace").asText(""),
            object.path("name").asText(""),
            event.path("requestURI").asText().replaceFirst("[^?]*\\??", ""),
            event.path("responseStatus").path("code").asInt(),
            Instant.parse(event.path("requestReceivedTimestamp").asText())));
  }
}
