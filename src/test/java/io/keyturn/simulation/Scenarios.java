package io.keyturn.simulation;

import static io.keyturn.simulation.Simulation.FIRST;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.simulation.Scenario.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Predicate;

/** What people and their tools may do while Keyturn is at work. */
final class Scenarios {

  static final String APP = "payments";
  static final String LEDGER = "ledger";
  static final String SECOND = "value-two";
  static final String THIRD = "value-three";

  private static final String CHECK = "preflight: [{name: port, tcp: {host: db, port: 5432}}]";
  private static final String GATES =
      "gates: [{name: smoke, stage: Canary, interval: 3s, http: {url: \"http://app/\"}}, {name:"
          + " errors, stage: Promote, interval: 3s, http: {url: \"http://app/\"}}]";
  private static final String PERSON =
      "gates: [{name: anna, stage: Promote, manual: {timeout: 90s}}]";

  private Scenarios() {}

  /** Each with one way in which a rotation may go. */
  static List<Scenario> all() {
    return List.of(
        good("a good value", APP),
        good("a good value for two workloads", APP, LEDGER),
        bad("a value that is never Ready", Behaviour.NEVER_READY),
        bad("a value that crashes", Behaviour.CRASHES),
        bad("a value that fails in the bake", Behaviour.FAILS_LATER),
        Scenario.of("a value that fails in the promotion", APP, LEDGER)
            .then(Simulation::ready, s -> s.change(SECOND, Behaviour.WORKS_IN_CANARIES_ALONE))
            .endsWith(FIRST),
        good("two changes", APP)
            .then(in(2, Stage.Baking), s -> s.change(THIRD, Behaviour.WORKS))
            .endsWith(THIRD),
        good("a change during the promotion", APP, LEDGER)
            .then(in(2, Stage.Promoting), s -> s.change(THIRD, Behaviour.WORKS))
            .endsWith(THIRD),
        good("a change that is taken back", APP)
            .then(in(2, Stage.Baking), s -> s.change(FIRST, Behaviour.WORKS))
            .endsWith(FIRST),
        good("an abort before anything began, and a newer value at once", APP)
            .then(
                in(2, Stage.Pending),
                s -> {
                  s.steer(2, false, true);
                  s.change(THIRD, Behaviour.WORKS);
                })
            .endsWith(THIRD),
        good("an abort in the canary", APP)
            .then(in(2, Stage.Canary), s -> s.steer(2, false, true))
            .endsWith(FIRST),
        good("an abort in the promotion", APP, LEDGER)
            .then(s -> s.annotated(APP), s -> s.steer(2, false, true))
            .endsWith(FIRST),
        good("a rotation that is held for a while", APP)
            .then(in(2, Stage.Baking), s -> s.steer(2, true, false))
            .then(Scenarios::blocked, s -> s.steer(2, false, false)),
        good("a workload that is edited in the canary", APP)
            .then(in(2, Stage.Baking), s -> s.editTemplate(APP, "edited")),
        good("a workload that is created anew in the canary", APP)
            .then(in(2, Stage.Baking), s -> s.createAnew(APP)),
        good("a workload that is created anew before the alias moves", APP)
            .then(in(2, Stage.Promoting), s -> s.createAnew(APP)),
        good("a workload that is created anew in the promotion", APP, LEDGER)
            .then(s -> s.annotated(APP), s -> s.createAnew(APP)),
        good(
                "a workload that is deleted in the bake and created before the alias moves",
                APP,
                LEDGER)
            .then(in(2, Stage.Baking), s -> s.delete(Deployment.class, APP))
            .then(in(2, Stage.Promoting), s -> s.createAnew(APP)),
        good("a workload that is edited in the promotion", APP, LEDGER)
            .then(s -> s.annotated(APP), s -> s.editTemplate(APP, "edited")),
        good("a rollout that is undone", APP, LEDGER)
            .then(s -> s.annotated(APP), s -> s.undo(APP, null))
            .then(Scenarios::blocked, s -> s.steer(2, false, true))
            .endsWith(FIRST),
        good("a workload that is scaled to zero", APP, LEDGER)
            .then(in(2, Stage.Baking), s -> s.scale(APP, 0)),
        good("a workload that is deleted", APP, LEDGER)
            .then(s -> s.annotated(APP), s -> s.delete(Deployment.class, APP)),
        good("an alias that is deleted in the bake", APP)
            .then(in(2, Stage.Baking), s -> s.delete(Secret.class, Simulation.ALIAS)),
        good("an alias that is edited in the promotion", APP, LEDGER)
            .then(s -> s.annotated(APP), s -> s.editAlias("value-foreign")),
        good("pods that restart in the promotion", APP, LEDGER)
            .then(in(2, Stage.Promoting), Simulation::restartSomePods)
            .then(s -> s.annotated(APP), Simulation::restartSomePods),
        good("a rotation that is deleted", APP)
            .then(in(2, Stage.Baking), s -> s.delete(SecretRotation.class, "payments-db-2"))
            .endsWith(FIRST, SECOND),
        good("a binding that is deleted in the canary", APP)
            .then(in(2, Stage.Baking), s -> s.delete(SecretBinding.class, Simulation.BINDING))
            .endsWith(FIRST),
        good("a binding that is deleted in the promotion", APP, LEDGER)
            .then(s -> s.annotated(APP), s -> s.delete(SecretBinding.class, Simulation.BINDING))
            .endsWith(FIRST),
        good("two waves with a pause between them", APP, "+" + LEDGER)
            .under("promotion: {pauseBetweenWaves: 10s, stableTimeout: 60s}"),
        Scenario.of("a value that fails in the promotion of two waves", APP, "+" + LEDGER)
            .then(Simulation::ready, s -> s.change(SECOND, Behaviour.WORKS_IN_CANARIES_ALONE))
            .endsWith(FIRST),
        good("a check that passes", APP).under(CHECK),
        good("a check that fails", APP)
            .under(CHECK)
            .then(s -> s.stage() == Stage.Pending, s -> s.answer(Verdict.Failed))
            .endsWith(FIRST),
        good("a check that cannot tell for a while", APP)
            .under(CHECK)
            .then(s -> s.stage() == Stage.Pending, s -> s.answer(Verdict.Inconclusive))
            .then(Scenarios::blocked, s -> s.answer(Verdict.Passed)),
        good("gates that pass", APP, LEDGER).under(GATES),
        good("a gate that fails in the bake", APP)
            .under(GATES)
            .then(in(2, Stage.Canary), s -> s.answer(Verdict.Failed))
            .endsWith(FIRST),
        good("a gate that fails in the promotion", APP, LEDGER)
            .under(GATES)
            .then(s -> s.annotated(APP), s -> s.answer(Verdict.Failed))
            .endsWith(FIRST),
        good("a gate that cannot tell for a while", APP)
            .under(GATES)
            .then(in(2, Stage.Canary), s -> s.answer(Verdict.Inconclusive))
            .then(Scenarios::blocked, s -> s.answer(Verdict.Passed)),
        good("a gate that a person opens", APP)
            .under(PERSON)
            .then(Scenarios::blocked, s -> s.approve(2, "anna")),
        good("a gate that nobody opens", APP).under(PERSON).endsWith(FIRST),
        good("a newer value that replaces one in the bake", APP)
            .under("concurrency: {policy: Replace}")
            .then(in(2, Stage.Baking), s -> s.change(THIRD, Behaviour.WORKS))
            .endsWith(THIRD),
        Scenario.of("a compromise before the source has another value", APP, "+" + LEDGER)
            .then(Simulation::ready, s -> s.report("leaked"))
            .then(Scenarios::blocked, s -> s.change(SECOND, Behaviour.WORKS))
            .endsWith(SECOND),
        good("a compromise during another rotation", APP, LEDGER)
            .then(in(2, Stage.Baking), s -> s.report("leaked"))
            .endsWith(SECOND),
        Scenario.of("a compromise whose new value crashes", APP)
            .then(Simulation::ready, s -> s.report("leaked"))
            .then(Scenarios::blocked, s -> s.change(SECOND, Behaviour.CRASHES))
            .endsWith(FIRST),
        good("a source without overlap", APP, "+" + LEDGER)
            .withoutOverlap()
            .under("cutover: {acknowledgeOutage: true}"),
        issued("a lease", Kind.LEASES, Behaviour.WORKS, SECOND),
        issued("a lease for what crashes", Kind.LEASES, Behaviour.CRASHES, FIRST),
        issued("a lease that fails in the bake", Kind.LEASES, Behaviour.FAILS_LATER, FIRST),
        issued("a lease, and pods that restart", Kind.LEASES, Behaviour.WORKS, SECOND)
            .then(in(2, Stage.Promoting), Simulation::restartSomePods)
            .then(in(2, Stage.Retiring), Simulation::restartSomePods),
        issued("a lease whose alias is deleted in the bake", Kind.LEASES, Behaviour.WORKS, SECOND)
            .then(in(2, Stage.Baking), s -> s.delete(Secret.class, Simulation.ALIAS)),
        issued(
                "a lease whose rotation is deleted as it retires",
                Kind.LEASES,
                Behaviour.WORKS,
                SECOND)
            .then(in(2, Stage.Retiring), s -> s.delete(SecretRotation.class, "payments-db-2")),
        issued("two leases, one after the other", Kind.LEASES, Behaviour.WORKS, SECOND)
            .then(in(2, Stage.Retiring), s -> s.ask("again")),
        issued("a lease that is compromised as it retires", Kind.LEASES, Behaviour.WORKS, SECOND)
            .then(in(2, Stage.Retiring), s -> s.report("leaked")),
        Scenario.of("a lease that somebody else ends", APP)
            .from(Kind.LEASES)
            .then(Simulation::ready, Simulation::endCurrent)
            .endsWith(SECOND),
        issued("a slot", Kind.SLOTS, Behaviour.WORKS, SECOND),
        issued("a slot for what crashes", Kind.SLOTS, Behaviour.CRASHES, FIRST),
        issued(
            "a slot that fails in the promotion",
            Kind.SLOTS,
            Behaviour.WORKS_IN_CANARIES_ALONE,
            FIRST),
        issued("two slots, one after the other", Kind.SLOTS, Behaviour.WORKS, SECOND)
            .then(in(2, Stage.Disabling), s -> s.ask("again")),
        issued(
                "a slot whose pods restart while it is disabled",
                Kind.SLOTS,
                Behaviour.WORKS,
                SECOND)
            .then(in(2, Stage.Disabling), Simulation::restartSomePods));
  }

