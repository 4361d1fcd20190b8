package io.keyturn.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.testing.LogLines;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Where records of accesses go. */
class AuditTrailTest {

  private static final AuditRecord RECORD =
      new AuditRecord(
          Instant.EPOCH,
          "payments",
          Optional.empty(),
          "payments/vault",
          Optional.empty(),
          "read",
          OptionalLong.empty(),
          Optional.empty(),
          "ok");

  private final List<String> counted = new ArrayList<>();
  private final AuditObserver observer =
      new AuditObserver() {
        @Override
        public void recorded(String operation) {
          counted.add("recorded " + operation);
        }

        @Override
        public void failed(String sink) {
          counted.add("failed " + sink);
        }
      };

  /** A sink that keeps what it gets. */
  private static final class Kept implements AuditSink {

    private final List<AuditRecord> records = new ArrayList<>();

    @Override
    public String name() {
      return "kept";
    }

    @Override
    public void write(AuditRecord accessed) {
      records.add(accessed);
    }
  }

  private static AuditSink broken(String says) {
    return new AuditSink() {
      @Override
      public String name() {
        return "broken";
      }

      @Override
      public void write(AuditRecord accessed) {
        throw new IllegalStateException(says);
      }
    };
  }

  @Test
  void eachSinkGetsEachRecord() {
    Kept one = new Kept();
    Kept other = new Kept();

    new AuditTrail(List.of(one, other), observer).add(RECORD);

    assertThat(one.records).containsExactly(RECORD);
    assertThat(other.records).containsExactly(RECORD);
    assertThat(counted).containsExactly("recorded read");
  }

  @Test
  void aSinkThatFailsIsCountedAndKeepsNoOtherFromItsRecord() {
    Kept kept = new Kept();

    new AuditTrail(List.of(broken("no space left"), kept), observer).add(RECORD);

    assertThat(kept.records).containsExactly(RECORD);
    assertThat(counted).containsExactly("recorded read", "failed broken");
  }

  @Test
  void whatASinkThrowsIsNotRepeated() {
    String value = UUID.randomUUID().toString();
    try (LogLines lines = LogLines.of(AuditTrail.class.getName())) {
      new AuditTrail(List.of(broken("cannot write " + value)), observer).add(RECORD);

      assertThat(lines.only().getLevel().getName()).isEqualTo("WARN");
      assertThat(LogLines.text(lines.only())).contains("broken").doesNotContain(value);
    }
  }
}
