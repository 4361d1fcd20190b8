package io.keyturn.controller.binding;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.RotationPolicy;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretBindingStatus.WorkloadVersion;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.controller.Adoption;
import io.keyturn.controller.Candidates;
import io.keyturn.controller.Candidates.Candidate;
import io.keyturn.controller.Credentials;
import io.keyturn.controller.LeaseBook;
import io.keyturn.domain.Effect;
import io.keyturn.domain.binding.BindingObservation;
import io.keyturn.domain.binding.BindingObservation.Alias;
import io.keyturn.domain.binding.BindingObservation.Rotation;
import io.keyturn.domain.binding.BindingObservation.Snapshot;
import io.keyturn.domain.binding.BindingObservation.Source;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.Delivery;
import io.keyturn.secret.Fingerprint;
import io.keyturn.secret.SecretData;
import io.keyturn.secret.SecretWriter;
import io.keyturn.workload.PodUsage;
import io.keyturn.workload.deployment.Deployments;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Reads what a binding depends on. Values are read by name, compared, and dropped. The alias is
 * read before the rotations: if one of those moves it in between, the write that follows fails.
 */
@ApplicationScoped
class BindingGatherer {

  /** How many workloads a status names: selectors may select thousands. */
  private static final int MAX_WORKLOADS = 64;

  private final ApiServer api;
  private final SecretWriter secrets;
  private final Fingerprint fingerprint;
  private final Candidates candidates;
  private final Adoption adoption;
  private final Deployments deployments;
  private final WorkloadVersions versions;
  private final BindingLeases leases;
  private final LeaseBook book;

  @Inject
  BindingGatherer(
      ApiServer api,
      SecretWriter secrets,
      Fingerprint fingerprint,
      Candidates candidates,
      Adoption adoption,
      Deployments deployments,
      WorkloadVersions versions,
      BindingLeases leases,
      LeaseBook book) {
    this.api = api;
    this.secrets = secrets;
    this.fingerprint = fingerprint;
    this.candidates = candidates;
    this.adoption = adoption;
    this.deployments = deployments;
    this.versions = versions;
    this.leases = leases;
    this.book = book;
  }

  /**
   * What was seen, and the alias that a write may be conditional on.
   *
   * @param observation for the planner
   * @param binding as it is on the API server
   * @param alias null if there is none
   * @param rotations names of those that the cache knew
   */
  record Gathered(
      BindingObservation observation, SecretBinding binding, Secret alias, Set<String> rotations) {}

  /** Empty if the binding has gone, or is going. */
  Optional<Gathered> gather(String namespace, String name, BindingIndex index) {
    SecretBinding binding = api.read(SecretBinding.class, namespace, name);
    if (binding == null || binding.getMetadata().getDeletionTimestamp() != null) {
      return Optional.empty();
    }
    Secret alias = secrets.read(namespace, binding.alias());
    List<SecretRotation> known = index.rotations(binding);
    List<SecretRotation> rotations = rotations(binding, known);
    Optional<String> predecessor = predecessor(binding, known);
    List<GenericKubernetesResource> snapshots = index.snapshots(binding);
    Optional<Current> current =
        predecessor.isPresent() ? Optional.empty() : current(binding, alias, rotations, snapshots);
    Optional<Secret> snapshot =
        current.map(c -> secrets.read(namespace, c.snapshot())).filter(Objects::nonNull);
    Map<String, String> held =
        snapshot.map(Secret::getData).orElse(alias == null ? Map.of() : alias.getData());
    Optional<Candidate> candidate = candidates.look(binding);
    Optional<Delivery> delivery = candidate.map(Candidate::delivery);
    try (SecretData currentData = SecretData.decode(held)) {
      Source source = source(binding, candidate, currentData, snapshot);
      return Optional.of(
          new Gathered(
              observation(
                  binding,
                  index,
                  rotations,
                  predecessor,
                  snapshots,
                  current,
                  snapshot.isPresent(),
                  alias(binding, alias, current, snapshot.isPresent(), currentData, delivery),
                  source,
                  alias),
              binding,
              alias,
              known.stream().map(r -> r.getMetadata().getName()).collect(Collectors.toSet())));
    } finally {
      data(delivery).ifPresent(SecretData::close);
    }
  }

