package io.keyturn.controller.rotation;

import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.RotationPolicy;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Rotate;
import io.keyturn.api.v1alpha1.SecretBindingSpec.RotateReason;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretBindingStatus.LastRotation;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Candidates;
import io.keyturn.controller.Credentials;
import io.keyturn.controller.KubeletLag;
import io.keyturn.controller.LeaseBook;
import io.keyturn.controller.VersionUsers;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.domain.lease.Lease;
import io.keyturn.domain.rotation.Observation;
import io.keyturn.domain.rotation.Observation.Alias;
import io.keyturn.domain.rotation.Observation.CheckJob;
import io.keyturn.domain.rotation.Observation.Credential;
import io.keyturn.domain.rotation.Observation.Queue;
import io.keyturn.domain.rotation.Observation.Source;
import io.keyturn.domain.rotation.Observation.Users;
import io.keyturn.domain.rotation.Observation.Wishes;
import io.keyturn.domain.rotation.PreflightWatch;
import io.keyturn.gate.PreflightJobs;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.SecretWriter;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.workload.deployment.Deployments;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * Reads what a rotation depends on, and only what its stage asks for: from the API server and not
 * from a cache, but for the others that it has to wait for, see {@link Holders#known}. The alias is
 * read before the journal: a write of the alias that follows from an old journal then fails.
 */
@ApplicationScoped
class RotationGatherer {

  private static final Set<Stage> ASKS_SOURCE =
      EnumSet.of(
          Stage.Pending,
          Stage.Staging,
          Stage.Preflight,
          Stage.Canary,
          Stage.Baking,
          Stage.Retiring,
          Stage.Discarding);
  private static final Set<Stage> ASKS_SNAPSHOTS = EnumSet.of(Stage.Staging, Stage.Discarding);
  private static final Set<Stage> ASKS_ALIAS =
      EnumSet.of(Stage.Promoting, Stage.RollingBack, Stage.Discarding);
  private static final Set<Stage> ASKS_USERS =
      EnumSet.of(Stage.Retiring, Stage.Disabling, Stage.Revoking, Stage.Discarding);
  private static final Set<Stage> NEEDS_SNAPSHOT =
      EnumSet.of(Stage.Preflight, Stage.Canary, Stage.Baking, Stage.Promoting);
  private static final Set<Stage> ASKS_CHECKS = EnumSet.of(Stage.Preflight, Stage.RollingBack);

  private final ApiServer api;
  private final SecretWriter secrets;
  private final Candidates candidates;
  private final Deployments deployments;
  private final RotationValues values;
  private final RotationWorkloads workloads;
  private final Holders holders;
  private final VersionUsers users;
  private final Readings readings;
  private final PreflightJobs checks;
  private final LeaseBook book;
  private final KubeletLag kubeletLag;

  @Inject
  RotationGatherer(
      ApiServer api,
      SecretWriter secrets,
      Candidates candidates,
      Deployments deployments,
      RotationValues values,
      RotationWorkloads workloads,
      Holders holders,
      VersionUsers users,
      Readings readings,
      PreflightJobs checks,
      LeaseBook book,
      KubeletLag kubeletLag) {
    this.api = api;
    this.secrets = secrets;
    this.candidates = candidates;
    this.deployments = deployments;
    this.values = values;
    this.workloads = workloads;
    this.holders = holders;
    this.users = users;
    this.readings = readings;
    this.checks = checks;
    this.book = book;
    this.kubeletLag = kubeletLag;
  }

  /**
   * What was seen, and the objects that writes are conditional on.
   *
   * @param observation for the planner
   * @param rotation as it is on the API server
   * @param binding null if it has gone
   * @param aliasName name of the Secret that the workloads refer to
   * @param alias null if there is none
   */
  record Gathered(
      Observation observation,
      SecretRotation rotation,
      SecretBinding binding,
      String aliasName,
      Secret alias) {}

  /** Enough to wait, but not to begin; empty if the rotation has gone. */
  Optional<Gathered> gather(SecretRotation cached) {
    return gather(cached, holders::known);
  }

  /** The same, and nobody whom a rotation has to wait for is missed. */
  Optional<Gathered> gatherToBegin(SecretRotation cached) {
    return gather(cached, holders::now);
  }

  /** How it is found whom a rotation has to wait for. */
  private interface Wait {

    Queue of(SecretRotation rotation, SecretBinding binding, Collection<Deployment> workloads);
  }

  private Optional<Gathered> gather(SecretRotation cached, Wait queue) {
    String namespace = cached.getMetadata().getNamespace();
    SecretBinding binding =
        api.read(SecretBinding.class, namespace, cached.getSpec().bindingRef().name());
    String aliasName = aliasName(cached, binding);
    Secret alias = aliasName == null ? null : secrets.read(namespace, aliasName);
    SecretRotation rotation =
        api.read(SecretRotation.class, namespace, cached.getMetadata().getName());
    if (rotation == null) {
      return Optional.empty();
    }
    SecretBinding owner = owns(binding, rotation) ? binding : null;
    Observation seen = observe(rotation, owner, aliasName, alias, queue);
    return Optional.of(new Gathered(seen, rotation, owner, aliasName, alias));
  }

  /** The journal knows it, too, when the binding has gone. */
  private static String aliasName(SecretRotation rotation, SecretBinding binding) {
    if (binding != null) {
      return binding.alias();
    }
    VersionRef from = rotation.getStatus().from();
    return from == null
        ? null
        : from.snapshot()
            .substring(
                0, from.snapshot().length() - Names.versionIdOf(from.snapshot()).length() - 1);
  }

  private static boolean owns(SecretBinding binding, SecretRotation rotation) {
    return binding != null
        && binding.getMetadata().getDeletionTimestamp() == null
        && rotation.controlledBy(binding.getMetadata().getUid());
  }

  private Observation observe(
      SecretRotation rotation, SecretBinding binding, String aliasName, Secret alias, Wait queue) {
    SecretRotationStatus journal = rotation.getStatus();
    Stage stage = journal.stage();
    Optional<RotationPolicy> policy = policy(binding);
    RotationPolicySpec spec =
        policy
            .map(RotationPolicy::getSpec)
            .orElse(Objects.requireNonNullElse(journal.policy(), RotationPolicySpec.BUILT_IN));
    Optional<VersionRef> current = current(journal, binding);
    List<Secret> made = ASKS_SNAPSHOTS.contains(stage) ? made(rotation, binding) : List.of();
    Overlap overlap = binding == null ? Overlap.Full : overlap(binding);
    Collection<Deployment> asked =
        stage == Stage.Pending && binding != null ? deployments.select(binding) : List.of();
    Instant createdAt = Instant.parse(rotation.getMetadata().getCreationTimestamp());
    return new Observation(
        rotation.getMetadata().getName(),
        rotation.getMetadata().getGeneration(),
        rotation.getMetadata().getUid(),
        aliasName,
        Names.versionOfRotation(rotation.getMetadata().getName()),
        rotation.getSpec().trigger(),
        stage == Stage.Pending && binding != null && used(rotation, binding),
        createdAt,
        Objects.requireNonNullElse(rotation.getSpec().reportedAt(), createdAt),
        journal,
        wishes(rotation, binding, spec),
        spec,
        policy.map(p -> p.getMetadata().getGeneration()).orElse(null),
        current,
        Optional.ofNullable(binding).map(b -> b.getStatus().current()).map(c -> c.since()),
        ASKS_SOURCE.contains(stage) && binding != null
            ? values.source(binding, policy.isEmpty(), journal, current)
            : new Source.Fresh(false),
        overlap,
        stage.retires() || stage == Stage.Discarding ? going(rotation) : Credential.NONE,
        stage.retires() ? replaceBy(rotation, binding, spec) : Optional.empty(),
        (stage == Stage.Pending || stage == Stage.Promoting)
            && current.filter(c -> ended(c, rotation, binding)).isPresent(),
        made.stream().map(s -> s.getMetadata().getName()).sorted().toList(),
        stage == Stage.Discarding ? twin(rotation, made) : Optional.empty(),
        ASKS_ALIAS.contains(stage)
            ? values.alias(rotation, binding, alias)
            : new Alias(Alias.Content.From, null, null),
        stage == Stage.RollingBack && lost(journal.from(), rotation),
        NEEDS_SNAPSHOT.contains(stage) && lost(journal.to(), rotation),
        stage == Stage.Pending
            ? workloads.asked(asked, binding, aliasName)
            : workloads.planned(rotation, binding, aliasName, alias),
        stage == Stage.Pending && binding != null
            ? queue.of(rotation, binding, asked)
            : Queue.EMPTY,
        readings.of(rotation, aliasName),
        ASKS_CHECKS.contains(stage) ? checkJob(rotation) : CheckJob.ABSENT,
        rotation.getSpec().approvals(),
        users(rotation, binding, overlap, aliasName, alias),
        !rotation.getMetadata().getFinalizers().contains(Names.FINALIZER),
        noted(rotation, binding),
        kubeletLag.value());
  }

  /** The user may say that it is worse than the store knows, and never that it is better. */
  private Overlap overlap(SecretBinding binding) {
    Overlap said = binding.getSpec().source().overlap();
    Overlap known = candidates.capabilities(binding).overlap();
    boolean worse = said == Overlap.None || (said == Overlap.Slots && known == Overlap.Full);
    return worse ? said : known;
  }

  /** The credential of the version that retires, or that is discarded. */
  private Credential going(SecretRotation rotation) {
    SecretRotationStatus journal = rotation.getStatus();
    VersionRef version = journal.stage() == Stage.Discarding ? journal.to() : journal.from();
    return Optional.ofNullable(version)
        .map(VersionRef::snapshot)
        .map(n -> secrets.read(rotation.getMetadata().getNamespace(), n))
        .map(this::credential)
        .orElse(Credential.NONE);
  }

  private Credential credential(Secret snapshot) {
    return Credentials.of(snapshot.getMetadata())
        .map(k -> {
          Capabilities can =
              candidates.capabilities(snapshot.getMetadata().getNamespace(), k.store());
          return new Credential(
              can.revoke(), can.disable(), k.disabledAt(), k.revokedAt(), k.refused());
        })
        .orElse(Credential.NONE);
  }

  private Optional<String> twin(SecretRotation rotation, List<Secret> made) {
    VersionRef to = rotation.getStatus().to();
    return made.stream()
        .filter(s -> to == null || !s.getMetadata().getName().equals(to.snapshot()))
        .filter(s -> credential(s).alive())
        .map(s -> s.getMetadata().getName())
        .findFirst();
  }

  private boolean ended(VersionRef version, SecretRotation rotation, SecretBinding binding) {
    return lease(version, rotation, binding).filter(book::dead).isPresent();
  }

  /** When the version that is current by now has to be replaced. */
  private Optional<Instant> replaceBy(
      SecretRotation rotation, SecretBinding binding, RotationPolicySpec policy) {
    Duration leadTime = Durations.parse(policy.schedule().leadTime());
    return lease(rotation.getStatus().to(), rotation, binding).flatMap(l -> l.rotateBy(leadTime));
  }

  private Optional<Lease> lease(
      VersionRef version, SecretRotation rotation, SecretBinding binding) {
    Secret snapshot = secrets.read(rotation.getMetadata().getNamespace(), version.snapshot());
    if (snapshot == null) {
      return Optional.empty();
    }
    return Credentials.of(snapshot.getMetadata())
        .flatMap(k ->
            book.lease(
                snapshot.getMetadata(), k, binding == null ? null : binding.getStatus(), true));
  }

  private Users users(
      SecretRotation rotation,
      SecretBinding binding,
      Overlap overlap,
      String aliasName,
      Secret alias) {
    SecretRotationStatus journal = rotation.getStatus();
    boolean needsSlot =
        journal.stage() == Stage.Pending
            && overlap == Overlap.Slots
            && binding != null
            && binding.getStatus().current() != null;
    if (needsSlot) {
      return new Users(
          users.ofEarlier(binding, binding.getStatus().current(), alias), List.of(), false);
    }
    return asksUsers(journal) ? users.of(rotation, aliasName, alias) : Users.NONE;
  }

  /** A promotion says at its end who is left, and it does not end while a workload waits. */
  private static boolean asksUsers(SecretRotationStatus journal) {
    boolean ending =
        journal.stage() == Stage.Promoting
            && journal.workloads().stream().noneMatch(w -> w.state() == WorkloadState.Waiting);
    return ending || ASKS_USERS.contains(journal.stage());
  }

  private CheckJob checkJob(SecretRotation rotation) {
    return PreflightWatch.next(rotation.getStatus())
        .filter(c -> c.job() != null)
        .map(c ->
            switch (checks.observe(rotation, c)) {
              case PreflightJobs.State.Absent() -> CheckJob.ABSENT;
              case PreflightJobs.State.Running(String message) ->
                  new CheckJob(Optional.of(message), Optional.empty());
              case PreflightJobs.State.Ended(Measurement measurement) ->
                  new CheckJob(Optional.empty(), Optional.of(measurement));
            })
        .orElse(CheckJob.ABSENT);
  }

  /** Whether the number of a new rotation is that of one that has ended, or is current. */
  private static boolean used(SecretRotation rotation, SecretBinding binding) {
    Current current = binding.getStatus().current();
    long version = Names.versionOfRotation(rotation.getMetadata().getName());
    return noted(rotation, binding) || (current != null && current.version() >= version);
  }

  private static boolean noted(SecretRotation rotation, SecretBinding binding) {
    if (binding == null) {
      return true;
    }
    LastRotation last = binding.getStatus().lastRotation();
    return last != null
        && Names.versionOfRotation(last.name())
            >= Names.versionOfRotation(rotation.getMetadata().getName());
  }

  private Wishes wishes(SecretRotation rotation, SecretBinding binding, RotationPolicySpec policy) {
    boolean deleted = rotation.getMetadata().getDeletionTimestamp() != null;
    return new Wishes(
        rotation.getSpec().abort(),
        rotation.getSpec().hold(),
        policy.suspend() || (binding != null && binding.getSpec().suspend()),
        deleted,
        binding == null,
        deleted && namespaceGone(rotation.getMetadata().getNamespace()),
        !rotation.startedByKeyturn(),
        binding != null && compromised(rotation, binding));
  }

  /** Whether a compromise was reported that neither this rotation nor one before it serves. */
  private static boolean compromised(SecretRotation rotation, SecretBinding binding) {
    Rotate asked = binding.getSpec().rotate();
    Map<String, String> annotations = rotation.getMetadata().getAnnotations();
    return asked != null
        && asked.reason() == RotateReason.Compromise
        && !asked.nonce().equals(binding.getStatus().lastHandledNonce())
        && !asked.nonce().equals(annotations == null ? null : annotations.get(Names.ROTATE));
  }

  private boolean namespaceGone(String name) {
    Namespace namespace = api.read(Namespace.class, null, name);
    return namespace == null || namespace.getMetadata().getDeletionTimestamp() != null;
  }

  /** Empty if the binding names a policy that does not exist. */
  private Optional<RotationPolicy> policy(SecretBinding binding) {
    if (binding == null) {
      return Optional.empty();
    }
    if (binding.getSpec().rotationPolicyRef() == null) {
      RotationPolicy builtIn = new RotationPolicy();
      builtIn.setSpec(RotationPolicySpec.BUILT_IN);
      return Optional.of(builtIn);
    }
    return Optional.ofNullable(
        api.read(
            RotationPolicy.class,
            binding.getMetadata().getNamespace(),
            binding.getSpec().rotationPolicyRef().name()));
  }

  private static Optional<VersionRef> current(SecretRotationStatus journal, SecretBinding binding) {
    if (journal.from() != null) {
      return Optional.of(journal.from());
    }
    return Optional.ofNullable(binding)
        .map(b -> b.getStatus().current())
        .map(c -> new VersionRef(c.version(), c.snapshot()));
  }

  /** Those that this attempt has made; one of the same version by another attempt is not ours. */
  private List<Secret> made(SecretRotation rotation, SecretBinding binding) {
    if (binding == null && rotation.getStatus().to() == null) {
      return List.of();
    }
    return secrets
        .snapshots(
            rotation.getMetadata().getNamespace(),
            rotation.getSpec().bindingRef().name(),
            Names.versionOfRotation(rotation.getMetadata().getName()))
        .stream()
        .filter(s ->
            rotation.getMetadata().getUid().equals(SecretWriter.annotations(s).get(Names.TOKEN)))
        .toList();
  }

  private boolean lost(VersionRef version, SecretRotation rotation) {
    return version != null
        && version.snapshot() != null
        && secrets.read(rotation.getMetadata().getNamespace(), version.snapshot()) == null;
  }
}
