package io.keyturn.controller;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.kubernetes.RetryAfter;
import java.util.List;

/**
 * A client to which the API server sends nothing of an object but its metadata
 * (PartialObjectMetadata). Watches go through it: the values of Secrets that are not Keyturn's
 * business never reach this process.
 */
public final class MetadataClient {

  private static final String ACCEPT =
      "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1";
  private static final String ACCEPT_WATCH =
      "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1";

  private final KubernetesClient client;

  /** A client for the API server of the given configuration. */
  public MetadataClient(Config config) {
    // The API server says null where an empty list of metadata has no items.
    ObjectMapper mapper = new ObjectMapper();
    mapper.configOverride(List.class).setSetterInfo(JsonSetter.Value.forValueNulls(Nulls.AS_EMPTY));
    client =
        new KubernetesClientBuilder()
            .withConfig(config)
            .withKubernetesSerialization(new KubernetesSerialization(mapper, true))
            .withHttpClientBuilderConsumer(b -> {
              RetryAfter.addTo(b);
              b.addOrReplaceInterceptor("metadata-only", new MetadataOnly());
            })
            .build();
  }

  /** The client, for lists and watches alone. */
  public KubernetesClient client() {
    return client;
  }

  private static final class MetadataOnly implements Interceptor {

    @Override
    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
      boolean watch = String.valueOf(request.uri().getQuery()).contains("watch=true");
      builder.setHeader("Accept", watch ? ACCEPT_WATCH : ACCEPT);
    }
  }
}
