package io.keyturn.playground;

import io.fabric8.kubernetes.api.model.Pod;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.cluster.Team;
import io.keyturn.testing.HollowPod;
import io.keyturn.testing.LoginOutcome;
import io.keyturn.testing.PostgresServer;
import java.util.List;

/** The team whose five pods log in to PostgreSQL. */
final class Payments {

  static final int PODS = 5;
  static final String APP = "payments";

  private static final String DEPLOYMENT =
      """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: payments}
      spec:
        replicas: %d
        selector: {matchLabels: {app: payments}}
        strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
        template:
          metadata:
            labels: {app: payments}
            annotations: {hollow.keyturn.io/login-every: 500ms}
          spec:
            terminationGracePeriodSeconds: 1
            containers:
              - name: app
                image: hollow/postgres-client
                env:
                  - {name: DB_HOST, value: "%s"}
                  - {name: DB_PORT, value: "%d"}
                  - name: DB_USER
                    valueFrom: {secretKeyRef: {name: payments-db, key: username}}
                  - name: DB_PASSWORD
                    valueFrom: {secretKeyRef: {name: payments-db, key: password}}
      """;

  static final String BINDING =
      """
      apiVersion: keyturn.io/v1alpha1
      kind: SecretBinding
      metadata: {name: payments-db}
      spec:
        source: {secret: {name: payments-db-upstream}}
        secret: {adopt: IfIdentical}
        rotationPolicyRef: {name: canary-first}
        workloads: [{kind: Deployment, name: payments}]
      """;

  private final World world;
  private final Team team;
  private final Logins logins;
  private Team.Login login;

  Payments(World world) {
    this.world = world;
    this.team = world.team("payments");
    this.logins = new Logins(world.postgres());
    this.login = logins.next();
  }

  Team team() {
    return team;
  }

  /** The login that the team's tool gave last. */
  Team.Login login() {
    return login;
  }

  void deploy() {
    PostgresServer postgres = world.postgres();
    team.apply(DEPLOYMENT.formatted(PODS, postgres.host(), postgres.port()));
    team.awaitRolledOut(APP);
  }

  /** The team's tool rotates: the other role, with a new password. */
  Team.Login rotateUpstream() {
    login = logins.next();
    team.writeUpstream(login);
    return login;
  }

  /** Whoever issues the logins ends one. */
  void revoke(Team.Login old) {
    logins.revoke(old);
  }

  /** What PostgreSQL says to a login. */
  LoginOutcome attempt(Team.Login some) {
    return logins.attempt(some);
  }

  /** Every canary pod that there ever was for a rotation. */
  List<HollowPod> canaries(String rotation) {
    return world.kubelet().everyPod(team.namespace()).stream()
        .filter(p -> p.labels().containsKey(Names.CANARY_FOR))
        .filter(p -> rotation.equals(p.annotations().get(Names.ROTATION)))
        .toList();
  }

  /** Whether a canary ever started with a value. */
  boolean canarySaw(String value) {
    return world.kubelet().anyPodStartedWith(team.namespace(), Payments::isCanary, value);
  }

  /** How many pods outside a canary there ever were. */
  long podsOutsideCanary() {
    return world.kubelet().everyPod(team.namespace()).stream().filter(p -> !isCanary(p)).count();
  }

  private static boolean isCanary(HollowPod pod) {
    return pod.labels().containsKey(Names.CANARY_FOR);
  }

  static int restarts(List<Pod> pods) {
    return pods.stream()
        .flatMap(p -> p.getStatus().getContainerStatuses().stream())
        .mapToInt(c -> c.getRestartCount())
        .sum();
  }

  static List<String> uids(List<Pod> pods) {
    return pods.stream().map(p -> p.getMetadata().getUid()).sorted().toList();
  }
}
