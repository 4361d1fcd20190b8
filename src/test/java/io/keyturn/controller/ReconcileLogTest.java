package io.keyturn.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.OperatorException;
import io.keyturn.api.v1alpha1.SecretBinding;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.MDC;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReconcileLogTest {

  private final Logger logger = Logger.getLogger("io.keyturn.reconcile");
  private final Lines lines = new Lines();
  private final SecretBinding binding = new SecretBinding();

  /** Keeps what is logged, with the fields that it had at that moment. */
  private static final class Lines extends ExtHandler {

    private final List<ExtLogRecord> all = new ArrayList<>();

    @Override
    protected void doPublish(ExtLogRecord line) {
      line.copyMdc();
      all.add(line);
    }

    private ExtLogRecord only() {
      assertThat(all).hasSize(1);
      return all.getFirst();
    }
  }

  @BeforeEach
  void listen() {
    logger.addHandler(lines);
    binding.getMetadata().setNamespace("payments");
    binding.getMetadata().setName("payments-db");
  }

  @AfterEach
  void stopListening() {
    logger.removeHandler(lines);
  }

  @Test
  void anAnswerOfTheApiServerIsAWarningWithoutStackTraceOrWhatItQuotes() {
    String value = UUID.randomUUID().toString();

    ReconcileLog.failed(
        binding,
        new KubernetesClientException(
            new StatusBuilder().withCode(503).withMessage("Invalid value: " + value).build()));

    ExtLogRecord line = lines.only();
    assertThat(line.getLevel().getName()).isEqualTo("WARN");
    assertThat(line.getThrown()).isNull();
    assertThat(line.getMessage()).contains("503").doesNotContain(value);
    assertThat(line.getMdcCopy())
        .isEqualTo(
            Map.of(
                "kind", "SecretBinding",
                "namespace", "payments",
                "name", "payments-db",
                "reason", "ApiServer"));
  }

  @Test
  void anApiServerThatIsAwayIsAWarning() {
    ReconcileLog.failed(
        binding, new KubernetesClientException("GET", new IOException("Connection refused")));

    assertThat(lines.only().getLevel().getName()).isEqualTo("WARN");
    assertThat(lines.only().getMessage()).startsWith("The API server did not answer");
  }

  @Test
  void whatTheFrameworkWrapsIsNoBug() {
    ReconcileLog.failed(
        binding,
        new OperatorException(
            new KubernetesClientException(new StatusBuilder().withCode(500).build())));

    assertThat(lines.only().getLevel().getName()).isEqualTo("WARN");
    assertThat(lines.only().getMessage()).contains("500");
  }

  @Test
  void aBugIsAnErrorWithItsStackTraceAndWithoutItsMessages() {
    String value = UUID.randomUUID().toString();

    ReconcileLog.failed(
        binding, new IllegalStateException(value, new NumberFormatException("For: " + value)));

    ExtLogRecord line = lines.only();
    assertThat(line.getLevel()).isIn(Level.SEVERE, org.jboss.logmanager.Level.ERROR);
    StringWriter trace = new StringWriter();
    line.getThrown().printStackTrace(new PrintWriter(trace));
    assertThat(trace.toString())
        .contains(
            "java.lang.IllegalStateException",
            "java.lang.NumberFormatException",
            "aBugIsAnErrorWithItsStackTraceAndWithoutItsMessages")
        .doesNotContain(value);
    assertThat(line.getMessage()).doesNotContain(value);
  }

  @Test
  void theFieldsOfALineAreNotThoseOfTheNext() {
    ReconcileLog.failed(binding, new IllegalStateException());

    assertThat(MDC.copy()).isEmpty();
  }
}
