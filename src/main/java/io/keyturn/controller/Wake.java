package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;

/** Turns the time at which a plan wants to look again into what the framework understands. */
public final class Wake {

  private static final int UNPROCESSABLE = 422;
  private static final Duration SOON = Duration.ofSeconds(1);

  private Wake() {}

  /** When to look again after something did not work out. */
  public static Instant soon(Clock clock) {
    return clock.instant().plus(SOON);
  }

  /** Look again at a time, or only when something happens. */
  public static <P extends HasMetadata> UpdateControl<P> at(Optional<Instant> time, Clock clock) {
    UpdateControl<P> control = UpdateControl.noUpdate();
    time.map(t -> Duration.between(clock.instant(), t))
        .map(d -> d.isPositive() ? d : Duration.ofMillis(1))
        .ifPresent(control::rescheduleAfter);
    return control;
  }

  /**
   * Takes a step; a conflict means that the world has changed since it was looked at, so look
   * again.
   */
  public static <P extends HasMetadata> UpdateControl<P> afterConflict(
      Clock clock, Supplier<UpdateControl<P>> step) {
    try {
      return step.get();
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
        return at(Optional.of(soon(clock)), clock);
      }
      throw e;
    }
  }

  /** Whether the API server refuses a write for good: by its roles, its policies or its rules. */
  public static boolean refused(KubernetesClientException e) {
    return e.getCode() == HttpURLConnection.HTTP_FORBIDDEN
        || e.getCode() == HttpURLConnection.HTTP_BAD_REQUEST
        || e.getCode() == UNPROCESSABLE;
  }

  /** Look again at once. */
  public static <P extends HasMetadata> UpdateControl<P> now() {
    return UpdateControl.<P>noUpdate().rescheduleAfter(Duration.ofMillis(1));
  }
}
