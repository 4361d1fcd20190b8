package io.keyturn.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.domain.rotation.LargeRotation;
import io.keyturn.domain.rotation.Plan;
import io.keyturn.domain.rotation.RotationPlanner;
import java.util.Collection;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * What one plan of a rotation costs. It runs with {@code ./mvnw verify -Pbench}; alone with {@code
 * -Dit.test=PlannerBench}.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(
    value = 2,
    jvmArgs = {"-Xms512m", "-Xmx512m", "-XX:+UseSerialGC"})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class PlannerBench {

  private static final int WORKLOADS = 64;

  /** Where the rotation stands. */
  @Param({"Pending", "Canary", "Baking", "Promoting", "Retiring"})
  public Stage stage;

  private final RotationPlanner planner = new RotationPlanner();
  private LargeRotation rotation;

  /** Plays the rotation until it stands there. */
  @Setup
  public void play() {
    rotation = LargeRotation.in(stage, WORKLOADS);
  }

  /** One look at it. */
  @Benchmark
  public Plan plan() {
    return planner.plan(rotation.seen(), rotation.now());
  }

  @Test
  void onePlanOfARotationOfManyWorkloads() throws RunnerException {
    Collection<RunResult> results =
        new Runner(
                new OptionsBuilder()
                    .include(PlannerBench.class.getName() + ".plan")
                    .addProfiler(GCProfiler.class)
                    .verbosity(VerboseMode.SILENT)
                    .build())
            .run();

    assertThat(results).hasSize(5);
    for (RunResult result : results) {
      System.out.printf(
          "bench: %-60s %.1f ± %.1f µs, %.0f kB%n",
          "one plan of %d workloads in %s (time, allocated)"
              .formatted(WORKLOADS, result.getParams().getParam("stage")),
          result.getPrimaryResult().getScore(),
          result.getPrimaryResult().getScoreError(),
          result.getSecondaryResults().get("gc.alloc.rate.norm").getScore() / 1000);
    }
  }
}
