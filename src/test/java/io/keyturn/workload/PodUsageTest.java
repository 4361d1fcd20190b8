package io.keyturn.workload;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.keyturn.api.v1alpha1.Names;
import java.time.Instant;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class PodUsageTest {

  private static final String ALIAS = "payments-db";
  private static final String CURRENT = "v7-00000007";
  private static final Instant FLIP = Instant.parse("2026-11-24T12:00:00Z");

  /** A pod whose container "app" reads the alias, and whose sidecar does not. */
  private static PodBuilder pod() {
    return new PodBuilder()
        .withNewMetadata()
        .withName("pod")
        .withCreationTimestamp(FLIP.minusSeconds(600).toString())
        .endMetadata()
        .withNewSpec()
        .addNewContainer()
        .withName("app")
        .addNewEnv()
        .withName("P")
        .withNewValueFrom()
        .withNewSecretKeyRef("password", ALIAS, null)
        .endValueFrom()
        .endEnv()
        .endContainer()
        .addNewContainer()
        .withName("sidecar")
        .endContainer()
        .endSpec();
  }

  private static PodBuilder running(PodBuilder pod, String container, Instant startedAt) {
    return pod.editOrNewStatus()
        .withPhase("Running")
        .addNewContainerStatus()
        .withName(container)
        .withNewState()
        .withNewRunning(startedAt.toString())
        .endState()
        .endContainerStatus()
        .endStatus();
  }

  private static boolean old(PodBuilder pod) {
    return PodUsage.mayUseEarlier(pod.build(), ALIAS, CURRENT, FLIP);
  }

  @Property(tries = 100)
  void theStartOfTheContainerThatReadsDecides(
      @ForAll @IntRange(min = -1000, max = 1000) int seconds) {
    PodBuilder pod =
        running(
            running(pod(), "app", FLIP.plusSeconds(seconds)), "sidecar", FLIP.minusSeconds(1000));

    assertThat(old(pod)).isEqualTo(seconds < 0);
  }

  @Test
  void aPodOfTheCurrentTemplateHasBegunAfterTheFlip() {
    PodBuilder pod =
        running(pod(), "app", FLIP.minusSeconds(1))
            .editMetadata()
            .addToAnnotations(Names.versionAnnotation(ALIAS), CURRENT)
            .endMetadata();

    assertThat(old(pod)).isFalse();
  }

  @Test
  void unknownCountsAsInUse() {
    assertThat(old(pod())).isTrue();
    Pod withoutTime = running(pod(), "app", FLIP).build();
    withoutTime
        .getStatus()
        .getContainerStatuses()
        .getFirst()
        .getState()
        .getRunning()
        .setStartedAt(null);
    assertThat(PodUsage.mayUseEarlier(withoutTime, ALIAS, CURRENT, FLIP)).isTrue();
  }

  @Test
  void aTerminatingPodCountsAndAnEndedOneDoesNot() {
    PodBuilder old = running(pod(), "app", FLIP.minusSeconds(5));
    assertThat(old(old.editMetadata().withDeletionTimestamp(FLIP.toString()).endMetadata()))
        .isTrue();
    assertThat(old(old.editStatus().withPhase("Succeeded").endStatus())).isFalse();
    assertThat(old(old.editStatus().withPhase("Failed").endStatus())).isFalse();
  }

  @Test
  void aPodThatReadsAnotherSecretDoesNotCount() {
    assertThat(
            PodUsage.mayUseEarlier(
                running(pod(), "app", FLIP.minusSeconds(5)).build(), "other", CURRENT, FLIP))
        .isFalse();
  }

  @Test
  void aSnapshotIsUsedByWhoeverNamesIt() {
    Pod pod =
        pod()
            .editSpec()
            .addNewVolume()
            .withNewSecret()
            .withSecretName("payments-db-v6-00000006")
            .endSecret()
            .endVolume()
            .endSpec()
            .build();

    assertThat(PodUsage.refers(pod, "payments-db-v6-00000006")).isTrue();
    assertThat(PodUsage.refers(pod, "payments-db-v7-00000007")).isFalse();
  }
}
