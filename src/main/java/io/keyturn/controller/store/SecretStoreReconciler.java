package io.keyturn.controller.store;

import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.controller.Census;
import io.keyturn.controller.Nudge;
import io.keyturn.controller.ReconcileLog;
import io.keyturn.store.Stores;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.List;

/** Says in the status of a SecretStore whether it lets the identity of its namespace in. */
@ApplicationScoped
@ControllerConfiguration(name = "secretstore")
public class SecretStoreReconciler implements Reconciler<SecretStore> {

  private final Stores stores;
  private final StoreReport report;
  private final Census census;
  private final Nudge nudge;

  @Inject
  SecretStoreReconciler(Stores stores, StoreReport report, Census census, Nudge nudge) {
    this.stores = stores;
    this.report = report;
    this.census = census;
    this.nudge = nudge;
  }

  @Override
  public List<EventSource<?, SecretStore>> prepareEventSources(
      EventSourceContext<SecretStore> context) {
    census.ofStores(context.getPrimaryCache());
    return List.of(nudge.ofStores());
  }

  @Override
  public UpdateControl<SecretStore> reconcile(SecretStore store, Context<SecretStore> context) {
    return report.of(
        store, SecretStore.class, store.getSpec().provider(), true, () -> stores.check(store));
  }

  @Override
  public ErrorStatusUpdateControl<SecretStore> updateErrorStatus(
      SecretStore store, Context<SecretStore> context, Exception e) {
    ReconcileLog.failed(store, e);
    return ErrorStatusUpdateControl.noStatusUpdate();
  }
}
