package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Stream;

/**
 * In which order a process that begins to act looks at the bindings. It looks at each of them once,
 * and nearly all are found at rest; rotations under way and what has changed while nobody acted
 * would wait behind thousands of them. So whatever seems to rest lets the others go first.
 */
@ApplicationScoped
public class FirstLooks {

  /** A leader that was killed is followed, and all bindings are looked at, in less. */
  private static final Duration LATELY = Duration.ofMinutes(1);

  private final Clock clock;
  private final Map<String, Instant> changes = new LinkedHashMap<>();
  private final Set<String> begun = new HashSet<>();
  private Instant end = Instant.MAX;

  /** Tells the time by the given clock. */
  @Inject
  public FirstLooks(Clock clock) {
    this.clock = clock;
  }

  /** A watch has brought another version of a Secret. */
  public synchronized void changed(HasMetadata secret) {
    Instant now = clock.instant();
    if (now.isAfter(end)) {
      return;
    }
    String key = key(secret, secret.getMetadata().getName());
    changes.remove(key);
    changes.put(key, now);
    forgetUntil(now.minus(LATELY));
  }

  /** They are in the order of their times. */
  private void forgetUntil(Instant time) {
    var oldest = changes.values().iterator();
    while (oldest.hasNext() && oldest.next().isBefore(time)) {
      oldest.remove();
    }
  }

  /** Whether a binding whose turn it is goes to the end of the queue, once. */
  public synchronized boolean letsOthersGoFirst(SecretBinding binding) {
    Instant now = clock.instant();
    if (end.equals(Instant.MAX)) {
      end = now.plus(LATELY);
    }
    if (now.isAfter(end)) {
      begun.clear();
      changes.clear();
      return false;
    }
    return begun.add(binding.getMetadata().getUid())
        && rests(binding, now)
        && secrets(binding).noneMatch(changes::containsKey);
  }

  private static Stream<String> secrets(SecretBinding binding) {
    var upstream = binding.getSpec().source().secret();
    return Stream.of(binding.alias(), upstream == null ? null : upstream.name())
        .filter(Objects::nonNull)
        .map(name -> key(binding, name));
  }

  private static boolean rests(SecretBinding binding, Instant now) {
    SecretBindingStatus status = binding.getStatus();
    boolean due = status.nextRotationTime() != null && !now.isBefore(status.nextRotationTime());
    return !due
        && status.activeRotation() == null
        && binding.getMetadata().getDeletionTimestamp() == null
        && Objects.equals(binding.getMetadata().getGeneration(), status.observedGeneration())
        && Objects.equals(request(binding), status.lastHandledRequest())
        && status.conditions().stream()
            .anyMatch(
                c -> c.type().equals(Conditions.READY) && c.status() == Condition.Status.True);
  }

  private static String request(SecretBinding binding) {
    Map<String, String> annotations = binding.getMetadata().getAnnotations();
    return annotations == null ? null : annotations.get(Names.ROTATE);
  }

  private static String key(HasMetadata object, String name) {
    return object.getMetadata().getNamespace() + "/" + name;
  }
}
