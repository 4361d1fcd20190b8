package io.keyturn.audit;

/** Counts records. */
public interface AuditObserver {

  /** Counts nothing. */
  AuditObserver NONE =
      new AuditObserver() {
        @Override
        public void recorded(String operation) {}

        @Override
        public void failed(String sink) {}
      };

  /** A record was made of an operation. */
  void recorded(String operation);

  /** A sink did not take a record. */
  void failed(String sink);
}
