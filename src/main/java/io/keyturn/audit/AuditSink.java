package io.keyturn.audit;

/**
 * Where audit records go. Each CDI bean that implements it receives every record, in the thread of
 * the access: it must not block for long.
 */
public interface AuditSink {

  /** Its name, as metrics call it. */
  String name();

  /**
   * Takes a record.
   *
   * @throws RuntimeException if it cannot; that is counted, and the access goes on
   */
  void write(AuditRecord accessed);
}
