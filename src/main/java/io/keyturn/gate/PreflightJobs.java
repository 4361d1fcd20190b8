package io.keyturn.gate;

import com.fasterxml.jackson.databind.JsonMappingException;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.batch.v1.Job;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.kubernetes.ApiServer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * The checks that a pod of the user's own makes, with the candidate's snapshot in it: it runs in
 * the namespace, with the ServiceAccount and under the network policies that the user chose, so it
 * proves the path that the workloads take.
 */
@ApplicationScoped
public class PreflightJobs {

  private static final KubernetesSerialization JSON = new KubernetesSerialization();
  private final ApiServer api;

  /** Works on the given API server. */
  @Inject
  public PreflightJobs(ApiServer api) {
    this.api = api;
  }

  /** What has become of a Job. */
  public sealed interface State {

    /** There is none: it was not started, or somebody has deleted it. */
    record Absent() implements State {}

    /**
     * It has not ended. It will by itself, a minute after its timeout at the latest.
     *
     * @param message what it does, or what keeps it from starting; a sentence without its full stop
     */
    record Running(String message) implements State {}

    /**
     * It has ended.
     *
     * @param measurement what it says of the version
     */
    record Ended(Measurement measurement) implements State {}
  }

  /** Why a check can never start, whatever the API server says; empty: nothing is known. */
  public static Optional<Measurement> obstacle(Preflight check) {
    Optional<String> obstacle;
    try {
      obstacle = PreflightTemplate.obstacle(template(check));
    } catch (IllegalArgumentException e) {
      obstacle =
          Optional.of(
              "%s of its template has a wrong type, see kubectl explain job.spec.template"
                  .formatted(field(e)));
    }
    return obstacle.map(
        o -> Measurement.inconclusive("%s cannot start: %s".formatted(subject(check), o)));
  }

  private static PodTemplateSpec template(Preflight check) {
    return JSON.convertValue(check.job().template(), PodTemplateSpec.class);
  }

  /**
   * Starts a check, if it was not started before.
   *
   * @param alias the Secret of the binding; what refers to it in the template refers to the
   *     snapshot
   * @param snapshot the Secret with the candidate
   * @return whether it was started now
   * @throws KubernetesClientException if the API server does not answer, or refuses the Job
   */
  public boolean start(SecretRotation rotation, Preflight check, String alias, String snapshot) {
    Job job =
        PreflightTemplate.job(
            template(check),
            rotation,
            owner(rotation),
            name(rotation, check),
            check,
            alias,
            snapshot);
    try {
      api.create(job);
      return true;
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
        return false;
      }
      throw e;
    }
  }

  /** What has become of a check. */
  public State observe(SecretRotation rotation, Preflight check) {
    String namespace = rotation.getMetadata().getNamespace();
    Job job = read(rotation, check);
    if (job == null || !isOurs(job, rotation)) {
      return new State.Absent();
    }
    List<Pod> pods =
        api
            .list(
                Pod.class,
                namespace,
                ApiServer.labelled(Map.of(Names.PREFLIGHT, Names.label(check.name()))))
            .stream()
            .filter(p -> controllerOf(p).filter(job.getMetadata().getUid()::equals).isPresent())
            .toList();
    return PreflightResult.of(job, pods, check);
  }

  /**
   * Deletes the Job of a check and its pod, if it is the rotation's.
   *
   * @return whether there was one
   */
  public boolean stop(SecretRotation rotation, Preflight check) {
    Job job = read(rotation, check);
    boolean ours = job != null && isOurs(job, rotation);
    if (ours && job.getMetadata().getDeletionTimestamp() == null) {
      api.delete(job);
    }
    return ours;
  }

  /** The name of a check's Job. */
  public static String name(SecretRotation rotation, Preflight check) {
    return Names.preflight(
        rotation.getMetadata().getName(), check.name(), rotation.getMetadata().getUid());
  }

  /** What to call a check in a sentence. */
  static String subject(Preflight check) {
    return "the Job of check " + check.name();
  }

  private Job read(SecretRotation rotation, Preflight check) {
    return api.read(Job.class, rotation.getMetadata().getNamespace(), name(rotation, check));
  }

  /** The path of what could not be read. The message beside it would quote the value. */
  private static String field(IllegalArgumentException e) {
    return e.getCause() instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()
        ? mapping.getPath().stream()
            .map(r -> r.getFieldName() == null ? "[" + r.getIndex() + "]" : "." + r.getFieldName())
            .collect(Collectors.joining())
            .substring(1)
        : "a field";
  }

  private static OwnerReference owner(SecretRotation rotation) {
    return new OwnerReferenceBuilder()
        .withApiVersion(rotation.getApiVersion())
        .withKind(rotation.getKind())
        .withName(rotation.getMetadata().getName())
        .withUid(rotation.getMetadata().getUid())
        .withController(true)
        .withBlockOwnerDeletion(true)
        .build();
  }

  /** Its name says so, too, and nobody else gives such names. */
  private static boolean isOurs(Job job, SecretRotation rotation) {
    return controllerOf(job).map(rotation.getMetadata().getUid()::equals).orElse(true);
  }

  private static Optional<String> controllerOf(HasMetadata object) {
    return object.getMetadata().getOwnerReferences().stream()
        .filter(o -> Boolean.TRUE.equals(o.getController()))
        .map(OwnerReference::getUid)
        .findFirst();
  }
}
