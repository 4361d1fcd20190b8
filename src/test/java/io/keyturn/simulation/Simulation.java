package io.keyturn.simulation;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.api.model.apps.DeploymentBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.Gate;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.RotateReason;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.api.v1alpha1.Verdict;
import io.keyturn.controller.Epoch;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.gate.Judge;
import io.keyturn.invariant.Invariants;
import io.keyturn.secret.SecretData;
import io.keyturn.testing.ManualClock;
import io.keyturn.testing.Policies;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A cluster with Keyturn in one thread and virtual time: the same seed, scenario and weather lead
 * to the same history. Reconcilers, gatherers, planners and executor are those of production.
 */
final class Simulation {

  static final String NAMESPACE = "team";
  static final String BINDING = "payments-db";
  static final String ALIAS = "payments-db";
  static final String UPSTREAM = "payments-db-upstream";
  static final String KEY = "password";

  /** The value that every scenario begins with. */
  static final String FIRST = "value-one";

  private static final String POLICY =
      """
      retry: {maxAttempts: 2, initialBackoff: 5s, maxBackoff: 1m}
      historyLimit: 20
      """;

  /** What a scenario replaces as a whole. */
  private static final Map<String, String> PARTS =
      Map.of(
          "retirement", "retirement: {grace: 5s}",
          "canary", "canary: {bake: 10s, deadline: 60s}",
          "promotion", "promotion: {maxParallel: 1, stableTimeout: 60s}");

  /** Checks and gates all say the same. */
  private static final class Answers implements Judge {
    private Verdict verdict = Verdict.Passed;

    @Override
    public Measurement check(Preflight check, SecretData candidate) {
      return new Measurement(verdict, null, "so it is");
    }

    @Override
    public Measurement gate(Gate gate, Collection<String> pods, String version) {
      return new Measurement(verdict, null, "so it is");
    }
  }

  private static final Duration KUBELET_LAG = Duration.ofSeconds(2);
  private static final Duration RESTART = Duration.ofSeconds(2);

  /** Once nothing goes wrong any more, a rotation ends within this time. */
  private static final Duration LIVENESS = Duration.ofMinutes(15);

  /** So long nothing has to happen until a simulation has ended. */
  private static final Duration QUIET = Duration.ofMinutes(3);

  /** The same where only the regular look at everything tells of changes. */
  private static final Duration UNHEARD = Duration.ofMinutes(11);

  private static final Duration LONGEST = Duration.ofHours(2);
  private static final int STEPS_AT_ONCE = 3000;

  /**
   * What has come of a simulation.
   *
   * @param ends how the rotations stand, by version
   * @param current the value that the alias holds; null: there is no alias
   * @param waiting whether a rotation waits for a person
   * @param states how many states were checked
   */
  record Outcome(List<Stage> ends, String current, boolean waiting, long states) {}

  private final ManualClock clock = new ManualClock(Instant.parse("2026-01-05T08:00:00Z"));
  private final ObjectStore store = new ObjectStore(clock);
  private final Scenario scenario;
  private final Random random;
  private final Answers answers = new Answers();
  private final SimulatedCluster cluster;
  private final SimulatedIssuer issuer;
  private final Invariants invariants;
  private final Weather weather;
  private final List<SimulatedOperator> operators = new ArrayList<>();
  private final Set<SimulatedOperator> asleep = new HashSet<>();
  private final List<Instant> restarts = new ArrayList<>();
  private final Set<String> endedByOthers = new HashSet<>();
  private Behaviour issuing = Behaviour.WORKS;
  private int done;
  private Instant lastDone;
  private int started;
  private int oldCaches;
  private boolean eventsAreLost;
  private boolean calm;

  Simulation(Scenario scenario, long seed, Function<Simulation, Weather> weather) {
    this.scenario = scenario;
    this.random = new Random(seed);
    this.cluster = new SimulatedCluster(store, clock, random, KUBELET_LAG);
    if (Boolean.getBoolean("simulation.trace")) {
      store.observe(this::trace);
    }
    this.issuer = new SimulatedIssuer(clock);
    this.invariants = new Invariants(new SimulatedWorld(store, cluster, clock));
    issuer.observe(value -> cluster.behave(value, issuing), invariants::ending);
    store.observe(change -> invariants.observe(change.before(), change.after()));
    this.weather = untilCalm(weather.apply(this));
    this.lastDone = clock.instant();
  }

