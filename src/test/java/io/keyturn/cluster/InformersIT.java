package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.testing.AuditedRequest;
import io.keyturn.testing.SharedControlPlane;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** What the informers of the operator ask the API server for. */
class InformersIT {

  @Test
  void theyListInPages() {
    SharedWorld.operator();

    Awaitility.await("the audit log knows of each informer")
        .atMost(Duration.ofSeconds(10))
        .untilAsserted(() ->
            assertThat(lists())
                .extracting(AuditedRequest::resource)
                .contains(
                    "secretbindings",
                    "secretrotations",
                    "rotationpolicies",
                    "secrets",
                    "deployments",
                    "pods"));
    // Whether lists are served at all is asked before, for one object each.
    assertThat(lists())
        .extracting(AuditedRequest::query)
        .filteredOn(query -> !query.equals("limit=1"))
        .isNotEmpty()
        .allMatch(query -> query.contains("limit=500"));
  }

  /** Nothing but an informer lists the objects of all namespaces. */
  private static List<AuditedRequest> lists() {
    return SharedControlPlane.get()
        .audit()
        .requests(r ->
            r.verb().equals("list")
                && r.namespace().isEmpty()
                && r.user().equals("system:serviceaccount:keyturn-system:keyturn"));
  }
}
