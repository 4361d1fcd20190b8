package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.OperatorException;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Finding;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import org.jboss.logging.Logger;
import org.jboss.logging.MDC;

/**
 * One line for each thing that a reconcile has written. What a person searches by is not in the
 * sentence but beside it, under {@link #KEYS}.
 */
public final class ReconcileLog {

  /** The fields of a line, as far as it has them. */
  public static final List<String> KEYS =
      List.of("kind", "namespace", "name", "rotation", "stage", "version", "reason");

  private static final Logger LOG = Logger.getLogger("io.keyturn.reconcile");

  private ReconcileLog() {}

  /** The journal of a rotation was written. */
  public static void journaled(SecretRotation rotation, List<Finding> findings) {
    SecretRotationStatus journal = rotation.getStatus();
    Finding news = news(findings, journal.conditions(), Conditions.BLOCKED, Conditions.SUCCEEDED);
    write(
        level(findings, journal.conditions()), fields(rotation, news.reason()), journal.message());
  }

  /** The status of a binding was written. */
  public static void reported(SecretBinding binding, List<Finding> findings) {
    List<Condition> conditions = binding.getStatus().conditions();
    Finding news = news(findings, conditions, Conditions.STALLED, Conditions.READY);
    write(level(findings, conditions), fields(binding, news.reason()), news.message());
  }

  /** What was issued could neither be recorded nor ended; it ends with its time. */
  static void orphaned(SecretBinding binding, String reason) {
    write(
        Logger.Level.WARN,
        fields(binding, reason),
        "A credential was issued and could neither be recorded nor revoked; nobody renews it.");
  }

  /** Another leader has written: this process does not lead any more, whatever it believes. */
  public static void superseded(HasMetadata object) {
    write(
        Logger.Level.WARN,
        fields(object, "Superseded"),
        "Another leader has taken over; this process lets go.");
  }

  /** An effect was performed. */
  public static void performed(HasMetadata object, Effect effect) {
    Map<String, String> fields = fields(object, effect.getClass().getSimpleName());
    if (effect instanceof Effect.StartRotation(long version, var _, var _, var _, var _)) {
      fields.put("rotation", Names.rotation(object.getMetadata().getName(), version));
      fields.put("version", Long.toString(version));
    }
    write(Logger.Level.INFO, fields, "Done: " + effect.words() + nameIn(effect) + ".");
  }

  private static String nameIn(Effect effect) {
    return switch (effect) {
      case Effect.StartCanary(WorkloadProgress workload, int _) -> " of " + workload.name();
      case Effect.StopCanary(WorkloadProgress workload) -> " of " + workload.name();
      case Effect.Annotate annotate -> " " + annotate.name();
      case Effect.DeleteSnapshot(String name) -> " " + name;
      case Effect.ForgetRotation(String name) -> " " + name;
      default -> "";
    };
  }

  /** An event could not be written. */
  static void eventLost(HasMetadata regarding, Finding finding, int code) {
    write(
        Logger.Level.WARN,
        fields(regarding, finding.reason()),
        "The event was not written: the API server answered with code %d.".formatted(code));
  }

  /**
   * A reconcile has failed and is tried again. An API server that is away, busy or refuses is not
   * our fault. Exceptions quote values, so neither case repeats what the exception says.
   */
  public static void failed(HasMetadata object, Exception e) {
    // The framework wraps what a reconcile throws, to count it.
    Throwable cause = e instanceof OperatorException && e.getCause() != null ? e.getCause() : e;
    if (cause instanceof KubernetesClientException answer) {
      write(
          Logger.Level.WARN,
          fields(object, "ApiServer"),
          answer.getCode() <= 0
              ? "The API server did not answer; tried again."
              : "The API server answered with code %d; tried again.".formatted(answer.getCode()));
    } else {
      write(
          Logger.Level.ERROR,
          fields(object, "InternalError"),
          "The reconcile failed, which is a bug of Keyturn; tried again.",
          withoutMessages(cause));
    }
  }

  private static Throwable withoutMessages(Throwable e) {
    if (e == null) {
      return null;
    }
    Throwable silent =
        new IllegalStateException(e.getClass().getName(), withoutMessages(e.getCause()));
    silent.setStackTrace(e.getStackTrace());
    return silent;
  }

  private static Logger.Level level(List<Finding> findings, List<Condition> conditions) {
    boolean warns =
        findings.stream().anyMatch(f -> f.severity() == Finding.Severity.Warning)
            || find(conditions, Conditions.STALLED).isPresent();
    return warns ? Logger.Level.WARN : Logger.Level.INFO;
  }

  /** What is to be told, else what keeps it from going on, else how it stands. */
  private static Finding news(
      List<Finding> findings, List<Condition> conditions, String obstacle, String summary) {
    if (!findings.isEmpty()) {
      return findings.getLast();
    }
    return find(conditions, obstacle)
        .or(() -> find(conditions, summary))
        .map(c -> Finding.normal(c.reason(), c.message()))
        .orElseGet(() -> Finding.normal(null, ""));
  }

  private static Optional<Condition> find(List<Condition> conditions, String type) {
    return conditions.stream().filter(c -> c.type().equals(type)).findFirst();
  }

  private static Map<String, String> fields(HasMetadata object, String reason) {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("kind", object.getKind());
    fields.put("namespace", object.getMetadata().getNamespace());
    fields.put("name", object.getMetadata().getName());
    switch (object) {
      case SecretRotation rotation -> {
        fields.put("rotation", rotation.getMetadata().getName());
        fields.put("stage", rotation.getStatus().stage().name());
        VersionRef to = rotation.getStatus().to();
        fields.put("version", to == null ? null : Long.toString(to.version()));
      }
      case SecretBinding binding when binding.getStatus().current() != null ->
          fields.put("version", Long.toString(binding.getStatus().current().version()));
      default -> {}
    }
    fields.put("reason", reason);
    return fields;
  }

  private static void write(Logger.Level level, Map<String, String> fields, String message) {
    write(level, fields, message, null);
  }

  /** The context is set for this line alone: threads that are made meanwhile would inherit it. */
  private static void write(
      Logger.Level level, Map<String, String> fields, String message, Throwable cause) {
    fields.values().removeIf(Objects::isNull);
    fields.forEach(MDC::put);
    try {
      LOG.log(level, message, cause);
    } finally {
      fields.keySet().forEach(MDC::remove);
    }
  }
}