  private Weather untilCalm(Weather given) {
    return new Weather() {
      @Override
      public void before(Call call) {
        if (!calm) {
          given.before(call);
        }
      }

      @Override
      public void after(Call call) {
        if (!calm) {
          given.after(call);
        }
      }
    };
  }

  /** Plays the scenario to its end. */
  Outcome run() {
    invariants.byPerson(this::install);
    startOperator();
    Instant horizon = clock.instant().plus(LONGEST);
    while (clock.instant().isBefore(horizon) && !ended()) {
      step(horizon);
    }
    settle();
    invariants.atRest();
    nothingIssuedIsLeft();
    nothingLivesThatNobodyKnows();
    rest();
    return new Outcome(
        rotations().map(r -> r.getStatus().stage()).toList(),
        value(),
        rotations().anyMatch(Invariants::waits),
        invariants.checked());
  }

  private boolean ended() {
    boolean quiet =
        done == scenario.steps().size()
            && rotations().allMatch(Invariants::finished)
            && restarts.isEmpty()
            && clock.instant().isAfter(lastDone.plus(eventsAreLost ? UNHEARD : QUIET));
    return quiet || clock.instant().isAfter(lastDone.plus(LIVENESS));
  }

  private void step(Instant end) {
    settle();
    theValueIsTaken();
    Instant next = next().filter(t -> t.isBefore(end)).orElse(end);
    // Another pause in between may have lasted longer than this one.
    if (next.isAfter(clock.instant())) {
      clock.advance(Duration.between(clock.instant(), next));
    }
  }

  /** Everything that happens at this instant. */
  private void settle() {
    int steps = 0;
    while (act() | cluster.step() | operate()) {
      if (++steps > STEPS_AT_ONCE) {
        throw new AssertionError("no end of steps at " + clock.instant());
      }
    }
  }

  /** What workloads are given is renewed for as long as they are. */
  private void theValueIsTaken() {
    String value = plain();
    boolean bound = store.look(SecretBinding.class, BINDING) != null;
    if (value != null && bound && !issuer.takes(value) && !endedByOthers.contains(value)) {
      throw new AssertionError(
          "invariant 3 does not hold at %s: what workloads are given is valid"
              .formatted(clock.instant()));
    }
  }

  private boolean act() {
    if (done == scenario.steps().size() || !scenario.steps().get(done).when().test(this)) {
      return false;
    }
    Scenario.Step step = scenario.steps().get(done++);
    lastDone = clock.instant();
    invariants.byPerson(() -> step.what().accept(this));
    return true;
  }

  private boolean operate() {
    if (restarts.removeIf(t -> !t.isAfter(clock.instant()))) {
      startOperator();
    }
    boolean moved = false;
    for (SimulatedOperator operator : List.copyOf(operators)) {
      if (!asleep.contains(operator)) {
        operator.hear(
            oldCaches == 0 ? 0 : random.nextInt(oldCaches), eventsAreLost && random.nextBoolean());
        boolean did = stepOf(operator);
        if (!did) {
          operator.hear(0, false);
        }
        moved |= did;
      }
    }
    return moved;
  }

  private boolean stepOf(SimulatedOperator operator) {
    try {
      return operator.step();
    } catch (Crash crash) {
      operators.remove(operator);
      restarts.add(clock.instant().plus(RESTART));
      return true;
    }
  }

  private Optional<Instant> next() {
    return Stream.of(
            cluster.next().stream(),
            restarts.stream(),
            operators.stream().filter(o -> !asleep.contains(o)).flatMap(o -> o.next().stream()),
            Stream.of(clock.instant().plus(Duration.ofSeconds(30))))
        .flatMap(s -> s)
        .filter(t -> t.isAfter(clock.instant()))
        .min(Comparator.naturalOrder());
  }

