package io.keyturn.controller.binding;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.controller.Census;
import io.keyturn.controller.EventRecorder;
import io.keyturn.controller.Executor;
import io.keyturn.controller.FirstLooks;
import io.keyturn.controller.MetadataSource;
import io.keyturn.controller.NotDone;
import io.keyturn.controller.Nudge;
import io.keyturn.controller.ReconcileLog;
import io.keyturn.controller.Wake;
import io.keyturn.controller.binding.BindingGatherer.Gathered;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Failure;
import io.keyturn.domain.binding.BindingPlan;
import io.keyturn.domain.binding.BindingPlanner;
import io.keyturn.kubernetes.ApiServer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Delivers a bound secret, keeps the alias right, and starts rotations. */
@ApplicationScoped
@ControllerConfiguration(name = "secretbinding", generationAwareEventProcessing = false)
public class SecretBindingReconciler implements Reconciler<SecretBinding> {

  /** Effects in one go; each is followed by a new look, and a hundred would be a bug. */
  private static final int MAX_EFFECTS = 10;

  /** How long to wait before something is tried again that the API server has refused. */
  private static final Duration REFUSED = Duration.ofSeconds(30);

  /** How soon to look again whether an old snapshot may go. */
  private static final Duration IN_USE = Duration.ofSeconds(30);

  private final BindingPlanner planner = new BindingPlanner();
  private final ApiServer api;
  private final BindingGatherer gatherer;
  private final Executor executor;
  private final EventRecorder events;
  private final MetadataSource metadata;
  private final Nudge nudge;
  private final Census census;
  private final FirstLooks firstLooks;
  private final Clock clock;
  private BindingIndex index;

  @Inject
  SecretBindingReconciler(
      ApiServer api,
      BindingGatherer gatherer,
      Executor executor,
      EventRecorder events,
      MetadataSource metadata,
      Nudge nudge,
      Census census,
      FirstLooks firstLooks,
      Clock clock) {
    this.api = api;
    this.gatherer = gatherer;
    this.executor = executor;
    this.events = events;
    this.metadata = metadata;
    this.nudge = nudge;
    this.census = census;
    this.firstLooks = firstLooks;
    this.clock = clock;
  }

  @Override
  public List<EventSource<?, SecretBinding>> prepareEventSources(
      EventSourceContext<SecretBinding> context) {
    census.ofBindings(context.getPrimaryCache());
    BindingEventSources sources = new BindingEventSources(context, metadata, nudge);
    lookUpIn(sources);
    return sources.all();
  }

  /** Where to look for what belongs to a binding. */
  void lookUpIn(BindingIndex caches) {
    index = caches;
  }

  @Override
  public UpdateControl<SecretBinding> reconcile(
      SecretBinding cached, Context<SecretBinding> context) {
    return firstLooks.letsOthersGoFirst(cached)
        ? Wake.now()
        : Wake.afterConflict(clock, () -> step(cached));
  }

  @Override
  public ErrorStatusUpdateControl<SecretBinding> updateErrorStatus(
      SecretBinding binding, Context<SecretBinding> context, Exception e) {
    ReconcileLog.failed(binding, e);
    return ErrorStatusUpdateControl.noStatusUpdate();
  }

  private UpdateControl<SecretBinding> step(SecretBinding cached) {
    for (int effects = 0; effects < MAX_EFFECTS; effects++) {
      Optional<Gathered> gathered =
          gatherer.gather(
              cached.getMetadata().getNamespace(), cached.getMetadata().getName(), index);
      if (gathered.isEmpty()) {
        return UpdateControl.noUpdate();
      }
      Gathered seen = gathered.get();
      BindingPlan plan = planner.plan(seen.observation(), clock.instant());
      if (plan.effect().isPresent() && !gatherer.knowsAllRotations(seen)) {
        return Wake.at(Optional.of(Wake.soon(clock)), clock);
      }
      Optional<Instant> turn = plan.effect().flatMap(executor::turn);
      if (turn.isPresent()) {
        return Wake.at(turn, clock);
      }
      try {
        if (plan.effect().isPresent() && perform(plan.effect().get(), seen)) {
          events.record(seen.binding(), plan.findings());
          continue;
        }
      } catch (KubernetesClientException e) {
        if (!Wake.refused(e)) {
          throw e;
        }
        return failed(
            seen,
            new Failure(
                Reasons.ACCESS_DENIED,
                plan.effect().orElseThrow().refusal(e.getCode()),
                false,
                REFUSED));
      } catch (NotDone e) {
        return failed(seen, e.failure());
      }
      report(seen, plan);
      seen.observation()
          .rotations()
          .forEach(r -> nudge.send(seen.binding().getMetadata().getNamespace(), r));
      return plan.effect().isPresent()
          ? Wake.at(Optional.of(again(plan.effect().get())), clock)
          : rest(seen, plan);
    }
    return Wake.at(Optional.of(Wake.soon(clock)), clock);
  }

  private UpdateControl<SecretBinding> failed(Gathered seen, Failure failure) {
    BindingPlan plan = planner.failed(seen.observation(), clock.instant(), failure);
    report(seen, plan);
    return Wake.at(plan.wakeAt(), clock);
  }

  /** What was written may lead to more; mostly it does not, and nothing needs to be read again. */
  private UpdateControl<SecretBinding> rest(Gathered seen, BindingPlan written) {
    BindingPlan next = planner.plan(seen.observation().with(written.status()), clock.instant());
    return next.effect().isEmpty() && next.status().equals(written.status())
        ? Wake.at(next.wakeAt(), clock)
        : Wake.now();
  }

  /** Pods may keep a snapshot in use for days; anything else that did not work out is over soon. */
  private Instant again(Effect effect) {
    return effect instanceof Effect.DeleteSnapshot
        ? clock.instant().plus(IN_USE)
        : Wake.soon(clock);
  }

  private boolean perform(Effect effect, Gathered seen) {
    SecretBinding binding = seen.binding();
    boolean done =
        executor.perform(
            effect,
            new Executor.Subject(
                binding,
                null,
                binding.getMetadata().getNamespace(),
                binding.alias(),
                seen.alias(),
                () -> gatherer.knowsAllRotations(seen)));
    if (done) {
      ReconcileLog.performed(binding, effect);
    }
    return done;
  }

  /** Writes the status if it says anything new, on condition that nobody else has written. */
  private void report(Gathered seen, BindingPlan plan) {
    SecretBinding binding = seen.binding();
    if (plan.status().equals(binding.getStatus())) {
      return;
    }
    binding.setStatus(plan.status());
    api.updateStatus(binding);
    ReconcileLog.reported(binding, plan.findings());
    if (plan.effect().isEmpty()) {
      events.record(binding, plan.findings());
    }
  }
}
