package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Secret;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Adopt;
import io.keyturn.secret.SecretData;
import io.keyturn.secret.SecretWriter;
import jakarta.enterprise.context.ApplicationScoped;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;

/** Whether a Secret that exists under the name of an alias may become the alias. */
@ApplicationScoped
public class Adoption {

  /**
   * Why a Secret stays untouched.
   *
   * @param wanted what would be written; null if that cannot be known now
   * @return a sentence that says who has it and what to do; empty if it is, or may become, ours
   */
  public Optional<String> obstacle(Secret secret, SecretBinding binding, SecretData wanted) {
    if (SecretWriter.isOurs(secret, binding)) {
      return Optional.empty();
    }
    String name = secret.getMetadata().getName();
    Map<String, String> labels = SecretWriter.labels(secret);
    Optional<OwnerReference> controller =
        secret.getMetadata().getOwnerReferences().stream()
            .filter(o -> Boolean.TRUE.equals(o.getController()))
            .findFirst();
    if (controller.isPresent()) {
      return Optional.of(
          ("The Secret %s is controlled by the %s %s and stays untouched. Let that write to another"
                  + " name and let go of this one (External Secrets: creationPolicy: Orphan), then"
                  + " set spec.secret.adopt to IfIdentical.")
              .formatted(name, controller.get().getKind(), controller.get().getName()));
    }
    if (Names.KEYTURN.equals(labels.get(Names.MANAGED_BY)) && labels.containsKey(Names.BINDING)) {
      return Optional.of(
          ("The Secret %s was made for the SecretBinding %s and stays untouched. Choose another"
                  + " spec.secret.name, or delete the Secret.")
              .formatted(name, labels.get(Names.BINDING)));
    }
    if (binding.getSpec().secret().adopt() == Adopt.Never) {
      return Optional.of(
          ("The Secret %s exists, was not made by Keyturn, and stays untouched. Set"
                  + " spec.secret.adopt to IfIdentical to take it over, or choose another"
                  + " spec.secret.name.")
              .formatted(name));
    }
    if (Boolean.TRUE.equals(secret.getImmutable())) {
      return Optional.of(
          "The Secret %s is immutable, so it can never hold another version. Delete it, and Keyturn creates it anew."
              .formatted(name));
    }
    String type = binding.getSpec().secret().type().value();
    if (!type.equals(secret.getType())) {
      return Optional.of(
          "The Secret %s has the type %s, and the binding wants %s: set spec.secret.type."
              .formatted(name, secret.getType(), type));
    }
    return identical(secret, wanted)
        ? Optional.empty()
        : Optional.of(
            ("The data of the Secret %s differ from what would be written, so it stays untouched."
                    + " Make the source equal to it first.")
                .formatted(name));
  }

  private static boolean identical(Secret secret, SecretData wanted) {
    if (wanted == null) {
      return false;
    }
    try (SecretData data = SecretData.decode(secret.getData())) {
      return data.sameAs(wanted);
    }
  }

  /**
   * From when a Secret has held the data that it holds: the latest time at which anybody wrote it.
   * A container that started earlier may have read something else.
   */
  public static Instant heldSince(Secret secret) {
    return since(secret).orElseGet(() -> lastWrite(secret));
  }

  /** Empty where somebody has taken it off, or put something else in its place. */
  private static Optional<Instant> since(Secret secret) {
    try {
      return Optional.ofNullable(SecretWriter.annotations(secret).get(Names.SINCE))
          .map(Instant::parse);
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  private static Instant lastWrite(Secret secret) {
    return secret.getMetadata().getManagedFields().stream()
        .map(ManagedFieldsEntry::getTime)
        .filter(t -> t != null)
        .map(Instant::parse)
        .max(Comparator.naturalOrder())
        .orElseGet(() -> Instant.parse(secret.getMetadata().getCreationTimestamp()));
  }
}