  /**
   * Whether a cache knew all rotations that there are now. One of which it had not heard may own
   * the alias, and nothing that was decided without it may be done.
   */
  boolean knowsAllRotations(Gathered seen) {
    ObjectMeta binding = seen.binding().getMetadata();
    return api
        .list(
            SecretRotation.class,
            binding.getNamespace(),
            ApiServer.labelled(Map.of(Names.BINDING, Names.label(binding.getName()))))
        .stream()
        .filter(r -> r.getSpec().bindingRef().name().equals(binding.getName()))
        .allMatch(r -> seen.rotations().contains(r.getMetadata().getName()));
  }

  private BindingObservation observation(
      SecretBinding binding,
      BindingIndex index,
      List<SecretRotation> rotations,
      Optional<String> predecessor,
      List<GenericKubernetesResource> snapshots,
      Optional<Current> current,
      boolean currentSnapshotExists,
      Alias content,
      Source source,
      Secret alias) {
    List<String> missing = new ArrayList<>();
    List<Deployment> workloads = workloads(binding, missing);
    List<Rotation> summaries = rotations.stream().map(RotationSummary::of).toList();
    boolean moving =
        summaries.stream().anyMatch(r -> !r.stage().terminal() && !r.stage().promoted());
    List<Effect.Annotate> latecomers = new ArrayList<>();
    List<WorkloadVersion> receivers =
        current.isEmpty() || moving
            ? binding.getStatus().workloads()
            : workloads.stream()
                .limit(MAX_WORKLOADS)
                .map(d -> versions.of(d, binding, current.get(), rotations, alias, latecomers))
                .toList();
    Optional<RotationPolicySpec> policy = policy(binding);
    Optional<SecretRotation> active =
        rotations.stream().filter(r -> !r.getStatus().stage().terminal()).findFirst();
    List<String> earlierUsers =
        active.isEmpty() ? leases.earlierUsers(binding, alias, snapshots, current) : List.of();
    return new BindingObservation(
        binding.getMetadata().getName(),
        binding.getMetadata().getUid(),
        binding.getMetadata().getGeneration(),
        binding.getSpec(),
        request(binding),
        binding.alias(),
        binding.getStatus(),
        takenBy(binding, index),
        policy,
        source,
        current,
        currentSnapshotExists,
        content,
        withUse(
            known(snapshots),
            policy,
            summaries.stream().anyMatch(r -> r.trigger() == Trigger.Compromise),
            binding.getMetadata().getNamespace()),
        summaries,
        predecessor,
        takenVersions(binding, index),
        receivers,
        missing,
        unowned(binding, alias, snapshots),
        leases.of(binding, snapshots, current, active, earlierUsers),
        earlierUsers,
        candidates.nextLook(binding),
        latecomers);
  }

  /**
   * Those that may still move are read live: a cache may not know yet that they moved the alias.
   */
  private List<SecretRotation> rotations(SecretBinding binding, List<SecretRotation> known) {
    return known.stream()
        .filter(r -> ownedBy(r, binding))
        .map(r ->
            r.getStatus().stage().terminal()
                ? r
                : api.read(
                    SecretRotation.class,
                    r.getMetadata().getNamespace(),
                    r.getMetadata().getName()))
        .filter(Objects::nonNull)
        .toList();
  }

  /** A new binding must not take the alias up while somebody still moves it. */
  private static Optional<String> predecessor(SecretBinding binding, List<SecretRotation> known) {
    return binding.getStatus().current() != null
        ? Optional.empty()
        : known.stream()
            .filter(r -> !ownedBy(r, binding) && r.startedByKeyturn())
            .filter(r -> !r.getStatus().stage().terminal())
            .map(r -> r.getMetadata().getName())
            .findFirst();
  }

  /** A rotation that a person made under a name that Keyturn would give is in the way of it. */
  private static List<Long> takenVersions(SecretBinding binding, BindingIndex index) {
    return index.rotations(binding).stream()
        .filter(r -> !ownedBy(r, binding))
        .map(r -> Names.versionOfRotation(r.getMetadata().getName()))
        .toList();
  }

  private static boolean ownedBy(SecretRotation rotation, SecretBinding binding) {
    return rotation.getMetadata().getOwnerReferences().stream()
        .anyMatch(o -> o.getUid().equals(binding.getMetadata().getUid()));
  }

  /** The version that was promoted last, or else what the alias of a predecessor holds. */
  private Optional<Current> current(
      SecretBinding binding,
      Secret alias,
      List<SecretRotation> rotations,
      List<GenericKubernetesResource> snapshots) {
    Optional<Current> known = Optional.ofNullable(binding.getStatus().current());
    Optional<Current> promoted =
        rotations.stream()
            .map(SecretRotation::getStatus)
            .filter(s -> s.stage().promoted())
            .max(Comparator.comparingLong(s -> s.to().version()))
            .map(s -> new Current(s.to().version(), s.to().snapshot(), heldSince(s, alias)));
    if (promoted.isPresent()
        && known.map(k -> k.version() < promoted.get().version()).orElse(true)) {
      return promoted;
    }
    return known.or(() -> inherited(binding, alias, snapshots));
  }

