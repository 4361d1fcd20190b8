package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.javaoperatorsdk.operator.api.config.informer.InformerEventSourceConfiguration;
import io.javaoperatorsdk.operator.api.reconciler.EventSourceContext;
import io.javaoperatorsdk.operator.processing.GroupVersionKind;
import io.javaoperatorsdk.operator.processing.event.source.SecondaryToPrimaryMapper;
import io.javaoperatorsdk.operator.processing.event.source.informer.InformerEventSource;
import io.keyturn.kubernetes.OwnWrites;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;

/** Event sources that know of an object that it has changed, and its metadata, and no more. */
@ApplicationScoped
public class MetadataSource {

  private static final long PAGE = 500;

  private final MetadataClient client;
  private final OwnWrites own;
  private final FirstLooks firstLooks;

  /** Watches through the given client. */
  @Inject
  public MetadataSource(MetadataClient client, OwnWrites own, FirstLooks firstLooks) {
    this.client = client;
    this.own = own;
    this.firstLooks = firstLooks;
  }

  /**
   * A source of events.
   *
   * @param kind what is watched
   * @param primary whose controller is told
   * @param labels selector of what is watched; null: everything
   * @param mapper whom a change concerns
   */
  public <P extends HasMetadata> InformerEventSource<GenericKubernetesResource, P> source(
      GroupVersionKind kind,
      Class<P> primary,
      EventSourceContext<P> context,
      String labels,
      SecondaryToPrimaryMapper<GenericKubernetesResource> mapper) {
    return new InformerEventSource<>(
        InformerEventSourceConfiguration.from(kind, primary)
            .withName(kind.getKind() + "-metadata")
            .withKubernetesClient(client.client())
            .withInformerListLimit(PAGE)
            .withLabelSelector(labels)
            .withOnAddFilter(now -> isNews(kind, now))
            .withOnUpdateFilter((now, before) -> isChange(kind, now))
            .withNamespacesInheritedFromController()
            .withSecondaryToPrimaryMapper(mapper)
            .build(),
        context);
  }

  private boolean isChange(GroupVersionKind kind, HasMetadata now) {
    boolean news = isNews(kind, now);
    if (news && isSecret(kind)) {
      firstLooks.changed(now);
    }
    return news;
  }

  /** Of what is watched as metadata, Keyturn waits for nothing that it does itself to Secrets. */
  private boolean isNews(GroupVersionKind kind, HasMetadata now) {
    return !isSecret(kind) || own.isNews(now);
  }

  private static boolean isSecret(GroupVersionKind kind) {
    return kind.getKind().equals("Secret");
  }
}
