package io.keyturn.cluster;

import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.testing.ControlPlane;
import io.keyturn.testing.HollowKubelet;
import io.keyturn.testing.LoginCount;
import io.keyturn.testing.PostgresServer;
import io.keyturn.testing.SharedControlPlane;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * An application team in a namespace of its own: two logins of a real PostgreSQL, an upstream
 * Secret with one of them, Deployments that log in with what they are given. It does what people
 * do.
 */
public final class Team {

  /** The alias, and the binding of the same name. */
  public static final String SECRET = "payments-db";

  /** The Secret that some other tool keeps current. */
  public static final String UPSTREAM = "payments-db-upstream";

  /** Every value that a test has made up; no output may ever hold one. */
  public static final Set<String> VALUES = ConcurrentHashMap.newKeySet();

  private static final String ALPHABET =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  private static final SecureRandom RANDOM = new SecureRandom();

  private final ControlPlane plane;
  private final PostgresServer postgres;
  private final HollowKubelet kubelet;
  private final String namespace;

  /** A login of PostgreSQL. */
  public record Login(String user, String password) {}

  /** A team in a new namespace of the given world. */
  public Team(ControlPlane plane, PostgresServer postgres, HollowKubelet kubelet, String name) {
    this.plane = plane;
    this.postgres = postgres;
    this.kubelet = kubelet;
    this.namespace = name;
  }

  static Team create(String prefix, PostgresServer postgres) {
    return new Team(
        SharedControlPlane.get(),
        postgres,
        SharedControlPlane.kubelet(),
        SharedControlPlane.newNamespace(prefix));
  }

  /** The namespace of the team. */
  public String namespace() {
    return namespace;
  }

  /** The administrator's client. */
  public KubernetesClient client() {
    return plane.adminClient();
  }

  /** A login that PostgreSQL accepts, with a random password. */
  public Login newLogin() {
    String user = "u" + random(6);
    String password = newValue();
    postgres.createLogin(user, password);
    return new Login(user, password);
  }

  /** The same user with a password that is wrong. */
  public Login wrong(Login login) {
    String password = newValue();
    return new Login(login.user(), password);
  }

  /** Random hex digits, two a byte. */
  public static String random(int bytes) {
    byte[] value = new byte[bytes];
    RANDOM.nextBytes(value);
    return HexFormat.of().formatHex(value);
  }

  /**
   * Random letters and digits, to be found again in any output: eight of them are there by chance
   * never, as hex digits are in every UID.
   */
  public static String newValue() {
    String value =
        RANDOM
            .ints(32, 0, ALPHABET.length())
            .mapToObj(i -> ALPHABET.substring(i, i + 1))
            .collect(Collectors.joining());
    VALUES.add(value);
    return value;
  }

  /** What the team's tool does when it rotates: it writes the new login to the upstream Secret. */
  public void writeUpstream(Login login) {
    writeSecret(UPSTREAM, login);
  }

  /** Writes a login to a Secret. */
  public void writeSecret(String name, Login login) {
    Secret secret =
        new SecretBuilder()
            .withNewMetadata()
            .withNamespace(namespace)
            .withName(name)
            .endMetadata()
            .withData(
                Map.of("username", encode(login.user()), "password", encode(login.password())))
            .build();
    var resource = client().secrets().inNamespace(namespace).resource(secret);
    if (client().secrets().inNamespace(namespace).withName(name).get() == null) {
      resource.create();
    } else {
      resource.update();
    }
  }

  /** Puts other data into a Secret that exists. */
  public void writeSecretData(String name, Map<String, String> data) {
    client()
        .secrets()
        .inNamespace(namespace)
        .withName(name)
        .edit(s -> new SecretBuilder(s).withData(data).build());
  }

  private static String encode(String text) {
    return Base64.getEncoder()
        .encodeToString(text.getBytes(java.nio.charset.StandardCharsets.UTF_8));
  }