  /** A process of the operator starts. */
  SimulatedOperator startOperator() {
    int number = ++started;
    Epoch epoch = new Epoch(() -> new Epoch.Term(number, number == started));
    SimulatedOperator operator =
        new SimulatedOperator(
            "operator-" + number, store, issuer, clock, weather, KUBELET_LAG, answers, epoch);
    operators.add(operator);
    return operator;
  }

  /** One process stands still, as one that was stopped does, while another acts. */
  void pause(SimulatedOperator stopped, Duration time) {
    asleep.add(stopped);
    if (asleep.containsAll(operators)) {
      startOperator();
    }
    Instant end = clock.instant().plus(time);
    while (clock.instant().isBefore(end)) {
      step(end);
    }
    asleep.remove(stopped);
  }

  /** From now on caches may miss some of the newest changes. */
  void letCachesLag(int changes) {
    oldCaches = changes;
  }

  /** Whether nobody may be told of a change; when watches work again, everything is listed anew. */
  void loseEvents(boolean lose) {
    eventsAreLost = lose;
    if (!lose) {
      operators.forEach(SimulatedOperator::resync);
    }
  }

  /** Something has gone wrong just now: what it costs is counted from here. */
  void disturbed() {
    lastDone = clock.instant();
  }

  private void install() {
    store.create(
        new NamespaceBuilder().withNewMetadata().withName(NAMESPACE).endMetadata().build());
    change(FIRST, Behaviour.WORKS);
    scenario.waves().keySet().forEach(this::deploy);
    var policy = new io.keyturn.api.v1alpha1.RotationPolicy();
    policy.getMetadata().setNamespace(NAMESPACE);
    policy.getMetadata().setName("quick");
    String spec = POLICY + scenario.policy();
    for (Map.Entry<String, String> part : PARTS.entrySet()) {
      spec += spec.contains(part.getKey() + ":") ? "" : part.getValue() + "\n";
    }
    policy.setSpec(Policies.policy(spec));
    store.create(policy);
    SecretBinding binding = new SecretBinding();
    binding.getMetadata().setNamespace(NAMESPACE);
    binding.getMetadata().setName(BINDING);
    binding.setSpec(
        new SecretBindingSpec(
            source(),
            null,
            scenario.waves().entrySet().stream()
                .map(w ->
                    new SecretBindingSpec.Workload(
                        WorkloadKind.Deployment, w.getKey(), null, w.getValue()))
                .toList(),
            null,
            new SecretBindingSpec.PolicyRef("quick"),
            null,
            null));
    store.create(binding);
  }

  private SecretBindingSpec.Source source() {
    if (scenario.kind() == Scenario.Kind.UPSTREAM) {
      return SecretBindingSpec.Source.of(
          new SecretBindingSpec.Upstream(UPSTREAM), scenario.overlap());
    }
    boolean slots = scenario.kind() == Scenario.Kind.SLOTS;
    return new SecretBindingSpec.Source(
        new SecretBindingSpec.StoreRef(null, scenario.kind().name().toLowerCase(Locale.ROOT)),
        null,
        null,
        null,
        slots ? null : new SecretBindingSpec.VaultLease("database/creds/app", null, null),
        null,
        slots ? new SecretBindingSpec.PostgresqlRoles(List.of("one", "two")) : null,
        scenario.overlap());
  }

  private void deploy(String name) {
    store.create(
        new DeploymentBuilder()
            .withNewMetadata()
            .withNamespace(NAMESPACE)
            .withName(name)
            .endMetadata()
            .withNewSpec()
            .withReplicas(3)
            .withNewStrategy()
            .withType("RollingUpdate")
            .endStrategy()
            .withNewSelector()
            .addToMatchLabels("app", name)
            .endSelector()
            .withNewTemplate()
            .withNewMetadata()
            .addToLabels("app", name)
            .endMetadata()
            .withNewSpec()
            .addNewContainer()
            .withName("app")
            .addNewEnv()
            .withName("PASSWORD")
            .withNewValueFrom()
            .withNewSecretKeyRef(KEY, ALIAS, false)
            .endValueFrom()
            .endEnv()
            .endContainer()
            .endSpec()
            .endTemplate()
            .endSpec()
            .build());
  }

