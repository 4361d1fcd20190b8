package io.keyturn.api.v1alpha1;

/** The reasons of conditions and events. They are part of the API: alerts and scripts use them. */
public final class Reasons {

  /** Everything is as it should be. */
  public static final String READY = "Ready";

  /** The alias holds the current version. */
  public static final String DELIVERED = "Delivered";

  /** An existing Secret was taken over. */
  public static final String ADOPTED = "Adopted";

  /** The first version is being delivered. */
  public static final String DELIVERING = "Delivering";

  /** Nothing to do. */
  public static final String IDLE = "Idle";

  /** A rotation is under way. */
  public static final String ROTATING = "Rotating";

  /** A rotation was started. */
  public static final String ROTATION_STARTED = "RotationStarted";

  /** The request to rotate changed nothing, because the source holds the current value. */
  public static final String NOTHING_TO_ROTATE = "NothingToRotate";

  /** The alias was deleted or edited by somebody and has been restored. */
  public static final String ALIAS_RESTORED = "AliasRestored";

  /** The upstream Secret does not exist. */
  public static final String SOURCE_NOT_FOUND = "SourceNotFound";

  /** The upstream Secret has no data. */
  public static final String SOURCE_EMPTY = "SourceEmpty";

  /** A key or template of the binding asks for a key that the source does not have. */
  public static final String SOURCE_KEY_MISSING = "SourceKeyMissing";

  /** A template cannot be read. */
  public static final String TEMPLATE_INVALID = "TemplateInvalid";

  /** The Secret would exceed 1 MiB. */
  public static final String SECRET_TOO_LARGE = "SecretTooLarge";

  /** Two entries of the binding have one key. */
  public static final String KEY_CLASH = "KeyClash";

  /** The keys of the Secret do not fit its type. */
  public static final String SECRET_TYPE_MISMATCH = "SecretTypeMismatch";

  /** The policy does not exist. */
  public static final String POLICY_NOT_FOUND = "PolicyNotFound";

  /** A workload does not exist. */
  public static final String WORKLOAD_NOT_FOUND = "WorkloadNotFound";

  /** The Secret exists and belongs to somebody else. */
  public static final String SECRET_NOT_OWNED = "SecretNotOwned";

  /** An older binding has the Secret. */
  public static final String ALIAS_TAKEN = "AliasTaken";

  /** The last attempt failed. */
  public static final String ROTATION_FAILED = "RotationFailed";

  /** The value failed as often as the policy allows. */
  public static final String RETRIES_EXHAUSTED = "RetriesExhausted";

  /** Somebody set back what Keyturn wrote. */
  public static final String FIELD_CONFLICT = "FieldConflict";

  /** Nobody interferes. */
  public static final String NO_CONFLICT = "NoConflict";

  /** The API server or its policies refused a write. */
  public static final String ACCESS_DENIED = "AccessDenied";

  /** Rotations rest, because the user wants it. */
  public static final String SUSPENDED = "Suspended";

  /** Rotations do not rest. */
  public static final String NOT_SUSPENDED = "NotSuspended";

  /** The rotation waits, because a person wants it. */
  public static final String HELD = "Held";

  /** Another rotation holds a workload. */
  public static final String WORKLOAD_BUSY = "WorkloadBusy";

  /** A workload is not rolled out. */
  public static final String WORKLOAD_UNSTABLE = "WorkloadUnstable";

  /** The policy demands a canary that the workload does not allow. */
  public static final String CANARY_NOT_POSSIBLE = "CanaryNotPossible";

  /** The canary finds no node or no quota. */
  public static final String CANARY_UNSCHEDULABLE = "CanaryUnschedulable";

  /** Canaries run. */
  public static final String CANARY_RUNNING = "CanaryRunning";

  /** The canary passed. */
  public static final String CANARY_PASSED = "CanaryPassed";

  /** No workload allowed or wanted a canary. */
  public static final String NO_CANARY = "NoCanary";

  /** The canary crashed, restarted or was not Ready. */
  public static final String CANARY_FAILED = "CanaryFailed";

  /** The canary was not verified before its deadline. */
  public static final String CANARY_DEADLINE_EXCEEDED = "CanaryDeadlineExceeded";

  /** Workloads or canary pods were replaced too often to tell. */
  public static final String CANARY_UNSETTLED = "CanaryUnsettled";

  /** A workload was edited and its canary is made anew. */
  public static final String CANARY_REBUILT = "CanaryRebuilt";

  /** Workloads move to the new version. */
  public static final String PROMOTING = "Promoting";

  /** A workload did not become stable on the new version. */
  public static final String PROMOTION_FAILED = "PromotionFailed";

  /** Each workload is on the new version. */
  public static final String PROMOTED = "Promoted";

  /** The rotation ended well. */
  public static final String COMPLETE = "Complete";

  /** A person took the rotation back. */
  public static final String ABORTED = "Aborted";

  /** The binding was deleted. */
  public static final String BINDING_DELETED = "BindingDeleted";

  /** The source returned to the current value. */
  public static final String SUPERSEDED = "Superseded";

  /** Somebody deleted the snapshot of a version that is needed. */
  public static final String SNAPSHOT_LOST = "SnapshotLost";

  /** It can neither go forward nor back by itself. */
  public static final String ROLLBACK_IMPOSSIBLE = "RollbackImpossible";

  /** The rotation goes on. */
  public static final String IN_PROGRESS = "InProgress";

