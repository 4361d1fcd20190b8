package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Secret;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Conditions;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.VaultServer;
import io.keyturn.testing.VaultServer.Tokens;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A team whose credentials a store issues: the store, the policy, the binding and a Deployment that
 * logs in with what it is given.
 *
 * @param team whose it is
 * @param scene what its tests ask
 */
record Issued(Team team, Scene scene) {

  /** What a role of Vault may do so that Keyturn can look after its leases. */
  private static final String POLICY =
      """
      path "%s" { capabilities = ["read", "update"] }
      path "sys/leases/renew" { capabilities = ["update"] }
      path "sys/leases/revoke" { capabilities = ["update"] }
      path "sys/leases/lookup" { capabilities = ["update"] }
      path "auth/token/renew-accessor" { capabilities = ["update"] }
      path "auth/token/revoke-accessor" { capabilities = ["update"] }
      """;

  /** A name and password as they were delivered. */
  record Login(String user, String password) {}

  /** A SecretStore of the shared Vault, whose role may use one path. */
  static String vaultStore(Team team, String path) {
    return vaultStore(SharedWorld.vault(), team, path);
  }

  /** The same of a Vault of the test's own. */
  static String vaultStore(VaultServer vault, Team team, String path) {
    String name = team.namespace();
    allow(vault, name, path, name);
    return """
    apiVersion: keyturn.io/v1alpha1
    kind: SecretStore
    metadata: {name: vault}
    spec:
      limits: {requestsPerSecond: 100}
    %s
    ---
    """
        .formatted(provider(vault, name));
  }

  /**
   * A ClusterSecretStore of the shared Vault that lets one rotation of some teams run at a time.
   */
  static String vaultOfTheCluster(String name, String path, List<Team> teams) {
    String namespaces = teams.stream().map(Team::namespace).collect(Collectors.joining(","));
    allow(SharedWorld.vault(), name, path, namespaces);
    return """
    apiVersion: keyturn.io/v1alpha1
    kind: ClusterSecretStore
    metadata: {name: %s}
    spec:
      limits: {requestsPerSecond: 100, maxConcurrentRotations: 1}
      allowedNamespaces: {names: [%s]}
    %s
    """
        .formatted(name, namespaces, provider(SharedWorld.vault(), name));
  }

  private static void allow(VaultServer vault, String role, String path, String namespaces) {
    vault.policy(role, POLICY.formatted(path));
    vault.kubernetesRole(
        "kubernetes",
        role,
        namespaces,
        "default",
        "vault",
        Tokens.service(Duration.ofHours(1), role));
  }

  private static String provider(VaultServer vault, String role) {
    return """
      refreshInterval: 1s
      provider:
        vault:
          address: %s
          caBundle: |
    %s
          auth: {kubernetes: {role: %s, serviceAccountName: default}}\
    """
        .formatted(vault.address(), indented(vault.caBundle()), role);
  }

  static String indented(String pem) {
    return pem.strip().indent(8).stripTrailing().indent(2).stripTrailing();
  }

  /** A team with database credentials of Vault, of the given TTL and at most of another. */
  static Issued byVault(String prefix, Duration ttl, Duration most, int replicas, String policy) {
    return byVault(SharedWorld.vault(), SharedWorld.team(prefix), ttl, most, replicas, policy);
  }

  /** The same of a Vault of the test's own. */
  static Issued byVault(
      VaultServer vault, Team team, Duration ttl, Duration most, int replicas, String policy) {
    vault.databaseRole("database", team.namespace(), ttl, most);
    String path = "database/creds/" + team.namespace();
    return of(
        team,
        vaultStore(vault, team, path),
        "storeRef: {name: vault}, vaultLease: {path: %s}".formatted(path),
        replicas,
        policy);
  }

