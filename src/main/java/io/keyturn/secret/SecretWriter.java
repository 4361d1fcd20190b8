package io.keyturn.secret;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.OwnerReferenceBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.DeletionPolicy;
import io.keyturn.api.v1alpha1.SecretRotationStatus.VersionRef;
import io.keyturn.kubernetes.ApiServer;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.net.HttpURLConnection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Reads and writes the snapshots and the alias of a binding. */
@ApplicationScoped
public class SecretWriter {

  /** kubectl keeps whole Secrets in it; no Secret of ours may carry it. */
  private static final String LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

  private final ApiServer api;
  private final Fingerprint fingerprint;

  /** Writes to the given API server. */
  @Inject
  public SecretWriter(ApiServer api, Fingerprint fingerprint) {
    this.api = api;
    this.fingerprint = fingerprint;
  }

  /** The Secret of that name, read from the API server; null if there is none. */
  public Secret read(String namespace, String name) {
    return api.read(Secret.class, namespace, name);
  }

  /** The snapshots of a version of a binding, read from the API server. */
  public List<Secret> snapshots(String namespace, String binding, long version) {
    return ofBinding(namespace, binding)
        .filter(s -> Boolean.TRUE.equals(s.getImmutable()))
        .filter(s -> Names.versionOfSnapshot(s.getMetadata().getName()) == version)
        .toList();
  }

  /** Whether a Secret was made for this binding, or for a predecessor of the same name. */
  public static boolean isOurs(Secret secret, SecretBinding binding) {
    Map<String, String> labels = labels(secret);
    return Names.KEYTURN.equals(labels.get(Names.MANAGED_BY))
        && Names.label(binding.getMetadata().getName()).equals(labels.get(Names.BINDING));
  }

  /**
   * Writes the snapshot of a version, data and metadata in one write. A snapshot of the same name
   * holds the same data, so finding one is as good as making it.
   *
   * @param token of the rotation that makes it; null for the first version
   * @param credential annotations that say what its store knows it by
   * @return whether there was none of its name
   */
  public boolean createSnapshot(
      SecretBinding binding,
      long version,
      SecretData data,
      String token,
      Map<String, String> credential) {
    return create(
        snapshot(
            binding,
            snapshotName(binding, version, data),
            version,
            data.encode(),
            token,
            credential));
  }

  /** The name of the snapshot of a version. */
  public String snapshotName(SecretBinding binding, long version, SecretData data) {
    return Names.snapshot(binding.alias(), version, fingerprint.of(data));
  }

  /**
   * Writes a snapshot again whose data lie in the alias.
   *
   * @param token of the rotation whose candidate it is; null: none
   * @param credential annotations that say what its store knows it by
   * @return whether there was none of its name
   */
  public boolean restoreSnapshot(
      SecretBinding binding,
      VersionRef version,
      Secret alias,
      String token,
      Map<String, String> credential) {
    return create(
        snapshot(
            binding, version.snapshot(), version.version(), alias.getData(), token, credential));
  }

  private Secret snapshot(
      SecretBinding binding,
      String name,
      long version,
      Map<String, String> data,
      String token,
      Map<String, String> credential) {
    ObjectMeta metadata = metadata(binding, name, version);
    metadata.getAnnotations().putAll(credential);
    metadata.getLabels().put(Names.NO_BACKUP, "true");
    if (token != null) {
      metadata.getAnnotations().put(Names.TOKEN, token);
    }
    return new SecretBuilder()
        .withMetadata(metadata)
        .withType(binding.getSpec().secret().type().value())
        .withImmutable(true)
        .withData(data)
        .build();
  }

  /** A quota may answer 409, too, and a name may be taken: only the same snapshot is as good. */
  private boolean create(Secret secret) {
    try {
      api.create(secret);
      return true;
    } catch (KubernetesClientException e) {
      Secret there =
          e.getCode() == HttpURLConnection.HTTP_CONFLICT
              ? read(secret.getMetadata().getNamespace(), secret.getMetadata().getName())
              : null;
      if (there == null
          || !Boolean.TRUE.equals(there.getImmutable())
          || !secret.getData().equals(there.getData())) {
        throw e;
      }
      return false;
    }
  }

