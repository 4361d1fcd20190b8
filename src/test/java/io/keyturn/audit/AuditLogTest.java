package io.keyturn.audit;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.testing.LogLines;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.MDC;
import org.junit.jupiter.api.Test;

/** How the log tells of accesses to stores. */
class AuditLogTest {

  private static final Instant TIME = Instant.parse("2026-11-25T10:00:00Z");
  private static final AuditRecord FULL =
      new AuditRecord(
          TIME,
          "payments",
          Optional.of("payments-db"),
          "payments/vault",
          Optional.of("ServiceAccount app"),
          "renew",
          OptionalLong.of(7),
          Optional.of("a-mac"),
          "denied");
  private static final AuditRecord LEAST =
      new AuditRecord(
          TIME,
          "",
          Optional.empty(),
          "shared",
          Optional.empty(),
          "check",
          OptionalLong.empty(),
          Optional.empty(),
          "ok");

  private final AuditLog log = new AuditLog();

  private ExtLogRecord line(AuditRecord accessed) {
    try (LogLines lines = LogLines.of("io.keyturn.audit")) {
      log.write(accessed);
      return lines.only();
    }
  }

  @Test
  void aLineSaysWhoAskedForWhatAndWhatCameOfIt() {
    ExtLogRecord line = line(FULL);

    assertThat(line.getLevel().getName()).isEqualTo("INFO");
    assertThat(LogLines.message(line))
        .isEqualTo("renew of payments/vault as ServiceAccount app: denied");
    assertThat(line.getMdcCopy())
        .isEqualTo(
            Map.of(
                "accessedAt", "2026-11-25T10:00:00Z",
                "namespace", "payments",
                "binding", "payments-db",
                "store", "payments/vault",
                "identity", "ServiceAccount app",
                "operation", "renew",
                "version", "7",
                "credential", "a-mac",
                "outcome", "denied"));
  }

  @Test
  void whatARecordDoesNotHaveIsNotInItsLine() {
    ExtLogRecord line = line(LEAST);

    assertThat(LogLines.message(line)).isEqualTo("check of shared as nobody: ok");
    assertThat(line.getMdcCopy())
        .containsOnlyKeys("accessedAt", "namespace", "store", "operation", "outcome");
  }

  @Test
  void theFieldsOfALineAreNotThoseOfTheNext() {
    line(FULL);

    assertThat(MDC.copy()).isEmpty();
  }

  @Test
  void eachFieldIsOneThatTheJsonOfALineHasAtItsTop() {
    assertThat(AuditLog.KEYS).containsExactlyElementsOf(AuditLog.fields(FULL).keySet());
  }
}