  /** Applies a manifest in the namespace of the team. */
  public void apply(String manifest) {
    ControlPlane.Result result =
        plane.kubectlWithInput(manifest, "apply", "-n", namespace, "-f", "-");
    if (!result.succeeded()) {
      throw new AssertionError(result.stderr());
    }
  }

  /** A Deployment whose pods log in every second. */
  public void deploy(String name, int replicas) {
    apply(deployment(name, replicas, "hollow/postgres-client", ""));
  }

  /**
   * A Deployment that reads the Secret by environment variables.
   *
   * @param annotations of its pods, one a line, indented by eight
   */
  public String deployment(String name, int replicas, String image, String annotations) {
    return """
    apiVersion: apps/v1
    kind: Deployment
    metadata: {name: %1$s, labels: {app: %1$s, team: payments}}
    spec:
      replicas: %2$d
      selector: {matchLabels: {app: %1$s}}
      strategy: {rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
      template:
        metadata:
          labels: {app: %1$s}
          annotations:
            hollow.keyturn.io/example: "yes"
    %5$s
        spec:
          terminationGracePeriodSeconds: 1
          containers:
            - name: app
              image: %3$s
              env:
                - {name: DB_HOST, value: "127.0.0.1"}
                - {name: DB_PORT, value: "%4$d"}
                - name: DB_USER
                  valueFrom: {secretKeyRef: {name: payments-db, key: username}}
                - name: DB_PASSWORD
                  valueFrom: {secretKeyRef: {name: payments-db, key: password}}
    """
        .formatted(name, replicas, image, postgres.port(), annotations);
  }

  /** A policy that does in seconds what the default does in minutes. */
  public void quickPolicy(String bake, String more) {
    apply(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: RotationPolicy
        metadata: {name: quick}
        spec:
          canary: {bake: %s, deadline: 30s}
          retirement: {grace: 1s}
          retry: {maxAttempts: 2, initialBackoff: 2s}
        %s
        """
            .formatted(bake, more));
  }

  /** A binding of the given workloads to the upstream Secret. */
  public void bind(String... workloads) {
    StringBuilder entries = new StringBuilder();
    for (String name : workloads) {
      entries.append("    - {kind: Deployment, name: ").append(name).append("}\n");
    }
    apply(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretBinding
        metadata: {name: payments-db}
        spec:
          source: {secret: {name: payments-db-upstream}}
          secret: {adopt: IfIdentical}
          rotationPolicyRef: {name: quick}
          workloads:
        %s
        """
            .formatted(entries));
  }

  /** The binding. */
  public SecretBinding binding() {
    return client().resources(SecretBinding.class).inNamespace(namespace).withName(SECRET).get();
  }

  /** The rotation to a version; null if there is none. */
  public SecretRotation rotation(long version) {
    return client()
        .resources(SecretRotation.class)
        .inNamespace(namespace)
        .withName(Names.rotation(SECRET, version))
        .get();
  }

  /** All rotations, by version. */
  public List<SecretRotation> rotations() {
    return client()
        .resources(SecretRotation.class)
        .inNamespace(namespace)
        .list()
        .getItems()
        .stream()
        .sorted(Comparator.comparingLong(r -> Names.versionOfRotation(r.getMetadata().getName())))
        .toList();
  }

  /** A Deployment of the team. */
  public Deployment workload(String name) {
    return client().apps().deployments().inNamespace(namespace).withName(name).get();
  }

  /** The live pods of the namespace. */
  public List<Pod> pods() {
    return client().pods().inNamespace(namespace).list().getItems();
  }

  /** The pods that are no canaries. */
  public List<Pod> stablePods() {
    return pods().stream()
        .filter(p -> !p.getMetadata().getLabels().containsKey(Names.CANARY_FOR))
        .toList();
  }

  /** A Secret of the team; null if there is none. */
  public Secret secret(String name) {
    return client().secrets().inNamespace(namespace).withName(name).get();
  }

