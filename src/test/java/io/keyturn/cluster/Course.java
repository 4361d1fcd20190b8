package io.keyturn.cluster;

import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;

/**
 * One binding that is rotated again and again: to good values and bad ones; some are taken back by
 * a person, and some by the source. Each password dies as soon as nobody may need it.
 */
final class Course {

  /** A bound for a rotation while faults strike; what counts is how soon it ends after them. */
  private static final Duration LONGEST = Duration.ofMinutes(10);

  private static final List<Stage> STAGES =
      List.of(Stage.Pending, Stage.Staging, Stage.Canary, Stage.Baking, Stage.Promoting);

  /** How the team's policy rotates: a good value has time enough, whatever happens. */
  static final String POLICY =
      """
      {canary: {bake: 1s, deadline: 10m}, promotion: {maxParallel: 1}, retirement: {grace: 1s},
       retry: {maxAttempts: 1}, historyLimit: 100}\
      """;

  private enum Move {
    GOOD,
    BAD,
    ABORT,
    REVERT;

    static Move any(SplittableRandom random) {
      int drawn = random.nextInt(20);
      return drawn < 13 ? GOOD : drawn < 16 ? BAD : drawn < 18 ? ABORT : REVERT;
    }
  }

  private final Team team;
  private final String name;
  private final History<SecretRotation> rotations;
  private final SplittableRandom random;
  private final int deployments;
  private final int pods;
  private final List<Team.Login> rejected = new ArrayList<>();
  private Team.Login current;
  private long version = 1;

  /** A binding, its upstream Secret and its Deployments, which all begin with the same name. */
  Course(
      Team team,
      String name,
      int deployments,
      int pods,
      History<SecretRotation> rotations,
      SplittableRandom random) {
    this.team = team;
    this.name = name;
    this.deployments = deployments;
    this.pods = pods;
    this.rotations = rotations;
    this.random = random;
    this.current = team.newLogin();
  }

  /** Writes the first value; the manifest binds and uses it. */
  String begin() {
    team.writeSecret(upstream(), current);
    return """
    apiVersion: keyturn.io/v1alpha1
    kind: SecretBinding
    metadata: {name: %1$s}
    spec:
      source: {secret: {name: %2$s}}
      rotationPolicyRef: {name: quick}
      workloads: [%3$s]
    ---
    %4$s
    """
        .formatted(
            name,
            upstream(),
            workloads().stream()
                .map(w -> "{kind: Deployment, name: %s}".formatted(w))
                .collect(Collectors.joining(", ")),
            workloads().stream().map(this::deployment).collect(Collectors.joining("---\n")));
  }

  private String deployment(String workload) {
    return team.deployment(
            workload,
            pods,
            "hollow/postgres-client",
            "        hollow.keyturn.io/login-every: 3s\n        hollow.keyturn.io/when-refused: exit")
        .replace("{name: payments-db, key:", "{name: " + name + ", key:");
  }

  private String upstream() {
    return name + "-upstream";
  }

  Team team() {
    return team;
  }

  /** The binding, and the alias. */
  String name() {
    return name;
  }

  List<String> workloads() {
    return IntStream.range(0, deployments).mapToObj(i -> name + "-" + (char) ('a' + i)).toList();
  }

  /** Values that no pod but canaries may ever have seen. */
  List<Team.Login> rejected() {
    return rejected;
  }

  /** Whether all that is to hold the present value holds it. */
  boolean holds() {
    return team.holds(name, current);
  }

  /** A value is written, and its rotation ends as it has to. */
  void move() {
    switch (Move.any(random)) {
      case GOOD -> {
        Team.Login next = team.newLogin();
        write(next);
        awaitEnd(Stage.Complete);
        replaceBy(next);
      }
      case BAD -> {
        Team.Login wrong = team.wrong(current);
        write(wrong);
        rejected.add(wrong);
        awaitEnd(Stage.Failed);
      }
      case ABORT -> abort();
      case REVERT -> revert();
    }
  }

  private void abort() {
    Team.Login next = team.newLogin();
    write(next);
    awaitSome();
    team.client()
        .resources(SecretRotation.class)
        .inNamespace(team.namespace())
        .withName(Names.rotation(name, version))
        .patch(PatchContext.of(PatchType.JSON_MERGE), "{\"spec\":{\"abort\":true}}");
    if (awaitEnd(Stage.Aborted, Stage.Complete) == Stage.Complete) {
      replaceBy(next);
    } else {
      kill(next);
      awaitNoted();
    }
  }

  /**
   * What was aborted before anything was staged is the value that the source holds when the binding
   * takes note of it: until then a new value would be taken for it.
   */
  private void awaitNoted() {
    Awaitility.await("%s is noted by its binding".formatted(Names.rotation(name, version)))
        .atMost(LONGEST)
        .pollInterval(Duration.ofMillis(200))
        .until(() -> {
          var noted = Bindings.get(team, name).getStatus().lastRotation();
          return noted != null && noted.name().equals(Names.rotation(name, version));
        });
  }

  /** If the new value was promoted before, the old one is a new version. */
  private void revert() {
    Team.Login next = team.newLogin();
    write(next);
    awaitSome();
    team.writeSecret(upstream(), current);
    if (awaitEnd(Stage.Superseded, Stage.Complete) == Stage.Complete) {
      version++;
      awaitEnd(Stage.Complete);
    }
    kill(next);
  }

  private void write(Team.Login login) {
    team.writeSecret(upstream(), login);
    version++;
  }

  private void replaceBy(Team.Login next) {
    kill(current);
    current = next;
  }

  private static void kill(Team.Login login) {
    SharedWorld.postgres().setPassword(login.user(), Team.random(16));
  }

  /** Waits until the rotation is somewhere. */
  private void awaitSome() {
    Stage stage = STAGES.get(random.nextInt(STAGES.size()));
    await(s -> s.compareTo(stage) >= 0);
    Instant moment = Instant.now().plusMillis(random.nextInt(700));
    Awaitility.await()
        .pollInterval(Duration.ofMillis(20))
        .until(() -> Instant.now().isAfter(moment));
  }

  private Stage awaitEnd(Stage... expected) {
    Stage end = await(Stage::terminal);
    if (!List.of(expected).contains(end)) {
      throw new AssertionError(
          "%s in %s is %s instead of %s: %s"
              .formatted(
                  Names.rotation(name, version),
                  team.namespace(),
                  end,
                  List.of(expected),
                  rotation().orElseThrow().getStatus().message()));
    }
    return end;
  }

  private Stage await(Predicate<Stage> stage) {
    Awaitility.await("%s in %s".formatted(Names.rotation(name, version), team.namespace()))
        .atMost(LONGEST)
        .pollInterval(Duration.ofMillis(100))
        .until(() -> rotation().map(r -> stage.test(r.getStatus().stage())).orElse(false));
    return rotation().orElseThrow().getStatus().stage();
  }

  private Optional<SecretRotation> rotation() {
    return rotations.latest(Names.rotation(name, version));
  }
}
