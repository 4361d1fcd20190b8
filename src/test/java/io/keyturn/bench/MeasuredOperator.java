package io.keyturn.bench;

import io.keyturn.testing.AuditedRequest;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.OperatorProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.awaitility.Awaitility;

/** The operator as it is shipped, and what it asks of the API server. */
final class MeasuredOperator {

  private static final String USER =
      "system:serviceaccount:" + OperatorProcess.NAMESPACE + ":keyturn";
  private static final Duration REST = Duration.ofSeconds(4);

  /**
   * For people, or for the election; and questions about rights that are creations by their verb.
   */
  private static final Set<String> BESIDES =
      Set.of("events", "leases", "selfsubjectaccessreviews", "selfsubjectrulesreviews");

  private MeasuredOperator() {}

  /** One that acts at once. */
  static OperatorProcess start(ControlPlane plane) {
    return start(plane, Map.of("KEYTURN_LEADER_ELECTION", "false"));
  }

  /** One that acts when it holds the Lease. */
  static OperatorProcess startElected(ControlPlane plane) {
    return start(plane, Map.of());
  }

  private static OperatorProcess start(ControlPlane plane, Map<String, String> settings) {
    return OperatorProcess.start(
        plane,
        settings,
        // jcmd has to look into it.
        "-XX:-DisableAttachMechanism",
        // Tests stop the compiler early; what is shipped does not.
        "-XX:TieredStopAtLevel=4");
  }

  /** What it has written since a moment, or tried to. */
  static List<AuditedRequest> writesSince(ControlPlane plane, Instant moment) {
    return plane
        .audit()
        .since(
            moment, r -> r.user().equals(USER) && r.isWrite() && !BESIDES.contains(r.resource()));
  }

  static List<AuditedRequest> readsSince(ControlPlane plane, Instant moment) {
    return plane.audit().since(moment, r -> r.user().equals(USER) && !r.isWrite());
  }

  /** How it renews the Lease, or takes it. */
  static List<AuditedRequest> leaseWritesSince(ControlPlane plane, Instant moment) {
    return plane
        .audit()
        .since(moment, r -> r.user().equals(USER) && r.isWrite() && r.resource().equals("leases"));
  }

  static void awaitRest(ControlPlane plane) {
    Awaitility.await("the operator rests")
        .atMost(Duration.ofMinutes(2))
        .pollInterval(Duration.ofSeconds(1))
        .until(() -> writesSince(plane, Instant.now().minus(REST)).isEmpty());
  }
}
