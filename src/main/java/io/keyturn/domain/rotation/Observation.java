package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Approval;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.SecretRotationStatus.CanaryPod;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.domain.gate.Measurement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Everything that the next step of a rotation depends on, read from the API server and not from a
 * cache.
 *
 * @param name of the rotation
 * @param generation of the rotation's spec
 * @param uid of the rotation
 * @param aliasName name of the Secret that the workloads refer to
 * @param version that it moves to
 * @param trigger why it was started
 * @param stale whether a rotation of its number has ended before: a process that stood still has
 *     created it again
 * @param createdAt when it was started
 * @param reportedAt when the compromise was found, if that is its reason
 * @param journal what was written down so far
 * @param wishes what people ask
 * @param policy as it is now: copied at the start, later only its {@code suspend} counts
 * @param policyGeneration of that policy; null: built in
 * @param current the version that the binding holds
 * @param currentSince since when it holds that
 * @param source what the source holds
 * @param overlap whether the old value stays valid beside the new one; never Auto
 * @param going what the store of the version that is on its way out can do about it
 * @param replaceBy when the version that retires another one has to be replaced itself, because its
 *     credential ends for good; empty: never, or not known
 * @param fromEnded whether the credential that the workloads have is known to have ended
 * @param snapshots names of the snapshots that this attempt has made
 * @param twin one of these that is not the version's, because two processes issued at once, and
 *     whose credential lives; empty: there is none
 * @param alias what the alias holds
 * @param fromLost whether the snapshot of the version to go back to has gone
 * @param toLost whether the snapshot of the version to move to was made and has gone
 * @param workloads those of the binding before they are written down, those of the journal after
 * @param queue whom it has to wait for
 * @param readings what the checks and gates of its stage have said last
 * @param checkJob the Job of the check that is next
 * @param approvals the manual gates that people have opened
 * @param users who may use the version to be retired or discarded
 * @param released whether the finalizer has gone
 * @param noted whether the binding remembers how it ended, or has gone
 * @param kubeletLag how long after a change of the alias a container may still start with the old
 *     value
 */
