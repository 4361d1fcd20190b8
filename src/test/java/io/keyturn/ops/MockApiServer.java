package io.keyturn.ops;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.client.dsl.base.CustomResourceDefinitionContext;
import io.fabric8.kubernetes.client.server.mock.KubernetesCrudDispatcher;
import io.fabric8.kubernetes.client.server.mock.KubernetesMockServer;
import io.fabric8.mockwebserver.MockWebServer;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.RotationPolicy;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.SecretStore;
import io.quarkus.test.common.QuarkusTestResourceLifecycleManager;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * An API server that stores objects and tells of their changes, and does no more: no schema, no
 * server-side apply, no controllers.
 */
public final class MockApiServer implements QuarkusTestResourceLifecycleManager {

  /** What the client reads, as in {@code KUBECONFIG}: the application is not told of the mock. */
  static final List<String> PROPERTIES =
      List.of(
          "kubernetes.master",
          "kubernetes.auth.tryKubeConfig",
          "kubernetes.auth.tryServiceAccount");

  private KubernetesMockServer server;

  @Override
  public Map<String, String> start() {
    List<CustomResourceDefinitionContext> own =
        List.of(
            context(SecretBinding.class),
            context(SecretRotation.class),
            context(RotationPolicy.class),
            context(SecretStore.class),
            context(ClusterSecretStore.class));
    server =
        new KubernetesMockServer(
            new io.fabric8.mockwebserver.Context(new ObjectMapper()),
            new MockWebServer(),
            new HashMap<>(),
            new KubernetesCrudDispatcher(own),
            false);
    server.init();
    PROPERTIES.forEach(p -> System.setProperty(p, "false"));
    System.setProperty(PROPERTIES.getFirst(), server.url("/").toString());
    return Map.of("keyturn.leader-election", "false");
  }

  private static CustomResourceDefinitionContext context(
      Class<? extends CustomResource<?, ?>> kind) {
    return CustomResourceDefinitionContext.fromCustomResourceType(kind);
  }

  @Override
  public void stop() {
    server.destroy();
    PROPERTIES.forEach(System::clearProperty);
  }
}
