package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.list;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.time.Instant;
import java.util.List;

/**
 * What is known of a bound secret.
 *
 * @param observedGeneration the generation of the spec that this status is about
 * @param conditions see {@link Conditions}
 * @param secretName name of the alias
 * @param current the version that the alias holds
 * @param previous the version before it, while pods may use it
 * @param activeRotation name of the rotation under way
 * @param lastRotation the rotation that ended last
 * @param lastHandledNonce the {@code spec.rotate.nonce} that was handled last
 * @param lastHandledRequest the annotation {@code keyturn.io/rotate} that was handled last
 * @param nextRotationTime when the next rotation starts, where that is known
 * @param nextRotationReason why then, see {@link Reasons}
 * @param expiresAt when the credential of the current version ends, as far as that is known
 * @param lease how that is put off
 * @param forbidden tells the value that is not rotated to, because it came during a rotation and
 *     the policy's concurrency is Forbid
 * @param compromised tells the value that was reported compromised last: it is never rotated to
 * @param workloads who receives the secret and which version their pods use
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record SecretBindingStatus(
    @JsonPropertyDescription("The generation of the spec that this status is about.")
        Long observedGeneration,
    @JsonPropertyDescription("What is observed of the binding.") List<Condition> conditions,
    @JsonPropertyDescription("Name of the Secret that the workloads refer to.") String secretName,
    @JsonPropertyDescription("The version that the Secret holds.") Current current,
    @JsonPropertyDescription("The version before it, while pods may still use it.")
        Previous previous,
    @JsonPropertyDescription("Name of the SecretRotation under way.") String activeRotation,
    @JsonPropertyDescription("The rotation that ended last.") LastRotation lastRotation,
    @JsonPropertyDescription("The spec.rotate.nonce that was handled last.")
        String lastHandledNonce,
    @JsonPropertyDescription("The annotation keyturn.io/rotate that was handled last.")
        String lastHandledRequest,
    @JsonPropertyDescription("When the next rotation starts, where that is known.")
        Instant nextRotationTime,
    @JsonPropertyDescription(
            "Why then: Scheduled, WindowClosed (it is due earlier and waits for a window),"
                + " WindowOverridden (no window opens before the deadline), RotationFailed (another"
                + " attempt), Expiring (the credential ends).")
        String nextRotationReason,
    @JsonPropertyDescription(
            "When the credential of the current version ends, as far as that is known.")
        Instant expiresAt,
    @JsonPropertyDescription("How the end of the credential is put off.") Lease lease,
    @JsonPropertyDescription(
            "Tells the value that is not rotated to, because it came during a rotation and the"
                + " policy's concurrency is Forbid.")
        String forbidden,
    @JsonPropertyDescription(
            "Tells the value that was reported compromised last: it is never rotated to.")
        String compromised,
    @JsonPropertyDescription("Who receives the secret, and which version their pods use.")
        List<WorkloadVersion> workloads) {

  /** The status of a binding that nobody has looked at yet. */
  public static final SecretBindingStatus EMPTY =
      new SecretBindingStatus(
          null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
          null);

  /** Copies the lists. */
  public SecretBindingStatus {
    conditions = list(conditions);
    workloads = list(workloads);
  }

  /**
   * The version that the alias holds.
   *
   * @param version its number
   * @param snapshot the immutable Secret with its value
   * @param since when the alias took its value
   */
  public record Current(
      @JsonPropertyDescription("Number of the version.") long version,
      @JsonPropertyDescription("The immutable Secret that holds it.") String snapshot,
      @JsonPropertyDescription("When the Secret took its value.") Instant since) {}

  /**
   * How the end of a credential is put off.
   *
   * @param renewable whether it can be renewed
   * @param renewAt when it is renewed next; null: not any more
   * @param hardExpiry when it ends even so; null: not known
   * @param lastRenewedAt when it was renewed last; null: not yet
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Lease(
      @JsonPropertyDescription("Whether the credential can be renewed.") boolean renewable,
      @JsonPropertyDescription("When it is renewed next.") Instant renewAt,
      @JsonPropertyDescription("When it ends, renewed or not, where that is known.")
          Instant hardExpiry,
      @JsonPropertyDescription("When it was renewed last.") Instant lastRenewedAt) {}

  /**
   * The version before the current one.
   *
   * @param version its number
   * @param snapshot the immutable Secret with its value
   * @param state what happens to it
   * @param usersRemaining pods that may still use it
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record Previous(
      @JsonPropertyDescription("Number of the version.") long version,
      @JsonPropertyDescription("The immutable Secret that holds it.") String snapshot,
      @JsonPropertyDescription("What happens to it.") State state,
      @JsonPropertyDescription("Pods that may still use it.") Integer usersRemaining) {

    /** What happens to a version that is no longer current. */
    public enum State {
      /** Keyturn waits until nobody uses it. */
      Retiring,
      /** Its credential is disabled, and can be enabled again. */
      Disabled,
      /** Its credential was ended at its store. */
      Revoked,
      /** Nobody uses it any more. */
      Retired
    }
  }

  /**
   * A rotation that has ended.
   *
   * @param name its name
   * @param result how it ended
   * @param finishedAt when
   * @param fingerprint the end of the name of its snapshot, which tells its value from others: it
   *     is remembered when the record of the rotation goes
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record LastRotation(
      @JsonPropertyDescription("Name of the SecretRotation.") String name,
      @JsonPropertyDescription("How it ended.") Stage result,
      @JsonPropertyDescription("When it ended.") Instant finishedAt,
      @JsonPropertyDescription("Tells its value from others, also when its record has gone.")
          String fingerprint) {}

  /**
   * A workload and the versions that its pods use.
   *
   * @param kind its kind
   * @param name its name
   * @param version the version that its pod template asks for; 0: none, its pods read the alias
   * @param podsOnCurrent pods that use the current version
   * @param podsOnOther pods that use another one, or one that cannot be known
   * @param proof how its version was proven
   */
  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  public record WorkloadVersion(
      @JsonPropertyDescription("Kind of the workload.") SecretBindingSpec.WorkloadKind kind,
      @JsonPropertyDescription("Name of the workload.") String name,
      @JsonPropertyDescription("The version that all of its pods use; absent while they differ.")
          Long version,
      @JsonPropertyDescription("Pods that use the current version.") int podsOnCurrent,
      @JsonPropertyDescription("Pods that use another version, or one that cannot be known.")
          int podsOnOther,
      @JsonPropertyDescription("How the current version was proven for this workload.")
          Proof proof) {}
}
