package io.keyturn.bench;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Upstream;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Workload;
import io.keyturn.api.v1alpha1.SecretBindingSpec.WorkloadKind;
import io.keyturn.cluster.Team;
import io.keyturn.testing.ControlPlane;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import org.awaitility.Awaitility;

/**
 * Many bindings, each with an upstream Secret of its own, whose only workload has no pods.
 *
 * @param client of an administrator
 */
record IdleBindings(KubernetesClient client, int count) {

  private static final int NAMESPACES = 20;

  static IdleBindings in(ControlPlane plane, int count) {
    return new IdleBindings(plane.adminClient(), count);
  }

  /** Makes all that the bindings refer to. */
  IdleBindings prepare() {
    for (int n = 0; n < NAMESPACES; n++) {
      prepareNamespace("scale-" + n);
    }
    AtOnce.each(count, i -> client.resource(upstream(i)).create());
    return this;
  }

  private void prepareNamespace(String name) {
    client
        .resource(new NamespaceBuilder().withNewMetadata().withName(name).endMetadata().build())
        .create();
    client
        .apps()
        .deployments()
        .inNamespace(name)
        .load(
            new ByteArrayInputStream(
                """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: app}
                spec:
                  replicas: 0
                  selector: {matchLabels: {app: app}}
                  template:
                    metadata: {labels: {app: app}}
                    spec: {containers: [{name: app, image: hollow/ready}]}
                """
                    .getBytes(StandardCharsets.UTF_8)))
        .create();
  }

  private static Secret upstream(int i) {
    return new SecretBuilder()
        .withNewMetadata()
        .withNamespace(namespace(i))
        .withName("upstream-" + i)
        .endMetadata()
        .addToData(
            "password",
            Base64.getEncoder().encodeToString(Team.random(16).getBytes(StandardCharsets.UTF_8)))
        .build();
  }

  void create() {
    AtOnce.each(count, i -> client.resource(binding(i)).create());
  }

  private static SecretBinding binding(int i) {
    SecretBinding binding = new SecretBinding();
    binding.getMetadata().setNamespace(namespace(i));
    binding.getMetadata().setName(name(i));
    binding.setSpec(
        new SecretBindingSpec(
            Source.of(new Upstream("upstream-" + i), null),
            null,
            List.of(new Workload(WorkloadKind.Deployment, "app", null, null)),
            null,
            null,
            null,
            null));
    return binding;
  }

  void awaitFirstVersion() {
    Awaitility.await("all bindings have their first version")
        .atMost(Duration.ofMinutes(5))
        .pollInterval(Duration.ofSeconds(1))
        .until(() -> delivered() == count);
  }

  private long delivered() {
    return client.resources(SecretBinding.class).inAnyNamespace().list().getItems().stream()
        .filter(b -> b.getMetadata().getName().startsWith("binding-"))
        .filter(b -> b.getStatus().current() != null)
        .count();
  }

  /** The upstream Secret of one of them gets another value. */
  void changeUpstream(int i) {
    client.resource(upstream(i)).update();
  }

  static String namespace(int i) {
    return "scale-" + i % NAMESPACES;
  }

  static String name(int i) {
    return "binding-" + i;
  }
}
