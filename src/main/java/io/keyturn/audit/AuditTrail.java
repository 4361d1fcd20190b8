package io.keyturn.audit;

import io.quarkus.arc.All;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.List;
import org.jboss.logging.Logger;

/** Hands each record to each sink. One that fails keeps no other from its record. */
@ApplicationScoped
public class AuditTrail {

  private static final Logger LOG = Logger.getLogger(AuditTrail.class);

  private final List<AuditSink> sinks;
  private final AuditObserver observer;

  /** Hands records to the given sinks. */
  @Inject
  public AuditTrail(@All List<AuditSink> sinks, AuditObserver observer) {
    this.sinks = List.copyOf(sinks);
    this.observer = observer;
  }

  /** Takes a record. */
  public void add(AuditRecord accessed) {
    observer.recorded(accessed.operation());
    for (AuditSink sink : sinks) {
      try {
        sink.write(accessed);
      } catch (RuntimeException e) {
        observer.failed(sink.name());
        // What the sink throws may quote what it was given.
        LOG.warnf("the audit sink %s did not take a record", sink.name());
      }
    }
  }
}
