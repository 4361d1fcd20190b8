package io.keyturn.playground;

import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Team;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Scene 7: a second team, whose value Keyturn makes itself. */
final class GeneratedValue implements Scene {

  private static final String SECRET = "session-store";
  private static final int PODS = 3;

  private static final String DEPLOYMENT =
      """
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec:
        replicas: %d
        selector: {matchLabels: {app: web}}
        template:
          metadata: {labels: {app: web}}
          spec:
            terminationGracePeriodSeconds: 1
            containers:
              - name: app
                image: hollow/ready
                env:
                  - name: PASSWORD
                    valueFrom: {secretKeyRef: {name: session-store, key: password}}
      """
          .formatted(PODS);

  private static final String BINDING =
      """
      apiVersion: keyturn.io/v1alpha1
      kind: SecretBinding
      metadata: {name: session-store}
      spec:
        source: {generated: {keys: {password: {length: 40}}}}
        rotationPolicyRef: {name: canary-first}
        workloads: [{kind: Deployment, name: web}]
      """;

  private static final String ROTATE =
      """
        rotate: {nonce: tuesday}
      """;

  private final Cast cast;
  private final Team team;

  GeneratedValue(Cast cast, Team team) {
    this.cast = cast;
    this.team = team;
  }

  @Override
  public String title() {
    return "A second team, and a value that Keyturn makes";
  }

  @Override
  public void play() {
    Terminal terminal = cast.terminal();
    terminal.say("The team web wants no tool at all. Its binding says `generated`:");
    terminal.blank();
    terminal.output(BINDING);
    Policy.apply(team, cast.pace());
    team.apply(BINDING);
    team.apply(DEPLOYMENT);
    team.awaitRolledOut("web");
    team.await("the first version", () -> team.secret(SECRET) != null);
    String first = value();
    Team.VALUES.add(first);
    terminal.blank();
    terminal.say("To rotate now, it gives the binding a nonce that it did not have before:");
    terminal.blank();
    terminal.output(ROTATE);
    terminal.blank();
    try (RotationView view = cast.view(team, SECRET)) {
      team.apply(BINDING + ROTATE);
      SecretRotation rotation = view.follow(Stage::terminal);
      String second = value();
      Team.VALUES.add(second);

      cast.kubectl(team).get("sbind");
      cast.kubectl(team).get("srot");
      cast.kubectl(team).pods(SECRET);
      boolean canary =
          cast.world()
              .kubelet()
              .anyPodStartedWith(
                  team.namespace(), p -> p.labels().containsKey(Names.CANARY_FOR), second);
      cast.promises()
          .judge(
              Promise.GENERATED,
              rotation.getStatus().stage() == Stage.Complete
                  && !first.equals(second)
                  && canary
                  && view.podsOnVersion() == PODS,
              "%s value, %s, %d of %d pods on version %d"
                  .formatted(
                      first.equals(second) ? "the same" : "a new",
                      canary ? "proven on a canary" : "with no canary",
                      view.podsOnVersion(),
                      PODS,
                      view.version()));
    }
  }

  private String value() {
    String data = team.secret(SECRET).getData().get("password");
    return new String(Base64.getDecoder().decode(data), StandardCharsets.UTF_8);
  }
}
