package io.keyturn.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.keyturn.api.v1alpha1.Names;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MetadataStoreTest {

  private static final String KEY = "payments/payments-db";

  private final MetadataStore store = new MetadataStore();

  @Test
  void itKeepsNoDataEvenIfAnApiServerSendsThem() {
    store.put(KEY, secret());

    GenericKubernetesResource kept = store.get(KEY);
    assertThat(kept.getAdditionalProperties()).isEmpty();
    assertThat(store.values()).containsExactly(kept);
  }

  @Test
  void ofTheMetadataItDropsWhatIsLargeAndWhatIsForeign() {
    store.put(KEY, secret());

    var kept = store.get(KEY).getMetadata();
    assertThat(kept.getManagedFields()).isEmpty();
    assertThat(kept.getAnnotations()).isEqualTo(Map.of(Names.SINCE, "now"));
  }

  @Test
  void itKeepsWhatMapsAnObjectToABinding() {
    GenericKubernetesResource secret = secret();

    store.put(KEY, secret);

    var kept = store.get(KEY);
    assertThat(kept.getKind()).isEqualTo("Secret");
    assertThat(kept.getApiVersion()).isEqualTo("v1");
    assertThat(kept.getMetadata())
        .usingRecursiveComparison()
        .ignoringFields("annotations", "managedFields")
        .isEqualTo(secret.getMetadata());
  }

  @Test
  void anObjectWithoutAnnotationsHasNoneAndNotNull() {
    GenericKubernetesResource secret = secret();
    secret.getMetadata().setAnnotations(null);

    store.put(KEY, secret);

    // The framework's handler of events reads them without a look whether they are there.
    assertThat(store.get(KEY).getMetadata().getAnnotations()).isNotNull().isEmpty();
  }

  private static GenericKubernetesResource secret() {
    GenericKubernetesResource secret = new GenericKubernetesResource();
    secret.setApiVersion("v1");
    secret.setKind("Secret");
    secret.setMetadata(
        new ObjectMetaBuilder()
            .withNamespace("payments")
            .withName("payments-db")
            .withUid("2c6d")
            .withResourceVersion("42")
            .withGeneration(3L)
            .addToLabels(Names.VERSION, "7")
            .addToAnnotations(Names.SINCE, "now")
            .addToAnnotations("kubectl.kubernetes.io/last-applied-configuration", "{data: {}}")
            .addNewOwnerReference()
            .withUid("77aa")
            .endOwnerReference()
            .withManagedFields(new ManagedFieldsEntry())
            .build());
    secret.setAdditionalProperty("data", Map.of("password", "aHVudGVyMg=="));
    return secret;
  }
}
