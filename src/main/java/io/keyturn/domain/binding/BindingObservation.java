package io.keyturn.domain.binding;

import io.keyturn.api.v1alpha1.RotationPolicySpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretBindingStatus.WorkloadVersion;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.Effect;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * Everything that the next step for a binding depends on.
 *
 * @param name of the binding
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
 * @param workloads who receives the secret
 * @param missingWorkloads those that the spec names and that do not exist
 * @param unowned Secrets whose owner references do not agree with the deletion policy
 * @param latecomers workloads with containers that began without the Secret, and would take it
 */
public record BindingObservation(
    String name,
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
    List<WorkloadVersion> workloads,
    List<String> missingWorkloads,
    List<String> unowned,
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
     */
    record Unavailable(String reason, String message) implements Source {}
  }

  /**
   * What the alias holds.
   *
   * @param content what
   * @param message what a person should know of it
   */
  public record Alias(Content content, String message) {

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
   */
  public record Snapshot(String name, long version) {}

  /**
   * A rotation of the binding.
   *
   * @param name of it
   * @param version that it moves to
   * @param stage where it stands
   * @param nonce the request that it serves; null: none
   * @param fingerprint of its candidate; null: none was made
   * @param finishedAt when it ended; null: it has not
   * @param users pods that may still use the version that it retires; null: unknown
   * @param reason why it failed, or waits
   * @param message what happens to it
   */
  public record Rotation(
      String name,
      long version,
      Stage stage,
      String nonce,
      String fingerprint,
      Instant finishedAt,
      Integer users,
      String reason,
      String message) {}

  /** The same, after the status was written. */
  public BindingObservation with(SecretBindingStatus written) {
    return new BindingObservation(
        name,
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
        workloads,
        missingWorkloads,
        unowned,
        latecomers);
  }

  /** The rotation under way. */
  Optional<Rotation> active() {
    return rotations.stream().filter(r -> !r.stage().terminal()).findFirst();
  }

  /** The rotation that ended last. */
  Optional<Rotation> last() {
    return rotations.stream()
        .filter(r -> r.stage().terminal())
        .max((a, b) -> Long.compare(a.version(), b.version()));
  }
}
