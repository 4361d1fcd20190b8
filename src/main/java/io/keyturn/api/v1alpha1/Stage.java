package io.keyturn.api.v1alpha1;

/** Where a rotation stands; what may follow is in {@code domain.rotation.Transitions}. */
public enum Stage {
  /**
   * Waits to be admitted. Exits: Staging when nothing is in the way; RollingBack when it is aborted
   * or its reason has gone.
   */
  Pending(false),
  /**
   * Token and plan are written down; the version is obtained and its snapshot made. Exits:
   * Preflight when the snapshot exists and the policy has checks; Canary when a canary is wanted;
   * Promoting when none is; RollingBack.
   */
  Staging(false),
  /**
   * Checks are made with the version, before any pod sees it. Exits: Canary when each has passed;
   * Promoting where no canary is wanted; RollingBack when one fails.
   */
  Preflight(false),
  /**
   * Canaries start. Exits: Baking when each is Ready; RollingBack when one crashes or the deadline
   * passes.
   */
  Canary(false),
  /**
   * Canaries must stay healthy. Exits: Promoting when the bake is over; Canary when a workload was
   * edited and its canary must be made anew; RollingBack when a canary fails.
   */
  Baking(false),
  /**
   * The alias and then the workloads move to the version. Exits: Retiring when each pod is on it;
   * RollingBack when a workload fails.
   */
  Promoting(false),
  /**
   * The version is current; the previous one waits until nobody uses it. Exits: Disabling where its
   * store can disable it; Revoking where it can only revoke it; Complete where it can do neither,
   * or nobody wants it to.
   */
  Retiring(false),
  /**
   * The previous version is disabled, and whoever may still use it has time to show. Exits:
   * Revoking when the soak is over; Retiring, enabled again, when somebody uses it.
   */
  Disabling(false),
  /** The previous version is ended at its store, for good. Exit: Complete. */
  Revoking(false),
  /** Alias and workloads move back, in reverse order. Exit: Discarding. */
  RollingBack(false),
  /**
   * The candidate is revoked where its store can do that, and its snapshot deleted, when no pod
   * uses it. Exits: Failed, Aborted, Superseded.
   */
  Discarding(false),
  /** Ended: the new version is current and nobody uses the old one. */
  Complete(true),
  /** Ended: the candidate was rejected; the workloads run on the previous version. */
  Failed(true),
  /** Ended: a person took it back. */
  Aborted(true),
  /** Ended: its reason has gone, because the source returned to the current value. */
  Superseded(true);

  private final boolean terminal;

  Stage(boolean terminal) {
    this.terminal = terminal;
  }

  /** Whether the rotation has ended. */
  public boolean terminal() {
    return terminal;
  }

  /** Whether the new version is the promoted one: the alias holds it and stays on it. */
  public boolean promoted() {
    return retires() || this == Complete;
  }

  /** Whether the previous version is on its way out. */
  public boolean retires() {
    return this == Retiring || this == Disabling || this == Revoking;
  }

  /** Whether the rotation, not the binding, decides what the alias holds. */
  public boolean ownsAlias() {
    return this == Promoting || this == RollingBack;
  }
}