  /** The same with any store and source. */
  static Issued of(Team team, String store, String source, int replicas, String policy) {
    team.apply(
        store
            + Scene.policyManifest(policy)
            + """
            apiVersion: keyturn.io/v1alpha1
            kind: SecretBinding
            metadata: {name: payments-db}
            spec:
              source: {%s}
              rotationPolicyRef: {name: quick}
              workloads: [{kind: Deployment, name: payments}]
            ---
            """
                .formatted(source)
            + team.deployment(Scene.APP, replicas, "hollow/postgres-client", ""));
    team.awaitVersion(1);
    team.awaitRolledOut(Scene.APP);
    return new Issued(team, new Scene(team, null));
  }

  /** Whether the SecretStore says that it is ready, or that it is not. */
  boolean storeIs(Condition.Status ready) {
    SecretStore store =
        team.client()
            .resources(SecretStore.class)
            .inNamespace(team.namespace())
            .withName("vault")
            .get();
    return Team.is(store.getStatus().conditions(), Conditions.READY, ready);
  }

  /** How many users of PostgreSQL Vault has made for a team. */
  static String users(Team team) {
    return SharedWorld.postgres()
        .ask(
            "SELECT count(*) FROM pg_roles WHERE position(left(?, 8) in rolname) > 0"
                + " AND rolname LIKE 'v-%'",
            team.namespace());
  }

  /** A pod beside the workload that logs in with the alias, and runs until somebody deletes it. */
  void runAlone(String name) {
    team.apply(
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: %1$s, labels: {app: %1$s}}
        spec:
          terminationGracePeriodSeconds: 1
          containers:
            - name: app
              image: hollow/postgres-client
              env:
                - {name: DB_HOST, value: "127.0.0.1"}
                - {name: DB_PORT, value: "%2$d"}
                - name: DB_USER
                  valueFrom: {secretKeyRef: {name: payments-db, key: username}}
                - name: DB_PASSWORD
                  valueFrom: {secretKeyRef: {name: payments-db, key: password}}
        """
            .formatted(name, SharedWorld.postgres().port()));
    team.await(
        name + " runs",
        () ->
            team.pods().stream()
                .anyMatch(p ->
                    p.getMetadata().getName().equals(name)
                        && p.getStatus() != null
                        && "Running".equals(p.getStatus().getPhase())));
  }

  /** Waits until a rotation names a pod that stays on the version before. */
  void awaitStraggler(long version, String pod) {
    team.awaitStage(version, Stage.Retiring);
    team.await(pod + " is named", () -> stragglers(version).contains(pod));
  }

  /** Whom a rotation names that stay on the version before. */
  List<String> stragglers(long version) {
    var retirement = team.rotation(version).getStatus().retirement();
    return retirement == null ? List.of() : retirement.stragglers();
  }

  /** Somebody asks for a new value. */
  void ask(String nonce) {
    scene.patch("secretbinding", Team.SECRET, "spec: {rotate: {nonce: %s}}", nonce);
  }

  /** What a Secret holds. */
  Login login(String secret) {
    Map<String, String> data = team.secret(secret).getData();
    Login login = new Login(decode(data.get("username")), decode(data.get("password")));
    Team.VALUES.add(login.password());
    return login;
  }

  /** The login of the alias. */
  Login current() {
    return login(Team.SECRET);
  }

  /** What comes of logging in with it now. */
  static LoginOutcome attempt(Login login) {
    return SharedWorld.postgres().tryLogin(login.user(), login.password());
  }

  /** The snapshot of a version. */
  Secret snapshot(long version) {
    List<String> names = scene.snapshots(version);
    assertThat(names).hasSize(1);
    return team.secret(names.getFirst());
  }

  /** The lease of a version, as Vault calls it. */
  String lease(long version) {
    String id = snapshot(version).getMetadata().getAnnotations().get(Names.CREDENTIAL);
    return id.substring(id.indexOf(':') + 1);
  }

  private static String decode(String text) {
    return new String(Base64.getDecoder().decode(text), StandardCharsets.UTF_8);
  }
}
