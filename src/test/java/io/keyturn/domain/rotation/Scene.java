package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.RotationPolicySpec.CanaryStrategy;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Approval;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.CanaryPod;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Failure;
import io.keyturn.domain.rotation.Observation.Alias;
import io.keyturn.domain.rotation.Observation.Canary;
import io.keyturn.domain.rotation.Observation.CheckJob;
import io.keyturn.domain.rotation.Observation.Credential;
import io.keyturn.domain.rotation.Observation.OfStore;
import io.keyturn.domain.rotation.Observation.Pod;
import io.keyturn.domain.rotation.Observation.Queue;
import io.keyturn.domain.rotation.Observation.Reading;
import io.keyturn.domain.rotation.Observation.Source;
import io.keyturn.domain.rotation.Observation.Users;
import io.keyturn.domain.rotation.Observation.Wishes;
import io.keyturn.domain.rotation.Observation.Workload;
import io.keyturn.testing.Policies;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A small world for the planner: workloads, an alias, a source. It carries out effects at once and
 * keeps the journal, so that a test can play a rotation step by step and interfere where it likes.
 */
final class Scene {

  static final Instant START = Instant.parse("2026-11-24T12:00:00Z");
  static final String FROM = "payments-db-v6-00000006";
  static final String TO = "payments-db-v7-00000007";
  static final String TO_ID = "v7-00000007";

  /** A Deployment of the scene. */
  static final class Service {
    String uid = "uid-1";
    String hash = "base";
    String annotation = "v6-00000006";
    Instant annotatedAt;
    String owner;
    String changedBy = "kubectl-rollout";
    boolean exists = true;
    int replicas = 2;
    int wave;
    String unsettled;
    String stuck;
    boolean available = true;
    boolean rollsOut = true;
    boolean everAnnotated;
    String obstacle;
    String cloneHash;
    boolean cloneReady = true;
    int restarts;
    boolean crashLooping;
    String pod = "pod-1";
    Instant readySince = START;
    String unschedulable;
    String trouble;
    int terminating;
    int oldPods;
  }

  private final RotationPlanner planner = new RotationPlanner();
  final Map<String, Service> services = new LinkedHashMap<>();
  final List<Effect> effects = new ArrayList<>();
  final List<Stage> stages = new ArrayList<>();
  Instant now = START;
  SecretRotationStatus journal = SecretRotationStatus.EMPTY;
  RotationPolicySpec policy = RotationPolicySpec.BUILT_IN;
  Source source = new Source.Fresh(true);
  List<String> snapshots = new ArrayList<>();
  Alias.Content alias = Alias.Content.From;
  Instant aliasSince = START.minusSeconds(3600);
  String holder;
  List<Reading> readings = new ArrayList<>();
  CheckJob checkJob = CheckJob.ABSENT;
  List<Approval> approvals = new ArrayList<>();
  int ahead;
  OfStore store = OfStore.NONE;
  boolean delivered = true;
  Overlap overlap = Overlap.Full;
  Credential going = Credential.NONE;
  String twin;
  Instant replaceBy;
  boolean fromEnded;
  boolean stale;
  Instant reportedAt;
  boolean compromised;
  Trigger trigger = Trigger.SourceChanged;
  Instant currentSince = START.minus(Duration.ofDays(1));
  List<String> users = List.of();
  boolean canariesRun;
  boolean snapshotNeeded;
  boolean released;
  boolean noted = true;
  boolean fromLost;
  boolean abort;
  boolean hold;
  boolean suspended;
  boolean deleted;
  boolean bindingGone;
  boolean namespaceGone;
  boolean foreign;

  Scene(String... names) {
    for (String name : names) {
      services.put(name, new Service());
    }
  }

  static Scene of(String... names) {
    return new Scene(names);
  }

  Service service(String name) {
    return services.get(name);
  }

  Stage stage() {
    return journal.stage();
  }

  Scene policy(CanaryStrategy strategy, int maxParallel, RotationPolicySpec.OnFailure onFailure) {
    return policy(
        "{canary: {strategy: %s}, promotion: {maxParallel: %d, onFailure: %s}}"
            .formatted(strategy, maxParallel, onFailure));
  }

