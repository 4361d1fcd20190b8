package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingStatus.Current;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretRotationSpec;
import io.keyturn.api.v1alpha1.SecretRotationSpec.BindingRef;
import io.keyturn.api.v1alpha1.SecretRotationSpec.Trigger;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.controller.Candidates.Candidate;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Failure;
import io.keyturn.gate.PreflightJobs;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.Delivery;
import io.keyturn.secret.SecretData;
import io.keyturn.secret.SecretWriter;
import io.keyturn.store.spi.Credential;
import io.keyturn.workload.PodUsage;
import io.keyturn.workload.deployment.Deployments;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.net.HttpURLConnection;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.BooleanSupplier;

/**
 * Performs effects, and is the only one to change the cluster but for statuses and events. Each may
 * be performed twice: creations meet what exists, changes are conditional on what was observed, and
 * deletions on the UID and version of what was looked at live.
 */
@ApplicationScoped
public class Executor {

  /** How soon to try again what a source did not give. */
  private static final Duration AGAIN = Duration.ofSeconds(30);

  private final ApiServer api;
  private final SecretWriter secrets;
  private final Deployments deployments;
  private final PreflightJobs checks;
  private final Candidates candidates;
  private final Adoption adoption;
  private final Intents intents;
  private final Leases leases;
  private final Telemetry telemetry;
  private final Pace pace;
  private final Clock clock;

  /** Acts through the given parts. */
  @Inject
  public Executor(
      ApiServer api,
      SecretWriter secrets,
      Deployments deployments,
      PreflightJobs checks,
      Candidates candidates,
      Adoption adoption,
      Intents intents,
      Leases leases,
      Telemetry telemetry,
      Pace pace,
      Clock clock) {
    this.api = api;
    this.secrets = secrets;
    this.deployments = deployments;
    this.checks = checks;
    this.candidates = candidates;
    this.adoption = adoption;
    this.intents = intents;
    this.leases = leases;
    this.telemetry = telemetry;
    this.pace = pace;
    this.clock = clock;
  }

  /**
   * Whom an effect concerns.
   *
   * @param binding null if it has gone
   * @param rotation null if the effect is the binding's own
   * @param namespace of both
   * @param aliasName name of the Secret that the workloads refer to
   * @param alias as it was observed; null if there was none
   * @param stands whether what was observed still holds, by a live look
   */
  public record Subject(
      SecretBinding binding,
      SecretRotation rotation,
      String namespace,
      String aliasName,
      Secret alias,
      BooleanSupplier stands) {}

  /**
   * When an effect may be performed: what replaces pods takes turns.
   *
   * @return empty: now
   */
  public Optional<Instant> turn(Effect effect) {
    return effect instanceof Effect.Annotate annotate
        ? pace.take(annotate.uid() + "/" + annotate.versionId())
        : Optional.empty();
  }

  /**
   * Performs an effect.
   *
   * @return whether it changed anything; if not, it is for the next look to say why
   * @throws KubernetesClientException with code 409 if something has changed since it was observed
   * @throws NotDone if a store does not do it
   */
  public boolean perform(Effect effect, Subject subject) {
    return switch (effect) {
      case Effect.DeliverFirst(long version) -> deliverFirst(version, subject);
      case Effect.CreateSnapshot(long version, String token) ->
          createSnapshot(version, token, subject);
      case Effect.RestoreSnapshot(VersionRef version) ->
          secrets.restoreSnapshot(
              subject.binding(),
              version,
              subject.alias(),
              token(subject.rotation()),
              Credentials.annotations(subject.alias().getMetadata()));
      case Effect.WriteAlias(VersionRef version, boolean restoring) ->
          writeAlias(version, restoring, subject);
      case Effect.StartCheck(var check) ->
          checks.start(
              subject.rotation(),
              check,
              subject.aliasName(),
              subject.rotation().getStatus().to().snapshot());
      case Effect.StopCheck(var check) -> checks.stop(subject.rotation(), check);
      case Effect.StartCanary start ->
          deployments.startCanary(
              subject.rotation(),
              start.workload(),
              subject.aliasName(),
              subject.rotation().getStatus().to().snapshot(),
              start.pods(),
              subject.rotation().getStatus().policy().canary().traffic());
      case Effect.StopCanary(var workload) ->
          deployments.stopCanary(subject.rotation(), workload.canaryRef());
      case Effect.Annotate annotate -> annotate(annotate, subject);
      case Effect.RenewLease(String snapshot) -> leases.renew(subject.namespace(), snapshot);
      case Effect.Disable(String snapshot) ->
          leases.disable(subject.namespace(), snapshot, subject.stands());
      case Effect.Enable(String snapshot) -> leases.enable(subject.namespace(), snapshot);
      case Effect.Revoke(String snapshot, boolean terminateSessions) ->
          leases.revoke(subject.namespace(), snapshot, terminateSessions, subject.stands());
      case Effect.DeleteSnapshot(String name) -> deleteSnapshot(name, subject);
      case Effect.StartRotation start -> createRotation(start, subject.binding());
      case Effect.ForgetRotation(String name) -> forgetRotation(name, subject);
      case Effect.Release() -> release(subject.rotation());
      case Effect.SetOwnership(String name) -> {
        Secret secret = secrets.read(subject.namespace(), name);
        boolean ours = secret != null && SecretWriter.isOurs(secret, subject.binding());
        if (ours) {
          secrets.setOwnership(subject.binding(), secret);
        }
        yield ours;
      }
    };
  }