  private static Scenario good(String name, String... workloads) {
    return Scenario.of(name, workloads)
        .then(Simulation::ready, s -> s.change(SECOND, Behaviour.WORKS))
        .endsWith(SECOND);
  }

  /** A server issues the values, and somebody asks for a new one. */
  private static Scenario issued(String name, Kind kind, Behaviour behaviour, String end) {
    return Scenario.of(name, APP)
        .from(kind)
        .under("retirement: {grace: 5s, disableSoak: 5s}")
        .then(
            Simulation::ready,
            s -> {
              s.issue(behaviour);
              s.ask("now");
            })
        .endsWith(end);
  }

  private static Scenario bad(String name, Behaviour behaviour) {
    return Scenario.of(name, APP)
        .then(Simulation::ready, s -> s.change(SECOND, behaviour))
        .endsWith(FIRST);
  }

  static Predicate<Simulation> in(long version, Stage stage) {
    return s -> s.stage(version) == stage;
  }

  private static boolean blocked(Simulation simulation) {
    return simulation.waits();
  }

  /** Anything that people may do, in an order that a seed decides. */
  static Scenario random(long seed) {
    Random random = new Random(seed);
    Scenario scenario = Scenario.of("seed " + seed, APP, LEDGER);
    List<String> values = new ArrayList<>(List.of(FIRST));
    for (int i = 0; i < 1 + random.nextInt(3); i++) {
      Behaviour behaviour = Behaviour.values()[random.nextInt(Behaviour.values().length)];
      String value = i > 0 && random.nextInt(5) == 0 ? FIRST : "value-%d-%d".formatted(seed, i);
      values.add(value);
      Predicate<Simulation> when = i == 0 ? Simulation::ready : moment(random);
      scenario =
          scenario.then(
              when, s -> s.change(value, value.equals(FIRST) ? Behaviour.WORKS : behaviour));
      if (random.nextBoolean()) {
        scenario = scenario.then(moment(random), deed(random));
      }
    }
    return scenario.endsWith(values.toArray(String[]::new));
  }

  private static Predicate<Simulation> moment(Random random) {
    Stage stage = Stage.values()[random.nextInt(Stage.values().length)];
    return s -> s.stage() == stage || (s.stage() != null && s.stage().terminal());
  }

  private static Consumer<Simulation> deed(Random random) {
    List<Consumer<Simulation>> deeds =
        List.of(
            s -> s.steerNewest(true),
            s -> s.steerNewest(true),
            s -> s.editTemplate(APP, "note"),
            s -> s.editTemplate(LEDGER, "note"),
            s -> s.scale(LEDGER, 0),
            s -> s.scale(APP, 5),
            s -> s.delete(Deployment.class, LEDGER),
            s -> s.createAnew(APP),
            s -> s.delete(Secret.class, Simulation.ALIAS),
            s -> s.editAlias("value-foreign"),
            Simulation::restartSomePods,
            Simulation::restartSomePods);
    return deeds.get(random.nextInt(deeds.size()));
  }
}
