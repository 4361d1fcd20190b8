package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.testing.ClusterRecord;
import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.SharedControlPlane;
import io.keyturn.testing.TestAuthority;
import io.keyturn.testing.VaultServer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** The one operator and the one PostgreSQL of this JVM, beside its shared control plane. */
final class SharedWorld {

  private static final TestAuthority AUTHORITY = TestAuthority.root("shared world");

  /**
   * Lets what talks to stores and to the API server say as much as a user can make it say: whoever
   * looks for a fault does that, and none of it may tell a value.
   */
  private static final String[] TALKATIVE = {
    "-Dquarkus.log.category.\"org.postgresql\".level=ALL",
    "-Dquarkus.log.category.\"org.postgresql.core\".level=ALL",
    "-Dquarkus.log.category.\"io.quarkus.vault\".level=ALL",
    "-Dquarkus.log.category.\"jdk.httpclient\".level=ALL",
    "-Dquarkus.log.category.\"io.fabric8\".level=ALL",
    "-Dquarkus.log.category.\"io.vertx\".level=ALL",
    "-Dquarkus.log.category.\"io.netty\".level=ALL",
    "-Djdk.httpclient.HttpClient.log=all",
  };

  private static PostgresServer postgres;
  private static VaultServer vault;
  private static OperatorProcess operator;
  private static ClusterRecord record;
  private static volatile boolean recordsTeams;
  private static final Queue<Team> TEAMS = new ConcurrentLinkedQueue<>();
  private static final Queue<RecordedHistory> HISTORIES = new ConcurrentLinkedQueue<>();

  private SharedWorld() {}

  static synchronized PostgresServer postgres() {
    if (postgres == null) {
      postgres =
          PostgresServer.startChatty(
              AUTHORITY.issue("localhost", "127.0.0.1"),
              SharedControlPlane.get().directory().resolve("postgres.log"));
      Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(postgres::close));
    }
    return postgres;
  }

  /** Who has signed the certificate of PostgreSQL, as PEM. */
  static String postgresAuthority() {
    return AUTHORITY.pem();
  }

  /** The one Vault of this JVM, which asks the shared control plane who somebody is. */
  static synchronized VaultServer vault() {
    if (vault == null) {
      vault = VaultServer.start(SharedControlPlane.get().directory().resolve("vault"));
      Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(vault::close));
      vault.enableKubernetesAuth("kubernetes", SharedControlPlane.get());
      vault.enableDatabase("database", postgres());
      vault.enableKv("kv");
      vault.enablePki("pki", "Keyturn test");
    }
    return vault;
  }

  /** A Vault of a test's own, with the database of this JVM. */
  static VaultServer newVault() {
    VaultServer own = VaultServer.start();
    own.enableKubernetesAuth("kubernetes", SharedControlPlane.get());
    own.enableDatabase("database", postgres());
    return own;
  }

  /** Applies what an administrator applies, once. */
  static synchronized void install() {
    if (record == null) {
      OperatorProcess.install(SharedControlPlane.get());
      record = ClusterRecord.start(SharedControlPlane.get());
      Runtime.getRuntime()
          .addShutdownHook(Thread.ofPlatform().unstarted(() -> record.keepValues(Team.VALUES)));
    }
  }

  /** The operator under its shipped rights; started again if a test has ended it. */
  static synchronized OperatorProcess operator() {
    if (operator == null || !operator.isAlive()) {
      boolean first = operator == null;
      install();
      operator =
          OperatorProcess.start(
              SharedControlPlane.get(), Map.of("KEYTURN_LEADER_ELECTION", "false"), TALKATIVE);
      if (first) {
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> operator.close()));
      }
    }
    return operator;
  }

  /** Ends the operator, for a test that runs its own. */
  static synchronized void stopOperator() {
    if (operator != null) {
      operator.close();
    }
  }

  /** A team whose test runs its own operator. */
  static Team teamWithoutOperator(String prefix) {
    install();
    return create(prefix);
  }

  static Team team(String prefix) {
    operator();
    return create(prefix);
  }

  /** From now on what happens to teams is recorded. */
  static void recordTeams() {
    recordsTeams = true;
  }

  /** Asserts that the invariants held for each team that was recorded, and records no more. */
  static void assertInvariants() {
    recordsTeams = false;
    assertThat(HISTORIES).as("recorded histories").isNotEmpty();
    List<String> broken = new ArrayList<>();
    for (RecordedHistory h = HISTORIES.poll(); h != null; h = HISTORIES.poll()) {
      try (RecordedHistory history = h) {
        history.assertInvariants();
      } catch (AssertionError e) {
        broken.add(e.getMessage());
      }
    }
    assertThat(broken).isEmpty();
  }

  private static Team create(String prefix) {
    Team team = Team.create(prefix, postgres());
    TEAMS.add(team);
    if (recordsTeams) {
      HISTORIES.add(RecordedHistory.of(team));
    }
    return team;
  }

  /** When a class has ended, nobody looks at its teams any more. */
  public static final class Rest implements AfterAllCallback {
    @Override
    public void afterAll(ExtensionContext context) {
      for (Team team = TEAMS.poll(); team != null; team = TEAMS.poll()) {
        SharedControlPlane.kubelet().rest(team.namespace());
      }
    }
  }
}
