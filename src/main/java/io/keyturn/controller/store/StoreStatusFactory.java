package io.keyturn.controller.store;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretStoreStatus;
import io.keyturn.domain.Finding;
import io.keyturn.domain.status.ConditionSet;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.StoreException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** Makes the status of a store out of what came of asking it. */
final class StoreStatusFactory {

  private StoreStatusFactory() {}

  /**
   * What is known of a store.
   *
   * @param provider name of the kind of store; empty: nobody knows such a store
   * @param can empty: the same
   * @param asIdentity whether it was asked as somebody
   * @param failure empty: it has answered, and let the identity in
   * @param quotaExceeded what it said when it had given as much as it may; empty: it gives more
   */
  record Look(
      Optional<String> provider,
      Optional<Capabilities> can,
      boolean asIdentity,
      Optional<StoreException> failure,
      Optional<StoreException> quotaExceeded) {}

  static SecretStoreStatus status(
      SecretStoreStatus before, Long generation, Look look, Instant now) {
    ConditionSet set = new ConditionSet(before.conditions(), generation, now);
    look.failure().ifPresentOrElse(e -> failed(set, e), () -> answered(set, look.asIdentity()));
    look.quotaExceeded()
        .ifPresent(e -> set.isTrue(Conditions.QUOTA_EXCEEDED, e.reason(), e.getMessage()));
    if (look.asIdentity()) {
      identity(set, look.failure());
    }
    return new SecretStoreStatus(
        generation,
        set.toList(),
        look.provider().orElse(null),
        look.can().map(StoreStatusFactory::capabilities).orElse(null));
  }

  private static SecretStoreStatus.Capabilities capabilities(Capabilities can) {
    return new SecretStoreStatus.Capabilities(
        can.overlap(), can.leases(), can.disable(), can.revoke());
  }

  private static void answered(ConditionSet set, boolean asIdentity) {
    set.isTrue(
        Conditions.READY,
        Reasons.READY,
        asIdentity
            ? "The store answers, and lets the identity in."
            : "The store answers. Each namespace that it allows has an identity of its own.");
  }

  private static void failed(ConditionSet set, StoreException e) {
    set.isFalse(Conditions.READY, e.reason(), e.getMessage());
    switch (e.kind()) {
      case TRANSIENT, THROTTLED, CONFLICT ->
          set.isTrue(Conditions.RECONCILING, e.reason(), "The store is asked again soon.");
      case DENIED, NOT_FOUND, PERMANENT, INTEGRITY ->
          set.isTrue(Conditions.STALLED, e.reason(), e.getMessage());
    }
  }

  private static void identity(ConditionSet set, Optional<StoreException> failure) {
    if (failure.isEmpty()) {
      set.isTrue(Conditions.AUTH_VALID, Reasons.READY, "The store lets the identity in.");
      return;
    }
    StoreException e = failure.get();
    switch (e.kind()) {
      case DENIED, NOT_FOUND -> set.isFalse(Conditions.AUTH_VALID, e.reason(), e.getMessage());
      default ->
          set.isUnknown(
              Conditions.AUTH_VALID, e.reason(), "The store could not be asked; see Ready.");
    }
  }

  /** What people are told: that it has become ready, or not, or for another reason. */
  static List<Finding> news(SecretStoreStatus before, SecretStoreStatus now) {
    Condition ready = ready(now).orElseThrow();
    boolean same =
        ready(before)
            .filter(b -> b.status() == ready.status() && b.reason().equals(ready.reason()))
            .isPresent();
    if (same) {
      return List.of();
    }
    return List.of(
        ready.status() == Condition.Status.True
            ? Finding.normal(ready.reason(), ready.message())
            : Finding.warning(ready.reason(), ready.message()));
  }

  private static Optional<Condition> ready(SecretStoreStatus status) {
    return status.conditions().stream().filter(c -> c.type().equals(Conditions.READY)).findFirst();
  }
}
