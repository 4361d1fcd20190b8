package io.keyturn.invariant;

import io.fabric8.kubernetes.api.model.Secret;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/** Every value that a Secret ever held, and how it stands. */
public final class Values {

  /** A shorter one is found anywhere by chance. */
  private static final int TELLING = 8;

  private final Set<String> telling = new HashSet<>();
  private final Set<String> proven = new HashSet<>();
  private final Set<String> unproven = new HashSet<>();
  private final Set<String> foreign = new HashSet<>();
  private final Map<String, Set<String>> bySnapshot = new HashMap<>();

  Values() {}

  /** The values of a Secret. */
  public static Set<String> of(Secret secret) {
    return secret == null || secret.getData() == null
        ? Set.of()
        : secret.getData().values().stream()
            .map(v -> new String(Base64.getDecoder().decode(v), StandardCharsets.UTF_8))
            .collect(Collectors.toSet());
  }

  /** A Secret holds values: no text may. */
  void seen(Secret secret) {
    of(secret).stream().filter(v -> v.length() >= TELLING).forEach(telling::add);
  }

  /** A snapshot holds a version. */
  void snapshot(Secret snapshot) {
    Set<String> values = of(snapshot);
    bySnapshot.put(snapshot.getMetadata().getName(), values);
    values.stream().filter(v -> !proven.contains(v) && !foreign.contains(v)).forEach(unproven::add);
  }

  /** An alias holds a version that was promoted to it. */
  void promoted(Secret alias) {
    proven.addAll(of(alias));
    unproven.removeAll(proven);
  }

  /** A person has written values into an alias. */
  void foreign(Secret alias) {
    foreign.addAll(of(alias));
    unproven.removeAll(foreign);
  }

  /** The values of a snapshot, also when it has gone. */
  Set<String> ofSnapshot(String name) {
    return bySnapshot.getOrDefault(Objects.toString(name), Set.of());
  }

  boolean areUnproven(Set<String> held) {
    return meet(held, unproven);
  }

  boolean areForeign(Set<String> held) {
    return meet(held, foreign);
  }

  boolean areIn(String text) {
    return telling.stream().anyMatch(text::contains);
  }

  static boolean meet(Set<String> one, Set<String> other) {
    return !Collections.disjoint(one, other);
  }
}
