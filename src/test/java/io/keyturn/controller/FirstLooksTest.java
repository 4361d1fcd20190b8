package io.keyturn.controller;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Upstream;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Workload;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.testing.ManualClock;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class FirstLooksTest {

  private static final Instant BEGIN = Instant.parse("2026-11-25T12:00:00Z");

  private final ManualClock clock = new ManualClock(BEGIN);
  private final FirstLooks looks = new FirstLooks(clock);

  @Test
  void whatRestsLetsTheOthersGoFirstOnce() {
    SecretBinding resting = binding("a", null, null);

    assertThat(looks.letsOthersGoFirst(resting)).isTrue();
    assertThat(looks.letsOthersGoFirst(resting)).isFalse();
    assertThat(looks.letsOthersGoFirst(binding("b", null, null))).isTrue();
  }

  @Test
  void whatIsNewUnderWayOrDueDoesNotWait() {
    SecretBinding fresh = binding("a", null, null);
    fresh.setStatus(SecretBindingStatus.EMPTY);
    SecretBinding edited = binding("b", null, null);
    edited.getMetadata().setGeneration(2L);
    SecretBinding asked = binding("c", null, null);
    asked.getMetadata().setAnnotations(Map.of(Names.ROTATE, "please"));
    SecretBinding deleted = binding("d", null, null);
    deleted.getMetadata().setDeletionTimestamp(BEGIN.toString());

    assertThat(
            List.of(
                fresh,
                edited,
                asked,
                deleted,
                binding("e", "e-2", null),
                binding("f", null, BEGIN)))
        .noneMatch(looks::letsOthersGoFirst);
    assertThat(looks.letsOthersGoFirst(binding("g", null, BEGIN.plusSeconds(1)))).isTrue();
  }

  @Test
  void whatChangedWhileNobodyActedDoesNotWait() {
    looks.changed(secret("upstream-a"));
    clock.set(BEGIN.plus(Duration.ofSeconds(20)));
    looks.changed(secret("b"));

    assertThat(looks.letsOthersGoFirst(binding("a", null, null))).isFalse();
    assertThat(looks.letsOthersGoFirst(binding("b", null, null))).isFalse();
    assertThat(looks.letsOthersGoFirst(binding("c", null, null))).isTrue();
  }

  @Test
  void whatChangedLongBeforeWasSeenByTheOneThatLed() {
    looks.changed(secret("upstream-a"));
    clock.set(BEGIN.plus(Duration.ofSeconds(61)));
    looks.changed(secret("upstream-b"));

    assertThat(looks.letsOthersGoFirst(binding("a", null, null))).isTrue();
    assertThat(looks.letsOthersGoFirst(binding("b", null, null))).isFalse();
  }

  @Test
  void nobodyLetsOthersGoFirstWhenAllHadTheirFirstLook() {
    looks.letsOthersGoFirst(binding("a", null, null));
    clock.set(BEGIN.plus(Duration.ofSeconds(61)));

    assertThat(looks.letsOthersGoFirst(binding("b", null, null))).isFalse();
  }

  private static Secret secret(String name) {
    return new SecretBuilder()
        .withNewMetadata()
        .withNamespace("team")
        .withName(name)
        .endMetadata()
        .build();
  }

  private static SecretBinding binding(String name, String rotation, Instant next) {
    SecretBinding binding = new SecretBinding();
    binding.getMetadata().setNamespace("team");
    binding.getMetadata().setName(name);
    binding.getMetadata().setUid("uid-of-" + name);
    binding.getMetadata().setGeneration(1L);
    binding.setSpec(
        new SecretBindingSpec(
            Source.of(new Upstream("upstream-" + name), null),
            null,
            List.of(new Workload(WorkloadKind.Deployment, "app", null, null)),
            null,
            null,
            null,
            null));
    binding.setStatus(
        new SecretBindingStatus(
            1L,
            List.of(new Condition("Ready", Condition.Status.True, "Ready", "", 1L, BEGIN)),
            name,
            new Current(1, name + "-v1-0", BEGIN),
            null,
            rotation,
            null,
            null,
            null,
            next,
            null,
            null,
            null,
            null,
            null,
            null));
    return binding;
  }
}
