package io.keyturn.simulation;

import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.docs.FaultMatrixPage;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Which faults were tried in which stage, and what became of the rotations. */
final class FaultMatrix {

  private static final List<Stage> STAGES =
      Arrays.stream(Stage.values()).filter(s -> !s.terminal()).toList();

  private final Map<Fault, Map<String, Long>> runs = new EnumMap<>(Fault.class);
  private final Map<Stage, Long> ends = new EnumMap<>(Stage.class);
  private long all;
  private long states;

  synchronized void count(Fault fault, Stage stage, Simulation.Outcome outcome) {
    runs.computeIfAbsent(fault, _ -> new TreeMap<>()).merge(column(stage), 1L, Long::sum);
    outcome.ends().forEach(end -> ends.merge(end, 1L, Long::sum));
    all++;
    states += outcome.states();
  }

  private static String column(Stage stage) {
    return stage == null || stage.terminal() ? "none" : stage.name();
  }

  void print() {
    System.out.printf(
        "simulation: %d runs with a fault each, %d states checked, ends %s%n", all, states, ends);
  }

  /**
   * Asserts that the page says what was found; writes it with {@code -Dfault-matrix.write=true}.
   */
  void requireDocumented() throws IOException {
    FaultMatrixPage.SIMULATION.requireSays(page());
  }

  private String page() {
    StringBuilder page =
        new StringBuilder(
            """
            # What was tried to break a rotation

            Written by `SimulationTest` (`-Dfault-matrix.write=true`), which fails when this page is not
            what it finds; its end by `FaultsIT`. The simulation plays %d scenarios – good and bad
            values, aborts, edits, deletions – with the production reconcilers over a simulated cluster,
            and strikes each single write of the operator with each fault: **%,d runs, %,d states**. On
            every state the safety invariants below hold, and every run ends as it does in fair weather.
            Each build plays 2,000 pairs of faults and 500 storms of them, too, which seeds choose. In which
            stage the single faults struck:

            | Fault |\
            """
                .formatted(Scenarios.all().size(), all, states));
    STAGES.forEach(s -> page.append(' ').append(s).append(" |"));
    page.append(" no rotation |\n| --- |").append(" ---: |".repeat(STAGES.size() + 1)).append('\n');
    for (Fault fault : Fault.values()) {
      Map<String, Long> row = runs.getOrDefault(fault, Map.of());
      page.append("| ").append(fault.sentence()).append(" |");
      STAGES.forEach(s -> page.append(' ').append(row.getOrDefault(s.name(), 0L)).append(" |"));
      page.append(' ').append(row.getOrDefault("none", 0L)).append(" |\n");
    }
    page.append("\nThe rotations of these runs ended as ");
    page.append(
        String.join(
            ", ",
            ends.entrySet().stream().map(e -> e.getKey() + " (" + e.getValue() + ")").toList()));
    page.append(
        """
        .

        ## Invariants

        1. No pod but canaries runs on an unproven version, and no more canaries than the policy allows.
        2. No snapshot is deleted while a pod or a pod template names it, and a rotation ends when nobody uses
           the version that it lets go, or says who does.
        3. The alias is there once it was delivered, and so is the snapshot of the version that it holds.
        4. A version is promoted only after a canary with the present template was Ready on it, without a
           break, for the bake; workloads follow the alias.
        5. One rotation of a binding, and one of a workload, moves at a time.
        6. Each move of a rotation is legal; a snapshot is made, and the alias moves, when that is written
           down, and what is written down of them stays.
        7. After a rollback alias and workloads are on the version before, which is never a compromised one. In
           the end no canary is left, no snapshot of a version that was not promoted, and every pod runs on the
           version that the alias holds.
        8. The alias always holds one version, whole.
        9. Nothing of others is changed but the one annotation.
        10. No status and no event holds a value.
        11. Looking again, or starting anew, with nothing to do writes nothing.
        12. Once faults stop, every rotation ends within 15 minutes.

        """);
    return page.toString();
  }
}