  Scene policy(String yaml) {
    policy = Policies.policy(yaml);
    return this;
  }

  /** Plans once, and writes the journal or carries out the effect. */
  Plan step() {
    Plan plan = planner.plan(observe(), now);
    if (!plan.journal().equals(journal)) {
      if (plan.journal().stage() != journal.stage()) {
        stages.add(plan.journal().stage());
      }
      journal = plan.journal();
    } else {
      plan.effect().ifPresent(this::perform);
    }
    return plan;
  }

  /** Plans up to the next effect, which is not done, and writes down why. */
  Plan fail(Failure failure) {
    Plan next = planner.plan(observe(), now);
    while (next.effect().isEmpty()) {
      if (next.journal().equals(journal)) {
        throw new AssertionError("no effect is planned in " + stage());
      }
      step();
      next = planner.plan(observe(), now);
    }
    Plan plan = planner.failed(observe(), now, next.effect().get(), failure);
    if (plan.journal().stage() != journal.stage()) {
      stages.add(plan.journal().stage());
    }
    journal = plan.journal();
    return plan;
  }

  /** Its versions are issued by a store, which can end them, and perhaps disable them before. */
  Scene issued(boolean disablable) {
    going = new Credential(true, disablable, null, null, false);
    return this;
  }

  /** Steps until nothing happens by itself any more. */
  Scene settle() {
    for (int i = 0; i < 200; i++) {
      SecretRotationStatus before = journal;
      int done = effects.size();
      step();
      if (journal.equals(before) && effects.size() == done) {
        return this;
      }
    }
    throw new AssertionError("the planner never rests: " + effects);
  }

  Scene after(Duration time) {
    now = now.plus(time);
    return this;
  }

  /** Plays until a stage is reached, letting time pass where the planner waits. */
  Scene until(Stage wanted) {
    for (int i = 0; i < 400 && stage() != wanted; i++) {
      SecretRotationStatus before = journal;
      int done = effects.size();
      Plan plan = step();
      if (journal.equals(before) && effects.size() == done) {
        now = plan.wakeAt().filter(now::isBefore).orElse(now.plusSeconds(1));
      }
    }
    if (stage() != wanted) {
      throw new AssertionError("stuck in " + stage() + ": " + journal.message());
    }
    return this;
  }

  private void perform(Effect effect) {
    effects.add(effect);
    switch (effect) {
      case Effect.CreateSnapshot _ -> {
        snapshots.add(TO);
        source = new Source.Candidate();
      }
      case Effect.WriteAlias(VersionRef version, boolean _) -> {
        alias = version.snapshot().equals(TO) ? Alias.Content.To : Alias.Content.From;
        aliasSince = now;
      }
      case Effect.RestoreSnapshot(VersionRef version) -> snapshots.add(version.snapshot());
      case Effect.StartCanary start -> {
        Service service = service(start.workload().name());
        service.cloneHash = start.workload().baseTemplateHash();
        service.pod = "pod-" + effects.size();
        service.restarts = 0;
        service.readySince = now;
      }
      case Effect.StopCanary(var workload) -> service(workload.name()).cloneHash = null;
      case Effect.Annotate annotate -> {
        Service service = service(annotate.name());
        service.annotation = annotate.versionId();
        service.annotatedAt = now;
        service.everAnnotated |= TO_ID.equals(annotate.versionId());
      }
      case Effect.StartCheck _ -> checkJob = new CheckJob(Optional.of("it runs"), Optional.empty());
      case Effect.StopCheck _ -> checkJob = CheckJob.ABSENT;
      case Effect.DeleteSnapshot(String name) -> snapshots.remove(name);
      case Effect.Disable _ ->
          going = new Credential(going.revocable(), going.disablable(), now, null, false);
      case Effect.Enable _ ->
          going = new Credential(going.revocable(), going.disablable(), null, null, false);
      case Effect.Revoke(String name, boolean _) when name.equals(twin) -> twin = null;
      case Effect.Revoke _ ->
          going =
              new Credential(going.revocable(), going.disablable(), going.disabledAt(), now, true);
      case Effect.Release() -> released = true;
      default -> throw new AssertionError("no effect of a rotation: " + effect);
    }
  }

