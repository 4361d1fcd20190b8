package io.keyturn.controller.binding;

import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Previous;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.binding.BindingObservation.Rotation;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/** What a binding has to know of its rotations. */
final class RotationSummary {

  private RotationSummary() {}

  /** What a binding has to know of a rotation. */
  static Rotation of(SecretRotation rotation) {
    SecretRotationStatus status = rotation.getStatus();
    boolean made = status.to() != null && status.to().snapshot() != null;
    Optional<String> blocked =
        status.conditions().stream()
            .filter(c -> c.type().equals(Conditions.BLOCKED))
            .map(c -> c.reason())
            .findFirst();
    String failure =
        status.conditions().stream()
            .filter(c -> c.type().equals(Conditions.ROLLED_BACK))
            .map(c -> c.message())
            .findFirst()
            .orElse(status.message());
    return new Rotation(
        rotation.getMetadata().getName(),
        Names.versionOfRotation(rotation.getMetadata().getName()),
        rotation.getSpec().trigger(),
        rotation.getSpec().reportedAt(),
        status.stage(),
        annotation(rotation, Names.ROTATE),
        made ? Names.fingerprintOf(status.to().snapshot()) : refused(rotation),
        status.from() == null ? null : Names.fingerprintOf(status.from().snapshot()),
        status.timeline().finishedAt(),
        took(status),
        oldState(status),
        status.retirement() == null ? null : status.retirement().usersRemaining(),
        blocked.orElse(null),
        failure);
  }

  private static Duration took(SecretRotationStatus status) {
    return status.timeline().promotedAt() == null
        ? null
        : Duration.between(status.timeline().startedAt(), status.timeline().promotedAt());
  }

  private static Previous.State oldState(SecretRotationStatus status) {
    if (status.timeline().revokedAt() != null) {
      return Previous.State.Revoked;
    }
    return status.timeline().disabledAt() == null ? null : Previous.State.Disabled;
  }

  /** Whoever aborts a rotation before it has a candidate does not want the value that began it. */
  private static String refused(SecretRotation rotation) {
    return rotation.getStatus().stage() == Stage.Aborted
        ? annotation(rotation, Names.SOURCE_FINGERPRINT)
        : null;
  }

  private static String annotation(SecretRotation rotation, String name) {
    Map<String, String> annotations = rotation.getMetadata().getAnnotations();
    return annotations == null ? null : annotations.get(name);
  }
}