  /** The object was not made by Keyturn. */
  public static final String NOT_STARTED_BY_KEYTURN = "NotStartedByKeyturn";

  /** The schedule of the policy says so. */
  public static final String SCHEDULED = "Scheduled";

  /** No window of the policy is open, or it is a blackout. */
  public static final String WINDOW_CLOSED = "WindowClosed";

  /** The version has reached its maximal age, which outranks windows and blackouts. */
  public static final String WINDOW_OVERRIDDEN = "WindowOverridden";

  /** The schedule or a window of the policy cannot be followed. */
  public static final String INVALID_SCHEDULE = "InvalidSchedule";

  /** Windows leave room for each deadline. */
  public static final String FEASIBLE = "Feasible";

  /** Windows leave no room for some deadline. */
  public static final String INFEASIBLE = "Infeasible";

  /** As many rotations as the policy allows move pods of the namespace. */
  public static final String BUDGET_EXHAUSTED = "BudgetExhausted";

  /** As many rotations as the policy or the store allows move pods with secrets of the store. */
  public static final String STORE_BUDGET_EXHAUSTED = "StoreBudgetExhausted";

  /** A newer value came during a rotation, and the policy forbids to rotate to it by itself. */
  public static final String CONCURRENCY_FORBIDDEN = "ConcurrencyForbidden";

  /** The current value was reported compromised, and the source still holds it. */
  public static final String SOURCE_UNCHANGED = "SourceUnchanged";

  /** The source holds a value that was reported compromised before. */
  public static final String SOURCE_COMPROMISED = "SourceCompromised";

  /** Keyturn cannot revoke what it did not issue. */
  public static final String REVOKE_AT_ISSUER = "RevokeAtIssuer";

  /** A compromise takes longer than the policy allows for. */
  public static final String REMEDIATION_OVERDUE = "RemediationOverdue";

  /** The source has no overlap, and nobody has accepted the outage. */
  public static final String OVERLAP_REQUIRED = "OverlapRequired";

  /** The checks before any pod are being made. */
  public static final String CHECKING = "Checking";

  /** Each check passed. */
  public static final String CHECKS_PASSED = "ChecksPassed";

  /** A check said no, before any pod saw the version. */
  public static final String PREFLIGHT_FAILED = "PreflightFailed";

  /** A check could not tell. */
  public static final String PREFLIGHT_INCONCLUSIVE = "PreflightInconclusive";

  /** A gate said no. */
  public static final String GATE_FAILED = "GateFailed";

  /** A gate cannot tell. */
  public static final String GATE_INCONCLUSIVE = "GateInconclusive";

  /** A gate waits for a person. */
  public static final String AWAITING_APPROVAL = "AwaitingApproval";

  /** Nobody approved in time. */
  public static final String APPROVAL_TIMEOUT = "ApprovalTimeout";

  /** The other pods of a workload are not healthy either, so its canary proves nothing. */
  public static final String BASELINE_DEGRADED = "BaselineDegraded";

  /** A SecretStore or ClusterSecretStore does not exist. */
  public static final String STORE_NOT_FOUND = "StoreNotFound";

  /** The ClusterSecretStore does not allow the namespace. */
  public static final String STORE_NOT_ALLOWED = "StoreNotAllowed";

  /** The store is of another provider than the source needs, or cannot be used as described. */
  public static final String STORE_MISCONFIGURED = "StoreMisconfigured";

  /** The store does not answer, or answers that it cannot. */
  public static final String STORE_UNAVAILABLE = "StoreUnavailable";

  /** The store is not asked for a while, because it failed too often. */
  public static final String STORE_CIRCUIT_OPEN = "StoreCircuitOpen";

  /** The store was asked too often. */
  public static final String STORE_THROTTLED = "StoreThrottled";

  /** The store has given as much as it may. */
  public static final String QUOTA_EXCEEDED = "QuotaExceeded";

  /** The store does not let the identity in, or not do this. */
  public static final String STORE_DENIED = "StoreDenied";

  /** Somebody else changed the same thing at the store. */
  public static final String STORE_CONFLICT = "StoreConflict";

  /** The answer of the store cannot be trusted. */
  public static final String STORE_ANSWER_INVALID = "StoreAnswerInvalid";

  /** The store holds an older version than it did. */
  public static final String SOURCE_WENT_BACK = "SourceWentBack";

  /** Pods still use the slot that the next version needs. */
  public static final String SLOT_IN_USE = "SlotInUse";

  /** The lease is renewed in time. */
  public static final String LEASE_RENEWED = "LeaseRenewed";

  /** The lease cannot be renewed now. */
  public static final String LEASE_AT_RISK = "LeaseAtRisk";

  /** The lease has ended before its time. */
  public static final String LEASE_LOST = "LeaseLost";

  /** The credential ends soon. */
  public static final String EXPIRING = "Expiring";

  /** The credential does not end soon. */
  public static final String NOT_EXPIRING = "NotExpiring";

  /** The previous credential was revoked. */
  public static final String REVOKED = "Revoked";

  /** The previous credential is being disabled or revoked. */
  public static final String REVOKING = "Revoking";

  /** Pods came to use the previous credential again before it was revoked. */
  public static final String STILL_IN_USE = "StillInUse";

  /** The previous credential could not be revoked. */
  public static final String REVOKE_FAILED = "RevokeFailed";

  /** The policy says that nothing is revoked. */
  public static final String REVOKE_NOT_WANTED = "RevokeNotWanted";

  private Reasons() {}
}
