package io.keyturn.domain;

import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.api.v1alpha1.SecretRotationStatus.WorkloadProgress;
import java.time.Instant;
import java.util.Locale;

/**
 * Something to do to the world. Effects are values; one executor performs them; each is safe to
 * perform twice, by two operators, or after a crash.
 */
public sealed interface Effect {

  /**
   * The sentence that says that the API server does not let it happen.
   *
   * @param code the status code of the answer; its text may quote values and is not repeated
   */
  default String refusal(int code) {
    return "The API server refused %s (code %d): look at Keyturn's roles, the namespace's quotas and its admission policies."
        .formatted(words(), code);
  }

  /** What it is, in words: "start canary". */
  default String words() {
    return getClass()
        .getSimpleName()
        .replaceAll("(?<=[a-z])(?=[A-Z])", " ")
        .toLowerCase(Locale.ROOT);
  }

  /**
   * Obtain a version from the source and write its snapshot, data and metadata in one write.
   *
   * @param version its number
   * @param token of the rotation that makes it
   */
  record CreateSnapshot(long version, String token) implements Effect {}

  /**
   * Let the alias hold a version, by compare and swap on what was observed.
   *
   * @param version with its snapshot
   * @param restoring whether it held it before, so that it keeps the time since when it does
   */
  record WriteAlias(VersionRef version, boolean restoring) implements Effect {}

  /**
   * Obtain the first version, write its snapshot, and let the alias hold it: create the alias, or
   * take over one whose data equal the version's. It delivers a current version again, too, whose
   * value only its source still holds.
   *
   * @param version its number
   */
  record DeliverFirst(long version) implements Effect {}

  /**
   * Write the snapshot of a version again, from the alias that holds it.
   *
   * @param version with the name of its snapshot
   */
  record RestoreSnapshot(VersionRef version) implements Effect {}

  /**
   * Start the Job of a check.
   *
   * @param check of the policy
   */
  record StartCheck(Preflight check) implements Effect {
    @Override
    public String refusal(int code) {
      return "The API server refused the Job of check %s (code %d): look at its template, the namespace's quotas, its admission policies and Keyturn's roles."
          .formatted(check.name(), code);
    }
  }

  /**
   * Delete the Job of a check and its pod.
   *
   * @param check of the policy
   */
  record StopCheck(Preflight check) implements Effect {}

  /**
   * Create the clone of a workload, or bring it to the workload's present template.
   *
   * @param workload with the name of the clone
   * @param pods how many
   */
  record StartCanary(WorkloadProgress workload, int pods) implements Effect {}

  /**
   * Delete the clone of a workload.
   *
   * @param workload with the name of the clone
   */
  record StopCanary(WorkloadProgress workload) implements Effect {}

  /**
   * Write the version annotation of a workload's pod template, which replaces its pods.
   *
   * @param kind of the workload
   * @param name of the workload
   * @param uid of the workload
   * @param versionId the value; null removes the annotation
   */
  record Annotate(WorkloadKind kind, String name, String uid, String versionId) implements Effect {}

  /**
   * Delete a snapshot that no pod and no pod template refers to; do nothing where one does.
   *
   * @param name of the snapshot
   */
  record DeleteSnapshot(String name) implements Effect {}

  /**
   * Create the SecretRotation that moves the binding to a version.
   *
   * @param version its number
   * @param trigger why
   * @param nonce the request that it serves; null: none
   * @param reportedAt when a compromise was found; null: it is none, or it is found now
   * @param fingerprint of what the source holds; null: it makes a value when one is asked for
   */
  record StartRotation(
      long version, Trigger trigger, String nonce, Instant reportedAt, String fingerprint)
      implements Effect {}

  /**
   * Delete the record of a rotation that has ended.
   *
   * @param name of the rotation
   */
  record ForgetRotation(String name) implements Effect {}

  /**
   * Let the credential of a version live longer, at its store.
   *
   * @param snapshot that knows it
   */
  record RenewLease(String snapshot) implements Effect {}

  /**
   * Keep the credential of a version from being used, at its store.
   *
   * @param snapshot that knows it
   */
  record Disable(String snapshot) implements Effect {}

  /**
   * Let the credential of a version be used again.
   *
   * @param snapshot that knows it
   */
  record Enable(String snapshot) implements Effect {}

  /**
   * End the credential of a version at its store, for good.
   *
   * @param snapshot that knows it
   * @param terminateSessions whether those end, too, that were opened with it
   */
  record Revoke(String snapshot, boolean terminateSessions) implements Effect {}

  /** Let a rotation that has ended be deleted: remove its finalizer. */
  record Release() implements Effect {}

  /**
   * Make owner references of alias and snapshots agree with the binding's deletion policy.
   *
   * @param secret name of the Secret
   */
  record SetOwnership(String secret) implements Effect {}
}