  /** Whether a Secret holds a login. */
  public boolean holds(String name, Login login) {
    Secret secret = secret(name);
    return secret != null
        && encode(login.password()).equals(secret.getData().get("password"))
        && encode(login.user()).equals(secret.getData().get("username"));
  }

  /** Waits until a Deployment has all of its pods Ready. */
  public void awaitRolledOut(String name) {
    await(
        name + " is rolled out",
        () -> {
          Deployment d = workload(name);
          return d != null
              && d.getStatus() != null
              && Objects.equals(
                  d.getStatus().getObservedGeneration(), d.getMetadata().getGeneration())
              && Objects.equals(d.getStatus().getReadyReplicas(), d.getSpec().getReplicas())
              && Objects.equals(d.getStatus().getUpdatedReplicas(), d.getSpec().getReplicas())
              && Objects.equals(d.getStatus().getReplicas(), d.getSpec().getReplicas());
        });
  }

  /** Waits until the binding is Ready with a version. */
  public void awaitVersion(long version) {
    await(
        "version " + version + " is delivered",
        () -> {
          SecretBinding b = binding();
          return b != null
              && b.getStatus().current() != null
              && b.getStatus().current().version() == version
              && is(b.getStatus().conditions(), "Ready", Condition.Status.True);
        });
  }

  /** Waits until a rotation stands somewhere. */
  public void awaitStage(long version, Predicate<Stage> stage) {
    await(
        "rotation " + version + " moves on",
        () -> rotation(version) != null && stage.test(rotation(version).getStatus().stage()));
  }

  /** Waits until a rotation stands in a stage. */
  public void awaitStage(long version, Stage stage) {
    await(
        "rotation " + version + " is " + stage,
        () -> {
          SecretRotation r = rotation(version);
          if (r != null && r.getStatus().stage().terminal() && r.getStatus().stage() != stage) {
            throw new AssertionError(
                r.getMetadata().getName()
                    + " is "
                    + r.getStatus().stage()
                    + ": "
                    + r.getStatus().message());
          }
          return r != null && r.getStatus().stage() == stage;
        });
  }

  /** Waits for a condition with a bound. */
  public void await(String what, java.util.concurrent.Callable<Boolean> condition) {
    Awaitility.await(what + " in " + namespace)
        .atMost(Duration.ofSeconds(90))
        .pollInterval(Duration.ofMillis(100))
        .until(condition);
  }

  /** Whether a condition has a status. */
  public static boolean is(List<Condition> conditions, String type, Condition.Status status) {
    return conditions.stream().anyMatch(c -> c.type().equals(type) && c.status() == status);
  }

  /** Logins that PostgreSQL refused, of the pods that are no canaries. */
  public long refusedOutsideCanary() {
    return kubelet.logins(namespace).stream()
        .filter(l -> !l.labels().containsKey(Names.CANARY_FOR))
        .mapToLong(LoginCount::refused)
        .sum();
  }

  /** Logins that PostgreSQL refused. */
  public long refused() {
    return kubelet.logins(namespace).stream().mapToLong(LoginCount::refused).sum();
  }

  /** Logins that PostgreSQL accepted. */
  public long accepted() {
    return kubelet.logins(namespace).stream().mapToLong(LoginCount::accepted).sum();
  }

  /** Whether a container outside the canary ever started with a value. */
  public boolean seenOutsideCanary(String value) {
    return kubelet.anyPodStartedWith(
        namespace, p -> !p.labels().containsKey(Names.CANARY_FOR), value);
  }

  /** The events of the namespace, as "reason: note". */
  public List<String> events() {
    return client().events().v1().events().inNamespace(namespace).list().getItems().stream()
        .map(e -> e.getReason() + ": " + e.getNote())
        .toList();
  }

  /** kubectl in the namespace. */
  public ControlPlane.Result kubectl(String... arguments) {
    String[] all = new String[arguments.length + 2];
    all[0] = "-n";
    all[1] = namespace;
    System.arraycopy(arguments, 0, all, 2, arguments.length);
    return plane.kubectl(all);
  }
}