  /** What is being issued for a binding, see {@link Names#intent}; null if nothing is. */
  public Secret readIntent(SecretBinding binding) {
    Secret there = read(binding.getMetadata().getNamespace(), Names.intent(binding.alias()));
    return there != null && labels(there).containsKey(Names.ISSUING_FOR) ? there : null;
  }

  /**
   * Writes down what is about to be issued for a binding.
   *
   * @param credential annotations that say what its store knows it by
   * @throws KubernetesClientException with code 409 if there is a Secret of that name
   */
  public void createIntent(SecretBinding binding, Map<String, String> credential) {
    api.create(
        new SecretBuilder()
            .withNewMetadata()
            .withNamespace(binding.getMetadata().getNamespace())
            .withName(Names.intent(binding.alias()))
            .withLabels(
                Map.of(
                    Names.MANAGED_BY,
                    Names.KEYTURN,
                    Names.ISSUING_FOR,
                    Names.label(binding.getMetadata().getName())))
            .withAnnotations(credential)
            .withOwnerReferences(owner(binding))
            .endMetadata()
            .build());
  }

  /** Whether the alias or a snapshot of a binding says that it was issued to this owner. */
  public boolean isRecorded(SecretBinding binding, String owner) {
    return ofBinding(binding.getMetadata().getNamespace(), binding.getMetadata().getName())
        .anyMatch(s -> owner.equals(annotations(s).get(Names.CREDENTIAL_OWNER)));
  }

  /**
   * Creates the alias, which holds a version from now on.
   *
   * @param data Base64 by key
   * @param since from when it holds it
   * @param credential annotations that say what the store knows the version by
   * @throws KubernetesClientException with code 409 if there is one by now
   */
  public void createAlias(
      SecretBinding binding,
      VersionRef version,
      Map<String, String> data,
      Instant since,
      Map<String, String> credential) {
    ObjectMeta metadata = metadata(binding, binding.alias(), version.version());
    metadata.getAnnotations().putAll(credential);
    metadata.getAnnotations().put(Names.SINCE, since.toString());
    api.create(
        new SecretBuilder()
            .withMetadata(metadata)
            .withType(binding.getSpec().secret().type().value())
            .withData(data)
            .build());
  }

  /**
   * Lets the alias that was observed hold a version. What others put on it stays, but for the copy
   * of its data that kubectl may have left.
   *
   * @param binding null if it has gone
   * @param seen as it was observed
   * @param data Base64 by key
   * @param since from when it holds the version
   * @param credential annotations that say what the store knows the version by
   * @param stale which of its annotations say that of the version before
   * @throws KubernetesClientException with code 409 if it has changed since it was observed
   */
  public void moveAlias(
      SecretBinding binding,
      Secret seen,
      VersionRef version,
      Map<String, String> data,
      Instant since,
      Map<String, String> credential,
      Predicate<String> stale) {
    Map<String, String> labels = new HashMap<>(labels(seen));
    Map<String, String> annotations = new HashMap<>(annotations(seen));
    annotations.keySet().removeIf(stale);
    annotations.putAll(credential);
    List<OwnerReference> owners = new ArrayList<>(seen.getMetadata().getOwnerReferences());
    if (binding != null) {
      ObjectMeta ours = metadata(binding, binding.alias(), version.version());
      labels.putAll(ours.getLabels());
      annotations.putAll(ours.getAnnotations());
      owners.removeIf(o -> SecretBinding.class.getSimpleName().equals(o.getKind()));
      owners.addAll(ours.getOwnerReferences());
    }
    labels.put(Names.VERSION, Long.toString(version.version()));
    annotations.put(Names.SINCE, since.toString());
    annotations.remove(LAST_APPLIED);
    Secret alias =
        new SecretBuilder(seen)
            .editMetadata()
            .withLabels(labels)
            .withAnnotations(annotations)
            .withOwnerReferences(owners)
            .withManagedFields()
            .endMetadata()
            .withData(data)
            .build();
    api.update(alias);
  }

