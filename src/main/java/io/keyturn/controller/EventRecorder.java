package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.MicroTime;
import io.fabric8.kubernetes.api.model.ObjectReference;
import io.fabric8.kubernetes.api.model.ObjectReferenceBuilder;
import io.fabric8.kubernetes.api.model.events.v1.EventBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.domain.Finding;
import io.keyturn.kubernetes.ApiServer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.List;

/**
 * Writes findings as events ({@code events.k8s.io/v1}). They are for people and best effort: one
 * that cannot be written is lost, and nothing else happens.
 */
@ApplicationScoped
public class EventRecorder {

  private static final DateTimeFormatter MICROS =
      DateTimeFormatter.ofPattern("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'").withZone(ZoneOffset.UTC);
  private static final int MAX_NOTE = 1000;

  private final ApiServer api;
  private final Clock clock;
  private final String instance;

  /** Writes to the given API server. */
  @Inject
  public EventRecorder(ApiServer api, Clock clock) {
    this.api = api;
    this.clock = clock;
    this.instance = Names.KEYTURN + "-" + ProcessHandle.current().pid();
  }

  /** Tells people of findings on an object. */
  public void record(HasMetadata regarding, List<Finding> findings) {
    findings.forEach(f -> record(regarding, f, null));
  }

  /**
   * Tells people of findings on an object.
   *
   * @param workloads whom the findings are about; an event can name one of them as related
   */
  public void record(
      HasMetadata regarding, List<Finding> findings, List<WorkloadProgress> workloads) {
    ObjectReference related =
        workloads.size() == 1
            ? reference(workloads.getFirst(), regarding.getMetadata().getNamespace())
            : null;
    findings.forEach(f -> record(regarding, f, related));
  }

  private void record(HasMetadata regarding, Finding finding, ObjectReference related) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    String note = finding.message();
    try {
      api.create(
          new EventBuilder()
              .withNewMetadata()
              .withNamespace(namespaceOf(regarding))
              .withGenerateName(Names.label(regarding.getMetadata().getName()) + "-")
              .endMetadata()
              .withEventTime(new MicroTime(MICROS.format(now)))
              .withType(finding.severity().name())
              .withReason(finding.reason())
              .withAction(finding.reason())
              .withNote(note.length() <= MAX_NOTE ? note : note.substring(0, MAX_NOTE))
              .withReportingController("keyturn.io/operator")
              .withReportingInstance(instance)
              .withRegarding(reference(regarding))
              .withRelated(related)
              .build());
    } catch (KubernetesClientException e) {
      ReconcileLog.eventLost(regarding, finding, e.getCode());
    }
  }

  /** Events on what belongs to the whole cluster lie in one namespace. */
  private static String namespaceOf(HasMetadata regarding) {
    String namespace = regarding.getMetadata().getNamespace();
    return namespace == null ? "default" : namespace;
  }

  private static ObjectReference reference(WorkloadProgress workload, String namespace) {
    return switch (workload.kind()) {
      case Deployment ->
          new ObjectReferenceBuilder()
              .withApiVersion("apps/v1")
              .withKind(workload.kind().name())
              .withNamespace(namespace)
              .withName(workload.name())
              .withUid(workload.uid())
              .build();
    };
  }

  private static ObjectReference reference(HasMetadata object) {
    return new ObjectReferenceBuilder()
        .withApiVersion(object.getApiVersion())
        .withKind(object.getKind())
        .withNamespace(object.getMetadata().getNamespace())
        .withName(object.getMetadata().getName())
        .withUid(object.getMetadata().getUid())
        .build();
  }
}
