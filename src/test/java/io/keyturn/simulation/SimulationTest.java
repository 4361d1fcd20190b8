package io.keyturn.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Stage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.IntPredicate;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.Collectors;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The safety invariants on every state of simulated clusters, whatever goes wrong. */
class SimulationTest {

  /** How many seeds the random simulation plays; more for a night. */
  private static final long SEEDS = Long.getLong("simulation.seeds", 500);

  /** The requests that a storm strikes, from 1, where a failure named them; empty: any. */
  private static final Set<Integer> ONLY =
      Stream.of(System.getProperty("simulation.only", "").split(","))
          .filter(n -> !n.isEmpty())
          .map(Integer::valueOf)
          .collect(Collectors.toSet());

  /** How many pairs of faults are played; more for a night. */
  private static final long PAIRS = Long.getLong("simulation.pairs", 2000);

  /** About as many writes as a rotation has. */
  private static final int WRITES = 30;

  /** The first of them: a failure names its seed. */
  private static final long FIRST_SEED = Long.getLong("simulation.first", 1);

  /** Kept, lest it be collected and its level forgotten. */
  private static final Logger RECONCILES = Logger.getLogger("io.keyturn.reconcile");

  /** A million lines that nobody reads; a trace tells one run in order. */
  @BeforeAll
  static void beQuiet() {
    RECONCILES.setLevel(Level.OFF);
  }

  @AfterAll
  static void beHeardAgain() {
    RECONCILES.setLevel(null);
  }

  static List<Scenario> scenarios() {
    return Scenarios.all();
  }

  @ParameterizedTest
  @MethodSource("scenarios")
  void eachScenarioEndsAsItHasToInFairWeather(Scenario scenario) {
    Simulation.Outcome outcome = new Simulation(scenario, 1, _ -> Weather.FAIR).run();
    assertThat(scenario.ends()).contains(outcome.current());
    assertThat(outcome.waiting()).isFalse();
  }

  @Test
  void noFaultAtAnyWriteOfAnyScenarioBreaksAnInvariantOrChangesTheEnd() throws Exception {
    FaultMatrix matrix = new FaultMatrix();
    List<Runnable> work = new ArrayList<>();
    for (Scenario scenario : scenarios()) {
      for (Fault fault : Fault.values()) {
        work.add(() -> strikeEachWrite(scenario, fault, matrix));
      }
    }
    inParallel(work);
    matrix.print();
    matrix.requireDocumented();
  }

  private static void strikeEachWrite(Scenario scenario, Fault fault, FaultMatrix matrix) {
    for (int write = 0; strike(scenario, fault, write, matrix); write++) {
      // Until the scenario has no such write any more.
    }
  }

  private static boolean strike(Scenario scenario, Fault fault, int write, FaultMatrix matrix) {
    AtomicBoolean struck = new AtomicBoolean();
    AtomicReference<Stage> stage = new AtomicReference<>();
    try {
      Simulation.Outcome outcome =
          new Simulation(
                  scenario,
                  1,
                  simulation ->
                      fault.atWrite(
                          simulation,
                          write,
                          _ -> {
                            struck.set(true);
                            stage.set(simulation.stage());
                          }))
              .run();
      assertThat(scenario.ends()).contains(outcome.current());
      assertThat(outcome.waiting()).as("a rotation waits for a person").isFalse();
      if (struck.get()) {
        matrix.count(fault, stage.get(), outcome);
      }
    } catch (AssertionError e) {
      throw new AssertionError(
          "%s, %s at write %d (%s): %s"
              .formatted(scenario, fault, write, stage.get(), e.getMessage()),
          e);
    }
    return struck.get();
  }

  @Test
  void noPairOfFaultsBreaksAnInvariantOrChangesTheEnd() throws Exception {
    AtomicLong states = new AtomicLong();
    List<Runnable> work =
        LongStream.range(FIRST_SEED, FIRST_SEED + PAIRS)
            .<Runnable>mapToObj(seed -> () -> states.addAndGet(strikeTwice(seed)))
            .toList();
    inParallel(work);
    System.out.printf("simulation: %d pairs of faults, %d states checked%n", PAIRS, states.get());
  }

  /** Two faults at two writes of a scenario; a seed decides on all of them. */
  private static long strikeTwice(long seed) {
    Random random = new Random(seed);
    Scenario scenario = scenarios().get(random.nextInt(scenarios().size()));
    Fault first = Fault.values()[random.nextInt(Fault.values().length)];
    Fault second = Fault.values()[random.nextInt(Fault.values().length)];
    int write = random.nextInt(WRITES);
    int later = write + 1 + random.nextInt(WRITES);
    try {
      Simulation.Outcome outcome =
          new Simulation(
                  scenario,
                  seed,
                  simulation ->
                      first
                          .atWrite(simulation, write, _ -> {})
                          .and(second.atWrite(simulation, later, _ -> {})))
              .run();
      assertThat(scenario.ends()).contains(outcome.current());
      assertThat(outcome.waiting()).as("a rotation waits for a person").isFalse();
      return outcome.states();
    } catch (AssertionError e) {
      throw new AssertionError(
          ("seed %d: %s, %s at write %d, %s at write %d: %s%nplay it again with ./mvnw test"
                  + " -Dtest=SimulationTest#noPairOfFaultsBreaksAnInvariantOrChangesTheEnd"
                  + " -Dsimulation.first=%d -Dsimulation.pairs=1")
              .formatted(seed, scenario, first, write, second, later, e.getMessage(), seed),
          e);
    }
  }

