package io.keyturn.domain.binding;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.RotationPolicySpec.Retry;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Rotate;
import io.keyturn.api.v1alpha1.SecretBindingSpec.RotateReason;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.binding.BindingObservation.Rotation;
import io.keyturn.domain.binding.BindingObservation.Source;
import io.keyturn.domain.lease.Lease;
import io.keyturn.domain.schedule.InvalidSchedule;
import io.keyturn.domain.schedule.Timetable;
import io.keyturn.domain.schedule.Timetable.Start;
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
   * @param reportedAt when a compromise was found; null: it is none, or it is found now
   */
  record Now(Trigger trigger, String nonce, Instant reportedAt) implements Due {}

  /**
   * It will be time.
   *
   * @param at when
   * @param reason one of {@link Reasons}
   * @param message why then
   */
  record Later(Instant at, String reason, String message) implements Due {}

  /**
   * The schedule or a window of the policy cannot be followed; only people start rotations.
   *
   * @param message a sentence
   */
  record Unclear(String message) implements Due {}

  /** The source holds the value that was reported compromised, which nothing goes back to. */
  record Compromised() implements Due {}

  /** The value came during another rotation, and the policy forbids to follow up by itself. */
  record Forbidden() implements Due {}

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
   * @param next when the schedule asks for another one; empty: never
   */
  record Exhausted(int attempts, Optional<Start> next) implements Due {}

  /**
   * Decides for a binding that has a current version and no rotation under way.
   *
   * @param seen with a policy
   * @param now the time
   */
  static Due of(BindingObservation seen, Instant now) {
    Optional<String> nonce = unhandled(seen);
    Rotate asked = seen.spec().rotate();
    boolean compromise =
        nonce.isPresent()
            && asked != null
            && asked.reason() == RotateReason.Compromise
            && nonce.get().equals(asked.nonce());
    if (compromise) {
      // Whatever it waits for, there is a record that says so.
      return new Now(Trigger.Compromise, nonce.get(), asked.reportedAt());
    }
    Due due = asked(seen, nonce, now);
    Optional<Due> expiring = expiring(seen, now);
    return due instanceof Now wanted
        ? inTime(wanted, expiring)
        : expiring.filter(e -> comesFirst(e, due)).orElse(due);
  }

  /** What might not be over when the credential ends is done for that reason, whoever wants it. */
  private static Due inTime(Now wanted, Optional<Due> expiring) {
    boolean ends = expiring.filter(Now.class::isInstance).isPresent();
    return ends && wanted.trigger() != Trigger.Compromise
        ? new Now(Trigger.Expiring, wanted.nonce(), null)
        : wanted;
  }

  /** When the credential of the current version has to be replaced, because it ends for good. */
  private static Optional<Due> expiring(BindingObservation seen, Instant now) {
    Optional<Lease> lease = seen.lease();
    if (lease.isEmpty()) {
      return Optional.empty();
    }
    boolean dead = lease.get().dead(now);
    Optional<Instant> by = lease.get().rotateBy(seen.leadTime());
    if (dead || by.filter(at -> !now.isBefore(at)).isPresent()) {
      List<Rotation> streak =
          streak(seen).stream().filter(r -> r.trigger() == Trigger.Expiring).toList();
      Retry retry = seen.policy().orElseThrow().retry();
      return attempt(streak, retry, Trigger.Expiring, now)
          .or(() ->
              Optional.of(
                  keepTrying(
                      streak.getFirst().finishedAt().plus(Durations.parse(retry.maxBackoff())),
                      now)));
    }
    return by.map(at ->
        new Later(at, Reasons.EXPIRING, "the credential ends at %s".formatted(lease.get().end())));
  }

  /** What ends is not given up, however often it failed. */
  private static Due keepTrying(Instant at, Instant now) {
    return now.isBefore(at)
        ? new Later(at, Reasons.EXPIRING, "another attempt, because the credential ends")
        : new Now(Trigger.Expiring, null, null);
  }

  private static boolean comesFirst(Due expiring, Due other) {
    return expiring instanceof Now || (expiring instanceof Later mine && later(mine, other));
  }

  private static boolean later(Later mine, Due other) {
    return switch (other) {
      case Never() -> true;
      case Exhausted _ -> true;
      case Unclear _ -> true;
      case Later theirs -> mine.at().isBefore(theirs.at());
      default -> false;
    };
  }

  private static Due asked(BindingObservation seen, Optional<String> nonce, Instant now) {
    return switch (seen.source()) {
      case Source.Unavailable _ -> new Never();
      case Source.Value(String _, boolean current) when current ->
          nonce.<Due>map(Pointless::new).orElseGet(Never::new);
      case Source.Value(String _, boolean _) when nonce.isPresent() ->
          new Now(Trigger.Manual, nonce.get(), null);
      case Source.OnRequest() when nonce.isPresent() -> new Now(Trigger.Manual, nonce.get(), null);
      case Source.Value(String fingerprint, boolean _) -> changed(seen, fingerprint, now);
      case Source.OnRequest() -> scheduled(seen, now);
    };
  }

  private static Due changed(BindingObservation seen, String fingerprint, Instant now) {
    if (fingerprint.equals(seen.compromised())) {
      return new Compromised();
    }
    if (fingerprint.equals(seen.status().forbidden())) {
      return new Forbidden();
    }
    List<Rotation> streak =
        streak(seen).stream().filter(r -> fingerprint.equals(r.fingerprint())).toList();
    return attempt(streak, seen.policy().orElseThrow().retry(), Trigger.SourceChanged, now)
        .orElseGet(() -> new Exhausted(streak.size(), Optional.empty()));
  }

  private static Due scheduled(BindingObservation seen, Instant now) {
    RotationPolicySpec policy = seen.policy().orElseThrow();
    Timetable timetable;
    try {
      timetable = Timetable.of(policy, now);
    } catch (InvalidSchedule e) {
      return new Unclear(e.getMessage());
    }
    Instant since = seen.current().orElseThrow().since();
    // What failed for one due time does not count for the next one.
    List<Rotation> streak =
        streak(seen).stream()
            .takeWhile(r ->
                timetable
                    .occurrence(since, r.finishedAt(), seen.uid())
                    .map(now::isBefore)
                    .orElse(true))
            .toList();
    if (streak.isEmpty()) {
      return timetable.next(since, seen.uid(), now).map(s -> at(s, now)).orElseGet(Never::new);
    }
    return attempt(streak, policy.retry(), Trigger.Scheduled, now)
        .orElseGet(() ->
            new Exhausted(
                streak.size(),
                timetable
                    .occurrence(since, streak.getFirst().finishedAt(), seen.uid())
                    .map(t -> new Start(t, Reasons.SCHEDULED, "the next time of the schedule"))));
  }

  private static Due at(Start start, Instant now) {
    return now.isBefore(start.at())
        ? new Later(start.at(), start.reason(), start.message())
        : new Now(Trigger.Scheduled, null, null);
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

  /** The next attempt; empty if there is none. */
  private static Optional<Due> attempt(
      List<Rotation> streak, Retry retry, Trigger trigger, Instant now) {
    if (streak.isEmpty()) {
      return Optional.of(new Now(trigger, null, null));
    }
    Rotation last = streak.getFirst();
    // What began as an emergency stays one.
    Trigger again = last.trigger() == Trigger.Compromise ? Trigger.Compromise : trigger;
    if (streak.size() >= retry.maxAttempts() || last.stage() == Stage.Aborted) {
      return Optional.empty();
    }
    Duration longest = Durations.parse(retry.maxBackoff());
    Duration backoff =
        Durations.parse(retry.initialBackoff()).multipliedBy(1L << (streak.size() - 1));
    Instant at = last.finishedAt().plus(backoff.compareTo(longest) < 0 ? backoff : longest);
    return Optional.of(
        now.isBefore(at)
            ? new Later(at, Reasons.ROTATION_FAILED, "another attempt after the last one failed")
            : new Now(again, null, last.reportedAt()));
  }
}