public record Observation(
    String name,
    Long generation,
    String uid,
    String aliasName,
    long version,
    Trigger trigger,
    boolean stale,
    Instant createdAt,
    Instant reportedAt,
    SecretRotationStatus journal,
    Wishes wishes,
    RotationPolicySpec policy,
    Long policyGeneration,
    Optional<VersionRef> current,
    Optional<Instant> currentSince,
    Source source,
    Overlap overlap,
    Credential going,
    Optional<Instant> replaceBy,
    boolean fromEnded,
    List<String> snapshots,
    Optional<String> twin,
    Alias alias,
    boolean fromLost,
    boolean toLost,
    List<Workload> workloads,
    Queue queue,
    List<Reading> readings,
    CheckJob checkJob,
    List<Approval> approvals,
    Users users,
    boolean released,
    boolean noted,
    Duration kubeletLag) {

  /**
   * What people ask of the rotation.
   *
   * @param abort to take it back
   * @param hold to wait before the next step
   * @param suspended the same, said on the binding or its policy
   * @param deleted somebody deletes the rotation itself
   * @param bindingGone the binding was deleted
   * @param namespaceGone the namespace is being deleted
   * @param foreign the rotation was not made by Keyturn
   * @param compromised a compromise was reported that no rotation serves yet
   */
  public record Wishes(
      boolean abort,
      boolean hold,
      boolean suspended,
      boolean deleted,
      boolean bindingGone,
      boolean namespaceGone,
      boolean foreign,
      boolean compromised) {}

  /**
   * Whom a rotation that wants to start has to wait for.
   *
   * @param holder another rotation that holds one of its workloads
   * @param ahead how many of the namespace move pods, or may before this one
   * @param store the same of those whose secrets are of the same store
   */
  public record Queue(Optional<String> holder, int ahead, OfStore store) {

    /** Nobody. */
    public static final Queue EMPTY = new Queue(Optional.empty(), 0, OfStore.NONE);
  }

  /**
   * How many rotations with one store move pods, or may before another one.
   *
   * @param here in the namespace
   * @param everywhere in all namespaces
   * @param most how many may everywhere, as the store says; empty: any number
   */
  public record OfStore(int here, int everywhere, OptionalInt most) {

    /** None, or of a source without a store. */
    public static final OfStore NONE = new OfStore(0, 0, OptionalInt.empty());
  }

  /** What the source holds, compared with the versions of the rotation. */
  public sealed interface Source {

    /**
     * A value that is neither the current one nor the candidate.
     *
     * @param observed whether the source holds it by itself; else it is made when asked for
     */
    record Fresh(boolean observed) implements Source {}

    /** The current value: there is nothing to rotate to. */
    record Current() implements Source {}

    /** The value of this rotation's candidate. */
    record Candidate() implements Source {}

    /**
     * No value, or none that may be delivered.
     *
     * @param reason one of {@link io.keyturn.api.v1alpha1.Reasons}
     * @param message a sentence
     */
    record Unavailable(String reason, String message) implements Source {}
  }

  /**
   * The credential of the version that is on its way out, and what its store can do about it.
   *
   * @param revocable whether it can be ended there
   * @param disablable whether it can be disabled there, and enabled again
   * @param disabledAt when it was disabled; null: it is not
   * @param revokedAt when it was ended; null: it is not
   * @param refused whether it was shown that it is refused since then
   */
  public record Credential(
      boolean revocable,
      boolean disablable,
      Instant disabledAt,
      Instant revokedAt,
      boolean refused) {

    /** Keyturn did not issue it, or does not know it any more. */
    public static final Credential NONE = new Credential(false, false, null, null, false);

    /** Whether it is to be ended and has not been. */
    public boolean alive() {
      return revocable && revokedAt == null;
    }
  }

  /**
   * What a check or gate has said.
   *
   * @param name of it
   * @param measurement its last answer
   * @param at when it gave that, in whole seconds
   */
  public record Reading(String name, Measurement measurement, Instant at) {}

  /**
   * The Job of a check.
   *
   * @param running what it does; empty: it does not run
   * @param ended what it came to; empty: it has not ended
   */
  public record CheckJob(Optional<String> running, Optional<Measurement> ended) {

    /** There is none. */
    public static final CheckJob ABSENT = new CheckJob(Optional.empty(), Optional.empty());
  }

  /**
   * Who may use a version.
   *
   * @param names of pods, and of Deployments whose pod template asks for its snapshot
   * @param canaries pods of this rotation's clones, which end with these
   * @param needSnapshot whether the snapshot must stay for one of the names
   */
  public record Users(List<String> names, List<String> canaries, boolean needSnapshot) {

    /** Nobody. */
    public static final Users NONE = new Users(List.of(), List.of(), false);
  }

  /**
   * What the alias holds.
   *
   * @param content which version
   * @param since when it took that value; null: unknown
   * @param message what is wrong with it, where something is
   */
  public record Alias(Content content, Instant since, String message) {

    /** Which version an alias holds. */
    public enum Content {
      /** The Secret does not exist. */
      Missing,
      /** The version that the rotation starts from. */
      From,
      /** The version that it moves to. */
      To,
      /** Something else: it was edited. */
      Other,
      /** It belongs to somebody else. */
      Foreign
    }
  }

  /**
   * A workload as it is.
   *
   * @param kind of it
   * @param name of it
   * @param uid of it; of a namesake that took its place, if that is to move, too
   * @param wave the workloads of lower waves move before it
   * @param exists whether there is one with this UID
   * @param replicas how many pods it wants
   * @param templateHash keyed MAC of its pod template, without version annotations
   * @param annotation the version on its pod template; null: none
   * @param annotatedAt when Keyturn wrote that; null: it did not
   * @param everAnnotated whether its pods have been replaced for the new version before
   * @param changedBy the field manager that wrote its pod template last
   * @param annotationOwner the field manager, not Keyturn, that owns the annotation; null: none
   * @param unsettled why its pod template should not be touched or judged now; null: nothing
   * @param available whether as many of its pods as it wants are available, of any version
   * @param rolledOut whether its rollout is complete and each pod available
   * @param stuck why its rollout cannot complete
   * @param podsOnTarget pods, but terminating ones, that carry the new version; 0 unless rolledOut
   * @param podsOnOther pods, but terminating ones, that do not; 0 unless rolledOut
   * @param obstacle why no clone can be made of it
   * @param canary its clone
   */
  public record Workload(
      WorkloadKind kind,
      String name,
      String uid,
      int wave,
      boolean exists,
      int replicas,
      String templateHash,
      String annotation,
      Instant annotatedAt,
      boolean everAnnotated,
      String changedBy,
      String annotationOwner,
      String unsettled,
      boolean available,
      boolean rolledOut,
      Optional<String> stuck,
      int podsOnTarget,
      int podsOnOther,
      Optional<String> obstacle,
      Optional<Canary> canary) {

    /** A workload that has been deleted, or replaced by a namesake. */
    public static Workload gone(
        WorkloadKind kind, String name, String uid, Optional<Canary> canary) {
      return new Workload(
          kind,
          name,
          uid,
          0,
          false,
          0,
          null,
          null,
          null,
          false,
          null,
          null,
          null,
          true,
          true,
          Optional.empty(),
          0,
          0,
          Optional.empty(),
          canary);
    }
  }

  /**
   * A clone as it is.
   *
   * @param baseTemplateHash keyed MAC of the template that it was made from
   * @param pods those made from that template
   * @param unschedulable why a pod cannot be created or finds no node
   * @param trouble what its pods complain about
   */
  public record Canary(
      String baseTemplateHash,
      List<Pod> pods,
      Optional<String> unschedulable,
      Optional<String> trouble) {}

  /**
   * A canary pod as it is.
   *
   * @param facts what must not change during the bake
   * @param ready whether it is Ready
   * @param terminating whether it is being deleted
   * @param crashLooping whether the kubelet backs off from starting it
   */
  public record Pod(CanaryPod facts, boolean ready, boolean terminating, boolean crashLooping) {}
}
