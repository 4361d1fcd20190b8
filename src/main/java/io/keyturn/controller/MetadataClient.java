package io.keyturn.controller;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.util.StdConverter;
import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.http.BasicBuilder;
import io.fabric8.kubernetes.client.http.HttpRequest;
import io.fabric8.kubernetes.client.http.Interceptor;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.kubernetes.RetryAfter;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A client to which the API server sends nothing of an object but its metadata
 * (PartialObjectMetadata). Watches go through it: the values of Secrets that are not Keyturn's
 * business never reach this process. Of the metadata it drops what is large, or may quote values:
 * managed fields, and annotations that are not Keyturn's own.
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
    mapper.addMixIn(ObjectMeta.class, SlimMetadata.class);
    mapper.addMixIn(GenericKubernetesResource.class, WithoutData.class);
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

  /** Even if an API server sends them. */
  @JsonIgnoreProperties({"data", "stringData"})
  private interface WithoutData {}

  @JsonIgnoreProperties("managedFields")
  private interface SlimMetadata {

    @JsonDeserialize(converter = OwnAnnotations.class)
    void setAnnotations(Map<String, String> annotations);
  }

  /** Foreign ones quote whole manifests, values and all, where people apply Secrets. */
  private static final class OwnAnnotations
      extends StdConverter<Map<String, String>, Map<String, String>> {

    @Override
    public Map<String, String> convert(Map<String, String> all) {
      return all.entrySet().stream()
          .filter(a -> a.getKey().startsWith(Names.KEYTURN + ".io/"))
          .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
    }
  }

  private static final class MetadataOnly implements Interceptor {

    @Override
    public void before(BasicBuilder builder, HttpRequest request, RequestTags tags) {
      boolean watch = String.valueOf(request.uri().getQuery()).contains("watch=true");
      builder.setHeader("Accept", watch ? ACCEPT_WATCH : ACCEPT);
    }
  }
}
