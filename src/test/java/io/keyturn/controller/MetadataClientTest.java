package io.keyturn.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntryBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.informers.SharedIndexInformer;
import io.fabric8.kubernetes.client.server.mock.EnableKubernetesMockClient;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.http.RecordedRequest;
import io.keyturn.api.v1alpha1.Names;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What an informer of the metadata client asks an API server for. */
@EnableKubernetesMockClient(crud = true)
class MetadataClientTest {

  private static KubernetesMockServer server;
  private static KubernetesClient client;

  @Test
  void listsAndWatchesAskForMetadataAlone() throws InterruptedException {
    try (KubernetesClient metadata = new MetadataClient(client.getConfiguration()).client();
        SharedIndexInformer<GenericKubernetesResource> informer =
            metadata.genericKubernetesResources("v1", "Secret").inAnyNamespace().inform()) {
      RecordedRequest list = next();
      RecordedRequest watch = next();

      assertThat(list.getPath()).startsWith("/api/v1/secrets?").doesNotContain("watch=true");
      assertThat(list.getHeader("Accept"))
          .isEqualTo("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
      assertThat(watch.getPath()).startsWith("/api/v1/secrets?").contains("watch=true");
      assertThat(watch.getHeader("Accept"))
          .isEqualTo("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
      assertThat(informer.hasSynced()).isTrue();
    }
  }

  @Test
  void ofASecretItKeepsNoDataAndOfItsMetadataNeitherWhatIsLargeNorWhatMayQuoteValues() {
    Secret full =
        new SecretBuilder()
            .withNewMetadata()
            .withNamespace("payments")
            .withName("payments-db")
            .addToLabels(Names.VERSION, "7")
            .addToAnnotations(Names.SINCE, "now")
            .addToAnnotations("kubectl.kubernetes.io/last-applied-configuration", "{data: {}}")
            .addNewOwnerReference()
            .withUid("77aa")
            .endOwnerReference()
            .withManagedFields(new ManagedFieldsEntryBuilder().withManager("kubectl").build())
            .endMetadata()
            .addToData("password", "aHVudGVyMg==")
            .build();
    client.resource(full).create();
    try (KubernetesClient metadata = new MetadataClient(client.getConfiguration()).client()) {
      GenericKubernetesResource kept =
          metadata
              .genericKubernetesResources("v1", "Secret")
              .inNamespace("payments")
              .list()
              .getItems()
              .getFirst();

      assertThat(kept.getAdditionalProperties()).doesNotContainKey("data");
      assertThat(kept.getMetadata().getManagedFields()).isEmpty();
      assertThat(kept.getMetadata().getAnnotations()).isEqualTo(Map.of(Names.SINCE, "now"));
      assertThat(kept.getMetadata().getLabels()).isEqualTo(Map.of(Names.VERSION, "7"));
      assertThat(kept.getMetadata().getOwnerReferences()).hasSize(1);
      assertThat(kept.getKind()).isEqualTo("Secret");
    }
  }

  private static RecordedRequest next() throws InterruptedException {
    RecordedRequest request = server.takeRequest(10, TimeUnit.SECONDS);
    assertThat(request).as("another request").isNotNull();
    return request;
  }
}
