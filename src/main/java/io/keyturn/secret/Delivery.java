package io.keyturn.secret;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Key;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Target;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** What a binding delivers of what its source holds: keys renamed, templates filled in. */
public sealed interface Delivery {

  /**
   * The most bytes that the values of a Secret may have (Kubernetes API, {@code MaxSecretSize}).
   */
  long MAX_BYTES = 1024 * 1024;

  /**
   * It can be delivered.
   *
   * @param data the keys and values of the Secret
   */
  record Data(SecretData data) implements Delivery {}

  /**
   * It cannot.
   *
   * @param reason one of {@link Reasons}
   * @param message a sentence that quotes no value
   */
  record Refused(String reason, String message) implements Delivery {}

  /**
   * Applies the keys of a binding to the data of its source.
   *
   * @param source which stays the caller's
   */
  static Delivery of(SecretData source, Target target) {
    Optional<Refused> problem = problem(target);
    if (problem.isPresent()) {
      return problem.get();
    }
    Map<String, byte[]> values = new HashMap<>();
    if (target.keys().isEmpty()) {
      source.keys().forEach(k -> values.put(k, source.get(k).clone()));
    }
    for (Key key : target.keys()) {
      try {
        values.put(key.name(), value(key, source));
      } catch (Template.MissingKey e) {
        return new Refused(
            Reasons.SOURCE_KEY_MISSING,
            "The key %s cannot be made: %s.".formatted(key.name(), e.getMessage()));
      } catch (Template.Malformed e) {
        return malformed(key, e);
      }
    }
    return checked(SecretData.takeOwnershipOf(values), target);
  }

  /** What is wrong with the keys of a binding, whatever its source holds; empty: nothing. */
  static Optional<Refused> problem(Target target) {
    Set<String> names = new HashSet<>();
    for (Key key : target.keys()) {
      if (!names.add(key.name())) {
        return Optional.of(
            new Refused(
                Reasons.KEY_CLASH,
                "spec.secret.keys names the key %s twice: remove one.".formatted(key.name())));
      }
      try {
        if (key.template() != null) {
          Template.parse(key.template());
        }
      } catch (Template.Malformed e) {
        return Optional.of(malformed(key, e));
      }
    }
    return Optional.empty();
  }

  private static Refused malformed(Key key, Template.Malformed e) {
    return new Refused(
        Reasons.TEMPLATE_INVALID,
        "The template of the key %s cannot be used: %s.".formatted(key.name(), e.getMessage()));
  }

  private static byte[] value(Key key, SecretData source) throws Template.Malformed {
    if (key.template() != null) {
      return Template.parse(key.template()).render(source);
    }
    byte[] value = source.get(key.from());
    if (value == null) {
      throw new Template.MissingKey(key.from());
    }
    return value.clone();
  }

  private static Delivery checked(SecretData data, Target target) {
    List<String> missing =
        target.type().requiredKeys().stream().filter(k -> !data.keys().contains(k)).toList();
    if (!missing.isEmpty()) {
      return new Refused(
          Reasons.SECRET_TYPE_MISMATCH,
          "A Secret of type %s needs the key %s: add it to spec.secret.keys or to the source."
              .formatted(target.type().value(), String.join(" and ", missing)));
    }
    if (data.size() > MAX_BYTES) {
      return new Refused(
          Reasons.SECRET_TOO_LARGE,
          "The values have %d bytes, and a Secret holds at most %d."
              .formatted(data.size(), MAX_BYTES));
    }
    return new Data(data);
  }
}
