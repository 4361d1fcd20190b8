package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.kubernetes.OwnWrites;
import io.keyturn.kubernetes.RemoteApiServer;
import io.keyturn.testing.SharedControlPlane;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Stores on a real control plane, by the operator with the rights that it is shipped with. */
class StoresIT {

  private static final String ADMIN = "postgres-admin";

  @Test
  void aStoreThatDoesNotAnswerSaysSoInItsStatusAndInAnEvent() throws IOException {
    Team team = SharedWorld.team("stores");
    secret(team, ADMIN);
    team.apply(postgresql("SecretStore", "closed", closedPort(), ""));

    team.await("the store is not ready", () -> ready(store(team)).isPresent());

    SecretStore store = store(team);
    Condition ready = ready(store).orElseThrow();
    assertThat(ready.status()).isEqualTo(Condition.Status.False);
    assertThat(ready.reason()).isEqualTo("StoreUnavailable");
    assertThat(ready.observedGeneration()).isEqualTo(store.getMetadata().getGeneration());
    assertThat(store.getStatus().provider()).isEqualTo("postgresql");
    assertThat(store.getStatus().capabilities()).isNotNull();
    team.await(
        "an event tells of it",
        () -> team.kubectl("get", "events", "-o=name").stdout().contains("/closed-"));
  }

  @Test
  void aBindingToAStoreOfTheClusterThatDoesNotAllowItsNamespaceIsRefused() throws IOException {
    Team team = SharedWorld.team("denied");
    String name = "shared-" + Team.random(4);
    team.apply(postgresql("ClusterSecretStore", name, closedPort(), ""));
    try {
      team.apply(
          """
          apiVersion: keyturn.io/v1alpha1
          kind: SecretBinding
          metadata: {name: payments-db}
          spec:
            source: {storeRef: {kind: ClusterSecretStore, name: %s}, postgresql: {roles: [a, b]}}
            workloads: [{kind: Deployment, name: payments}]
          """
              .formatted(name));
      team.await(
          "the store of the cluster says how it is",
          () ->
              ready(
                      team.client()
                          .resources(ClusterSecretStore.class)
                          .withName(name)
                          .get()
                          .getStatus()
                          .conditions())
                  .isPresent());
      team.await(
          "the binding says that it may not",
          () ->
              team.binding().getStatus().conditions().stream()
                  .anyMatch(c -> c.reason().equals("StoreNotAllowed")));
    } finally {
      team.client().resources(ClusterSecretStore.class).withName(name).delete();
    }
  }

  @Test
  void theShippedRoleMakesATokenForOneAudience() throws IOException {
    Team team = SharedWorld.teamWithoutOperator("tokens");
    team.kubectl("create", "serviceaccount", "payments");
    Config config =
        Config.fromKubeconfig(
            Files.readString(SharedControlPlane.get().kubeconfigFor("keyturn-system", "keyturn")));
    try (KubernetesClient client = new KubernetesClientBuilder().withConfig(config).build()) {
      RemoteApiServer api = new RemoteApiServer(client, new OwnWrites());

      String token = api.token(team.namespace(), "payments", "vault", Duration.ofMinutes(10));

      String claims =
          new String(Base64.getUrlDecoder().decode(token.split("\\.")[1]), StandardCharsets.UTF_8);
      assertThat(claims)
          .contains(
              "\"aud\":[\"vault\"]",
              "\"sub\":\"system:serviceaccount:%s:payments\"".formatted(team.namespace()));
      assertThat(
              org.assertj.core.api.Assertions.catchThrowableOfType(
                      KubernetesClientException.class,
                      () -> api.token(team.namespace(), "absent", "vault", Duration.ofMinutes(10)))
                  .getCode())
          .isEqualTo(404);
      assertThat(api.read(ClusterSecretStore.class, null, "absent")).isNull();
    }
  }

  private static void secret(Team team, String name) {
    team.apply(
        """
        apiVersion: v1
        kind: Secret
        metadata: {name: %s}
        stringData: {username: admin, password: %s}
        """
            .formatted(name, Team.newValue()));
  }

  private static String postgresql(String kind, String name, int port, String more) {
    return """
    apiVersion: keyturn.io/v1alpha1
    kind: %s
    metadata: {name: %s}
    spec:
      provider: {postgresql: {host: 127.0.0.1, port: %d, database: app, adminSecretRef: {name: %s}}}
      %s
    """
        .formatted(kind, name, port, ADMIN, more);
  }

  private static int closedPort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static SecretStore store(Team team) {
    return team.client()
        .resources(SecretStore.class)
        .inNamespace(team.namespace())
        .withName("closed")
        .get();
  }

  private static Optional<Condition> ready(SecretStore store) {
    return ready(store.getStatus().conditions());
  }

  private static Optional<Condition> ready(List<Condition> conditions) {
    return conditions.stream().filter(c -> c.type().equals("Ready")).findFirst();
  }
}
