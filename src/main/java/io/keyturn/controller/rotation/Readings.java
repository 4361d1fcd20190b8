package io.keyturn.controller.rotation;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Durations;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Preflight;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.controller.Nudge;
import io.keyturn.domain.gate.Measurement;
import io.keyturn.domain.rotation.GateWatch;
import io.keyturn.domain.rotation.Observation.Reading;
import io.keyturn.domain.rotation.PreflightWatch;
import io.keyturn.gate.Judge;
import io.keyturn.gate.PreflightJobs;
import io.keyturn.secret.SecretData;
import io.keyturn.secret.SecretWriter;
import io.keyturn.workload.PodUsage;
import io.keyturn.workload.deployment.Deployments;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * Asks the checks and gates of a rotation, each once an interval, without letting anything else
 * wait for the answer. What is remembered here only saves questions: an operator that starts anew
 * asks again.
 */
@ApplicationScoped
class Readings {

  /** How soon a check that could not tell is made again. */
  private static final Duration AGAIN = Duration.ofSeconds(10);

  private record Question(String rotation, String namespace, String uid, String name) {}

  private record Slot(Optional<Reading> last, boolean asking) {}

  private final Judge judge;
  private final SecretWriter secrets;
  private final Deployments deployments;
  private final Nudge nudge;
  private final Executor threads;
  private final Clock clock;
  private final Map<Question, Slot> slots = new ConcurrentHashMap<>();

  @Inject
  Readings(Judge judge, SecretWriter secrets, Deployments deployments, Nudge nudge, Clock clock) {
    this(judge, secrets, deployments, nudge, Executors.newVirtualThreadPerTaskExecutor(), clock);
  }

  /**
   * Asks through the given parts.
   *
   * @param threads where questions wait for their answers
   */
  Readings(
      Judge judge,
      SecretWriter secrets,
      Deployments deployments,
      Nudge nudge,
      Executor threads,
      Clock clock) {
    this.judge = judge;
    this.secrets = secrets;
    this.deployments = deployments;
    this.nudge = nudge;
    this.threads = threads;
    this.clock = clock;
  }

  /**
   * The last answers of what a rotation asks in its stage; there are none of what was never asked.
   */
  List<Reading> of(SecretRotation rotation, String aliasName) {
    SecretRotationStatus journal = rotation.getStatus();
    String uid = rotation.getMetadata().getUid();
    if (journal.stage().terminal()) {
      slots.keySet().removeIf(q -> q.uid().equals(uid));
      return List.of();
    }
    if (journal.stage() == Stage.Preflight) {
      return PreflightWatch.next(journal).flatMap(c -> ofCheck(c, rotation)).stream().toList();
    }
    return GateWatch.measured(journal).stream()
        .flatMap(g ->
            latest(
                rotation,
                g.name(),
                Durations.parse(g.interval()),
                () -> judge.gate(g, pods(rotation, aliasName), version(journal)))
                .stream())
        .toList();
  }

  /** A Job is observed, not asked; but some can be seen never to start. */
  private Optional<Reading> ofCheck(Preflight check, SecretRotation rotation) {
    return check.job() == null
        ? latest(rotation, check.name(), AGAIN, () -> check(check, rotation))
        : PreflightJobs.obstacle(check)
            .map(
                m -> new Reading(check.name(), m, clock.instant().truncatedTo(ChronoUnit.SECONDS)));
  }

  private Optional<Reading> latest(
      SecretRotation rotation, String name, Duration interval, Supplier<Measurement> ask) {
    Question question =
        new Question(
            rotation.getMetadata().getName(),
            rotation.getMetadata().getNamespace(),
            rotation.getMetadata().getUid(),
            name);
    Slot slot = slots.computeIfAbsent(question, _ -> new Slot(Optional.empty(), false));
    Instant now = clock.instant();
    boolean due =
        slot.last()
            .map(r -> !now.isBefore(r.at().plus(interval)) || r.at().isAfter(now.plusSeconds(1)))
            .orElse(true);
    if (due && !slot.asking() && slots.replace(question, slot, new Slot(slot.last(), true))) {
      threads.execute(() -> answer(question, ask));
    }
    return slots.get(question).last();
  }

  private void answer(Question question, Supplier<Measurement> ask) {
    Measurement measurement;
    try {
      measurement = ask.get();
    } catch (KubernetesClientException e) {
      measurement =
          Measurement.inconclusive(
              "the API server did not answer (code %d)".formatted(e.getCode()));
    } catch (RuntimeException e) {
      measurement =
          Measurement.inconclusive(
              "it ended with a %s of Keyturn's own".formatted(e.getClass().getSimpleName()));
    }
    Instant at = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    Reading reading = new Reading(question.name(), measurement, at);
    slots.computeIfPresent(question, (_, _) -> new Slot(Optional.of(reading), false));
    nudge.send(question.namespace(), question.rotation());
  }

  private Measurement check(Preflight check, SecretRotation rotation) {
    Secret snapshot =
        secrets.read(rotation.getMetadata().getNamespace(), rotation.getStatus().to().snapshot());
    if (snapshot == null) {
      return Measurement.inconclusive("the snapshot has gone");
    }
    try (SecretData candidate = SecretData.decode(snapshot.getData())) {
      return judge.check(check, candidate);
    }
  }

  /** The pods that are judged: those of the canaries, and later those on the version. */
  private List<String> pods(SecretRotation rotation, String aliasName) {
    SecretRotationStatus journal = rotation.getStatus();
    boolean canary = journal.stage() == Stage.Baking;
    return journal.workloads().stream()
        .map(w -> canary ? w.canaryRef() : w.name())
        .filter(Objects::nonNull)
        .map(n -> deployments.read(rotation.getMetadata().getNamespace(), n))
        .filter(Objects::nonNull)
        .flatMap(d -> deployments.pods(d).stream())
        .filter(p -> canary || version(journal).equals(PodUsage.annotation(p, aliasName)))
        .map(p -> p.getMetadata().getName())
        .sorted()
        .toList();
  }

  private static String version(SecretRotationStatus journal) {
    return Names.versionIdOf(journal.to().snapshot());
  }
}
