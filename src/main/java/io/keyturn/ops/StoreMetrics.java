package io.keyturn.ops;

import io.keyturn.audit.AuditObserver;
import io.keyturn.audit.AuditSink;
import io.keyturn.store.Operation;
import io.keyturn.store.StoreObserver;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.quarkus.arc.All;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Counts what stores are asked, and what of it is audited. */
@ApplicationScoped
public class StoreMetrics implements StoreObserver, AuditObserver {

  /** Whoever may write SecretStores must not be able to fill the memory of those who scrape. */
  private static final int NAMED_STORES = 50;

  private static final String OTHERS = "others";

  private static final Duration[] BUCKETS = {
    Duration.ofMillis(10),
    Duration.ofMillis(50),
    Duration.ofMillis(100),
    Duration.ofMillis(500),
    Duration.ofSeconds(1),
    Duration.ofSeconds(5)
  };

  private final MeterRegistry registry;
  private final Set<String> named = ConcurrentHashMap.newKeySet();

  @Inject
  StoreMetrics(MeterRegistry registry, @All List<AuditSink> sinks) {
    this.registry = registry;
    for (Operation operation : Operation.values()) {
      records(operation.label());
    }
    sinks.forEach(sink -> failures(sink.name()));
  }

  @Override
  public void asked(
      String storeType, String store, Operation operation, String outcome, Duration took) {
    String label = label(store);
    registry
        .counter(
            "keyturn.store.requests",
            "store_type",
            storeType,
            "store",
            label,
            "operation",
            operation.label(),
            "outcome",
            outcome)
        .increment();
    Timer.builder("keyturn.store.request.duration")
        .tags("store_type", storeType, "store", label, "operation", operation.label())
        .serviceLevelObjectives(BUCKETS)
        .register(registry)
        .record(took);
  }

  private String label(String store) {
    if (named.contains(store)) {
      return store;
    }
    return named.size() < NAMED_STORES && named.add(store) ? store : OTHERS;
  }

  @Override
  public void recorded(String operation) {
    records(operation).increment();
  }

  @Override
  public void failed(String sink) {
    failures(sink).increment();
  }

  private Counter records(String operation) {
    return registry.counter("keyturn.audit.records", "operation", operation);
  }

  private Counter failures(String sink) {
    return registry.counter("keyturn.audit.failures", "sink", sink);
  }
}
