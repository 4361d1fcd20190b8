package io.keyturn.controller.store;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretStoreStatus;
import io.keyturn.controller.Census;
import io.keyturn.controller.Nudge;
import io.keyturn.store.StoreListener;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

/**
 * Has a store asked how it is as soon as those who use it find that its status is not true any
 * more, so that nobody has to wait until it is looked at anyway.
 */
@ApplicationScoped
class StatusListener implements StoreListener {

  private final Census census;
  private final Nudge nudge;

  @Inject
  StatusListener(Census census, Nudge nudge) {
    this.census = census;
    this.nudge = nudge;
  }

  @Override
  public void answering(String namespace, StoreRef store, boolean answers) {
    lookUnless(answers, Conditions.READY, namespace, store);
  }

  @Override
  public void exhausted(String namespace, StoreRef store, boolean exhausted) {
    lookUnless(exhausted, Conditions.QUOTA_EXCEEDED, namespace, store);
  }

  /** A status that says so already is left alone: many namespaces may find out the same. */
  private void lookUnless(boolean found, String condition, String namespace, StoreRef store) {
    census
        .status(namespace, store)
        .filter(status -> says(status, condition) != found)
        .ifPresent(_ -> nudge.send(namespace, store));
  }

  private static boolean says(SecretStoreStatus status, String condition) {
    return status.conditions().stream()
        .anyMatch(c -> c.type().equals(condition) && c.status() == Condition.Status.True);
  }
}
