package io.keyturn.controller.store;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.events.v1.Event;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.testing.NoApiServer;
import java.util.ArrayList;
import java.util.List;

/** An API server that has one store, and takes its status and events. */
final class OneStore extends NoApiServer {

  private static final KubernetesSerialization COPY = new KubernetesSerialization();

  final List<Event> events = new ArrayList<>();
  int reads;
  int writes;
  int refusal;
  private HasMetadata store;

  void put(HasMetadata now) {
    store = now;
  }

  /** As it is now; null: somebody has deleted it. */
  <T extends HasMetadata> T now(Class<T> kind) {
    return store == null ? null : kind.cast(COPY.clone(store));
  }

  @Override
  public <T extends HasMetadata> T read(Class<T> kind, String namespace, String name) {
    reads++;
    return now(kind);
  }

  @Override
  public void updateStatus(HasMetadata seen) {
    if (refusal != 0) {
      throw new KubernetesClientException("words that nobody may repeat", refusal, null);
    }
    writes++;
    store = COPY.clone(seen);
  }

  @Override
  public void create(HasMetadata object) {
    events.add((Event) object);
  }
}
