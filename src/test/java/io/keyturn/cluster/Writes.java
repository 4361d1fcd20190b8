package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.testing.AuditedRequest;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.SharedControlPlane;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * What the operator writes, as the API server's audit log has it: everything but events, and also
 * what was refused.
 */
final class Writes {

  private static final String OPERATOR =
      "system:serviceaccount:" + OperatorProcess.NAMESPACE + ":keyturn";

  /** Longer than anything that the operator does by itself once a test has seen the end. */
  private static final Duration QUIET = Duration.ofSeconds(4);

  private Writes() {}

  /** The writes in some namespaces since a moment. A review of rights is a question. */
  static List<AuditedRequest> since(Instant moment, String... namespaces) {
    return by(
        r -> r.isWrite() && !r.resource().equals("events") && !r.resource().endsWith("reviews"),
        moment,
        namespaces);
  }

  /** The events that were written, or would have been. */
  static List<AuditedRequest> eventsSince(Instant moment, String... namespaces) {
    return by(r -> r.isWrite() && r.resource().equals("events"), moment, namespaces);
  }

  /** How often the bindings of a namespace were looked at since a moment. */
  static long looksSince(Instant moment, String namespace) {
    return by(r -> r.is("get", "secretbindings"), moment, namespace).size();
  }

  private static List<AuditedRequest> by(
      Predicate<AuditedRequest> which, Instant moment, String... namespaces) {
    List<String> where = Arrays.asList(namespaces);
    return SharedControlPlane.get()
        .audit()
        .since(
            moment,
            r -> r.user().equals(OPERATOR) && where.contains(r.namespace()) && which.test(r));
  }

  /** How many there are of which verb and resource; a refused one is one of a kind of its own. */
  static Map<String, Long> counted(List<AuditedRequest> writes) {
    return writes.stream()
        .collect(Collectors.groupingBy(Writes::kind, TreeMap::new, Collectors.counting()));
  }

  private static String kind(AuditedRequest write) {
    return write.verb()
        + " "
        + write.resource()
        + (write.subresource().isEmpty() ? "" : "/" + write.subresource())
        + (write.code() < 300 ? "" : " refused with " + write.code());
  }

  /** Asserts that exactly these were written in a namespace since a moment, and no more follow. */
  static void assertExactly(Map<String, Long> expected, Instant moment, String namespace) {
    assertQuietWith(moment, namespace, counted -> assertThat(counted).isEqualTo(expected));
  }

  /** Asserts something of what was written in a namespace since a moment, and no more follows. */
  static void assertQuietWith(
      Instant moment, String namespace, Consumer<Map<String, Long>> assertion) {
    Awaitility.await("the writes in " + namespace)
        .during(QUIET)
        .atMost(QUIET.multipliedBy(3))
        .pollInterval(Duration.ofMillis(200))
        .untilAsserted(() -> assertion.accept(counted(since(moment, namespace))));
  }
}