  private boolean deliverFirst(long version, Subject subject) {
    SecretBinding binding = subject.binding();
    List<Secret> made =
        secrets.snapshots(
            binding.getMetadata().getNamespace(), binding.getMetadata().getName(), version);
    if (made.isEmpty()) {
      return firstValue(version, binding, subject.alias());
    }
    Secret snapshot = made.getFirst();
    return writeFirstAlias(
        new VersionRef(version, snapshot.getMetadata().getName()),
        snapshot.getData(),
        Credentials.annotations(snapshot.getMetadata()),
        binding,
        subject.alias());
  }

  private boolean firstValue(long version, SecretBinding binding, Secret alias) {
    Candidate candidate =
        intents.noted(
            binding,
            intent ->
                candidates.obtain(
                    binding, version, binding.getMetadata().getUid(), Optional.empty(), intent));
    if (changedMeanwhile(candidate, binding)) {
      return false;
    }
    try (SecretData data = delivered(candidate, binding)) {
      if (alias != null && adoption.obstacle(alias, binding, data).isPresent()) {
        return false;
      }
      Map<String, String> credential = annotations(candidate, binding);
      boolean recorded =
          leases.recorded(
              binding,
              candidate,
              () -> secrets.createSnapshot(binding, version, data, null, credential));
      if (!recorded) {
        return false;
      }
      String snapshot = secrets.snapshotName(binding, version, data);
      return writeFirstAlias(
          new VersionRef(version, snapshot), data.encode(), credential, binding, alias);
    }
  }

  /** A source that holds values has none any more: the next look says why. */
  private boolean changedMeanwhile(Candidate candidate, SecretBinding binding) {
    return candidate.delivery() instanceof Delivery.Refused
        && !candidates.capabilities(binding).makesValues();
  }

  /** The data of a candidate, or why there are none; what was issued in vain is ended. */
  private SecretData delivered(Candidate candidate, SecretBinding binding) {
    return switch (candidate.delivery()) {
      case Delivery.Data(SecretData data) -> data;
      case Delivery.Refused(String reason, String message) -> {
        leases.abandon(binding, candidate);
        throw new NotDone(
            new Failure(reason, message, candidate.lasting(), candidate.retryIn().orElse(AGAIN)));
      }
    };
  }

  private static Map<String, String> annotations(Candidate candidate, SecretBinding binding) {
    return Credentials.annotations(
        binding.getSpec().source().storeRef(), candidate.credential(), candidate.revision());
  }

  private boolean writeFirstAlias(
      VersionRef version,
      Map<String, String> data,
      Map<String, String> credential,
      SecretBinding binding,
      Secret alias) {
    if (alias == null) {
      secrets.createAlias(binding, version, data, firstHeld(binding, version), credential);
      return true;
    }
    try (SecretData wanted = SecretData.decode(data)) {
      if (adoption.obstacle(alias, binding, wanted).isPresent()) {
        return false;
      }
    }
    secrets.moveAlias(
        binding, alias, version, data, Adoption.heldSince(alias), credential, Credentials::isOne);
    return true;
  }

  /** Nobody read anything before there was an alias, not even within the second. */
  private Instant firstHeld(SecretBinding binding, VersionRef version) {
    Current known = binding.getStatus().current();
    return known != null && known.version() == version.version()
        ? known.since()
        : clock.instant().truncatedTo(ChronoUnit.SECONDS);
  }

  private boolean createSnapshot(long version, String token, Subject subject) {
    SecretBinding binding = subject.binding();
    VersionRef from = subject.rotation().getStatus().from();
    Optional<Credential> current =
        Optional.ofNullable(secrets.read(subject.namespace(), from.snapshot()))
            .flatMap(s -> Credentials.of(s.getMetadata()))
            .map(Credentials.Known::credential);
    Candidate candidate =
        intents.noted(
            binding, intent -> candidates.obtain(binding, version, token, current, intent));
    if (changedMeanwhile(candidate, binding)) {
      return false;
    }
    try (SecretData data = delivered(candidate, binding)) {
      Map<String, String> credential = annotations(candidate, binding);
      return leases.recorded(
          binding,
          candidate,
          () -> secrets.createSnapshot(binding, version, data, token, credential));
    }
  }