  /** Whether the owner references of a Secret of ours agree with the deletion policy. */
  public static boolean ownershipFits(ObjectMeta metadata, SecretBinding binding) {
    boolean owned =
        metadata.getOwnerReferences().stream()
            .anyMatch(o -> Objects.equals(o.getUid(), binding.getMetadata().getUid()));
    return owned == (binding.getSpec().secret().deletionPolicy() == DeletionPolicy.Delete);
  }

  /** Makes the owner references of a Secret agree with the deletion policy. */
  public void setOwnership(SecretBinding binding, Secret secret) {
    List<OwnerReference> owners = new ArrayList<>(secret.getMetadata().getOwnerReferences());
    owners.removeIf(o -> SecretBinding.class.getSimpleName().equals(o.getKind()));
    owners.addAll(owners(binding));
    secret.getMetadata().setOwnerReferences(owners);
    secret.getMetadata().setManagedFields(null);
    api.update(secret);
  }

  /**
   * Writes annotations of the Secret that was observed, or takes them away.
   *
   * @param changes by annotation; empty: take it away
   * @throws KubernetesClientException with code 409 if it has changed since it was observed
   */
  public void annotate(Secret seen, Map<String, Optional<String>> changes) {
    Map<String, String> annotations = new HashMap<>(annotations(seen));
    changes.forEach((name, value) -> {
      annotations.remove(name);
      value.ifPresent(v -> annotations.put(name, v));
    });
    seen.getMetadata().setAnnotations(annotations);
    seen.getMetadata().setManagedFields(null);
    api.update(seen);
  }

  /** Deletes the Secret that was observed, and no other of its name. */
  public void delete(Secret seen) {
    api.delete(seen);
  }

  private ObjectMeta metadata(SecretBinding binding, String name, long version) {
    Map<String, String> labels = new HashMap<>(binding.getSpec().secret().labels());
    labels.put(Names.BINDING, Names.label(binding.getMetadata().getName()));
    labels.put(Names.VERSION, Long.toString(version));
    labels.put(Names.MANAGED_BY, Names.KEYTURN);
    Map<String, String> annotations = new HashMap<>();
    annotations.put(Names.BINDING_UID, binding.getMetadata().getUid());
    return new ObjectMetaBuilder()
        .withNamespace(binding.getMetadata().getNamespace())
        .withName(name)
        .withLabels(labels)
        .withAnnotations(annotations)
        .withOwnerReferences(owners(binding))
        .build();
  }

  private static List<OwnerReference> owners(SecretBinding binding) {
    return binding.getSpec().secret().deletionPolicy() == DeletionPolicy.Delete
        ? List.of(owner(binding))
        : List.of();
  }

  private static OwnerReference owner(SecretBinding binding) {
    return new OwnerReferenceBuilder()
        .withApiVersion(binding.getApiVersion())
        .withKind(binding.getKind())
        .withName(binding.getMetadata().getName())
        .withUid(binding.getMetadata().getUid())
        .build();
  }

  private Stream<Secret> ofBinding(String namespace, String binding) {
    return api
        .list(
            Secret.class,
            namespace,
            ApiServer.labelled(
                Map.of(Names.BINDING, Names.label(binding), Names.MANAGED_BY, Names.KEYTURN)))
        .stream();
  }

  /** The labels of a Secret; never null. */
  public static Map<String, String> labels(Secret secret) {
    return Objects.requireNonNullElse(secret.getMetadata().getLabels(), Map.of());
  }

  /** The annotations of a Secret; never null. */
  public static Map<String, String> annotations(Secret secret) {
    return Objects.requireNonNullElse(secret.getMetadata().getAnnotations(), Map.of());
  }
}