  private static Instant heldSince(SecretRotationStatus status, Secret alias) {
    boolean holds =
        alias != null
            && Long.toString(status.to().version())
                .equals(SecretWriter.labels(alias).get(Names.VERSION))
            && SecretWriter.annotations(alias).containsKey(Names.SINCE);
    return holds ? Adoption.heldSince(alias) : status.timeline().promotedAt();
  }

  private Optional<Current> inherited(
      SecretBinding binding, Secret alias, List<GenericKubernetesResource> snapshots) {
    if (alias == null || !SecretWriter.isOurs(alias, binding)) {
      return Optional.empty();
    }
    try (SecretData data = SecretData.decode(alias.getData())) {
      String held = fingerprint.of(data);
      long version = versionOf(alias, held, snapshots);
      return Optional.of(
          new Current(
              version, Names.snapshot(binding.alias(), version, held), Adoption.heldSince(alias)));
    }
  }

  /**
   * Where somebody has changed the label, the snapshot of the same value tells, or a new number.
   */
  private long versionOf(Secret alias, String held, List<GenericKubernetesResource> snapshots) {
    long labelled = Names.number(SecretWriter.labels(alias).get(Names.VERSION));
    if (labelled > 0) {
      return labelled;
    }
    List<Snapshot> known = known(snapshots);
    return known.stream()
        .filter(s -> held.equals(Names.fingerprintOf(s.name())))
        .mapToLong(Snapshot::version)
        .max()
        .orElseGet(() -> known.stream().mapToLong(Snapshot::version).max().orElse(0) + 1);
  }

  private Source source(
      SecretBinding binding,
      Optional<Candidate> candidate,
      SecretData current,
      Optional<Secret> snapshot) {
    if (candidate.isPresent()
        && candidate.get().delivery() instanceof Delivery.Refused(String reason, String message)) {
      return new Source.Unavailable(reason, message, candidate.get().retryIn());
    }
    if (candidates.capabilities(binding).makesValues()) {
      return new Source.OnRequest();
    }
    SecretData data = data(candidate.map(Candidate::delivery)).orElseThrow();
    return wentBack(candidate.get().revision(), snapshot)
        .orElseGet(() -> new Source.Value(fingerprint.of(data), data.sameAs(current)));
  }

  /**
   * A store that counts its versions and holds an older one than is delivered was restored from a
   * backup: nobody rotates back to what it held then.
   */
  private static Optional<Source> wentBack(OptionalLong revision, Optional<Secret> snapshot) {
    OptionalLong delivered =
        snapshot.map(s -> Credentials.revision(s.getMetadata())).orElse(OptionalLong.empty());
    return revision.isPresent()
            && delivered.isPresent()
            && revision.getAsLong() < delivered.getAsLong()
        ? Optional.of(
            new Source.Unavailable(
                Reasons.SOURCE_WENT_BACK,
                ("The source holds its version %d, and version %d of it is delivered: it was restored"
                        + " from a backup. Write the value there again.")
                    .formatted(revision.getAsLong(), delivered.getAsLong())))
        : Optional.empty();
  }

  private static Optional<SecretData> data(Optional<Delivery> delivery) {
    return delivery.filter(Delivery.Data.class::isInstance).map(d -> ((Delivery.Data) d).data());
  }

  private Alias alias(
      SecretBinding binding,
      Secret alias,
      Optional<Current> current,
      boolean snapshotExists,
      SecretData currentData,
      Optional<Delivery> delivery) {
    if (alias == null) {
      return new Alias(Alias.Content.Missing, null);
    }
    SecretData wanted = data(delivery).orElse(null);
    Optional<String> obstacle = adoption.obstacle(alias, binding, wanted);
    if (!SecretWriter.isOurs(alias, binding)) {
      return obstacle.isPresent() || current.isPresent()
          ? new Alias(
              Alias.Content.Foreign,
              obstacle.orElse(
                  "The labels of Keyturn were taken off the Secret %s, so it stays untouched."
                      .formatted(binding.alias())))
          : new Alias(Alias.Content.Adoptable, null);
    }
    if (current.isEmpty()) {
      return new Alias(Alias.Content.Adoptable, null);
    }
    try (SecretData data = SecretData.decode(alias.getData())) {
      boolean same =
          snapshotExists
              ? data.sameAs(currentData)
              : fingerprint.of(data).equals(Names.fingerprintOf(current.get().snapshot()));
      boolean labelled =
          Long.toString(current.get().version())
                  .equals(SecretWriter.labels(alias).get(Names.VERSION))
              && SecretWriter.labels(alias)
                  .entrySet()
                  .containsAll(binding.getSpec().secret().labels().entrySet());
      // Without its snapshot a version cannot be written again; the labels follow when it is back.
      return new Alias(
          same && (labelled || !snapshotExists) ? Alias.Content.Current : Alias.Content.Other,
          null);
    }
  }