  /** A rotation has begun that moves a Deployment; it is of a binding that has gone since. */
  void admitAnother(String deployment) {
    SecretRotation other =
        new KubernetesSerialization()
            .unmarshal(
                """
                metadata:
                  namespace: %1$s
                  name: gone-7
                  ownerReferences: [{kind: SecretBinding, name: gone, uid: gone, controller: true}]
                spec: {bindingRef: {name: gone}, trigger: Scheduled}
                status:
                  stage: Staging
                  timeline: {startedAt: "%2$s"}
                  workloads: [{kind: Deployment, name: %3$s, uid: gone, state: Waiting, wave: 0}]
                """
                    .formatted(NAMESPACE, clock.instant(), deployment),
                SecretRotation.class);
    store.create(other);
    store.updateStatus(other);
  }

  /** The tool that keeps the upstream Secret current writes a value into it. */
  void change(String value, Behaviour behaviour) {
    cluster.behave(value, behaviour);
    Map<String, String> data = Map.of(KEY, encode(value));
    Secret upstream = store.read(Secret.class, NAMESPACE, UPSTREAM);
    if (upstream == null) {
      store.create(
          new SecretBuilder()
              .withNewMetadata()
              .withNamespace(NAMESPACE)
              .withName(UPSTREAM)
              .endMetadata()
              .withData(data)
              .build());
    } else {
      upstream.setData(data);
      store.update(upstream);
    }
  }

  private static String encode(String value) {
    return Base64.getEncoder().encodeToString(value.getBytes(StandardCharsets.UTF_8));
  }

  /** The stage of the rotation to a version; null if there is none. */
  Stage stage(long version) {
    SecretRotation rotation = rotation(version);
    return rotation == null ? null : rotation.getStatus().stage();
  }

  /** The stage of the newest rotation; null if there is none. */
  Stage stage() {
    return rotations().reduce((a, b) -> b).map(r -> r.getStatus().stage()).orElse(null);
  }

  private SecretRotation rotation(long version) {
    return store.look(SecretRotation.class, Names.rotation(BINDING, version));
  }

  private Stream<SecretRotation> rotations() {
    return store
        .look(SecretRotation.class)
        .sorted(Comparator.comparingLong(r -> Names.versionOfRotation(r.getMetadata().getName())));
  }

  /** Whether all workloads run and the first version is delivered. */
  boolean ready() {
    SecretBinding binding = store.look(SecretBinding.class, BINDING);
    return binding != null
        && binding.getStatus().current() != null
        && scenario.waves().keySet().stream().allMatch(this::rolledOut);
  }

  private boolean rolledOut(String workload) {
    Deployment deployment = store.look(Deployment.class, workload);
    return deployment != null
        && Objects.equals(deployment.getStatus().getAvailableReplicas(), 3)
        && Objects.equals(deployment.getStatus().getReplicas(), 3);
  }

  /** A person edits the spec of a rotation. */
  void steer(long version, boolean hold, boolean abort) {
    SecretRotation rotation =
        store.read(SecretRotation.class, NAMESPACE, Names.rotation(BINDING, version));
    if (rotation != null) {
      rotation.setSpec(
          new SecretRotationSpec(
              rotation.getSpec().bindingRef(),
              rotation.getSpec().trigger(),
              rotation.getSpec().reportedAt(),
              hold,
              abort,
              null));
      store.update(rotation);
    }
  }

  /** Somebody reports that the current value is known to others. */
  void report(String nonce) {
    rotate(nonce, RotateReason.Compromise);
  }

  /** Somebody wants a new value. */
  void ask(String nonce) {
    rotate(nonce, RotateReason.Manual);
  }

