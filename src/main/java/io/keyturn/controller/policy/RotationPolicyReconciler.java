package io.keyturn.controller.policy;

import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicy;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.RotationPolicyStatus;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.controller.ReconcileLog;
import io.keyturn.controller.Wake;
import io.keyturn.domain.schedule.Timetable;
import io.keyturn.domain.status.ConditionSet;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.kubernetes.TrimmedStore;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Says in the status of a policy whether it can be followed, and what the bindings do that use it:
 * once a minute, for all of them together, so that their rotations cost no more writes.
 */
@ApplicationScoped
@ControllerConfiguration(name = "rotationpolicy")
public class RotationPolicyReconciler implements Reconciler<RotationPolicy> {

  private static final String BY_POLICY = "policy";

  private static final Duration LOOK_AGAIN = Duration.ofMinutes(1);

  private final ApiServer api;
  private final Clock clock;
  private InformerEventSource<SecretBinding, RotationPolicy> bindings;

  @Inject
  RotationPolicyReconciler(ApiServer api, Clock clock) {
    this.api = api;
    this.clock = clock;
  }

  @Override
  public List<EventSource<?, RotationPolicy>> prepareEventSources(
      EventSourceContext<RotationPolicy> context) {
    bindings =
        new InformerEventSource<>(
            InformerEventSourceConfiguration.from(SecretBinding.class, RotationPolicy.class)
                .withName("bindings")
                .withSecondaryToPrimaryMapper(
                    b -> policyOf(b).map(RotationPolicyReconciler::id).collect(Collectors.toSet()))
                .withOnUpdateFilter(
                    (now, before) -> !policyOf(now).toList().equals(policyOf(before).toList()))
                .withNamespacesInheritedFromController()
                .withItemStore(
                    TrimmedStore.unlessShared(
                        new TrimmedStore<>(RotationPolicyReconciler::reference),
                        context.getControllerConfiguration().getEffectiveNamespaces()))
                .withInformerListLimit(500L)
                .build(),
            context);
    bindings.addIndexers(Map.of(BY_POLICY, b -> policyOf(b).toList()));
    return List.of(bindings);
  }

  @Override
  public UpdateControl<RotationPolicy> reconcile(
      RotationPolicy policy, Context<RotationPolicy> context) {
    return Wake.afterConflict(clock, () -> report(policy));
  }

  private UpdateControl<RotationPolicy> report(RotationPolicy policy) {
    String key = policy.getMetadata().getNamespace() + "/" + policy.getMetadata().getName();
    RotationPolicyStatus status = status(policy, bindings.byIndex(BY_POLICY, key));
    if (!status.equals(policy.getStatus())) {
      RotationPolicy written =
          api.read(
              RotationPolicy.class,
              policy.getMetadata().getNamespace(),
              policy.getMetadata().getName());
      if (written != null) {
        written.setStatus(status);
        api.updateStatus(written);
      }
    }
    return UpdateControl.<RotationPolicy>noUpdate().rescheduleAfter(LOOK_AGAIN);
  }

  @Override
  public ErrorStatusUpdateControl<RotationPolicy> updateErrorStatus(
      RotationPolicy policy, Context<RotationPolicy> context, Exception e) {
    ReconcileLog.failed(policy, e);
    return ErrorStatusUpdateControl.noStatusUpdate();
  }

  private RotationPolicyStatus status(RotationPolicy policy, List<SecretBinding> users) {
    Long generation = policy.getMetadata().getGeneration();
    ConditionSet set =
        new ConditionSet(policy.getStatus().conditions(), generation, clock.instant());
    schedule(set, policy.getSpec());
    if (policy.getSpec().suspend()) {
      set.isTrue(Conditions.SUSPENDED, Reasons.SUSPENDED, "Rotations rest while suspend is true.");
    } else {
      set.isFalse(Conditions.SUSPENDED, Reasons.NOT_SUSPENDED, "Rotations do not rest.");
    }
    return new RotationPolicyStatus(
        generation,
        set.toList(),
        users.size(),
        (int) users.stream().filter(b -> b.getStatus().activeRotation() != null).count(),
        users.stream()
            .map(b -> b.getStatus().nextRotationTime())
            .filter(Objects::nonNull)
            .min(Comparator.naturalOrder())
            .orElse(null));
  }

  private void schedule(ConditionSet set, RotationPolicySpec spec) {
    Optional<String> problem = Timetable.problem(spec, clock.instant());
    if (problem.isPresent()) {
      String sentence =
          "Nothing that uses the policy rotates by itself: %s.".formatted(problem.get());
      set.isFalse(Conditions.READY, Reasons.INVALID_SCHEDULE, sentence);
      set.isFalse(Conditions.SCHEDULE_FEASIBLE, Reasons.INVALID_SCHEDULE, sentence);
      set.isTrue(Conditions.STALLED, Reasons.INVALID_SCHEDULE, sentence);
      return;
    }
    set.isTrue(Conditions.READY, Reasons.READY, "The policy can be used.");
    Optional<String> narrow = new Timetable(spec).infeasible(clock.instant());
    if (narrow.isPresent()) {
      set.isFalse(Conditions.SCHEDULE_FEASIBLE, Reasons.INFEASIBLE, narrow.get());
    } else {
      set.isTrue(
          Conditions.SCHEDULE_FEASIBLE,
          Reasons.FEASIBLE,
          "No window keeps a rotation beyond its deadline.");
    }
  }

  /** All that is needed of a binding here: its name, that of its policy, and what it does. */
  private static SecretBinding reference(SecretBinding binding) {
    SecretBinding reference = new SecretBinding();
    reference.getMetadata().setNamespace(binding.getMetadata().getNamespace());
    reference.getMetadata().setName(binding.getMetadata().getName());
    reference.getMetadata().setUid(binding.getMetadata().getUid());
    reference.getMetadata().setResourceVersion(binding.getMetadata().getResourceVersion());
    reference.setSpec(
        new SecretBindingSpec(
            null, null, null, null, binding.getSpec().rotationPolicyRef(), null, null));
    SecretBindingStatus status = binding.getStatus();
    reference.setStatus(
        new SecretBindingStatus(
            null,
            null,
            null,
            null,
            null,
            status.activeRotation(),
            null,
            null,
            null,
            status.nextRotationTime(),
            null,
            null,
            null,
            null,
            null,
            null));
    return reference;
  }

  private static Stream<String> policyOf(SecretBinding binding) {
    return Stream.ofNullable(binding.getSpec().rotationPolicyRef())
        .map(r -> binding.getMetadata().getNamespace() + "/" + r.name());
  }

  private static ResourceID id(String key) {
    int slash = key.indexOf('/');
    return new ResourceID(key.substring(slash + 1), key.substring(0, slash));
  }
}
