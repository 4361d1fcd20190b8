package io.keyturn.ops;

import io.keyturn.audit.AuditLog;
import io.keyturn.controller.ReconcileLog;
import io.quarkus.logging.json.runtime.JsonFormatter;
import io.quarkus.runtime.StartupEvent;
import jakarta.annotation.Priority;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.logging.Handler;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;

/**
 * Puts the fields of a line at the top of its JSON, where they are searched; Quarkus nests them.
 */
@ApplicationScoped
class JsonLog {

  void install(@Observes @Priority(1) StartupEvent event) {
    for (Handler handler : Logger.getLogger("").getHandlers()) {
      install(handler);
    }
  }

  private static void install(Handler handler) {
    if (handler.getFormatter() instanceof JsonFormatter json) {
      handler.setFormatter(new Flat(json));
    }
    if (handler instanceof ExtHandler parent) {
      for (Handler child : parent.getHandlers()) {
        install(child);
      }
    }
  }

  private static final Set<String> KEYS =
      Stream.concat(ReconcileLog.KEYS.stream(), AuditLog.KEYS.stream())
          .collect(Collectors.toCollection(LinkedHashSet::new));

  private static final class Flat extends JsonFormatter {

    private Flat(JsonFormatter configured) {
      super(
          configured.getKeyOverrides(),
          configured.getExcludedKeys(),
          configured.getAdditionalFields());
    }

    @Override
    protected void after(Generator generator, ExtLogRecord line) throws Exception {
      super.after(generator, line);
      for (String key : KEYS) {
        String value = line.getMdc(key);
        if (value != null) {
          generator.add(key, value);
        }
      }
    }
  }
}
