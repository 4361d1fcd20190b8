package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreKind;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.store.spi.Credential;
import java.time.Duration;
import java.time.Instant;
import java.time.format.DateTimeParseException;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;

/**
 * What is known of the credential of a version: annotations of its snapshot, written with it. The
 * alias has them, too, so that a lost snapshot can be written again.
 */
public final class Credentials {

  /** The annotations that say what a credential is; they stay as they are. */
  private static final Set<String> FIXED =
      Set.of(
          Names.CREDENTIAL,
          Names.CREDENTIAL_OWNER,
          Names.STORE,
          Names.ISSUED_AT,
          Names.EXPIRES_AT,
          Names.RENEWABLE,
          Names.HARD_EXPIRY,
          Names.SOURCE_REVISION);

  private Credentials() {}

  /**
   * A credential and what was done about it.
   *
   * @param store that issued it
   * @param credential as it was issued
   * @param disabledAt null: it is not disabled
   * @param revokedAt null: it was not revoked
   * @param refused whether it was shown that it is refused
   */
  public record Known(
      StoreRef store,
      Credential credential,
      Instant disabledAt,
      Instant revokedAt,
      boolean refused) {}

  /** The annotations of a new snapshot. */
  static Map<String, String> annotations(
      StoreRef store, Optional<Credential> credential, OptionalLong revision) {
    Map<String, String> annotations = new TreeMap<>();
    revision.ifPresent(r -> annotations.put(Names.SOURCE_REVISION, Long.toString(r)));
    credential.ifPresent(c -> {
      annotations.put(Names.CREDENTIAL, c.id());
      c.owner().ifPresent(o -> annotations.put(Names.CREDENTIAL_OWNER, o));
      annotations.put(Names.STORE, text(store));
      annotations.put(Names.ISSUED_AT, c.issuedAt().toString());
      c.expiresAt().ifPresent(at -> annotations.put(Names.EXPIRES_AT, at.toString()));
      annotations.put(Names.RENEWABLE, Boolean.toString(c.renewable()));
      c.hardExpiry().ifPresent(at -> annotations.put(Names.HARD_EXPIRY, at.toString()));
    });
    return annotations;
  }

  /** How the annotation {@link Names#STORE} names a store. */
  static String text(StoreRef store) {
    return store.kind() + "/" + store.name();
  }

  /** Those of the annotations of an object that say what its credential is. */
  static Map<String, String> annotations(ObjectMeta metadata) {
    Map<String, String> annotations = new TreeMap<>(all(metadata));
    annotations.keySet().retainAll(FIXED);
    return annotations;
  }

  /** Whether an annotation says what a credential is. */
  static boolean isOne(String annotation) {
    return FIXED.contains(annotation);
  }

  /** Which of its versions the source counted; empty: it does not count them. */
  public static OptionalLong revision(ObjectMeta metadata) {
    long revision = Names.number(all(metadata).get(Names.SOURCE_REVISION));
    return revision > 0 ? OptionalLong.of(revision) : OptionalLong.empty();
  }

  /**
   * The credential of a snapshot; empty if Keyturn did not issue it, or its annotations were edited
   * so that nobody can tell.
   */
  public static Optional<Known> of(ObjectMeta metadata) {
    Map<String, String> annotations = all(metadata);
    Optional<StoreRef> store = store(annotations.get(Names.STORE));
    Optional<Instant> issuedAt = instant(annotations.get(Names.ISSUED_AT));
    if (annotations.get(Names.CREDENTIAL) == null || store.isEmpty() || issuedAt.isEmpty()) {
      return Optional.empty();
    }
    Optional<Instant> expiresAt = instant(annotations.get(Names.EXPIRES_AT));
    return Optional.of(
        new Known(
            store.get(),
            new Credential(
                annotations.get(Names.CREDENTIAL),
                Optional.ofNullable(annotations.get(Names.CREDENTIAL_OWNER)),
                issuedAt.get(),
                expiresAt.map(at -> Duration.between(issuedAt.get(), at)),
                expiresAt,
                Boolean.parseBoolean(annotations.get(Names.RENEWABLE)),
                instant(annotations.get(Names.HARD_EXPIRY))),
            instant(annotations.get(Names.DISABLED_AT)).orElse(null),
            instant(annotations.get(Names.REVOKED_AT)).orElse(null),
            Boolean.parseBoolean(annotations.get(Names.REFUSED))));
  }

  /** The store that an object names as the one that issues; empty: none. */
  static Optional<StoreRef> store(ObjectMeta metadata) {
    return store(all(metadata).get(Names.STORE));
  }

  private static Optional<StoreRef> store(String text) {
    int slash = text == null ? -1 : text.indexOf('/');
    for (StoreKind kind : StoreKind.values()) {
      if (slash > 0 && kind.name().equals(text.substring(0, slash))) {
        return Optional.of(new StoreRef(kind, text.substring(slash + 1)));
      }
    }
    return Optional.empty();
  }

  private static Optional<Instant> instant(String text) {
    try {
      return Optional.ofNullable(text).map(Instant::parse);
    } catch (DateTimeParseException e) {
      return Optional.empty();
    }
  }

  private static Map<String, String> all(ObjectMeta metadata) {
    return Objects.requireNonNullElse(metadata.getAnnotations(), Map.of());
  }
}
