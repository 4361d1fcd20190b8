package io.keyturn.ops;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarkus.runtime.configuration.DurationConverter;
import io.smallrye.config.EnvConfigSource;
import io.smallrye.config.SmallRyeConfigBuilder;
import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What {@code docs/install.md} says of settings. */
class OperatorConfigTest {

  private static final Path DOC = Path.of("docs/install.md");

  @Test
  void withoutSettingsEveryNamespaceIsServedByTheHolderOfTheLease() {
    OperatorConfig config = config(Map.of());

    assertThat(config.namespaces()).isEmpty();
    assertThat(config.operatorNamespace()).isEqualTo("keyturn-system");
    assertThat(config.leaderElection()).isTrue();
    assertThat(config.kubeletLag()).isEqualTo(Duration.ofSeconds(10));
    assertThat(config.parallelism()).isEqualTo(16);
  }

  @Test
  void theEnvironmentSetsEachOfThem() {
    OperatorConfig config =
        config(
            Map.of(
                "KEYTURN_NAMESPACES", "payments,web",
                "KEYTURN_OPERATOR_NAMESPACE", "ops",
                "KEYTURN_LEADER_ELECTION", "false",
                "KEYTURN_KUBELET_LAG", "1m",
                "KEYTURN_PARALLELISM", "4"));

    assertThat(config.namespaces().orElseThrow()).containsExactlyInAnyOrder("payments", "web");
    assertThat(config.operatorNamespace()).isEqualTo("ops");
    assertThat(config.leaderElection()).isFalse();
    assertThat(config.kubeletLag()).isEqualTo(Duration.ofMinutes(1));
    assertThat(config.parallelism()).isEqualTo(4);
  }

  @Test
  void aVariableThatKubernetesMakesOfAServiceOfThatNameIsNoSetting() {
    assertThat(
            config(
                    Map.of(
                        "KEYTURN_SERVICE_HOST", "10.0.0.1",
                        "KEYTURN_PORT", "tcp://10.0.0.1:9000"))
                .parallelism())
        .isEqualTo(16);
  }

  @Test
  void eachSettingIsInTheDocs() throws IOException {
    assertThat(
            Files.readAllLines(DOC).stream()
                .filter(line -> line.startsWith("| `KEYTURN_"))
                .map(line -> line.split("`")[1]))
        .containsExactlyInAnyOrderElementsOf(
            Arrays.stream(OperatorConfig.class.getDeclaredMethods())
                .map(OperatorConfigTest::variable)
                .toList());
  }

  private static String variable(Method property) {
    String words = property.getName().replaceAll("([a-z])([A-Z])", "$1_$2");
    return "KEYTURN_" + words.toUpperCase(Locale.ROOT);
  }

  private static OperatorConfig config(Map<String, String> environment) {
    return new SmallRyeConfigBuilder()
        .withMapping(OperatorConfig.class)
        .withConverter(Duration.class, 200, new DurationConverter())
        .withSources(new EnvConfigSource(environment, 300))
        .build()
        .getConfigMapping(OperatorConfig.class);
  }
}
