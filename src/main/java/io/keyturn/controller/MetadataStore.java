package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.client.informers.cache.BasicItemStore;
import io.fabric8.kubernetes.client.informers.cache.Cache;
import io.keyturn.api.v1alpha1.Names;
import java.util.HashMap;
import java.util.Map;

/**
 * Keeps of each object its name, UID, resourceVersion, labels, and of its annotations Keyturn's
 * own. The metadata client brings no more than metadata anyway; this drops what is large in them,
 * so that thousands of foreign Secrets cost little.
 */
final class MetadataStore extends BasicItemStore<GenericKubernetesResource> {

  MetadataStore() {
    super(Cache::metaNamespaceKeyFunc);
  }

  @Override
  public GenericKubernetesResource put(String key, GenericKubernetesResource object) {
    return super.put(key, slim(object));
  }

  static GenericKubernetesResource slim(GenericKubernetesResource object) {
    ObjectMeta full = object.getMetadata();
    GenericKubernetesResource slim = new GenericKubernetesResource();
    slim.setApiVersion(object.getApiVersion());
    slim.setKind(object.getKind());
    slim.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace(full.getNamespace())
            .withName(full.getName())
            .withUid(full.getUid())
            .withResourceVersion(full.getResourceVersion())
            .withGeneration(full.getGeneration())
            .withLabels(full.getLabels())
            .withAnnotations(own(full.getAnnotations()))
            .withOwnerReferences(full.getOwnerReferences())
            .withDeletionTimestamp(full.getDeletionTimestamp())
            .build());
    return slim;
  }

  /** Never null: the framework looks into the annotations of whatever comes from the store. */
  private static Map<String, String> own(Map<String, String> annotations) {
    Map<String, String> own = new HashMap<>();
    if (annotations != null) {
      annotations.forEach((k, v) -> {
        if (k.startsWith(Names.KEYTURN + ".io/")) {
          own.put(k, v);
        }
      });
    }
    return own;
  }
}
