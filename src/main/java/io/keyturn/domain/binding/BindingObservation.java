package io.keyturn.domain.binding;

import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretBindingStatus.LastRotation;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Previous;
import io.keyturn.api.v1alpha1.SecretBindingStatus.WorkloadVersion;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import io.keyturn.domain.lease.Lease;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Everything that the next step for a binding depends on.
 *
 * @param name of the binding
 * @param uid of the binding
 * @param generation of its spec
 * @param spec what the user wants
 * @param request value of the annotation {@code keyturn.io/rotate}; null: none
 * @param aliasName name of the Secret that the workloads refer to
 * @param status as it is
 * @param takenBy an older binding with the same alias
 * @param policy that applies; empty: the one that the spec names does not exist
 * @param source what the source holds
 * @param current the version that the alias is to hold; empty: none was delivered yet
 * @param currentSnapshotExists whether its snapshot is there
 * @param alias what the alias holds
 * @param snapshots those of the binding
 * @param rotations those of the binding
 * @param predecessor a rotation of a deleted namesake that is still being taken back
 * @param takenVersions numbers that are not free, because somebody gave rotations such names
 * @param workloads who receives the secret
 * @param missingWorkloads those that the spec names and that do not exist
 * @param unowned Secrets whose owner references do not agree with the deletion policy
 * @param leases of the versions whose credentials end by themselves and have not been ended
 * @param earlierUsers pods that may use a version before the current one; asked where there is one
 *     to be ended
 * @param nextLook when the source may hold another value; empty: that is announced
 * @param latecomers workloads with containers that began without the Secret, and would take it
 */
