package io.keyturn.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinitionVersion;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The committed CRDs are what the Java types generate. After a change of the types write them anew
 * with {@code ./mvnw test -Dtest=CustomResourceDefinitionsTest -Dcrds.write=true}.
 */
class CustomResourceDefinitionsTest {

  private static final Path COMMITTED = Path.of("src/main/resources/crds");
  private static final List<String> NAMES =
      List.of(
          "secretbindings",
          "rotationpolicies",
          "secretrotations",
          "secretstores",
          "clustersecretstores");

  private static final Map<String, Class<?>> TYPES =
      Map.of(
          "SecretBinding", SecretBinding.class,
          "RotationPolicy", RotationPolicy.class,
          "SecretRotation", SecretRotation.class,
          "SecretStore", SecretStore.class,
          "ClusterSecretStore", ClusterSecretStore.class);
  private static final Map<Class<?>, String> DESCRIPTIONS =
      Map.of(
          SecretBinding.class,
          "Says which workloads receive which secret, and from where it comes.",
          RotationPolicy.class,
          "Says how rotations are rolled out. Each field has a default: spec {} means canary first.",
          SecretRotation.class,
          "One attempt to move a bound secret from one version to the next. Keyturn creates it;"
              + " people may set spec.hold and spec.abort.",
          SecretStore.class,
          "A server that the SecretBindings of its namespace take secrets from.",
          ClusterSecretStore.class,
          "A server that the SecretBindings of the namespaces which it allows take secrets from,"
              + " each namespace with an identity of its own.");

  @TempDir Path directory;

  @Test
  void theCommittedCrdsAreWhatTheTypesGenerate() throws IOException {
    new CRDGenerator()
        .customResourceClasses(
            SecretBinding.class,
            RotationPolicy.class,
            SecretRotation.class,
            SecretStore.class,
            ClusterSecretStore.class)
        .forCRDVersions("v1")
        .inOutputDir(directory.toFile())
        .generate();
    for (String name : NAMES) {
      String file = name + ".keyturn.io-v1.yml";
      String generated = complete(directory.resolve(file));
      if (Boolean.getBoolean("crds.write")) {
        Files.createDirectories(COMMITTED);
        Files.writeString(COMMITTED.resolve(file), generated);
      }
      assertThat(Files.readString(COMMITTED.resolve(file)))
          .as("%s; see the javadoc of this test", file)
          .isEqualTo(generated);
    }
  }

  /** Adds what annotations cannot express. */
  private static String complete(Path generated) throws IOException {
    CustomResourceDefinition crd =
        Serialization.unmarshal(Files.readString(generated), CustomResourceDefinition.class);
    Class<?> type = TYPES.get(crd.getSpec().getNames().getKind());
    CustomResourceDefinitionVersion version = crd.getSpec().getVersions().getFirst();
    JSONSchemaProps root = version.getSchema().getOpenAPIV3Schema();
    crd.getMetadata().setLabels(Map.of("app.kubernetes.io/name", "keyturn"));
    root.setDescription(DESCRIPTIONS.get(type));
    root.setRequired(List.of("spec"));
    root.getProperties().get("spec").setDescription("What is wanted; people write it.");
    root.getProperties().get("status").setDescription("What is observed; Keyturn writes it.");
    JSONSchemaProps conditions =
        root.getProperties().get("status").getProperties().get("conditions");
    conditions.setXKubernetesListType("map");
    conditions.setXKubernetesListMapKeys(List.of("type"));
    removeRepeatedRules(root);
    orderColumns(version, type);
    return Serialization.asYaml(crd);
  }

  /**
   * The generator finds an annotation of a record component twice: on the field and its accessor.
   */
  private static void removeRepeatedRules(JSONSchemaProps schema) {
    schema.setXKubernetesValidations(
        schema.getXKubernetesValidations().stream().distinct().toList());
    schema.getProperties().values().forEach(CustomResourceDefinitionsTest::removeRepeatedRules);
    if (schema.getItems() != null) {
      removeRepeatedRules(schema.getItems().getSchema());
    }
    if (schema.getAdditionalProperties() != null) {
      removeRepeatedRules(schema.getAdditionalProperties().getSchema());
    }
  }

  /** The generator sorts columns by their path; users read them in the order of the annotations. */
  private static void orderColumns(CustomResourceDefinitionVersion version, Class<?> type) {
    List<String> order =
        Stream.of(type.getAnnotationsByType(AdditionalPrinterColumn.class))
            .map(AdditionalPrinterColumn::jsonPath)
            .toList();
    version.setAdditionalPrinterColumns(
        version.getAdditionalPrinterColumns().stream()
            .sorted(Comparator.comparingInt(column -> order.indexOf(column.getJsonPath())))
            .toList());
  }
}
