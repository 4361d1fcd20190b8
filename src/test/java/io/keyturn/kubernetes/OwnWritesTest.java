package io.keyturn.kubernetes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import org.junit.jupiter.api.Test;

class OwnWritesTest {

  private final OwnWrites own = new OwnWrites();

  @Test
  void whatThisProcessWroteIsNoNewsOnce() {
    write("a", "7");

    assertThat(own.isNews(secret("a", "7"))).isFalse();
    assertThat(own.isNews(secret("a", "7"))).isTrue();
  }

  @Test
  void whatSomebodyElseWroteBeforeOrAfterIsNews() {
    write("a", "7");

    assertThat(own.isNews(secret("a", "6"))).isTrue();
    assertThat(own.isNews(secret("a", "8"))).isTrue();
    assertThat(own.isNews(secret("b", "7"))).isTrue();
    assertThat(own.isNews(secret("a", "7"))).isFalse();
  }

  @Test
  void whatAWatchBringsOfAnObjectWhileItIsWrittenIsNoNews() {
    own.write(
        secret("a", null),
        () -> {
          assertThat(own.isNews(secret("a", "7"))).isFalse();
          assertThat(own.isNews(secret("b", "7"))).isTrue();
          return secret("a", "7");
        });

    assertThat(own.isNews(secret("a", "8"))).isTrue();
  }

  @Test
  void aWriteThatFailsLeavesNothing() {
    assertThatThrownBy(() ->
            own.write(
                secret("a", null),
                () -> {
                  throw new IllegalStateException();
                }))
        .isInstanceOf(IllegalStateException.class);

    assertThat(own.isNews(secret("a", "7"))).isTrue();
  }

  @Test
  void ofManyWritesWhoseNewsNeverComesTheOldestIsForgotten() {
    for (int i = 0; i <= 1000; i++) {
      write("a", Integer.toString(i));
    }

    assertThat(own.isNews(secret("a", "0"))).isTrue();
    assertThat(own.isNews(secret("a", "1"))).isFalse();
    assertThat(own.isNews(secret("a", "1000"))).isFalse();
  }

  private void write(String name, String resourceVersion) {
    own.write(secret(name, null), () -> secret(name, resourceVersion));
  }

  private static Secret secret(String name, String resourceVersion) {
    return new SecretBuilder()
        .withNewMetadata()
        .withNamespace("team")
        .withName(name)
        .withUid("uid-of-" + name)
        .withResourceVersion(resourceVersion)
        .endMetadata()
        .build();
  }
}
