package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.Stage;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;

/**
 * A rotation of many workloads in four waves, in the middle of a stage, for whoever measures.
 *
 * @param seen what was observed of it
 * @param now when
 */
public record LargeRotation(Observation seen, Instant now) {

  private static final String POLICY =
      """
      schedule: {cron: "0 3 1 * *", timeZone: Europe/Berlin, maxAge: 45d}
      windows: [{cron: "0 8 * * 1-5", duration: 10h, timeZone: Europe/Berlin}]
      blackouts: [{from: "2026-12-24T00:00:00Z", to: "2027-01-02T00:00:00Z"}]
      canary: {scope: AllWorkloads}
      promotion: {pauseBetweenWaves: 1m}
      """;

  /** One whose next look finds nothing to write, but in Pending, where it is admitted. */
  public static LargeRotation in(Stage stage, int workloads) {
    Scene scene =
        Scene.of(
                IntStream.range(0, workloads)
                    .mapToObj("payments-service-%d"::formatted)
                    .toArray(String[]::new))
            .policy(POLICY);
    List<Scene.Service> services = List.copyOf(scene.services.values());
    for (int i = 0; i < workloads; i++) {
      services.get(i).wave = i * 4 / workloads;
    }
    if (stage == Stage.Pending) {
      return new LargeRotation(scene.observe(), scene.now);
    }
    services.forEach(s -> s.cloneReady = stage != Stage.Canary);
    scene.until(Stage.Canary);
    if (stage != Stage.Canary) {
      scene.until(Stage.Baking);
    }
    if (stage == Stage.Promoting || stage == Stage.Retiring) {
      scene.until(Stage.Promoting);
      services.stream()
          .skip(stage == Stage.Promoting ? workloads / 2 : workloads)
          .forEach(s -> s.rollsOut = false);
      for (int i = 0; i < 10 && scene.stage() == Stage.Promoting; i++) {
        scene.settle().after(Duration.ofMinutes(1));
      }
    }
    if (stage == Stage.Retiring) {
      scene.users = List.of("report-28410", "report-28411", "report-28412", "report-28413");
      scene.until(Stage.Retiring).after(Duration.ofHours(1));
    }
    scene.settle();
    if (scene.stage() != stage) {
      throw new IllegalStateException("it should be in " + stage + " and is in " + scene.stage());
    }
    return new LargeRotation(scene.observe(), scene.now);
  }
}
