package io.keyturn.store;

import io.keyturn.audit.AuditRecord;
import io.keyturn.audit.AuditTrail;
import io.keyturn.secret.Fingerprint;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreType;
import java.time.Clock;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Supplier;

/** Counts each request to a store, and adds a record of it to the audit trail. */
final class Recorder {

  private final StoreObserver observer;
  private final AuditTrail audit;
  private final Fingerprint fingerprint;
  private final Clock clock;

  Recorder(StoreObserver observer, AuditTrail audit, Fingerprint fingerprint, Clock clock) {
    this.observer = observer;
    this.audit = audit;
    this.fingerprint = fingerprint;
    this.clock = clock;
  }

  /**
   * What is asked, and for whom.
   *
   * @param namespace for whom
   * @param binding empty: for none in particular
   * @param version number of the version that it is about
   * @param credential that it is about
   */
  record Access(
      Operation operation,
      String namespace,
      Optional<String> binding,
      OptionalLong version,
      Optional<Credential> credential) {

    static Access to(Operation operation, String namespace) {
      return new Access(
          operation, namespace, Optional.empty(), OptionalLong.empty(), Optional.empty());
    }

    Access of(String bindingName) {
      return new Access(operation, namespace, Optional.of(bindingName), version, credential);
    }

    Access about(long number) {
      return new Access(operation, namespace, binding, OptionalLong.of(number), credential);
    }

    Access about(Credential known) {
      return new Access(operation, namespace, binding, version, Optional.of(known));
    }
  }

  /** Asks, and records what comes of it. */
  <T> T recorded(StoreType type, Description store, Access access, Supplier<T> ask) {
    long start = System.nanoTime();
    String outcome = "error";
    Access done = access;
    try {
      T answer = ask.get();
      outcome = answer instanceof Reading.Missing ? "not_found" : "ok";
      if (answer instanceof Reading.Value value) {
        done = value.credential().map(access::about).orElse(access);
      }
      return answer;
    } catch (StoreException e) {
      outcome = e.outcome();
      throw e;
    } finally {
      Duration took = Duration.ofNanos(System.nanoTime() - start);
      observer.asked(type.name(), store.name(), access.operation(), outcome, took);
      audit.add(entry(type, store, done, outcome));
    }
  }

  private AuditRecord entry(StoreType type, Description store, Access access, String outcome) {
    return new AuditRecord(
        clock.instant(),
        access.namespace(),
        access.binding(),
        store.name(),
        access.namespace().isEmpty() ? Optional.empty() : type.identity(store.spec().provider()),
        access.operation().label(),
        access.version(),
        access.credential().map(c -> fingerprint.of(c.id())),
        outcome);
  }
}
