package io.keyturn.domain.binding;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.RotationPolicySpec.Retry;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.binding.BindingObservation.Rotation;
import io.keyturn.domain.binding.BindingObservation.Source;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Is it time to rotate, and why? */
public sealed interface Due {

  /** Nothing asks for a rotation. */
  record Never() implements Due {}

  /**
   * It is time.
   *
   * @param trigger why
   * @param nonce the request; null: none
   */
  record Now(Trigger trigger, String nonce) implements Due {}

  /**
   * It will be time.
   *
   * @param at when
   * @param trigger why
   */
  record Later(Instant at, Trigger trigger) implements Due {}

  /**
   * A person asked, and there is nothing to rotate to.
   *
   * @param nonce the request
   */
  record Pointless(String nonce) implements Due {}

  /**
   * A value failed as often as the policy allows, or was taken back by a person.
   *
   * @param attempts how often it was tried
   */
  record Exhausted(int attempts) implements Due {}

  /**
   * Decides for a binding that has a current version and no rotation under way.
   *
   * @param seen with a policy
   * @param now the time
   */
  static Due of(BindingObservation seen, Instant now) {
    RotationPolicySpec policy = seen.policy().orElseThrow();
    Optional<String> nonce = unhandled(seen);
    return switch (seen.source()) {
      case Source.Unavailable _ -> new Never();
      case Source.Value(String _, boolean current) when current ->
          nonce.<Due>map(Pointless::new).orElseGet(Never::new);
      case Source.Value(String fingerprint, boolean _) -> {
        List<Rotation> streak =
            streak(seen).stream().filter(r -> fingerprint.equals(r.fingerprint())).toList();
        yield nonce.isPresent()
            ? new Now(Trigger.Manual, nonce.get())
            : attempt(streak, policy.retry(), Trigger.SourceChanged, now);
      }
      case Source.OnRequest() -> {
        if (nonce.isPresent()) {
          yield new Now(Trigger.Manual, nonce.get());
        }
        List<Rotation> streak = streak(seen);
        yield streak.isEmpty()
            ? scheduled(seen, policy, now)
            : attempt(streak, policy.retry(), Trigger.Scheduled, now);
      }
    };
  }

  /** The request to rotate that nobody has served yet; one that comes with the first version is. */
  static Optional<String> unhandled(BindingObservation seen) {
    if (seen.status().current() == null) {
      return Optional.empty();
    }
    String nonce = seen.spec().rotate() == null ? null : seen.spec().rotate().nonce();
    if (nonce != null && !nonce.equals(seen.status().lastHandledNonce()) && !served(nonce, seen)) {
      return Optional.of(nonce);
    }
    String request = seen.request();
    boolean open =
        request != null
            && !request.equals(seen.status().lastHandledRequest())
            && !served(request, seen);
    return open ? Optional.of(request) : Optional.empty();
  }

  private static boolean served(String nonce, BindingObservation seen) {
    return seen.rotations().stream().anyMatch(r -> nonce.equals(r.nonce()));
  }

  /** The failed and aborted rotations since the last one that ended well, newest first. */
  private static List<Rotation> streak(BindingObservation seen) {
    return seen.ended().stream()
        .takeWhile(r -> r.stage() != Stage.Complete)
        .filter(r -> r.stage() != Stage.Superseded)
        .toList();
  }

  private static Due attempt(List<Rotation> streak, Retry retry, Trigger trigger, Instant now) {
    if (streak.isEmpty()) {
      return new Now(trigger, null);
    }
    Rotation last = streak.getFirst();
    if (streak.size() >= retry.maxAttempts() || last.stage() == Stage.Aborted) {
      return new Exhausted(streak.size());
    }
    Duration longest = Durations.parse(retry.maxBackoff());
    Duration backoff =
        Durations.parse(retry.initialBackoff()).multipliedBy(1L << (streak.size() - 1));
    Instant at = last.finishedAt().plus(backoff.compareTo(longest) < 0 ? backoff : longest);
    return now.isBefore(at) ? new Later(at, trigger) : new Now(trigger, null);
  }

  private static Due scheduled(BindingObservation seen, RotationPolicySpec policy, Instant now) {
    String every = policy.schedule().every();
    if (every == null) {
      return new Never();
    }
    Instant at = seen.current().orElseThrow().since().plus(Durations.parse(every));
    return now.isBefore(at) ? new Later(at, Trigger.Scheduled) : new Now(Trigger.Scheduled, null);
  }
}