  private static String token(SecretRotation rotation) {
    return rotation == null ? null : rotation.getStatus().token();
  }

  private boolean writeAlias(VersionRef version, boolean restoring, Subject subject) {
    Secret snapshot = secrets.read(subject.namespace(), version.snapshot());
    if (snapshot == null) {
      return false;
    }
    Instant since = now();
    if (restoring && subject.binding().getStatus().current() != null) {
      since = subject.binding().getStatus().current().since();
    }
    Map<String, String> credential = Credentials.annotations(snapshot.getMetadata());
    if (subject.alias() == null) {
      secrets.createAlias(subject.binding(), version, snapshot.getData(), since, credential);
    } else {
      secrets.moveAlias(
          subject.binding(),
          subject.alias(),
          version,
          snapshot.getData(),
          since,
          credential,
          Credentials::isOne);
    }
    return true;
  }

  private boolean annotate(Effect.Annotate annotate, Subject subject) {
    try {
      boolean changed =
          deployments.annotate(
              subject.namespace(),
              annotate.name(),
              annotate.uid(),
              subject.aliasName(),
              annotate.versionId(),
              subject.stands());
      if (changed) {
        telemetry.patched(annotate.kind(), "ok");
      }
      return changed;
    } catch (KubernetesClientException e) {
      boolean conflict = e.getCode() == HttpURLConnection.HTTP_CONFLICT;
      telemetry.patched(annotate.kind(), conflict ? "conflict" : "error");
      throw e;
    }
  }

  /** Unknown means in use: the pods and pod templates of the namespace are read now. */
  private boolean deleteSnapshot(String name, Subject subject) {
    Secret snapshot = secrets.read(subject.namespace(), name);
    boolean ours =
        snapshot != null
            && Boolean.TRUE.equals(snapshot.getImmutable())
            && Names.KEYTURN.equals(SecretWriter.labels(snapshot).get(Names.MANAGED_BY));
    if (!ours || inUse(name, subject.namespace())) {
      return false;
    }
    secrets.delete(snapshot);
    return true;
  }

  private boolean inUse(String snapshot, String namespace) {
    return api.list(Pod.class, namespace, null).stream().anyMatch(p -> PodUsage.refers(p, snapshot))
        || deployments.refers(namespace, snapshot);
  }

  private boolean createRotation(Effect.StartRotation start, SecretBinding binding) {
    SecretRotation rotation = new SecretRotation();
    rotation.getMetadata().setNamespace(binding.getMetadata().getNamespace());
    rotation
        .getMetadata()
        .setName(Names.rotation(binding.getMetadata().getName(), start.version()));
    rotation
        .getMetadata()
        .setLabels(Map.of(Names.BINDING, Names.label(binding.getMetadata().getName())));
    rotation.getMetadata().setFinalizers(List.of(Names.FINALIZER));
    Map<String, String> annotations = new TreeMap<>();
    if (start.nonce() != null) {
      annotations.put(Names.ROTATE, start.nonce());
    }
    if (start.fingerprint() != null) {
      annotations.put(Names.SOURCE_FINGERPRINT, start.fingerprint());
    }
    rotation.getMetadata().setAnnotations(annotations);
    rotation
        .getMetadata()
        .setOwnerReferences(
            List.of(
                new OwnerReferenceBuilder()
                    .withApiVersion(binding.getApiVersion())
                    .withKind(binding.getKind())
                    .withName(binding.getMetadata().getName())
                    .withUid(binding.getMetadata().getUid())
                    .withController(true)
                    .withBlockOwnerDeletion(true)
                    .build()));
    rotation.setSpec(
        new SecretRotationSpec(
            new BindingRef(binding.getMetadata().getName()),
            start.trigger(),
            start.trigger() == Trigger.Compromise && start.reportedAt() == null
                ? now()
                : start.reportedAt(),
            null,
            null,
            null));
    rotation.setStatus(null);
    try {
      api.create(rotation);
      return true;
    } catch (KubernetesClientException e) {
      if (e.getCode() == HttpURLConnection.HTTP_CONFLICT) {
        return false;
      }
      throw e;
    }
  }

  private boolean forgetRotation(String name, Subject subject) {
    SecretRotation seen = api.read(SecretRotation.class, subject.namespace(), name);
    if (seen == null || !seen.getStatus().stage().terminal()) {
      return false;
    }
    api.delete(seen);
    return true;
  }

  private boolean release(SecretRotation rotation) {
    List<String> others =
        rotation.getMetadata().getFinalizers().stream()
            .filter(f -> !Objects.equals(f, Names.FINALIZER))
            .toList();
    rotation.getMetadata().setFinalizers(others);
    api.update(rotation);
    return true;
  }

  /** Rounded up: whoever started within this second may have read what was there before. */
  private Instant now() {
    return clock.instant().plusSeconds(1).minusNanos(1).truncatedTo(ChronoUnit.SECONDS);
  }
}
