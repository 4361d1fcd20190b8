package io.keyturn.controller.store;

import io.javaoperatorsdk.operator.api.reconciler.Context;
import io.javaoperatorsdk.operator.api.reconciler.ControllerConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.ErrorStatusUpdateControl;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.api.reconciler.Reconciler;
import io.javaoperatorsdk.operator.api.reconciler.UpdateControl;
import io.javaoperatorsdk.operator.processing.event.source.EventSource;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.controller.Census;
import io.keyturn.controller.Nudge;
import io.keyturn.controller.ReconcileLog;
import io.keyturn.store.Stores;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.util.List;

/**
 * Says in the status of a ClusterSecretStore whether it answers. It has no identity of its own, so
 * whether one is let in is told by the bindings that use it.
 */
@ApplicationScoped
@ControllerConfiguration(name = "clustersecretstore")
public class ClusterSecretStoreReconciler implements Reconciler<ClusterSecretStore> {

  private final Stores stores;
  private final StoreReport report;
  private final Census census;
  private final Nudge nudge;

  @Inject
  ClusterSecretStoreReconciler(Stores stores, StoreReport report, Census census, Nudge nudge) {
    this.stores = stores;
    this.report = report;
    this.census = census;
    this.nudge = nudge;
  }

  @Override
  public List<EventSource<?, ClusterSecretStore>> prepareEventSources(
      EventSourceContext<ClusterSecretStore> context) {
    census.ofClusterStores(context.getPrimaryCache());
    return List.of(nudge.ofClusterStores());
  }

  @Override
  public UpdateControl<ClusterSecretStore> reconcile(
      ClusterSecretStore store, Context<ClusterSecretStore> context) {
    return report.of(
        store,
        ClusterSecretStore.class,
        store.getSpec().provider(),
        false,
        () -> stores.reach(store));
  }

  @Override
  public ErrorStatusUpdateControl<ClusterSecretStore> updateErrorStatus(
      ClusterSecretStore store, Context<ClusterSecretStore> context, Exception e) {
    ReconcileLog.failed(store, e);
    return ErrorStatusUpdateControl.noStatusUpdate();
  }
}