  Observation observe() {
    return new Observation(
        "payments-db-7",
        1L,
        "uid-of-the-rotation",
        "payments-db",
        7,
        trigger,
        stale,
        START,
        reportedAt,
        journal,
        new Wishes(
            abort, hold, suspended, deleted, bindingGone, namespaceGone, foreign, compromised),
        policy,
        1L,
        delivered ? Optional.of(new VersionRef(6, FROM)) : Optional.empty(),
        Optional.of(currentSince),
        source,
        overlap,
        going,
        Optional.ofNullable(replaceBy),
        fromEnded,
        List.copyOf(snapshots),
        Optional.ofNullable(twin),
        new Alias(alias, aliasSince, alias == Alias.Content.Foreign ? "not ours" : null),
        fromLost,
        journal.to() != null
            && journal.to().snapshot() != null
            && !snapshots.contains(journal.to().snapshot()),
        services.entrySet().stream().map(e -> workload(e.getKey(), e.getValue())).toList(),
        new Queue(Optional.ofNullable(holder), ahead, store),
        List.copyOf(readings),
        checkJob,
        List.copyOf(approvals),
        new Users(users, canariesRun ? List.of("a-canary-1") : List.of(), snapshotNeeded),
        released,
        noted,
        Duration.ofSeconds(2));
  }

  private Workload workload(String name, Service s) {
    Optional<Canary> canary =
        Optional.ofNullable(s.cloneHash)
            .map(hash ->
                new Canary(
                    hash,
                    pods(s),
                    Optional.ofNullable(s.unschedulable),
                    Optional.ofNullable(s.trouble)));
    if (!s.exists) {
      return Workload.gone(WorkloadKind.Deployment, name, s.uid, canary);
    }
    boolean onTarget = TO_ID.equals(s.annotation) && s.rollsOut;
    return new Workload(
        WorkloadKind.Deployment,
        name,
        s.uid,
        s.wave,
        true,
        s.replicas,
        s.hash,
        s.annotation,
        s.annotatedAt,
        s.everAnnotated,
        s.changedBy,
        s.owner,
        s.unsettled,
        s.available,
        s.rollsOut && s.stuck == null,
        Optional.ofNullable(s.stuck),
        onTarget ? s.replicas : 0,
        onTarget ? s.oldPods : s.replicas,
        Optional.ofNullable(s.obstacle),
        canary);
  }

  /** The canary pods of a service, after those that are on their way out. */
  private static List<Pod> pods(Service s) {
    List<Pod> pods = new ArrayList<>();
    for (int i = 0; i < s.terminating; i++) {
      pods.add(new Pod(new CanaryPod("leaving-" + i, 9, null), false, true, true));
    }
    CanaryPod facts = new CanaryPod(s.pod, s.restarts, s.cloneReady ? s.readySince : null);
    pods.add(new Pod(facts, s.cloneReady, false, s.crashLooping));
    return pods;
  }

  /** The names of the effects so far, with what they concern. */
  List<String> did() {
    return effects.stream()
        .map(e ->
            switch (e) {
              case Effect.Annotate a -> "annotate " + a.name() + " " + a.versionId();
              case Effect.WriteAlias w -> "alias " + Names.versionIdOf(w.version().snapshot());
              case Effect.StartCanary s -> "start canary of " + s.workload().name();
              case Effect.StopCanary s -> "stop canary of " + s.workload().name();
              case Effect.StartCheck(var check) -> "start check " + check.name();
              case Effect.StopCheck(var check) -> "stop check " + check.name();
              case Effect.CreateSnapshot _ -> "create snapshot";
              case Effect.DeleteSnapshot _ -> "delete snapshot";
              case Effect.RestoreSnapshot _ -> "restore snapshot";
              case Effect.Release _ -> "release";
              case Effect.Disable(String snapshot) -> "disable " + Names.versionIdOf(snapshot);
              case Effect.Enable(String snapshot) -> "enable " + Names.versionIdOf(snapshot);
              case Effect.Revoke(String snapshot, boolean sessions) ->
                  "revoke %s%s"
                      .formatted(Names.versionIdOf(snapshot), sessions ? " and its sessions" : "");
              default -> e.toString();
            })
        .toList();
  }
}
