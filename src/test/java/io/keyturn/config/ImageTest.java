package io.keyturn.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.testing.ShippedImage;
import org.junit.jupiter.api.Test;

/** What the Dockerfile promises; {@code OpsIT} runs its flags. */
class ImageTest {

  @Test
  void theProcessIsNobody() {
    assertThat(ShippedImage.instruction("USER"))
        .as("a number, so that Kubernetes can tell that it is not root")
        .matches("[1-9]\\d{3,}:[1-9]\\d{3,}");
  }

  @Test
  void theJvmIsTheProcessThatKubernetesEnds() {
    assertThat(ShippedImage.entrypoint()).startsWith("java").endsWith("-jar", "quarkus-run.jar");
  }

  @Test
  void noValueLeavesTheProcessWhenItFailsOrIsLookedInto() {
    assertThat(ShippedImage.jvmFlags())
        .contains(
            "-XX:-HeapDumpOnOutOfMemoryError",
            "-XX:-CreateCoredumpOnCrash",
            "-XX:ErrorFile=/dev/null",
            "-XX:+DisableAttachMechanism");
  }

  @Test
  void aProcessWithoutMemoryEndsInsteadOfLimping() {
    assertThat(ShippedImage.jvmFlags()).contains("-XX:+ExitOnOutOfMemoryError");
  }
}
