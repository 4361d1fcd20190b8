package io.keyturn.playground;

import io.fabric8.kubernetes.api.model.Secret;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Team;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.VaultServer;
import io.keyturn.testing.VaultServer.Tokens;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;

/** Scene 8: a third team, for which Vault makes a database user for each version. */
final class LeasedUser implements Scene {

  private static final int PODS = 3;

  private static final String STORE =
      """
      apiVersion: keyturn.io/v1alpha1
      kind: SecretStore
      metadata: {name: vault}
      spec:
        provider:
          vault:
            address: %s
            auth: {kubernetes: {role: ledger, serviceAccountName: default}}
      """;

  private static final String BINDING =
      """
      apiVersion: keyturn.io/v1alpha1
      kind: SecretBinding
      metadata: {name: payments-db}
      spec:
        source:
          storeRef: {name: vault}
          vaultLease: {path: database/creds/ledger}
        rotationPolicyRef: {name: canary-first}
        workloads: [{kind: Deployment, name: ledger}]
      """;

  private static final String ROTATE =
      """
        rotate: {nonce: tuesday}
      """;

  private static final String ROLE =
      """
      path "database/creds/ledger" { capabilities = ["read"] }
      path "sys/leases/revoke" { capabilities = ["update"] }
      path "auth/token/renew-accessor" { capabilities = ["update"] }
      path "auth/token/revoke-accessor" { capabilities = ["update"] }
      """;

  private final Cast cast;
  private final Team team;

  LeasedUser(Cast cast, Team team) {
    this.cast = cast;
    this.team = team;
  }

  @Override
  public String title() {
    return "A third team, and a database user that Vault issues";
  }

  @Override
  public void play() {
    Terminal terminal = cast.terminal();
    terminal.say(
        "The team ledger has a real Vault, which makes a user of PostgreSQL for whoever may ask."
            + " Keyturn asks as the ServiceAccount of the team:");
    terminal.blank();
    VaultServer vault = cast.world().startVault();
    vault.databaseRole("database", "ledger", Duration.ofMinutes(5), Duration.ofHours(1));
    vault.policy("ledger", ROLE);
    vault.kubernetesRole(
        "kubernetes",
        "ledger",
        team.namespace(),
        "default",
        "vault",
        Tokens.service(Duration.ofHours(1), "ledger"));
    String store = STORE.formatted(vault.address());
    terminal.output(store + "---\n" + BINDING);
    team.apply(store + "      caBundle: |\n" + vault.caBundle().strip().indent(8));
    Policy.apply(team, cast.pace());
    team.apply(BINDING);
    team.apply(team.deployment("ledger", PODS, "hollow/postgres-client", ""));
    team.awaitVersion(1);
    team.awaitRolledOut("ledger");
    Team.Login first = login();
    terminal.blank();
    cast.kubectl(team).get("sstore");
    terminal.say("Somebody wants a new one:");
    terminal.blank();
    terminal.output(ROTATE);
    terminal.blank();
    try (RotationView view = cast.view(team, Team.SECRET)) {
      team.apply(BINDING + ROTATE);
      SecretRotation rotation = view.follow(Stage::terminal);
      Team.Login second = login();
      cast.kubectl(team).get("sbind");
      cast.kubectl(team).get("srot");
      judge(rotation, first, second);
    }
  }

  private void judge(SecretRotation rotation, Team.Login first, Team.Login second) {
    LoginOutcome old = attempt(first);
    LoginOutcome now = attempt(second);
    cast.terminal()
        .say(
            "psql as %s, the user of version 1: %s. As %s, that of version 2: %s."
                .formatted(first.user(), words(old), second.user(), words(now)));
    long refused = team.refused();
    cast.promises()
        .judge(
            Promise.LEASED,
            rotation.getStatus().stage() == Stage.Complete
                && rotation.getStatus().timeline().revokedAt() != null
                && old == LoginOutcome.REFUSED
                && now == LoginOutcome.ACCEPTED
                && refused == 0,
            "the old user is %s, the new one %s; %d logins of %d pods were refused meanwhile"
                .formatted(words(old), words(now), refused, PODS));
  }

  private LoginOutcome attempt(Team.Login login) {
    return cast.world().postgres().tryLogin(login.user(), login.password());
  }

  private static String words(LoginOutcome outcome) {
    return outcome.name().toLowerCase(java.util.Locale.ROOT);
  }

  private Team.Login login() {
    Secret secret = team.secret(Team.SECRET);
    Team.Login login = new Team.Login(decode(secret, "username"), decode(secret, "password"));
    Team.VALUES.add(login.password());
    String lease = secret.getMetadata().getAnnotations().get(Names.CREDENTIAL);
    Team.VALUES.add(lease.substring(lease.lastIndexOf('/') + 1));
    return login;
  }

  private static String decode(Secret secret, String key) {
    return new String(
        Base64.getDecoder().decode(secret.getData().get(key)), StandardCharsets.UTF_8);
  }
}
