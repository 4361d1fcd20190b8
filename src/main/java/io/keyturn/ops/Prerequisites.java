package io.keyturn.ops;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ListOptions;
import io.fabric8.kubernetes.api.model.ListOptionsBuilder;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.dsl.base.ResourceDefinitionContext;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.RotationPolicy;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.controller.MetadataClient;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the reconcilers cannot start without: that the API server serves and lists what they watch,
 * and the installation's key. Asked before they start, because the framework ends with a stack
 * trace for each list that fails.
 */
@ApplicationScoped
class Prerequisites {

  private static final List<Class<? extends HasMetadata>> WATCHED =
      List.of(
          SecretBinding.class,
          SecretRotation.class,
          RotationPolicy.class,
          SecretStore.class,
          Secret.class,
          Deployment.class,
          Pod.class);

  private static final ListOptions ONE = new ListOptionsBuilder().withLimit(1L).build();

  private final MetadataClient metadata;
  private final InstallationKey key;
  private final OperatorConfig config;

  @Inject
  Prerequisites(MetadataClient metadata, InstallationKey key, OperatorConfig config) {
    this.metadata = metadata;
    this.key = key;
    this.config = config;
  }

  /** A sentence that says what is missing and what to do; empty if nothing is. */
  Optional<String> missing() {
    for (Class<? extends HasMetadata> kind : WATCHED) {
      for (String namespace : config.namespaces().orElse(Set.of(""))) {
        Optional<String> refusal = refusalToList(kind, namespace);
        if (refusal.isPresent()) {
          return refusal;
        }
      }
    }
    return refusalOfClusterStores().or(this::refusalOfKey);
  }

  /** Their CRD has to be there; the right to read them need not be. */
  private Optional<String> refusalOfClusterStores() {
    return mayReadClusterStores() ? refusalToList(ClusterSecretStore.class, "") : Optional.empty();
  }

  /** Whether the API server lets Keyturn read ClusterSecretStores, as far as it says so. */
  boolean mayReadClusterStores() {
    try {
      metadata
          .client()
          .genericKubernetesResources(
              ResourceDefinitionContext.fromResourceType(ClusterSecretStore.class))
          .list(ONE);
      return true;
    } catch (KubernetesClientException e) {
      return e.getCode() != HttpURLConnection.HTTP_FORBIDDEN;
    }
  }

  private Optional<String> refusalToList(Class<? extends HasMetadata> kind, String namespace) {
    var objects =
        metadata
            .client()
            .genericKubernetesResources(ResourceDefinitionContext.fromResourceType(kind));
    try {
      (namespace.isEmpty() ? objects.inAnyNamespace() : objects.inNamespace(namespace)).list(ONE);
      return Optional.empty();
    } catch (KubernetesClientException e) {
      String plural = HasMetadata.getFullResourceName(kind);
      return Optional.of(
          switch (e.getCode()) {
            case HttpURLConnection.HTTP_NOT_FOUND ->
                "The API server does not serve %s: apply the CRDs with kubectl apply -k config/crd."
                    .formatted(plural);
            case HttpURLConnection.HTTP_FORBIDDEN ->
                ("Keyturn may not list %s in %s: apply config/rbac, or name the namespaces in which"
                        + " it may in KEYTURN_NAMESPACES.")
                    .formatted(
                        plural,
                        namespace.isEmpty() ? "every namespace" : "the namespace " + namespace);
            default -> noAnswer(e);
          });
    }
  }

  private Optional<String> refusalOfKey() {
    try {
      key.read();
      return Optional.empty();
    } catch (InstallationKey.Unusable e) {
      return Optional.of(e.getMessage());
    } catch (KubernetesClientException e) {
      return Optional.of(
          switch (e.getCode()) {
            case HttpURLConnection.HTTP_NOT_FOUND ->
                "The namespace %s does not exist: create it, or name that of the operator in KEYTURN_OPERATOR_NAMESPACE."
                    .formatted(config.operatorNamespace());
            case HttpURLConnection.HTTP_FORBIDDEN ->
                "Keyturn may not read or create the Secret %s in the namespace %s: apply config/rbac."
                    .formatted(InstallationKey.NAME, config.operatorNamespace());
            default -> noAnswer(e);
          });
    }
  }

  private static String noAnswer(KubernetesClientException e) {
    return e.getCode() <= 0
        ? "The API server cannot be reached: look at its address, and at network policies."
        : "The API server answers with code %d: look at its health, and at Keyturn's credentials."
            .formatted(e.getCode());
  }
}
