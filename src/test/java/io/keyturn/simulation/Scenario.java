package io.keyturn.simulation;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Predicate;

/**
 * What people and their tools do in a simulation, and what has to come of it.
 *
 * @param name of the scenario
 * @param workloads names of the Deployments, of three pods each, in the order of their waves; one
 *     that begins a wave has a plus before its name
 * @param policy more of the policy, as YAML
 * @param overlap of the source
 * @param kind where its values come from
 * @param steps what is done, in this order
 * @param ends the values of which one is current in the end, whatever goes wrong meanwhile; empty:
 *     no binding is left
 */
record Scenario(
    String name,
    List<String> workloads,
    String policy,
    Overlap overlap,
    Kind kind,
    List<Step> steps,
    List<String> ends) {

  /**
   * Something that a person or a tool does.
   *
   * @param when it is done, at the first state in which this holds
   * @param what is done
   */
  record Step(Predicate<Simulation> when, Consumer<Simulation> what) {}

  /** Where values come from. */
  enum Kind {
    /** A tool writes them into a Secret. */
    UPSTREAM,
    /** A server issues each with a lease. */
    LEASES,
    /** A server sets the passwords of two roles in turn. */
    SLOTS
  }

  static Scenario of(String name, String... workloads) {
    return new Scenario(
        name, List.of(workloads), "", Overlap.Auto, Kind.UPSTREAM, List.of(), List.of());
  }

  Scenario under(String yaml) {
    return new Scenario(name, workloads, policy + yaml + "\n", overlap, kind, steps, ends);
  }

  Scenario withoutOverlap() {
    return new Scenario(name, workloads, policy, Overlap.None, kind, steps, ends);
  }

  Scenario from(Kind server) {
    return new Scenario(name, workloads, policy, overlap, server, steps, ends);
  }

  Scenario then(Predicate<Simulation> when, Consumer<Simulation> what) {
    List<Step> more = new ArrayList<>(steps);
    more.add(new Step(when, what));
    return new Scenario(name, workloads, policy, overlap, kind, List.copyOf(more), ends);
  }

  Scenario endsWith(String... values) {
    return new Scenario(name, workloads, policy, overlap, kind, steps, List.of(values));
  }

  /** The Deployments and their waves. */
  Map<String, Integer> waves() {
    Map<String, Integer> waves = new LinkedHashMap<>();
    int wave = 0;
    for (String workload : workloads) {
      wave += workload.startsWith("+") ? 1 : 0;
      waves.put(workload.replace("+", ""), wave);
    }
    return waves;
  }

  @Override
  public String toString() {
    return name;
  }
}
