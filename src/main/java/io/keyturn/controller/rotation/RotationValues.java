package io.keyturn.controller.rotation;

import io.fabric8.kubernetes.api.model.Secret;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Adoption;
import io.keyturn.controller.Candidates;
import io.keyturn.controller.Candidates.Candidate;
import io.keyturn.domain.rotation.Observation.Alias;
import io.keyturn.domain.rotation.Observation.Source;
import io.keyturn.secret.Delivery;
import io.keyturn.secret.Fingerprint;
import io.keyturn.secret.SecretData;
import io.keyturn.secret.SecretWriter;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.Optional;

/** Which of the versions of a rotation its source and its alias hold. */
@ApplicationScoped
class RotationValues {

  private final SecretWriter secrets;
  private final Candidates candidates;
  private final Fingerprint fingerprint;

  @Inject
  RotationValues(SecretWriter secrets, Candidates candidates, Fingerprint fingerprint) {
    this.secrets = secrets;
    this.candidates = candidates;
    this.fingerprint = fingerprint;
  }

  /** What the source holds, compared with the versions of the rotation. */
  Source source(
      SecretBinding binding,
      boolean policyMissing,
      SecretRotationStatus journal,
      Optional<VersionRef> current) {
    if (policyMissing && journal.stage() == Stage.Pending) {
      return new Source.Unavailable(
          Reasons.POLICY_NOT_FOUND,
          "The RotationPolicy %s does not exist in this namespace."
              .formatted(binding.getSpec().rotationPolicyRef().name()));
    }
    Optional<Delivery> delivery = candidates.look(binding).map(Candidate::delivery);
    if (delivery.isEmpty()) {
      return new Source.Fresh(false);
    }
    return switch (delivery.get()) {
      case Delivery.Refused(String reason, String message) ->
          new Source.Unavailable(reason, message);
      case Delivery.Data(SecretData data) -> {
        try (data) {
          yield candidates.capabilities(binding).makesValues()
              ? new Source.Fresh(false)
              : unlessCompromised(
                  compare(binding.getMetadata().getNamespace(), data, journal, current),
                  data,
                  binding,
                  journal.stage());
        }
      }
    };
  }

  /** Nobody, and no request, rotates to a value that was reported compromised. */
  private Source unlessCompromised(
      Source source, SecretData data, SecretBinding binding, Stage stage) {
    boolean begins = stage == Stage.Pending || stage == Stage.Staging;
    return begins
            && source instanceof Source.Fresh
            && fingerprint.of(data).equals(binding.getStatus().compromised())
        ? new Source.Unavailable(
            Reasons.SOURCE_COMPROMISED,
            "The source holds a value that was reported compromised, and nothing goes back to it:"
                + " write a new one there.")
        : source;
  }

  private Source compare(
      String namespace,
      SecretData data,
      SecretRotationStatus journal,
      Optional<VersionRef> current) {
    if (!journal.stage().promoted() && holds(namespace, current.map(VersionRef::snapshot), data)) {
      return new Source.Current();
    }
    return holds(namespace, Optional.ofNullable(journal.to()).map(VersionRef::snapshot), data)
        ? new Source.Candidate()
        : new Source.Fresh(true);
  }

  private boolean holds(String namespace, Optional<String> snapshot, SecretData data) {
    Secret secret = snapshot.map(s -> secrets.read(namespace, s)).orElse(null);
    return secret != null && sameData(secret, data);
  }

  private static boolean sameData(Secret secret, SecretData data) {
    try (SecretData held = SecretData.decode(secret.getData())) {
      return held.sameAs(data);
    }
  }

  /** Which version the alias holds. */
  Alias alias(SecretRotation rotation, SecretBinding binding, Secret alias) {
    SecretRotationStatus journal = rotation.getStatus();
    if (alias == null || (binding == null && goesWithTheBinding(alias, rotation))) {
      return new Alias(Alias.Content.Missing, null, null);
    }
    boolean ours =
        Names.KEYTURN.equals(SecretWriter.labels(alias).get(Names.MANAGED_BY))
            && Names.label(rotation.getSpec().bindingRef().name())
                .equals(SecretWriter.labels(alias).get(Names.BINDING));
    if (!ours) {
      return new Alias(
          Alias.Content.Foreign,
          null,
          "The labels of Keyturn were taken off the Secret %s, so it stays untouched. Put them back, or delete it."
              .formatted(alias.getMetadata().getName()));
    }
    Instant since = Adoption.heldSince(alias);
    try (SecretData data = SecretData.decode(alias.getData())) {
      if (holdsVersion(alias, data, journal.to())) {
        return new Alias(Alias.Content.To, since, null);
      }
      return holdsVersion(alias, data, journal.from())
          ? new Alias(Alias.Content.From, since, null)
          : new Alias(Alias.Content.Other, since, null);
    }
  }

  /** The garbage collector is about to delete it, if it has not yet. */
  private static boolean goesWithTheBinding(Secret alias, SecretRotation rotation) {
    return alias.getMetadata().getOwnerReferences().stream()
        .anyMatch(o -> rotation.controlledBy(o.getUid()));
  }

  private boolean holdsVersion(Secret alias, SecretData data, VersionRef version) {
    if (version == null
        || version.snapshot() == null
        || Names.number(SecretWriter.labels(alias).get(Names.VERSION)) != version.version()) {
      return false;
    }
    Secret snapshot = secrets.read(alias.getMetadata().getNamespace(), version.snapshot());
    return snapshot == null
        ? fingerprint.of(data).equals(Names.fingerprintOf(version.snapshot()))
        : sameData(snapshot, data);
  }
}