  private void rotate(String nonce, RotateReason reason) {
    SecretBinding binding = store.read(SecretBinding.class, NAMESPACE, BINDING);
    binding.setSpec(
        new SecretBindingSpec(
            binding.getSpec().source(),
            binding.getSpec().secret(),
            binding.getSpec().workloads(),
            binding.getSpec().delivery(),
            binding.getSpec().rotationPolicyRef(),
            new SecretBindingSpec.Rotate(nonce, reason, null),
            null));
    store.update(binding);
  }

  /** What the server issues from now on is of this kind. */
  void issue(Behaviour behaviour) {
    issuing = behaviour;
  }

  /** Somebody else ends the credential that the workloads have. */
  void endCurrent() {
    String value = plain();
    endedByOthers.add(value);
    issuer.endByOthers(value);
  }

  /** A person opens the gate of a rotation. */
  void approve(long version, String gate) {
    SecretRotation rotation =
        store.read(SecretRotation.class, NAMESPACE, Names.rotation(BINDING, version));
    if (rotation != null) {
      rotation.setSpec(
          new SecretRotationSpec(
              rotation.getSpec().bindingRef(),
              rotation.getSpec().trigger(),
              rotation.getSpec().reportedAt(),
              null,
              null,
              List.of(new SecretRotationSpec.Approval(gate, "anna", null))));
      store.update(rotation);
    }
  }

  /** What checks and gates say from now on. */
  void answer(Verdict verdict) {
    answers.verdict = verdict;
  }

  /** Whether a rotation waits for something. */
  boolean waits() {
    return rotations().anyMatch(Invariants::waits);
  }

  /** A person aborts the newest rotation. */
  void steerNewest(boolean abort) {
    rotations()
        .reduce((a, b) -> b)
        .ifPresent(r -> steer(Names.versionOfRotation(r.getMetadata().getName()), false, abort));
  }

  /** A person edits a Deployment. */
  void edit(String workload, UnaryOperator<Deployment> change) {
    Deployment seen = store.look(Deployment.class, workload);
    if (seen != null) {
      store.edit(seen, change::apply, null);
    }
  }

  /** A person undoes a rollout: the annotation is as it was, and kubectl's. */
  void undo(String workload, String annotation) {
    Deployment seen = store.look(Deployment.class, workload);
    if (seen != null) {
      String key = Names.versionAnnotation(ALIAS);
      store.edit(
          seen,
          d -> {
            var annotations = d.getSpec().getTemplate().getMetadata().getAnnotations();
            if (annotation == null) {
              annotations.remove(key);
            } else {
              annotations.put(key, annotation);
            }
          },
          key);
    }
  }

  /** Whether the pod template of a workload carries a version. */
  boolean annotated(String workload) {
    Deployment seen = store.look(Deployment.class, workload);
    var annotations =
        seen == null ? null : seen.getSpec().getTemplate().getMetadata().getAnnotations();
    return annotations != null && annotations.containsKey(Names.versionAnnotation(ALIAS));
  }

  /** A person scales a Deployment. */
  void scale(String workload, int replicas) {
    edit(
        workload,
        d -> {
          d.getSpec().setReplicas(replicas);
          return d;
        });
  }

  /** A person changes the pod template of a Deployment. */
  void editTemplate(String workload, String note) {
    edit(
        workload,
        d -> {
          d.getSpec().getTemplate().getMetadata().getAnnotations().put("note", note);
          return d;
        });
  }

  /** A person deletes a Deployment, and creates it again from the manifest. */
  void createAnew(String workload) {
    delete(Deployment.class, workload);
    deploy(workload);
  }

  /** A person deletes an object. */
  <T extends io.fabric8.kubernetes.api.model.HasMetadata> void delete(Class<T> kind, String name) {
    T seen = store.read(kind, NAMESPACE, name);
    if (seen != null) {
      store.delete(seen);
    }
  }

  /** A person writes something into the alias. */
  void editAlias(String value) {
    Secret alias = store.read(Secret.class, NAMESPACE, ALIAS);
    if (alias != null) {
      alias.setData(Map.of(KEY, encode(value)));
      store.update(alias);
    }
  }

