package io.keyturn.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.StatusBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.OperatorException;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.testing.LogLines;
import java.io.IOException;
import java.util.Map;
import java.util.UUID;
import java.util.logging.Level;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.MDC;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ReconcileLogTest {

  private final LogLines lines = LogLines.of("io.keyturn.reconcile");
  private final SecretBinding binding = new SecretBinding();

  @BeforeEach
  void nameTheBinding() {
    binding.getMetadata().setNamespace("payments");
    binding.getMetadata().setName("payments-db");
  }

  @AfterEach
  void stopListening() {
    lines.close();
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
    assertThat(LogLines.text(line))
        .contains(
            "java.lang.IllegalStateException",
            "java.lang.NumberFormatException",
            "aBugIsAnErrorWithItsStackTraceAndWithoutItsMessages")
        .doesNotContain(value);
  }

  @Test
  void theFieldsOfALineAreNotThoseOfTheNext() {
    ReconcileLog.failed(binding, new IllegalStateException());

    assertThat(MDC.copy()).isEmpty();
  }
}
