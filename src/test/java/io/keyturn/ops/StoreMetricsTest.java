package io.keyturn.ops;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.audit.AuditRecord;
import io.keyturn.audit.AuditSink;
import io.keyturn.store.Operation;
import io.micrometer.prometheus.PrometheusConfig;
import io.micrometer.prometheus.PrometheusMeterRegistry;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What is told of stores to whoever scrapes. */
// The registry that Quarkus has.
@SuppressWarnings("deprecation")
class StoreMetricsTest {

  private static final String REQUESTS = "keyturn_store_requests_total";
  private static final String DURATION = "keyturn_store_request_duration_seconds";

  private final PrometheusMeterRegistry registry =
      new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  private final StoreMetrics metrics = new StoreMetrics(registry, List.of(sink()));

  private static AuditSink sink() {
    return new AuditSink() {
      @Override
      public String name() {
        return "log";
      }

      @Override
      public void write(AuditRecord accessed) {}
    };
  }

  private List<String> scraped(String metric) {
    return registry
        .scrape()
        .lines()
        .filter(line -> line.startsWith(metric + "{") || line.startsWith(metric + " "))
        .toList();
  }

  private void ask(String store, Operation operation, String outcome, long millis) {
    metrics.asked("vault", store, operation, outcome, Duration.ofMillis(millis));
  }

  @Test
  void requestsAreCountedByStoreAndOperationAndOutcome() {
    ask("payments/vault", Operation.READ, "ok", 1);
    ask("payments/vault", Operation.READ, "ok", 1);
    ask("payments/vault", Operation.RENEW, "denied", 1);
    ask("orders/vault", Operation.READ, "ok", 1);

    assertThat(scraped(REQUESTS))
        .containsExactlyInAnyOrder(
            REQUESTS
                + "{operation=\"read\",outcome=\"ok\",store=\"payments/vault\",store_type=\"vault\",} 2.0",
            REQUESTS
                + "{operation=\"renew\",outcome=\"denied\",store=\"payments/vault\",store_type=\"vault\",} 1.0",
            REQUESTS
                + "{operation=\"read\",outcome=\"ok\",store=\"orders/vault\",store_type=\"vault\",} 1.0");
  }

  @Test
  void whetherARequestTookHalfASecondIsTold() {
    ask("shared", Operation.READ, "ok", 499);
    ask("shared", Operation.READ, "error", 501);

    String labels = "{operation=\"read\",store=\"shared\",store_type=\"vault\",";
    assertThat(scraped(DURATION + "_bucket"))
        .contains(
            DURATION + "_bucket" + labels + "le=\"0.5\",} 1.0",
            DURATION + "_bucket" + labels + "le=\"1.0\",} 2.0");
    assertThat(scraped(DURATION + "_count"))
        .containsExactly(DURATION + "_count" + labels + "} 2.0");
    assertThat(scraped(DURATION + "_sum")).containsExactly(DURATION + "_sum" + labels + "} 1.0");
  }

  @Test
  void recordsAreCountedByOperationFromTheBegin() {
    metrics.recorded("issue");

    assertThat(scraped("keyturn_audit_records_total"))
        .hasSize(Operation.values().length)
        .contains(
            "keyturn_audit_records_total{operation=\"issue\",} 1.0",
            "keyturn_audit_records_total{operation=\"revoke\",} 0.0");
  }

  @Test
  void whatASinkDoesNotTakeIsCountedFromTheBegin() {
    assertThat(scraped("keyturn_audit_failures_total"))
        .containsExactly("keyturn_audit_failures_total{sink=\"log\",} 0.0");

    metrics.failed("log");

    assertThat(scraped("keyturn_audit_failures_total"))
        .containsExactly("keyturn_audit_failures_total{sink=\"log\",} 1.0");
  }

  @Test
  void fiftyStoresHaveANameAndAllOthersShareOne() {
    for (int i = 0; i < 60; i++) {
      ask("payments/store-" + i, Operation.READ, "ok", 1);
    }
    ask("payments/store-0", Operation.READ, "ok", 1);

    assertThat(scraped(REQUESTS))
        .hasSize(51)
        .anyMatch(line -> line.contains("store=\"others\"") && line.endsWith(" 10.0"))
        .anyMatch(line -> line.contains("store=\"payments/store-0\"") && line.endsWith(" 2.0"));
  }
}