  /** Containers of some pods end and start anew, as they may at any moment. */
  void restartSomePods() {
    store.look(Pod.class).toList().stream()
        .filter(_ -> random.nextInt(3) == 0)
        .forEach(cluster::restart);
  }

  /** The value of the alias; of one that was issued only when: first or later. */
  private String value() {
    String value = plain();
    return value == null || scenario.kind() == Scenario.Kind.UPSTREAM
        ? value
        : value.startsWith(FIRST) ? FIRST : Scenarios.SECOND;
  }

  private String plain() {
    Secret alias = store.look(Secret.class, ALIAS);
    return alias == null ? null : value(alias);
  }

  private static String value(Secret secret) {
    return new String(
        Base64.getDecoder().decode(secret.getData().get(KEY)), StandardCharsets.UTF_8);
  }

  /** What was issued and recorded, and is not current, was ended. */
  private void nothingIssuedIsLeft() {
    SecretBinding binding = store.look(SecretBinding.class, BINDING);
    if (binding == null || rotations().anyMatch(Invariants::waits)) {
      return;
    }
    List<String> left =
        store
            .look(Secret.class)
            .filter(s -> Boolean.TRUE.equals(s.getImmutable()))
            .filter(
                s -> !s.getMetadata().getName().equals(binding.getStatus().current().snapshot()))
            .filter(s -> s.getMetadata().getAnnotations().containsKey(Names.CREDENTIAL))
            .filter(s -> issuer.lives(s.getMetadata().getAnnotations().get(Names.CREDENTIAL)))
            .map(s -> s.getMetadata().getName())
            .toList();
    if (!left.isEmpty()) {
      throw new AssertionError("the credentials of %s still live in the end".formatted(left));
    }
  }

  /** What a process had issued that died before it recorded it was ended by another. */
  private void nothingLivesThatNobodyKnows() {
    Set<String> known =
        store
            .look(Secret.class)
            .flatMap(s -> Stream.ofNullable(s.getMetadata().getAnnotations()))
            .flatMap(a -> Stream.ofNullable(a.get(Names.CREDENTIAL_OWNER)))
            .collect(Collectors.toSet());
    List<String> unknown = issuer.owners().stream().filter(o -> !known.contains(o)).toList();
    if (!unknown.isEmpty()) {
      throw new AssertionError("nobody knows what was issued to %s".formatted(unknown));
    }
  }

  /** Looking again at everything, and starting anew, writes nothing. */
  private void rest() {
    if (rotations().anyMatch(Invariants::waits)) {
      return;
    }
    calm = true;
    int before = store.changes().size();
    startOperator();
    operators.forEach(o -> o.hear(0, false));
    operators.forEach(SimulatedOperator::resync);
    Instant now = clock.instant();
    operators.forEach(o -> {
      while (clock.instant().equals(now) && stepOf(o)) {
        if (store.changes().size() != before) {
          throw new AssertionError(
              "invariant 11 does not hold in the end (%s): nothing to do is nothing written: %s"
                  .formatted(clock.instant(), store.changes().getLast().object()));
        }
      }
    });
  }

  /** What happened, for whoever plays a seed again with {@code -Dsimulation.trace=true}. */
  private void trace(ObjectStore.Change change) {
    var object = change.object();
    String more =
        switch (object) {
          case SecretRotation r -> r.getStatus().stage() + " " + r.getStatus().message();
          case SecretBinding b -> b.getStatus().toString();
          case Secret s -> ObjectStore.labels(s.getMetadata()) + " " + value(s);
          case Pod p -> cluster.valueOf(p) + (SimulatedCluster.ready(p) ? " ready" : "");
          case Deployment d -> d.getSpec().getTemplate().getMetadata().getAnnotations() + "";
          default -> "";
        };
    System.out.println(
        clock.instant()
            + (change.before() == null ? " + " : change.after() == null ? " - " : " ~ ")
            + object.getKind()
            + " "
            + object.getMetadata().getName()
            + (object.getMetadata().getDeletionTimestamp() == null ? " " : " going ")
            + more);
  }
}
