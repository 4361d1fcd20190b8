package io.keyturn.api.v1alpha1;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.crdv2.generator.CRDGenerator;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apiextensions.v1.JSONSchemaProps;
import io.fabric8.kubernetes.client.utils.Serialization;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The committed CRDs are what the Java types generate. After a change of the types write them anew
 * with {@code ./mvnw test -Dtest=CustomResourceDefinitionsTest -Dcrds.write=true}.
 */
class CustomResourceDefinitionsTest {

  private static final Path COMMITTED = Path.of("src/main/resources/crds");
  private static final List<String> NAMES =
      List.of("secretbindings", "rotationpolicies", "secretrotations");

  @TempDir Path directory;

  @Test
  void theCommittedCrdsAreWhatTheTypesGenerate() throws IOException {
    new CRDGenerator()
        .customResourceClasses(SecretBinding.class, RotationPolicy.class, SecretRotation.class)
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

  /** Adds what annotations cannot express: conditions are a list keyed by their type. */
  private static String complete(Path generated) throws IOException {
    CustomResourceDefinition crd =
        Serialization.unmarshal(Files.readString(generated), CustomResourceDefinition.class);
    JSONSchemaProps schema =
        crd.getSpec().getVersions().getFirst().getSchema().getOpenAPIV3Schema();
    JSONSchemaProps conditions =
        schema.getProperties().get("status").getProperties().get("conditions");
    conditions.setXKubernetesListType("map");
    conditions.setXKubernetesListMapKeys(List.of("type"));
    crd.getMetadata().setLabels(Map.of("app.kubernetes.io/name", "keyturn"));
    return Serialization.asYaml(crd);
  }
}