  /**
   * By their names, which stay, whatever people write on labels; copies under others are not ours.
   */
  private List<Snapshot> known(List<GenericKubernetesResource> snapshots) {
    return snapshots.stream()
        .map(s -> s.getMetadata())
        .map(m ->
            new Snapshot(
                m.getName(),
                Names.versionOfSnapshot(m.getName()),
                BindingLeases.alive(m) ? book.revokeFrom(m) : null,
                false))
        .filter(s -> s.version() > 0)
        .toList();
  }

  private List<Snapshot> withUse(
      List<Snapshot> known,
      Optional<RotationPolicySpec> policy,
      boolean compromise,
      String namespace) {
    boolean tooMany =
        policy.isPresent() && known.size() > 1 + policy.get().retirement().keepSnapshots();
    if (!tooMany && !compromise) {
      return known;
    }
    List<Pod> pods = api.list(Pod.class, namespace, null);
    List<Deployment> asking = api.list(Deployment.class, namespace, null);
    return known.stream()
        .map(s ->
            new Snapshot(
                s.name(),
                s.version(),
                s.revokeFrom(),
                pods.stream().anyMatch(p -> PodUsage.refers(p, s.name()))
                    || asking.stream().anyMatch(d -> Deployments.refers(d, s.name()))))
        .toList();
  }

  private Optional<RotationPolicySpec> policy(SecretBinding binding) {
    if (binding.getSpec().rotationPolicyRef() == null) {
      return Optional.of(RotationPolicySpec.BUILT_IN);
    }
    return Optional.ofNullable(
            api.read(
                RotationPolicy.class,
                binding.getMetadata().getNamespace(),
                binding.getSpec().rotationPolicyRef().name()))
        .map(RotationPolicy::getSpec);
  }

  /** Of two bindings with one alias the older wins; of the same age the one whose name is first. */
  private Optional<String> takenBy(SecretBinding binding, BindingIndex index) {
    Comparator<SecretBinding> age =
        Comparator.comparing((SecretBinding b) -> b.getMetadata().getCreationTimestamp())
            .thenComparing(b -> b.getMetadata().getName());
    return index.bindingsOf(binding.getMetadata().getNamespace(), binding.alias()).stream()
        .filter(b -> !b.getMetadata().getUid().equals(binding.getMetadata().getUid()))
        .filter(b -> age.compare(b, binding) < 0)
        .map(b -> b.getMetadata().getName())
        .findFirst();
  }

  private List<Deployment> workloads(SecretBinding binding, List<String> missing) {
    List<Deployment> found = new ArrayList<>();
    for (SecretBindingSpec.Workload entry : binding.getSpec().workloads()) {
      List<Deployment> selected = deployments.select(binding.getMetadata().getNamespace(), entry);
      if (selected.isEmpty()) {
        missing.add(
            entry.name() != null
                ? "the Deployment " + entry.name()
                : "a Deployment with the labels " + entry.selector().matchLabels());
      }
      selected.stream()
          .filter(d ->
              found.stream()
                  .noneMatch(f -> f.getMetadata().getUid().equals(d.getMetadata().getUid())))
          .forEach(found::add);
    }
    return found;
  }

  private static List<String> unowned(
      SecretBinding binding, Secret alias, List<GenericKubernetesResource> snapshots) {
    return Stream.concat(
            Stream.ofNullable(alias)
                .filter(a -> SecretWriter.isOurs(a, binding))
                .map(Secret::getMetadata),
            snapshots.stream().map(GenericKubernetesResource::getMetadata))
        .filter(m -> !SecretWriter.ownershipFits(m, binding))
        .map(m -> m.getName())
        .toList();
  }

  private static String request(SecretBinding binding) {
    Map<String, String> annotations = binding.getMetadata().getAnnotations();
    return annotations == null ? null : annotations.get(Names.ROTATE);
  }
}
