package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/** Turns the time at which a plan wants to look again into what the framework understands. */
public final class Wake {

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

  /** Look again at once. */
  public static <P extends HasMetadata> UpdateControl<P> now() {
    return UpdateControl.<P>noUpdate().rescheduleAfter(Duration.ofMillis(1));
  }
}
