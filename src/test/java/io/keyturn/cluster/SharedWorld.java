package io.keyturn.cluster;

import io.keyturn.testing.OperatorProcess;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.SharedControlPlane;
import java.util.Map;

/** The one operator and the one PostgreSQL of this JVM, beside its shared control plane. */
final class SharedWorld {

  private static PostgresServer postgres;
  private static OperatorProcess operator;

  private SharedWorld() {}

  static synchronized PostgresServer postgres() {
    if (postgres == null) {
      postgres = PostgresServer.start();
      Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(postgres::close));
    }
    return postgres;
  }

  /** The operator under its shipped rights; started again if a test has ended it. */
  static synchronized OperatorProcess operator() {
    if (operator == null || !operator.isAlive()) {
      boolean first = operator == null;
      if (first) {
        OperatorProcess.install(SharedControlPlane.get());
      }
      operator =
          OperatorProcess.start(
              SharedControlPlane.get(), Map.of("KEYTURN_LEADER_ELECTION", "false"));
      if (first) {
        Runtime.getRuntime().addShutdownHook(Thread.ofPlatform().unstarted(() -> operator.close()));
      }
    }
    return operator;
  }

  static Team team(String prefix) {
    operator();
    return Team.create(prefix, postgres());
  }
}
