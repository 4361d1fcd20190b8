package io.keyturn.invariant;

import static io.keyturn.invariant.Values.meet;
import static java.util.Objects.requireNonNullElse;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodCondition;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Proof;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadState;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.rotation.Transitions;
import io.keyturn.workload.PodUsage;
import io.keyturn.workload.SecretReferences;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The twelve safety invariants, checked on each change and each state of a namespace, whoever tells
 * of them. What a person did is not held against Keyturn.
 *
 * <p>Some say more than a history can tell, and are judged by what follows from them:
 *
 * <ul>
 *   <li>2: the sources that there are revoke nothing. A person does, when a rotation says that
 *       nobody uses the old version any more, so that has to be true.
 *   <li>3: the alias is there, and the snapshot of what it holds. Whether a server accepts the
 *       value is for applications to try.
 *   <li>10: no text holds a whole value. Encodings and fragments are for whoever has the time.
 *   <li>11: a request that changes nothing leaves no trace. Whoever plays the history counts
 *       requests.
 *   <li>12: whoever plays the history says when it is {@link #atRest}.
 * </ul>
 */
public final class Invariants {

  private final World world;
  private final Values values = new Values();

  /** The binding of each alias, also when it has gone. */
  private final Map<String, String> bindings = new HashMap<>();

  /** The version that Keyturn let each alias hold last. */
  private final Map<String, Long> held = new HashMap<>();

  /** The aliases that a person wrote or deleted last. */
  private final Set<String> touched = new HashSet<>();

  /** The tokens of all rotations that there ever were. */
  private final Set<String> tokens = new HashSet<>();

  /** The snapshots, by binding and version. */
  private final Map<List<String>, String> made = new HashMap<>();

  private boolean byPerson;
  private long checked;

  /** Judges what happens in a world; somebody has to tell of each change, in order. */
  public Invariants(World world) {
    this.world = world;
  }

  /** How many states were checked. */
  public long checked() {
    return checked;
  }

  /** A person does something: what is observed meanwhile is their work. */
  public void byPerson(Runnable action) {
    byPerson = true;
    try {
      action.run();
    } finally {
      byPerson = false;
    }
  }

  /**
   * Something has changed, and the world is as it is after that.
   *
   * @param before null if it was created
   * @param after null if it was deleted
   */
  public void observe(HasMetadata before, HasMetadata after) {
    checked++;
    switch (after == null ? before : after) {
      case SecretBinding binding -> bindingChanged(binding, after == null);
      case Secret _ -> secretChanged((Secret) before, (Secret) after);
      case SecretRotation _ -> rotationChanged((SecretRotation) before, (SecretRotation) after);
      case Deployment _ -> deploymentChanged((Deployment) before, (Deployment) after);
      case Pod _ -> canaryQuota();
      case Event event -> holdsNoValue(event.getNote());
      default -> {}
    }
  }

  /**
   * A server is about to stop taking a value, because Keyturn wants it. After a compromise it may,
   * whoever has the value.
   */
  public void ending(String value) {
    boolean emergency =
        world
            .look(SecretRotation.class)
            .anyMatch(r ->
                r.getSpec().trigger() == Trigger.Compromise
                    && (r.getStatus().stage() == Stage.Revoking
                        || r.getStatus().stage() == Stage.Staging));
    List<String> users =
        world
            .look(Pod.class)
            .filter(p -> world.valuesOf(p).contains(value))
            .map(Invariants::name)
            .toList();
    require(
        2,
        emergency || users.isEmpty(),
        "no credential is disabled or ended while a pod has it: %s",
        users);
    bindings
        .keySet()
        .forEach(alias ->
            require(
                3,
                !isBound(alias) || !Values.of(world.look(Secret.class, alias)).contains(value),
                "what the workloads are given stays valid"));
  }

  private void bindingChanged(SecretBinding binding, boolean deleted) {
    String alias = binding.alias();
    if (deleted) {
      held.remove(alias);
      return;
    }
    if (bindings.put(alias, binding.getMetadata().getName()) == null) {
      values.foreign(world.look(Secret.class, alias));
    }
    holdsNoValue(String.valueOf(binding.getStatus()));
  }

  private void secretChanged(Secret before, Secret after) {
    Secret secret = after == null ? before : after;
    values.seen(after);
    if (!byPerson) {
      onlyOurs(before, after);
    }
    if (bindings.containsKey(secret.getMetadata().getName())) {
      aliasChanged(before, after);
    } else if (isSnapshot(secret) && before == null) {
      snapshotMade(secret);
    } else if (isSnapshot(secret) && after == null && !byPerson) {
      snapshotDeleted(secret);
    }
    canaryQuota();
  }

  /** Keyturn changes its own Secrets, and takes one over whose data do not change. */
  private void onlyOurs(Secret before, Secret after) {
    boolean ours = isOurs(before == null ? after : before);
    boolean adopted =
        !ours
            && before != null
            && after != null
            && isOurs(after)
            && Objects.equals(before.getData(), after.getData());
    require(
        9,
        ours || adopted,
        "what is not Keyturn's is left alone: %s",
        name(before == null ? after : before));
  }

  private void aliasChanged(Secret before, Secret after) {
    String alias = name(before == null ? after : before);
    if (byPerson) {
      touched.add(alias);
      values.foreign(after);
      return;
    }
    touched.remove(alias);
    if (after == null) {
      require(3, !isBound(alias), "the alias %s is there", alias);
      return;
    }
    long version = version(after);
    require(
        8,
        snapshots(alias, version).anyMatch(s -> s.getData().equals(after.getData())),
        "the alias %s holds version %s whole",
        alias,
        version);
    aliasMoves(alias, version);
    held.put(alias, version);
    values.promoted(after);
  }

  /** It holds what it held before, or a rotation has written down that it moves, or moves back. */
  private void aliasMoves(String alias, long version) {
    if (Objects.equals(held.getOrDefault(alias, version), version)) {
      return;
    }
    SecretRotation to = rotation(bindings.get(alias), version);
    boolean forward = to != null && to.getStatus().stage() == Stage.Promoting;
    SecretRotation from = rotation(bindings.get(alias), held.get(alias));
    boolean back =
        from != null
            && from.getStatus().stage() == Stage.RollingBack
            && from.getStatus().from().version() == version;
    require(
        6,
        forward || back,
        "the move of the alias %s from version %s to %s is written down before",
        alias,
        held.get(alias),
        version);
  }

  private void snapshotMade(Secret snapshot) {
    String token = annotation(snapshot, Names.TOKEN);
    boolean written = byPerson || token == null || tokens.contains(token);
    require(6, written, "the token of the snapshot %s is written down before", name(snapshot));
    String owner = String.valueOf(annotation(snapshot, Names.BINDING_UID));
    String first = made.putIfAbsent(List.of(owner, label(snapshot, Names.VERSION)), name(snapshot));
    require(
        6,
        byPerson || world.mayBeLate() || first == null || first.equals(name(snapshot)),
        "%s is the one snapshot of its version, and not %s",
        first,
        name(snapshot));
    values.snapshot(snapshot);
  }

  /** By the status of the binding, or by the alias, which is ahead of it. */
  private boolean isCurrent(Secret snapshot, String alias) {
    Current current = world.look(SecretBinding.class, bindings.get(alias)).getStatus().current();
    Secret holder = world.look(Secret.class, alias);
    return (current != null && current.snapshot().equals(name(snapshot)))
        || (version(snapshot) == held.getOrDefault(alias, 0L)
            && holder != null
            && snapshot.getData().equals(holder.getData()));
  }

  private void snapshotDeleted(Secret snapshot) {
    String name = name(snapshot);
    boolean named =
        world.look(Pod.class).anyMatch(p -> PodUsage.refers(p, name))
            || world
                .look(Deployment.class)
                .anyMatch(d -> SecretReferences.refers(d.getSpec().getTemplate().getSpec(), name));
    require(2, !named, "the snapshot %s is deleted when nobody names it", name);
    String alias =
        bindings.keySet().stream().filter(a -> isOf(a, snapshot)).findFirst().orElse(null);
    require(
        3,
        alias == null || !isBound(alias) || !isCurrent(snapshot, alias),
        "the snapshot %s is not deleted while the alias holds its version",
        name);
  }

  private void rotationChanged(SecretRotation before, SecretRotation after) {
    if (after != null) {
      tokens.add(after.getStatus().token());
    }
    if (before != null && after != null) {
      rotationMoves(before.getStatus().stage(), after);
      journalStays(before.getStatus(), after.getStatus(), name(after));
      holdsNoValue(after.getStatus().toString());
    }
    oneMoves();
    canaryQuota();
  }

  /** What it has written down of what it makes stays written. */
  private void journalStays(SecretRotationStatus before, SecretRotationStatus after, String name) {
    VersionRef made = before.to();
    require(
        6,
        (before.token() == null || before.token().equals(after.token()))
            && (made == null || made.snapshot() == null || made.equals(after.to())),
        "the token and the snapshot of %s stay as they were written down",
        name);
    require(
        6,
        requireNonNullElse(before.epoch(), 0L) <= requireNonNullElse(after.epoch(), 0L),
        "no leader of before writes what a later one has written: %s",
        name);
  }

  private void rotationMoves(Stage from, SecretRotation rotation) {
    Stage to = rotation.getStatus().stage();
    if (from == to) {
      return;
    }
    require(6, Transitions.legal(from, to), "no rotation moves from %s to %s", from, to);
    switch (to) {
      case Promoting -> verdict(rotation);
      case Complete -> oldIsUnused(rotation);
      case RollingBack -> mayGoBack(from, rotation);
      case Discarding -> isBack(rotation);
      case Failed, Aborted, Superseded -> rejectedIsUnused(rotation);
      default -> {}
    }
  }

  /** What the journal calls proven was proven. */
  private void verdict(SecretRotation rotation) {
    SecretRotationStatus status = rotation.getStatus();
    Duration bake =
        rotation.getSpec().trigger() == Trigger.Compromise
            ? Duration.ZERO
            : Durations.parse(status.policy().canary().bake());
    Instant begun = status.timeline().verifiedAt().minus(bake);
    for (WorkloadProgress w : status.workloads()) {
      require(
          4,
          w.proof() != Proof.PodCanary || canaries(rotation, w).anyMatch(p -> readySince(p, begun)),
          "a canary of %s was Ready on %s for %s",
          w.name(),
          status.to().snapshot(),
          bake);
      require(
          4,
          w.state() != WorkloadState.Gone || world.look(Deployment.class, w.name()) == null,
          "%s, which is there, was not left out",
          w.name());
    }
  }

  /** The canary pods of a workload that run on the version and the template of the rotation. */
  private Stream<Pod> canaries(SecretRotation rotation, WorkloadProgress workload) {
    Set<String> candidate = values.ofSnapshot(rotation.getStatus().to().snapshot());
    return world
        .look(Pod.class)
        .filter(p -> workload.name().equals(label(p, Names.CANARY_FOR)))
        .filter(p -> name(rotation).equals(annotation(p, Names.ROTATION)))
        .filter(
            p -> Objects.equals(workload.baseTemplateHash(), annotation(p, Names.BASE_TEMPLATE)))
        .filter(p -> meet(candidate, world.valuesOf(p)));
  }

  private static boolean readySince(Pod pod, Instant begun) {
    List<PodCondition> conditions =
        pod.getStatus() == null ? List.of() : pod.getStatus().getConditions();
    return conditions.stream()
        .filter(c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus()))
        .anyMatch(c -> !Instant.parse(c.getLastTransitionTime()).isAfter(begun));
  }

  /** Whoever is not counted does not use the version that the rotation lets go. */
  private void oldIsUnused(SecretRotation rotation) {
    SecretRotationStatus status = rotation.getStatus();
    int counted =
        status.retirement() == null
            ? 0
            : requireNonNullElse(status.retirement().usersRemaining(), 0);
    List<String> users = users(status.from(), status.to());
    require(
        2,
        users.size() <= counted,
        "%s ends when %s pods use version %s, and not %s",
        name(rotation),
        counted,
        status.from().version(),
        users);
  }

  private void rejectedIsUnused(SecretRotation rotation) {
    SecretRotationStatus status = rotation.getStatus();
    if (status.to() == null) {
      return;
    }
    List<String> users = users(status.to(), status.from());
    require(
        2,
        users.isEmpty() || String.valueOf(status.message()).contains("still used by"),
        "%s ends when nobody uses its version, or says who does: %s",
        name(rotation),
        users);
  }

  /** The pods that hold a value of a version which another one does not have. */
  private List<String> users(VersionRef version, VersionRef other) {
    Set<String> own = new HashSet<>(values.ofSnapshot(version.snapshot()));
    own.removeAll(values.ofSnapshot(other.snapshot()));
    return own.isEmpty()
        ? List.of()
        : world
            .look(Pod.class)
            .filter(p -> meet(own, world.valuesOf(p)))
            .map(Invariants::name)
            .toList();
  }

  private void mayGoBack(Stage from, SecretRotation rotation) {
    require(
        7,
        from != Stage.Promoting || rotation.getSpec().trigger() != Trigger.Compromise,
        "%s does not go back to a value that others know",
        name(rotation));
  }

  /** The alias and each workload that was taken back are on the version before. */
  private void isBack(SecretRotation rotation) {
    SecretRotationStatus status = rotation.getStatus();
    String alias = alias(rotation);
    if (status.from() == null || alias == null || !isBound(alias)) {
      return;
    }
    require(
        7,
        touched.contains(alias) || held.getOrDefault(alias, 0L) == status.from().version(),
        "the alias %s is back on version %s",
        alias,
        status.from().version());
    for (WorkloadProgress w : status.workloads()) {
      Deployment deployment = world.look(Deployment.class, w.name());
      require(
          7,
          w.state() != WorkloadState.RolledBack
              || deployment == null
              || !Names.versionIdOf(status.to().snapshot()).equals(asked(deployment, alias)),
          "%s is back on version %s",
          w.name(),
          status.from().version());
    }
  }

  private void deploymentChanged(Deployment before, Deployment after) {
    Deployment deployment = after == null ? before : after;
    boolean clone = label(deployment, Names.CANARY_FOR) != null;
    if (byPerson || clone) {
      return;
    }
    boolean same =
        before != null
            && after != null
            && Objects.equals(
                before.getMetadata().getGeneration(), after.getMetadata().getGeneration());
    if (!same) {
      require(9, sameButAnnotations(before, after), "others' %s is left alone", name(deployment));
      bindings.keySet().forEach(a -> templateMoves(a, before, after));
    }
  }

  private static boolean sameButAnnotations(Deployment before, Deployment after) {
    return before != null
        && after != null
        && Objects.equals(before.getSpec().getReplicas(), after.getSpec().getReplicas())
        && before.getSpec().getTemplate().getSpec().equals(after.getSpec().getTemplate().getSpec());
  }

  /** A workload follows its alias, or goes back where its rotation found it. */
  private void templateMoves(String alias, Deployment before, Deployment after) {
    String from = asked(before, alias);
    String to = asked(after, alias);
    if (Objects.equals(from, to)) {
      return;
    }
    boolean follows = to != null && number(to) == held.getOrDefault(alias, 0L);
    SecretRotation left = from == null ? null : rotation(bindings.get(alias), number(from));
    boolean back =
        left != null
            && left.getStatus().stage() == Stage.RollingBack
            && left.getStatus().workloads().stream()
                .anyMatch(w ->
                    w.name().equals(name(after)) && Objects.equals(w.previousAnnotation(), to));
    require(
        4,
        follows || back,
        "%s moves from %s to %s when its alias has moved, or its rotation goes back",
        name(after),
        from,
        to);
  }

  private static String asked(Deployment deployment, String alias) {
    return annotations(deployment.getSpec().getTemplate().getMetadata().getAnnotations())
        .get(Names.versionAnnotation(alias));
  }

  private static long number(String versionId) {
    return Names.versionOfSnapshot("-" + versionId);
  }

  private void canaryQuota() {
    Map<List<String>, Integer> canaries = new HashMap<>();
    world
        .look(Pod.class)
        .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
        .filter(p -> values.areUnproven(world.valuesOf(p)))
        .forEach(p -> {
          String workload = label(p, Names.CANARY_FOR);
          require(1, workload != null, "%s, which is no canary, runs on a proven version", name(p));
          canaries.merge(
              List.of(String.valueOf(annotation(p, Names.ROTATION)), workload), 1, Integer::sum);
        });
    canaries.forEach(this::isWithinQuota);
  }

  private void isWithinQuota(List<String> canary, int pods) {
    SecretRotation rotation = world.look(SecretRotation.class, canary.getFirst());
    require(
        1,
        rotation != null
            && rotation.getStatus().policy() != null
            && pods <= rotation.getStatus().policy().canary().pods(),
        "no more canary pods run for %s than the policy allows, and not %s",
        canary,
        pods);
  }

  private void oneMoves() {
    Map<String, Set<String>> moving = new TreeMap<>();
    world
        .look(SecretRotation.class)
        .filter(r -> moves(r.getStatus().stage()))
        .forEach(r -> {
          String binding = "the binding " + r.getSpec().bindingRef().name();
          moving.computeIfAbsent(binding, _ -> new TreeSet<>()).add(name(r));
          for (WorkloadProgress w : r.getStatus().workloads()) {
            moving.computeIfAbsent(w.kind() + " " + w.name(), _ -> new TreeSet<>()).add(name(r));
          }
        });
    moving.forEach((what, rotations) ->
        require(5, rotations.size() == 1, "one rotation moves %s at a time: %s", what, rotations));
  }

  private static boolean moves(Stage stage) {
    return stage != Stage.Pending && !stage.terminal() && !stage.promoted();
  }

  private void holdsNoValue(String text) {
    require(10, text == null || !values.areIn(text), "what is said holds no value");
  }

  /**
   * Nothing goes wrong any more, and nobody does anything: each end was reached, or somebody is
   * asked.
   */
  public void atRest() {
    List<String> unfinished =
        world
            .look(SecretRotation.class)
            .filter(r -> !finished(r) && !waits(r))
            .map(r -> name(r) + " " + r.getStatus().stage() + ": " + r.getStatus().message())
            .toList();
    require(
        12, unfinished.isEmpty(), "each rotation ends or says what it waits for: %s", unfinished);
    if (world.look(SecretRotation.class).noneMatch(Invariants::waits)) {
      require(
          7,
          world.look(Deployment.class).noneMatch(d -> label(d, Names.CANARY_FOR) != null),
          "no canary is left");
      world
          .look(Pod.class)
          .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
          .forEach(this::isCurrent);
      world.look(SecretBinding.class).forEach(this::neverPromotedIsGone);
    }
  }

  private void neverPromotedIsGone(SecretBinding binding) {
    Current current = binding.getStatus().current();
    if (current == null) {
      return;
    }
    List<String> left =
        world
            .look(Secret.class)
            .filter(s -> Boolean.TRUE.equals(s.getImmutable()))
            .filter(s -> name(binding).equals(label(s, Names.BINDING)))
            .filter(s -> Names.number(label(s, Names.VERSION)) >= current.version())
            .map(Invariants::name)
            .filter(s -> !s.equals(current.snapshot()))
            .toList();
    require(7, left.isEmpty(), "no snapshot is left of a version that was not promoted: %s", left);
  }

  /** Whether a rotation has ended, and whoever wants to may delete it. */
  public static boolean finished(SecretRotation rotation) {
    return rotation.getStatus().stage().terminal()
        && rotation.getMetadata().getFinalizers().isEmpty();
  }

  /** Whether it is blocked, or names the pods that somebody has to restart. */
  public static boolean waits(SecretRotation rotation) {
    return rotation.getStatus().stage() == Stage.Discarding
        || rotation.getStatus().conditions().stream()
            .anyMatch(c -> c.type().equals(Conditions.BLOCKED));
  }

  private void isCurrent(Pod pod) {
    Set<String> current =
        bindings.keySet().stream()
            .filter(a -> isBound(a) && SecretReferences.refers(pod.getSpec(), a))
            .flatMap(a -> Values.of(world.look(Secret.class, a)).stream())
            .collect(Collectors.toSet());
    Set<String> running = world.valuesOf(pod);
    require(
        7,
        current.isEmpty()
            || values.areForeign(running)
            || isNamed(pod)
            || (!running.isEmpty() && current.containsAll(running)),
        "%s runs on the current version",
        name(pod));
  }

  /** A newer value does not wait for a pod that took a rejected one; but it is named (ADR 6). */
  private boolean isNamed(Pod pod) {
    return world
        .look(SecretRotation.class)
        .anyMatch(r -> requireNonNullElse(r.getStatus().message(), "").contains(name(pod)));
  }

  private boolean isBound(String alias) {
    return world.look(SecretBinding.class, bindings.get(alias)) != null;
  }

  private String alias(SecretRotation rotation) {
    String binding = rotation.getSpec().bindingRef().name();
    return bindings.entrySet().stream()
        .filter(e -> e.getValue().equals(binding))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse(null);
  }

  private SecretRotation rotation(String binding, long version) {
    return world.look(SecretRotation.class, Names.rotation(binding, version));
  }

  private Stream<Secret> snapshots(String alias, long version) {
    return world
        .look(Secret.class)
        .filter(Invariants::isSnapshot)
        .filter(s -> isOf(alias, s) && version(s) == version);
  }

  private boolean isOf(String alias, Secret snapshot) {
    return Names.label(bindings.get(alias)).equals(label(snapshot, Names.BINDING));
  }

  private static boolean isSnapshot(Secret secret) {
    return Boolean.TRUE.equals(secret.getImmutable()) && isOurs(secret);
  }

  private static boolean isOurs(Secret secret) {
    return Names.KEYTURN.equals(label(secret, Names.MANAGED_BY));
  }

  private static long version(Secret secret) {
    return Names.number(label(secret, Names.VERSION));
  }

  private static String name(HasMetadata object) {
    return object.getMetadata().getName();
  }

  private static String label(HasMetadata object, String key) {
    Map<String, String> labels = object.getMetadata().getLabels();
    return labels == null ? null : labels.get(key);
  }

  private static String annotation(HasMetadata object, String key) {
    return annotations(object.getMetadata().getAnnotations()).get(key);
  }

  private static Map<String, String> annotations(Map<String, String> annotations) {
    return annotations == null ? Map.of() : annotations;
  }

  private void require(int number, boolean holds, String sentence, Object... arguments) {
    if (!holds) {
      throw new AssertionError(
          "invariant %d does not hold at %s: %s"
              .formatted(number, world.moment(), sentence.formatted(arguments)));
    }
  }
}
