package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.rotation.Observation.Users;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.SecretWriter;
import io.keyturn.workload.PodUsage;
import io.keyturn.workload.deployment.Deployments;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Names the live pods of a namespace, and the workloads, that may use a version which is to go. */
@ApplicationScoped
public class VersionUsers {

  private static final long FIRST = 1;

  private final ApiServer api;
  private final Deployments deployments;
  private final KubeletLag kubeletLag;

  /** Reads from the given API server. */
  @Inject
  public VersionUsers(ApiServer api, Deployments deployments, KubeletLag kubeletLag) {
    this.api = api;
    this.deployments = deployments;
    this.kubeletLag = kubeletLag;
  }

  /** Who may use the version that is to go: the old one, or the rejected candidate. */
  public Users of(SecretRotation rotation, String aliasName, Secret alias) {
    SecretRotationStatus journal = rotation.getStatus();
    boolean discarding = journal.stage() == Stage.Discarding;
    VersionRef going = discarding ? journal.to() : journal.from();
    if (going == null || going.snapshot() == null) {
      return Users.NONE;
    }
    Predicate<Pod> reader =
        discarding ? tookCandidate(journal, aliasName, alias) : tookOld(journal, aliasName, alias);
    String namespace = rotation.getMetadata().getNamespace();
    Map<Boolean, List<Pod>> pods =
        api.list(Pod.class, namespace, null).stream()
            .filter(p -> PodUsage.refers(p, going.snapshot()) || reader.test(p))
            .collect(Collectors.partitioningBy(p -> isCanary(p, rotation)));
    List<Deployment> templates =
        discarding ? deployments.askingFor(going.snapshot(), rotation) : List.of();
    return new Users(
        Stream.concat(
                pods.get(false).stream().map(p -> p.getMetadata().getName()),
                templates.stream().map(d -> "the Deployment " + d.getMetadata().getName()))
            .sorted()
            .toList(),
        pods.get(true).stream().map(p -> p.getMetadata().getName()).sorted().toList(),
        !templates.isEmpty()
            || pods.get(false).stream().anyMatch(p -> PodUsage.refers(p, going.snapshot())));
  }

  /**
   * Who may use a version before the current one of a binding, while no rotation is under way.
   * Before the first there is none.
   *
   * @param alias null if there is none
   */
  public List<String> ofEarlier(SecretBinding binding, Current current, Secret alias) {
    if (current.version() == FIRST) {
      return List.of();
    }
    VersionRef version = new VersionRef(current.version(), current.snapshot());
    Instant since = servedSince(version, alias);
    String id = Names.versionIdOf(current.snapshot());
    return api.list(Pod.class, binding.getMetadata().getNamespace(), null).stream()
        .filter(p -> PodUsage.mayUseEarlier(p, binding.alias(), id, since))
        .map(p -> p.getMetadata().getName())
        .sorted()
        .toList();
  }

  private static boolean isCanary(Pod pod, SecretRotation rotation) {
    Map<String, String> annotations = pod.getMetadata().getAnnotations();
    return annotations != null
        && rotation.getMetadata().getName().equals(annotations.get(Names.ROTATION));
  }

  private Predicate<Pod> tookOld(SecretRotationStatus journal, String aliasName, Secret alias) {
    Instant since = servedSince(journal.to(), alias);
    String current = Names.versionIdOf(journal.to().snapshot());
    return p -> PodUsage.mayUseEarlier(p, aliasName, current, since);
  }

  /** Containers that happened to start while a kubelet served the version that was taken back. */
  private Predicate<Pod> tookCandidate(
      SecretRotationStatus journal, String aliasName, Secret alias) {
    Instant promotionBegan = journal.timeline().verifiedAt();
    if (promotionBegan == null) {
      return p -> false;
    }
    Instant back = servedSince(journal.from(), alias);
    return p -> PodUsage.startedBetween(p, aliasName, promotionBegan, back);
  }

  /**
   * From when each container that starts reads a version. An alias that does not hold it was read
   * before it did, or was edited: then nobody knows, and that counts as in use.
   */
  public Instant servedSince(VersionRef version, Secret alias) {
    boolean holds =
        alias != null
            && Names.number(SecretWriter.labels(alias).get(Names.VERSION)) == version.version();
    return holds ? Adoption.heldSince(alias).plus(kubeletLag.value()) : Instant.MAX;
  }
}