  @Test
  void noRandomStormBreaksAnInvariant() throws Exception {
    AtomicLong states = new AtomicLong();
    List<Runnable> work =
        LongStream.range(FIRST_SEED, FIRST_SEED + SEEDS)
            .<Runnable>mapToObj(seed -> () -> states.addAndGet(storm(seed)))
            .toList();
    inParallel(work);
    System.out.printf("simulation: %d storms, %d states checked%n", SEEDS, states.get());
  }

  private static long storm(long seed) {
    Scenario scenario = Scenarios.random(seed);
    Map<Integer, String> struck = new TreeMap<>();
    try {
      return storm(scenario, seed, n -> ONLY.isEmpty() || ONLY.contains(n), struck);
    } catch (AssertionError e) {
      Map<Integer, String> least = least(scenario, seed, struck);
      throw new AssertionError(
          ("seed %d: %s%nIt takes these faults, at these requests: %s%nPlay it again with ./mvnw test"
                  + " -Dtest=SimulationTest#noRandomStormBreaksAnInvariant -Dsimulation.first=%d"
                  + " -Dsimulation.seeds=1 -Dsimulation.only=%s -Dsimulation.trace=true")
              .formatted(seed, e.getMessage(), least, seed, numbers(least.keySet())),
          e);
    }
  }

  private static long storm(
      Scenario scenario, long seed, IntPredicate strikes, Map<Integer, String> struck) {
    Simulation.Outcome outcome =
        new Simulation(scenario, seed, s -> new Storm(s, seed, strikes, struck)).run();
    assertThat(outcome.waiting() || scenario.ends().contains(outcome.current()))
        .as("ends with one of the values of its source: " + outcome)
        .isTrue();
    return outcome.states();
  }

  /** Leaves out one fault after the other, as long as the storm fails without it. */
  private static Map<Integer, String> least(
      Scenario scenario, long seed, Map<Integer, String> struck) {
    Map<Integer, String> least = struck;
    for (int left : List.copyOf(struck.keySet())) {
      Set<Integer> fewer = new TreeSet<>(least.keySet());
      fewer.remove(left);
      Map<Integer, String> again = new TreeMap<>();
      try {
        storm(scenario, seed, fewer::contains, again);
      } catch (AssertionError e) {
        least = again;
      }
    }
    return least;
  }

  /** One number that no request has, where no fault is needed. */
  private static String numbers(Set<Integer> requests) {
    return requests.isEmpty()
        ? "0"
        : requests.stream().map(String::valueOf).collect(Collectors.joining(","));
  }

  /** It is decided to begin by what caches tell, and then that is looked at again. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4})
  void aRotationThatNoCacheShowsYetIsNotOvertaken(int look) {
    AtomicInteger looks = new AtomicInteger();
    Simulation.Outcome outcome =
        new Simulation(
                Scenarios.all().getFirst(),
                FIRST_SEED,
                s ->
                    new Weather() {
                      @Override
                      public void before(Call call) {
                        boolean asks =
                            call.verb().equals("get") && call.kind().equals("Deployment");
                        if (asks
                            && Scenarios.in(2, Stage.Pending).test(s)
                            && looks.incrementAndGet() == look) {
                          s.admitAnother(Scenarios.APP);
                        }
                      }

                      @Override
                      public void after(Call call) {}
                    })
            .run();

    assertThat(looks.get()).isGreaterThanOrEqualTo(look);
    assertThat(outcome.ends()).contains(Stage.Complete);
  }

  private static void inParallel(List<Runnable> work) throws Exception {
    try (ExecutorService threads =
        Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors())) {
      List<Future<?>> futures = new ArrayList<>();
      work.forEach(w -> futures.add(threads.submit(w)));
      List<String> failures = new ArrayList<>();
      for (Future<?> future : futures) {
        try {
          future.get();
        } catch (ExecutionException e) {
          failures.add(String.valueOf(e.getCause().getMessage()));
        }
      }
      assertThat(failures).isEmpty();
    }
  }

  /** Faults that strike by chance for a while, old caches and lost events. */
  private static final class Storm implements Weather {

    private static final int LONGEST = 4000;

    private final Simulation simulation;
    private final Random random;
    private final double rate;
    private final IntPredicate strikes;
    private final Map<Integer, String> struck;
    private int calls;
    private Fault fault;

    Storm(Simulation simulation, long seed, IntPredicate strikes, Map<Integer, String> struck) {
      this.simulation = simulation;
      this.strikes = strikes;
      this.struck = struck;
      this.random = new Random(seed);
      this.rate = random.nextDouble() * 0.06;
      simulation.letCachesLag(random.nextInt(4));
      simulation.loseEvents(random.nextInt(4) == 0);
    }

    @Override
    public void before(Call call) {
      fault = null;
      if (calls++ < LONGEST && random.nextDouble() < rate) {
        Fault drawn = Fault.values()[random.nextInt(Fault.values().length)];
        if (strikes.test(calls)) {
          fault = drawn;
          struck.put(calls, "%s (%s %s)".formatted(drawn, call.verb(), call.kind()));
          simulation.disturbed();
          Fault.strikeBefore(drawn, simulation, call);
        }
      }
      if (calls == LONGEST) {
        simulation.letCachesLag(0);
        simulation.loseEvents(false);
      }
    }

    @Override
    public void after(Call call) {
      if (fault != null) {
        Fault strikes = fault;
        fault = null;
        Fault.strikeAfter(strikes);
      }
    }
  }
}
