package io.keyturn.controller.rotation;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Adoption;
import io.keyturn.controller.KubeletLag;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.workload.PodUsage;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.List;
import java.util.function.Predicate;

/** Names the live pods of a namespace that may use a version which is to go. */
@ApplicationScoped
class VersionUsers {

  private final ApiServer api;
  private final KubeletLag kubeletLag;

  @Inject
  VersionUsers(ApiServer api, KubeletLag kubeletLag) {
    this.api = api;
    this.kubeletLag = kubeletLag;
  }

  /** Pods that may use the version that is to go: the old one, or the rejected candidate. */
  List<String> of(SecretRotation rotation, String aliasName, Secret alias) {
    SecretRotationStatus journal = rotation.getStatus();
    boolean discarding = journal.stage() == Stage.Discarding;
    VersionRef going = discarding ? journal.to() : journal.from();
    if (going == null || going.snapshot() == null) {
      return List.of();
    }
    Predicate<Pod> reader =
        discarding ? tookCandidate(journal, aliasName, alias) : tookOld(journal, aliasName, alias);
    return api.list(Pod.class, rotation.getMetadata().getNamespace(), null).stream()
        .filter(p -> PodUsage.refers(p, going.snapshot()) || reader.test(p))
        .map(Pod::getMetadata)
        .map(m -> m.getName())
        .sorted()
        .toList();
  }

  private Predicate<Pod> tookOld(SecretRotationStatus journal, String aliasName, Secret alias) {
    Instant since =
        alias == null ? Instant.MAX : Adoption.heldSince(alias).plus(kubeletLag.value());
    String current = Names.versionIdOf(journal.to().snapshot());
    return p -> PodUsage.mayUseEarlier(p, aliasName, current, since);
  }

  /** Containers that happened to start while a kubelet served the version that was taken back. */
  private Predicate<Pod> tookCandidate(
      SecretRotationStatus journal, String aliasName, Secret alias) {
    Instant promotionBegan = journal.timeline().verifiedAt();
    if (promotionBegan == null || alias == null) {
      return p -> false;
    }
    Instant back = Adoption.heldSince(alias).plus(kubeletLag.value());
    return p -> PodUsage.startedBetween(p, aliasName, promotionBegan, back);
  }
}
