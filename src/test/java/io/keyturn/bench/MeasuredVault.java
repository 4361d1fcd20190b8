package io.keyturn.bench;

import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.VaultServer;
import io.keyturn.testing.VaultServer.Tokens;
import java.nio.file.Path;
import java.time.Duration;

/** A Vault that writes down what it is asked, and SecretStores of it. */
record MeasuredVault(ControlPlane plane, VaultServer server, VaultAudit audit)
    implements AutoCloseable {

  /** Vault's policy {@code default} has what else it takes. */
  private static final String POLICY =
      """
      path "kv/data/*" { capabilities = ["read"] }
      path "database/creds/app" { capabilities = ["read"] }
      path "sys/leases/revoke" { capabilities = ["update"] }
      path "auth/token/renew-accessor" { capabilities = ["update"] }
      path "auth/token/revoke-accessor" { capabilities = ["update"] }
      """;

  static MeasuredVault start(ControlPlane plane, Path directory) {
    OperatorProcess.install(plane);
    VaultServer server = VaultServer.start();
    VaultAudit audit = VaultAudit.of(server, directory.resolve("vault-audit.log"));
    server.enableKubernetesAuth("kubernetes", plane);
    server.policy("bench", POLICY);
    return new MeasuredVault(plane, server, audit);
  }

  /** Makes a namespace with a SecretStore {@code vault} that is this one, by some address. */
  void openIn(String namespace, String address, String refreshInterval) {
    plane
        .adminClient()
        .resource(
            new NamespaceBuilder().withNewMetadata().withName(namespace).endMetadata().build())
        .create();
    server.kubernetesRole(
        "kubernetes",
        namespace,
        namespace,
        "default",
        "vault",
        Tokens.service(Duration.ofHours(24), "bench"));
    plane.apply(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretStore
        metadata: {name: vault, namespace: %1$s}
        spec:
          refreshInterval: %2$s
          limits: {requestsPerSecond: 1000}
          provider:
            vault:
              address: %3$s
              auth: {kubernetes: {role: %1$s, serviceAccountName: default}}
              caBundle: |
        %4$s
        """
            .formatted(
                namespace,
                refreshInterval,
                address,
                server.caBundle().strip().indent(10).stripTrailing()));
  }

  @Override
  public void close() {
    server.close();
  }
}
