package io.keyturn.api.v1alpha1;

/** The types of conditions. All are positive but those that say so. */
public final class Conditions {

  /** Binding: the workloads have a valid, delivered secret. Policy: it can be used. */
  public static final String READY = "Ready";

  /** Binding: the alias holds the current version. */
  public static final String DELIVERED = "Delivered";

  /** Binding: the last attempt to rotate, if any, did not fail. */
  public static final String ROTATION_HEALTHY = "RotationHealthy";

  /** Binding with a lease: it is renewed in time. */
  public static final String LEASE_HEALTHY = "LeaseHealthy";

  /** Binding, true is bad: its credential ends soon, and no other one is there yet. */
  public static final String EXPIRING_SOON = "ExpiringSoon";

  /** Store: it lets the identity in. */
  public static final String AUTH_VALID = "AuthValid";

  /** Store, only while true, bad: it has given as much as it may. */
  public static final String QUOTA_EXCEEDED = "QuotaExceeded";

  /** Binding: a rotation is under way. Neither good nor bad. */
  public static final String ROTATING = "Rotating";

  /** Binding, true is bad: somebody else writes what Keyturn writes. */
  public static final String FIELD_CONFLICT = "FieldConflict";

  /** Policy: rotations rest. Neither good nor bad. */
  public static final String SUSPENDED = "Suspended";

  /** Policy: its windows leave room for its deadline. */
  public static final String SCHEDULE_FEASIBLE = "ScheduleFeasible";

  /** Rotation: it ended well; Unknown while it is under way. */
  public static final String SUCCEEDED = "Succeeded";

  /** Rotation with checks: each passed before any pod saw the version. */
  public static final String PREFLIGHTED = "Preflighted";

  /** Rotation: the canary passed. */
  public static final String CANARY_VERIFIED = "CanaryVerified";

  /** Rotation: each workload is on the new version. */
  public static final String PROMOTED = "Promoted";

  /** Rotation, only while true, bad: it waits for something or somebody. */
  public static final String BLOCKED = "Blocked";

  /** Rotation, only while true, bad: it was taken back, or is being. */
  public static final String ROLLED_BACK = "RolledBack";

  /** Rotation: the old version can no longer be used. */
  public static final String OLD_REVOKED = "OldRevoked";

  /** Rotation, only while true, bad: a compromise takes longer than the policy allows for. */
  public static final String REMEDIATION_OVERDUE = "RemediationOverdue";

  /** Only while true: kstatus reads it as "in progress". */
  public static final String RECONCILING = "Reconciling";

  /** Only while true, bad: kstatus reads it as "failed"; a person must look. */
  public static final String STALLED = "Stalled";

  private Conditions() {}
}
