package io.keyturn.audit;

import jakarta.enterprise.context.ApplicationScoped;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jboss.logging.Logger;
import org.jboss.logging.MDC;

/**
 * Writes records as lines of the log, by the logger {@code io.keyturn.audit}. The fields stand
 * beside the sentence, under {@link #KEYS}.
 */
@ApplicationScoped
public class AuditLog implements AuditSink {

  /** The fields of a line, as far as it has them. */
  public static final List<String> KEYS =
      List.of(
          "accessedAt",
          "namespace",
          "binding",
          "store",
          "identity",
          "operation",
          "version",
          "credential",
          "outcome");

  private static final Logger LOG = Logger.getLogger("io.keyturn.audit");

  @Override
  public String name() {
    return "log";
  }

  /** The context is set for this line alone: threads that are made meanwhile would inherit it. */
  @Override
  public void write(AuditRecord accessed) {
    Map<String, String> fields = fields(accessed);
    fields.forEach(MDC::put);
    try {
      LOG.infof(
          "%s of %s as %s: %s",
          accessed.operation(),
          accessed.store(),
          accessed.identity().orElse("nobody"),
          accessed.outcome());
    } finally {
      fields.keySet().forEach(MDC::remove);
    }
  }

  static Map<String, String> fields(AuditRecord accessed) {
    Map<String, String> fields = new LinkedHashMap<>();
    fields.put("accessedAt", accessed.time().toString());
    fields.put("namespace", accessed.namespace());
    accessed.binding().ifPresent(b -> fields.put("binding", b));
    fields.put("store", accessed.store());
    accessed.identity().ifPresent(i -> fields.put("identity", i));
    fields.put("operation", accessed.operation());
    accessed.version().ifPresent(v -> fields.put("version", Long.toString(v)));
    accessed.credential().ifPresent(c -> fields.put("credential", c));
    fields.put("outcome", accessed.outcome());
    return fields;
  }
}