public record BindingObservation(
    String name,
    String uid,
    Long generation,
    SecretBindingSpec spec,
    String request,
    String aliasName,
    SecretBindingStatus status,
    Optional<String> takenBy,
    Optional<RotationPolicySpec> policy,
    Source source,
    Optional<Current> current,
    boolean currentSnapshotExists,
    Alias alias,
    List<Snapshot> snapshots,
    List<Rotation> rotations,
    Optional<String> predecessor,
    List<Long> takenVersions,
    List<WorkloadVersion> workloads,
    List<String> missingWorkloads,
    List<String> unowned,
    List<Lease> leases,
    List<String> earlierUsers,
    Optional<Instant> nextLook,
    List<Effect.Annotate> latecomers) {

  /** What the source holds. */
  public sealed interface Source {

    /**
     * A value.
     *
     * @param fingerprint keyed MAC of what would be delivered
     * @param current whether that is what the alias is to hold now
     */
    record Value(String fingerprint, boolean current) implements Source {}

    /** A new value whenever one is asked for. */
    record OnRequest() implements Source {}

    /**
     * No value, or none that may be delivered.
     *
     * @param reason one of {@link io.keyturn.api.v1alpha1.Reasons}
     * @param message a sentence
     * @param retryIn when to ask again; empty: as often as usual
     */
    record Unavailable(String reason, String message, Optional<Duration> retryIn)
        implements Source {

      /** One that is asked again as often as usual. */
      public Unavailable(String reason, String message) {
        this(reason, message, Optional.empty());
      }
    }
  }

  /**
   * What the alias holds.
   *
   * @param content what
   * @param message what a person should know of it
   */
  public record Alias(Content content, String message) {

    /** Whether it does not hold what it should, and may be written. */
    boolean wrong() {
      return content == Content.Missing || content == Content.Other;
    }

    /** What an alias holds. */
    public enum Content {
      /** The Secret does not exist. */
      Missing,
      /** The current version. */
      Current,
      /** Something else: it was edited. */
      Other,
      /** It belongs to somebody else. */
      Foreign,
      /** It belongs to nobody, and may and can be taken over. */
      Adoptable
    }
  }

  /**
   * A snapshot.
   *
   * @param name of it
   * @param version that it holds
   * @param revokeFrom from when on its credential may be ended at its store; null: Keyturn did not
   *     issue it, cannot end it, or has ended it
   * @param inUse whether a pod or a pod template names it; looked up where there are more than are
   *     kept
   */
  public record Snapshot(String name, long version, Instant revokeFrom, boolean inUse) {}

  /**
   * A rotation of the binding.
   *
   * @param name of it
   * @param version that it moves to
   * @param trigger why it was started; null: not known any more
   * @param reportedAt when the compromise was found that is its reason; null: it is none
   * @param stage where it stands
   * @param nonce the request that it serves; null: none
   * @param fingerprint of its candidate, or of the value that a person did not let it try; null:
   *     none was made
   * @param fromFingerprint of the version that it replaces; null: it was not admitted
   * @param finishedAt when it ended; null: it has not
   * @param took from its start until each workload was on the version; null: it did not get there
   * @param oldState what became of the version before; null: nothing yet
   * @param users pods that may still use the version that it retires; null: unknown
   * @param reason why it failed, or waits
   * @param message what happens to it
   */
  public record Rotation(
      String name,
      long version,
      Trigger trigger,
      Instant reportedAt,
      Stage stage,
      String nonce,
      String fingerprint,
      String fromFingerprint,
      Instant finishedAt,
      Duration took,
      Previous.State oldState,
      Integer users,
      String reason,
      String message) {}

  /** The same, after the status was written. */
  public BindingObservation with(SecretBindingStatus written) {
    return new BindingObservation(
        name,
        uid,
        generation,
        spec,
        request,
        aliasName,
        written,
        takenBy,
        policy,
        source,
        current,
        currentSnapshotExists,
        alias,
        snapshots,
        rotations,
        predecessor,
        takenVersions,
        workloads,
        missingWorkloads,
        unowned,
        leases,
        earlierUsers,
        nextLook,
        latecomers);
  }

  /** The lease of the current version. */
  Optional<Lease> lease() {
    return leases.stream()
        .filter(l -> current.filter(c -> c.snapshot().equals(l.snapshot())).isPresent())
        .findFirst();
  }

  /** What a rotation may take: as long as the policy says, or twice what most have taken. */
  Duration leadTime() {
    Duration wanted =
        Durations.parse(policy.orElse(RotationPolicySpec.BUILT_IN).schedule().leadTime());
    return usual()
        .map(most -> most.multipliedBy(2))
        .filter(twice -> twice.compareTo(wanted) > 0)
        .orElse(wanted);
  }

  /** What 95 of 100 of the past rotations stayed within; empty: there are none. */
  Optional<Duration> usual() {
    List<Duration> past =
        rotations.stream().map(Rotation::took).filter(Objects::nonNull).sorted().toList();
    return past.isEmpty()
        ? Optional.empty()
        : Optional.of(past.get((int) Math.ceil(past.size() * 0.95) - 1));
  }

  /** How long past rotations took, if one that begins when it has to may outlast the credential. */
  Optional<Duration> tooLong(Lease lease, Instant now) {
    Instant begin = lease.rotateBy(leadTime()).filter(now::isBefore).orElse(now);
    return usual()
        .filter(_ -> lease.hardExpiry().isPresent())
        .filter(most -> begin.plus(most).isAfter(lease.end()));
  }

  /** Whether the current version has gone everywhere but, perhaps, at its source. */
  boolean lost() {
    return current.isPresent()
        && !currentSnapshotExists
        && alias.wrong()
        && active().filter(r -> r.stage().ownsAlias()).isEmpty();
  }

  /** Whether the source holds the value of a version. */
  boolean sourceHolds(Current version) {
    return source instanceof Source.Value(String fingerprint, boolean _)
        && fingerprint.equals(Names.fingerprintOf(version.snapshot()));
  }

  /** Tells the value that was reported compromised last; null: none was. */
  String compromised() {
    return rotations.stream()
        .filter(r -> r.trigger() == Trigger.Compromise && r.fromFingerprint() != null)
        .max(Comparator.comparingLong(Rotation::version))
        .map(Rotation::fromFingerprint)
        .orElse(status.compromised());
  }

  /** The rotation under way. */
  Optional<Rotation> active() {
    return rotations.stream().filter(r -> !r.stage().terminal()).findFirst();
  }

  /** The rotation that ended last. */
  Optional<Rotation> last() {
    return rotations.stream()
        .filter(r -> r.stage().terminal())
        .max(Comparator.comparingLong(Rotation::version));
  }

  /** What is remembered of the rotation that ended last, also when its record has gone. */
  Optional<LastRotation> lastEnded() {
    Optional<LastRotation> noted = Optional.ofNullable(status.lastRotation());
    return last()
        .filter(r -> noted.map(n -> Names.versionOfRotation(n.name()) <= r.version()).orElse(true))
        .map(r -> new LastRotation(r.name(), r.stage(), r.finishedAt(), r.fingerprint()))
        .or(() -> noted);
  }

  /** The rotations that have ended, newest first; the last of them even if its record has gone. */
  List<Rotation> ended() {
    Optional<Rotation> last =
        lastEnded()
            .map(n -> {
              Optional<Rotation> record =
                  rotations.stream().filter(r -> r.name().equals(n.name())).findFirst();
              return new Rotation(
                  n.name(),
                  Names.versionOfRotation(n.name()),
                  record.map(Rotation::trigger).orElse(null),
                  record.map(Rotation::reportedAt).orElse(null),
                  n.result(),
                  null,
                  n.fingerprint(),
                  record.map(Rotation::fromFingerprint).orElse(null),
                  n.finishedAt(),
                  record.map(Rotation::took).orElse(null),
                  null,
                  null,
                  null,
                  null);
            });
    return Stream.concat(
            last.stream(),
            rotations.stream()
                .filter(r -> r.stage().terminal())
                .filter(r -> last.stream().noneMatch(l -> l.name().equals(r.name()))))
        .sorted(Comparator.comparingLong(Rotation::version).reversed())
        .toList();
  }
}
