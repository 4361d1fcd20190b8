package io.keyturn.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What people and their tools do in a simulation, and what has to come of it.
 *
 * @param name of the scenario
 * @param workloads names of the Deployments, of three pods each
 * @param steps what is done, in this order
 * @param ends the values of which one is current in the end, whatever goes wrong meanwhile; empty:
 *     no binding is left
 */
record Scenario(String name, List<String> workloads, List<Step> steps, List<String> ends) {

  /**
   * Something that a person or a tool does.
   *
   * @param when it is done, at the first state in which this holds
   * @param what is done
   */
  record Step(Predicate<Simulation> when, Consumer<Simulation> what) {}

  static Scenario of(String name, String... workloads) {
    return new Scenario(name, List.of(workloads), List.of(), List.of());
  }

  Scenario then(Predicate<Simulation> when, Consumer<Simulation> what) {
    List<Step> more = new ArrayList<>(steps);
    more.add(new Step(when, what));
    return new Scenario(name, workloads, List.copyOf(more), ends);
  }

  Scenario endsWith(String... values) {
    return new Scenario(name, workloads, steps, List.of(values));
  }

  @Override
  public String toString() {
    return name;
  }
}
