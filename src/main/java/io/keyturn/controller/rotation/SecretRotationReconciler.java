package io.keyturn.controller.rotation;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Census;
import io.keyturn.controller.Epoch;
import io.keyturn.controller.EventRecorder;
import io.keyturn.controller.Executor;
import io.keyturn.controller.MetadataSource;
import io.keyturn.controller.NotDone;
import io.keyturn.controller.Nudge;
import io.keyturn.controller.ReconcileLog;
import io.keyturn.controller.Telemetry;
import io.keyturn.controller.Wake;
import io.keyturn.controller.rotation.RotationGatherer.Gathered;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Failure;
import io.keyturn.domain.rotation.Plan;
import io.keyturn.domain.rotation.RotationPlanner;
import io.keyturn.kubernetes.ApiServer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Takes a rotation one step further: writes its intent, or carries out the one that is written. */
@ApplicationScoped
@ControllerConfiguration(
    name = "secretrotation",
    generationAwareEventProcessing = false,
    triggerReconcilerOnAllEvents = true)
public class SecretRotationReconciler implements Reconciler<SecretRotation> {

  /** How long to wait before something is tried again that the API server has refused. */
  private static final Duration REFUSED = Duration.ofSeconds(30);

  private final RotationPlanner planner = new RotationPlanner();
  private final ApiServer api;
  private final RotationGatherer gatherer;
  private final Executor executor;
  private final EventRecorder events;
  private final MetadataSource metadata;
  private final Nudge nudge;
  private final Census census;
  private final Telemetry telemetry;
  private final Epoch epoch;
  private final Clock clock;
  private RotationIndex index;

  @Inject
  SecretRotationReconciler(
      ApiServer api,
      RotationGatherer gatherer,
      Executor executor,
      EventRecorder events,
      MetadataSource metadata,
      Nudge nudge,
      Census census,
      Telemetry telemetry,
      Epoch epoch,
      Clock clock) {
    this.api = api;
    this.gatherer = gatherer;
    this.executor = executor;
    this.events = events;
    this.metadata = metadata;
    this.nudge = nudge;
    this.census = census;
    this.telemetry = telemetry;
    this.epoch = epoch;
    this.clock = clock;
  }

  @Override
  public List<EventSource<?, SecretRotation>> prepareEventSources(
      EventSourceContext<SecretRotation> context) {
    census.ofRotations(context.getPrimaryCache());
    RotationEventSources sources = new RotationEventSources(context, metadata, nudge);
    lookUpIn(sources);
    return sources.all();
  }

  /** Where to look for what belongs to a rotation. */
  void lookUpIn(RotationIndex caches) {
    index = caches;
  }

  @Override
  public UpdateControl<SecretRotation> reconcile(
      SecretRotation cached, Context<SecretRotation> context) {
    return ended(cached) && !index.hasClone(cached)
        ? UpdateControl.noUpdate()
        : Wake.afterConflict(clock, () -> step(cached));
  }

  /**
   * Nothing follows an end, so even an old copy of it is right; there are many such records. But a
   * process that stood still may start a canary when others have taken it back.
   */
  private static boolean ended(SecretRotation rotation) {
    return rotation.getStatus().stage().terminal()
        && rotation.getStatus().conditions().stream()
            .noneMatch(c -> c.type().equals(Conditions.BLOCKED))
        && !rotation.getMetadata().getFinalizers().contains(Names.FINALIZER);
  }

  @Override
  public ErrorStatusUpdateControl<SecretRotation> updateErrorStatus(
      SecretRotation rotation, Context<SecretRotation> context, Exception e) {
    ReconcileLog.failed(rotation, e);
    return ErrorStatusUpdateControl.noStatusUpdate();
  }

  /** What was seen, and what follows. */
  private record Look(Gathered seen, Plan plan, Instant at) {

    private boolean begins() {
      return seen.rotation().getStatus().stage() == Stage.Pending
          && plan.journal().stage() == Stage.Staging;
    }
  }

  private Optional<Look> look(SecretRotation cached) {
    Optional<Look> look = gatherer.gather(cached).map(this::plan);
    return look.filter(Look::begins).isEmpty()
        ? look
        : gatherer.gatherToBegin(cached).map(this::plan);
  }

  private Look plan(Gathered seen) {
    Instant now = clock.instant();
    return new Look(seen, planner.plan(seen.observation(), now), now);
  }

  private UpdateControl<SecretRotation> step(SecretRotation cached) {
    Optional<Look> look = look(cached);
    if (look.isEmpty()) {
      return UpdateControl.noUpdate();
    }
    Gathered seen = look.get().seen();
    Plan plan = look.get().plan();
    if (epoch.superseded(seen.rotation().getStatus().epoch())) {
      ReconcileLog.superseded(seen.rotation());
      return Wake.at(Optional.of(clock.instant().plus(REFUSED)), clock);
    }
    if (!plan.journal().equals(seen.rotation().getStatus())) {
      journal(seen, plan, look.get().at());
      return Wake.now();
    }
    if (plan.effect().isEmpty()) {
      return Wake.at(plan.wakeAt(), clock);
    }
    Effect effect = plan.effect().get();
    Optional<Instant> turn = executor.turn(effect);
    if (turn.isPresent()) {
      return Wake.at(turn, clock);
    }
    try {
      return perform(effect, seen) ? Wake.now() : Wake.at(Optional.of(Wake.soon(clock)), clock);
    } catch (KubernetesClientException e) {
      if (!Wake.refused(e)) {
        throw e;
      }
      return failed(
          seen,
          effect,
          new Failure(Reasons.ACCESS_DENIED, effect.refusal(e.getCode()), false, REFUSED));
    } catch (NotDone e) {
      return failed(seen, effect, e.failure());
    }
  }

  private UpdateControl<SecretRotation> failed(Gathered seen, Effect effect, Failure failure) {
    Instant now = clock.instant();
    Plan plan = planner.failed(seen.observation(), now, effect, failure);
    if (!plan.journal().equals(seen.rotation().getStatus())) {
      journal(seen, plan, now);
    }
    return Wake.at(Optional.of(now.plus(failure.retryIn())), clock);
  }

  /** Writes the journal, on condition that nobody else has written; then tells people. */
  private void journal(Gathered seen, Plan plan, Instant now) {
    SecretRotation rotation = seen.rotation();
    Stage from = rotation.getStatus().stage();
    rotation.setStatus(plan.journal().writtenIn(epoch.current()));
    api.updateStatus(rotation);
    events.record(rotation, plan.findings(), plan.journal().workloads());
    if (seen.binding() != null) {
      events.record(seen.binding(), plan.findings(), plan.journal().workloads());
    }
    Stage to = plan.journal().stage();
    if (from != to) {
      telemetry.moved(rotation, from, now);
    }
    ReconcileLog.journaled(rotation, plan.findings());
  }

  private boolean perform(Effect effect, Gathered seen) {
    boolean done =
        executor.perform(
            effect,
            new Executor.Subject(
                seen.binding(),
                seen.rotation(),
                seen.rotation().getMetadata().getNamespace(),
                seen.aliasName(),
                seen.alias(),
                () -> unchanged(seen.rotation())));
    if (done) {
      ReconcileLog.performed(seen.rotation(), effect);
    }
    return done;
  }

  private boolean unchanged(SecretRotation seen) {
    SecretRotation now =
        api.read(
            SecretRotation.class, seen.getMetadata().getNamespace(), seen.getMetadata().getName());
    return now != null
        && now.getMetadata().getResourceVersion().equals(seen.getMetadata().getResourceVersion());
  }
}
