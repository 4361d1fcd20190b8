package io.keyturn.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.audit.AuditObserver;
import io.keyturn.audit.AuditRecord;
import io.keyturn.audit.AuditSink;
import io.keyturn.audit.AuditTrail;
import io.keyturn.secret.Fingerprint;
import io.keyturn.secret.SecretData;
import io.keyturn.store.Recorder.Access;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.ManualClock;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is kept of each access to a store. */
class RecorderTest {

  private static final Instant NOW = Instant.parse("2026-11-25T10:00:00Z");

  private final String value = UUID.randomUUID().toString();
  private final Credential credential = Credential.lasting("lease/" + value, NOW.plusSeconds(60));
  private final Fingerprint fingerprint = new Fingerprint(new byte[Fingerprint.KEY_LENGTH]);
  private final List<AuditRecord> audited = new ArrayList<>();
  private final List<String> counted = new ArrayList<>();
  private final Description store = Description.of(described());

  private static SecretStore described() {
    return new World().store("payments", "vault");
  }

  private Recorder recorder(AuditSink sink, AuditObserver observer) {
    return new Recorder(
        (type, name, operation, outcome, _) ->
            counted.add(String.join(" ", type, name, operation.label(), outcome)),
        new AuditTrail(List.of(sink), observer),
        fingerprint,
        new ManualClock(NOW));
  }

  private AuditSink sink() {
    return new AuditSink() {
      @Override
      public String name() {
        return "list";
      }

      @Override
      public void write(AuditRecord accessed) {
        audited.add(accessed);
      }
    };
  }

  private <T> T recorded(Access access, Supplier<T> ask) {
    return recorder(sink(), AuditObserver.NONE).recorded(new FakeVault(), store, access, ask);
  }

  private Reading.Value issued() {
    Map<String, byte[]> data = new HashMap<>();
    data.put("password", value.getBytes(StandardCharsets.UTF_8));
    return new Reading.Value(
        SecretData.takeOwnershipOf(data), Optional.of(credential), OptionalLong.of(3));
  }

  @Test
  void anAccessIsRecordedWithWhoAskedForWhatAndWhatCameOfItAndWithoutTheValue() {
    Access access = Access.to(Operation.ISSUE, "payments").of("payments-db").about(7);

    recorded(access, this::issued);

    assertThat(audited)
        .containsExactly(
            new AuditRecord(
                NOW,
                "payments",
                Optional.of("payments-db"),
                "payments/vault",
                Optional.of("ServiceAccount app"),
                "issue",
                OptionalLong.of(7),
                Optional.of(fingerprint.of(credential.id())),
                "ok"));
    assertThat(counted).containsExactly("vault payments/vault issue ok");
    assertThat(audited.toString()).doesNotContain(value, value.substring(0, 8));
  }

  @Test
  void aValueThatIsNotThereIsRecordedAsThat() {
    recorded(
        Access.to(Operation.READ, "payments"),
        () -> new Reading.Missing(Reasons.SOURCE_NOT_FOUND, "Gone."));

    assertThat(audited).extracting(AuditRecord::outcome).containsExactly("not_found");
  }

  @ParameterizedTest
  @CsvSource({
    "TRANSIENT, error",
    "THROTTLED, throttled",
    "DENIED, denied",
    "NOT_FOUND, not_found",
    "PERMANENT, error",
    "CONFLICT, error",
    "INTEGRITY, integrity",
  })
  void anAccessThatFailsIsRecordedAndFails(Kind kind, String outcome) {
    StoreException failure = new StoreException(kind, "It fails.");
    Access access = Access.to(Operation.REVOKE, "payments").about(credential);

    assertThatThrownBy(() ->
            recorded(
                access,
                () -> {
                  throw failure;
                }))
        .isSameAs(failure);

    assertThat(audited).extracting(AuditRecord::outcome).containsExactly(outcome);
    assertThat(audited.getFirst().credential()).hasValue(fingerprint.of(credential.id()));
    assertThat(counted).containsExactly("vault payments/vault revoke " + outcome);
  }

  @Test
  void anAnswerThatDoesNotComeInTimeIsATimeout() {
    assertThatThrownBy(() ->
            recorded(
                Access.to(Operation.READ, "payments"),
                () -> {
                  throw StoreException.late("Too late.");
                }))
        .isInstanceOf(StoreException.class);

    assertThat(audited).extracting(AuditRecord::outcome).containsExactly("timeout");
    assertThat(counted).containsExactly("vault payments/vault read timeout");
  }

  @Test
  void aBugIsRecordedWithoutWhatItSays() {
    assertThatThrownBy(() ->
            recorded(
                Access.to(Operation.READ, "payments"),
                () -> {
                  throw new IllegalStateException("For: " + value);
                }))
        .isInstanceOf(IllegalStateException.class);

    assertThat(audited).extracting(AuditRecord::outcome).containsExactly("error");
    assertThat(audited.toString()).doesNotContain(value);
  }

  @Test
  void whoAsksForNoNamespaceAsksAsNobody() {
    recorded(Access.to(Operation.CHECK, ""), () -> null);

    assertThat(audited.getFirst().identity()).isEmpty();
    assertThat(audited.getFirst().binding()).isEmpty();
    assertThat(audited.getFirst().version()).isEmpty();
    assertThat(audited.getFirst().credential()).isEmpty();
  }

  @Test
  void aSinkThatFailsDoesNotStopTheAccess() {
    List<String> failed = new ArrayList<>();
    AuditSink full =
        new AuditSink() {
          @Override
          public String name() {
            return "full";
          }

          @Override
          public void write(AuditRecord accessed) {
            throw new IllegalStateException("no space left");
          }
        };
    AuditObserver observer =
        new AuditObserver() {
          @Override
          public void recorded(String operation) {}

          @Override
          public void failed(String sink) {
            failed.add(sink);
          }
        };

    Reading answer =
        recorder(full, observer)
            .recorded(new FakeVault(), store, Access.to(Operation.READ, "payments"), this::issued);

    assertThat(answer).isInstanceOf(Reading.Value.class);
    assertThat(failed).containsExactly("full");
    assertThat(counted).containsExactly("vault payments/vault read ok");
  }
}
