package io.keyturn.controller.binding;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Secret;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Credentials;
import io.keyturn.controller.LeaseBook;
import io.keyturn.controller.VersionUsers;
import io.keyturn.domain.lease.Lease;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The leases of the versions of a binding, and who still needs those that are not current. */
@ApplicationScoped
class BindingLeases {

  private final VersionUsers users;
  private final LeaseBook book;

  @Inject
  BindingLeases(VersionUsers users, LeaseBook book) {
    this.users = users;
    this.book = book;
  }

  /** Who may use a version before the current one, where such a one still lives at its store. */
  List<String> earlierUsers(
      SecretBinding binding,
      Secret alias,
      List<GenericKubernetesResource> snapshots,
      Optional<Current> current) {
    boolean left =
        current.isPresent()
            && snapshots.stream()
                .filter(s -> !s.getMetadata().getName().equals(current.get().snapshot()))
                .anyMatch(s -> alive(s.getMetadata()));
    return left ? users.ofEarlier(binding, current.get(), alias) : List.of();
  }

  /** The leases of the snapshots of a binding, and whether they are to be kept alive. */
  List<Lease> of(
      SecretBinding binding,
      List<GenericKubernetesResource> snapshots,
      Optional<Current> current,
      Optional<SecretRotation> active,
      List<String> earlierUsers) {
    List<Lease> leases = new ArrayList<>();
    for (GenericKubernetesResource snapshot : snapshots) {
      ObjectMeta metadata = snapshot.getMetadata();
      boolean isCurrent = current.filter(c -> c.snapshot().equals(metadata.getName())).isPresent();
      boolean kept = isCurrent || kept(metadata, active, earlierUsers);
      Credentials.of(metadata)
          .filter(k -> k.revokedAt() == null)
          .flatMap(k -> book.lease(metadata, k, binding.getStatus(), kept))
          .ifPresent(leases::add);
    }
    return leases;
  }

  /**
   * What is being revoked is not renewed, and neither is what nobody uses any more. While a
   * rotation is under way, what others have left is renewed for as long as it lives.
   */
  private boolean kept(
      ObjectMeta snapshot, Optional<SecretRotation> active, List<String> earlierUsers) {
    if (active.isEmpty()) {
      return !earlierUsers.isEmpty();
    }
    SecretRotationStatus journal = active.get().getStatus();
    if (is(journal.from(), snapshot)) {
      return journal.stage() != Stage.Revoking;
    }
    return is(journal.to(), snapshot) || (book.knows(snapshot) && !book.ended(snapshot));
  }

  private static boolean is(VersionRef version, ObjectMeta snapshot) {
    return version != null && snapshot.getName().equals(version.snapshot());
  }

  /** Whether what was issued for a snapshot is not known to have been revoked. */
  static boolean alive(ObjectMeta snapshot) {
    return Credentials.of(snapshot).filter(k -> k.revokedAt() == null).isPresent();
  }
}
