package io.keyturn.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReview;
import io.fabric8.kubernetes.api.model.authorization.v1.SubjectAccessReviewBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.interfaces.RSAPrivateCrtKey;
import java.security.spec.PKCS8EncodedKeySpec;
import java.security.spec.RSAPublicKeySpec;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A real Vault on loopback that speaks TLS, keeps its data in files, and can be sealed, killed and
 * started again with them. It ends with this JVM even after {@code kill -9}. The program comes from
 * {@code hack/vault/build}.
 *
 * <p>All that is set up here is set up with the root token. What fails is told by path and status:
 * Vault's answers quote what it was given.
 */
public final class VaultServer implements AutoCloseable {
  private static final BuiltPrograms PROGRAMS = new BuiltPrograms("hack/vault/build", "Vault");

  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path program;
  private final Path directory;
  private final boolean temporary;
  private final TestAuthority authority = TestAuthority.root("keyturn-test-vault");
  private final HttpClient client = trusting(authority);
  private final int port = freePort();
  private final List<Path> logs = new ArrayList<>();
  private GuardedProcess process;
  private String unsealKey;
  private String rootToken;

  /** Vault's answer was an error. */
  public static final class Refused extends RuntimeException {
    private static final long serialVersionUID = 1L;
    private final int status;

    private Refused(String path, int status) {
      super("Vault answered %d for %s".formatted(status, path));
      this.status = status;
    }

    /** The status of HTTP. */
    public int status() {
      return status;
    }
  }

  /**
   * What kind of token a login makes.
   *
   * @param type {@code service}, or {@code batch}, which cannot be renewed or revoked
   */
  public record Tokens(String type, Duration ttl, List<String> policies) {

    /** Tokens that Vault keeps. */
    public static Tokens service(Duration ttl, String... policies) {
      return new Tokens("service", ttl, List.of(policies));
    }

    /** Tokens that hold all that Vault needs to know of them. */
    public static Tokens batch(Duration ttl, String... policies) {
      return new Tokens("batch", ttl, List.of(policies));
    }

    private Map<String, Object> and(Map<String, ?> others) {
      Map<String, Object> all = new HashMap<>(others);
      all.put("token_type", type);
      all.put("token_ttl", seconds(ttl));
      all.put("token_policies", policies);
      return all;
    }
  }

  /** What an application of the auth method {@code approle} logs in with. */
  public record AppRole(String roleId, String secretId) {}

  private VaultServer(Path program, Path directory, boolean temporary) {
    this.program = program;
    this.directory = directory.toAbsolutePath();
    this.temporary = temporary;
  }

  /**
   * Starts a server in a temporary directory, initialised and unsealed, with nothing mounted. Where
   * the program cannot be had, the test that asks is skipped, with one line that says so.
   *
   * @throws IllegalStateException if there is no program and {@code CI=true}, or if it does not
   *     start; the message has the end of its log
   */
  public static VaultServer start() {
    Path program = program();
    try {
      return start(program, Files.createTempDirectory("keyturn-vault"), true);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Like {@link #start()}, with its files in {@code directory}, where logs of all that it has to
   * say stay after {@link #close()}.
   */
  public static VaultServer start(Path directory) {
    return start(program(), directory, false);
  }

  private static Path program() {
    return PROGRAMS.require().resolve("vault");
  }

  private static VaultServer start(Path program, Path directory, boolean temporary) {
    VaultServer server = new VaultServer(program, directory, temporary);
    try {
      server.writeFiles();
      server.run();
      server.initialise();
      server.unseal();
      return server;
    } catch (RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private void writeFiles() {
    try {
      Files.createDirectories(directory);
      ControlPlane.deleteTree(storage());
      TestAuthority.Identity identity = authority.issue("127.0.0.1", "localhost");
      Files.writeString(directory.resolve("server.crt"), identity.certificatePem());
      Files.writeString(directory.resolve("server.key"), identity.keyPem());
      Files.writeString(
          directory.resolve("vault.hcl"),
          """
          storage "file" { path = "%1$s/storage" }
          listener "tcp" {
            address       = "127.0.0.1:%2$d"
            tls_cert_file = "%1$s/server.crt"
            tls_key_file  = "%1$s/server.key"
          }
          api_addr      = "%3$s"
          pid_file      = "%1$s/vault.pid"
          log_level     = "%4$s"
          disable_mlock = true
          ui            = false
          """
              .formatted(directory, port, address(), temporary ? "warn" : "trace"));
    } catch (IOException e) {
      throw new UncheckedIOException("cannot write to " + directory, e);
    }
  }

  private Path storage() {
    return directory.resolve("storage");
  }

  private void run() {
    Path log = directory.resolve("vault-%d.log".formatted(logs.size() + 1));
    logs.add(log);
    process =
        GuardedProcess.start(
            "vault",
            List.of(
                "env",
                // Vault parses a CA certificate of somebody else's as it starts, and its serial
                // number is one that Go has come to refuse.
                "GODEBUG=x509negativeserial=1",
                program.toString(),
                "server",
                "-config=" + directory.resolve("vault.hcl")),
            log);
    await("listens", this::answers);
  }

  private boolean answers() {
    try {
      return read("sys/seal-status") != null;
    } catch (UncheckedIOException e) {
      return false;
    }
  }

  private void initialise() {
    JsonNode keys = write("sys/init", Map.of("secret_shares", 1, "secret_threshold", 1));
    unsealKey = keys.get("keys_base64").get(0).asText();
    rootToken = keys.get("root_token").asText();
  }

  /** Its base URL, {@code https://127.0.0.1:<port>}; the certificate is for localhost, too. */
  public String address() {
    return "https://127.0.0.1:" + port;
  }

  /** The certificate of who signed its own. */
  public String caBundle() {
    return authority.pem();
  }

  /** A token that may do everything. */
  public String rootToken() {
    return rootToken;
  }

  /** The process id of the server that runs, or ran last. */
  public long pid() {
    try {
      return Long.parseLong(Files.readString(directory.resolve("vault.pid")).strip());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** What the server has said, a file for each of its starts. */
  public List<Path> logs() {
    return List.copyOf(logs);
  }

  /** Lets it forget the key to its data: it answers 503 until it is {@linkplain #unseal told}. */
  public void seal() {
    write("sys/seal", Map.of());
  }

  /** Tells it the key to its data, and waits until it serves them. */
  public void unseal() {
    write("sys/unseal", Map.of("key", unsealKey));
    await("is active", () -> succeeds("sys/health"));
  }

  /** Ends it at once, by {@code kill -9}: nobody answers on its port. */
  public void stop() {
    process.close();
  }

  /** Ends it at once if it runs, and starts it with its data and on its port, unsealed. */
  public void restart() {
    stop();
    run();
    unseal();
  }

  /**
   * Writes to a path.
   *
   * @param path such as {@code kv/data/app}, without {@code /v1}
   * @return the answer; a missing node if it is empty
   * @throws Refused if Vault does not take it
   * @throws UncheckedIOException if there is no answer
   */
  public JsonNode write(String path, Map<String, ?> body) {
    return send("POST", path, body);
  }

  /**
   * Reads a path; see {@link #write}.
   *
   * @throws Refused with 404 if there is nothing
   */
  public JsonNode read(String path) {
    return send("GET", path, null);
  }

  /**
   * Lists the keys below a path; see {@link #write}.
   *
   * @throws Refused with 404 if there is none
   */
  public List<String> list(String path) {
    List<String> keys = new ArrayList<>();
    send("LIST", path, null).at("/data/keys").forEach(key -> keys.add(key.asText()));
    return keys;
  }

  /** Deletes a path; see {@link #write}. */
  public JsonNode delete(String path) {
    return send("DELETE", path, null);
  }

  /** Lets tokens with this policy do what it says, in HCL; tokens of before included. */
  public void policy(String name, String hcl) {
    write("sys/policies/acl/" + name, Map.of("policy", hcl));
  }

  /** Makes a token that is a child of the root token. */
  public String token(Tokens tokens) {
    return write(
            "auth/token/create",
            Map.of(
                "type", tokens.type(),
                "ttl", seconds(tokens.ttl()),
                "policies", tokens.policies()))
        .at("/auth/client_token")
        .asText();
  }

  /** Mounts version 2 of the secrets engine {@code kv}. */
  public void enableKv(String mount) {
    write("sys/mounts/" + mount, Map.of("type", "kv", "options", Map.of("version", "2")));
    // It takes nothing until it has prepared its storage.
    await("serves " + mount, () -> succeeds(mount + "/config"));
  }

  /**
   * Mounts the secrets engine {@code pki} with a CA of its own.
   *
   * @return the certificate of the CA
   */
  public String enablePki(String mount, String commonName) {
    write(
        "sys/mounts/" + mount,
        Map.of("type", "pki", "config", Map.of("max_lease_ttl", seconds(Duration.ofDays(3650)))));
    return write(
            mount + "/root/generate/internal",
            Map.of(
                "common_name",
                commonName,
                "key_type",
                "ec",
                "key_bits",
                256,
                "ttl",
                seconds(Duration.ofDays(3650))))
        .at("/data/certificate")
        .asText();
  }

  /** Lets a mount of {@link #enablePki} issue certificates for a domain and what is below it. */
  public void pkiRole(String mount, String role, String domain, Duration maxTtl) {
    write(
        mount + "/roles/" + role,
        Map.of(
            "allowed_domains",
            domain,
            "allow_bare_domains",
            true,
            "allow_subdomains",
            true,
            "key_type",
            "ec",
            "key_bits",
            256,
            "max_ttl",
            seconds(maxTtl)));
  }

  /**
   * Mounts the secrets engine {@code database} on a PostgreSQL, where it has an administrator of
   * its own, who is not the superuser.
   */
  public void enableDatabase(String mount, PostgresServer postgres) {
    String admin = "vault-%s-%d".formatted(mount, pid());
    String password = UUID.randomUUID().toString();
    postgres.createRoleAdmin(admin, password);
    // Vault itself tells PostgreSQL the passwords that it makes as they are.
    postgres.logNothingOf(admin);
    try (Connection connection = postgres.connect();
        Statement statement = connection.createStatement()) {
      // Otherwise it may not end the sessions of those whom it has created.
      statement.execute("GRANT pg_signal_backend TO \"%s\"".formatted(admin));
    } catch (SQLException e) {
      throw new IllegalStateException("PostgreSQL refused a grant, SQLSTATE " + e.getSQLState());
    }
    write("sys/mounts/" + mount, Map.of("type", "database"));
    write(
        mount + "/config/postgres",
        Map.of(
            "plugin_name",
            "postgresql-database-plugin",
            "allowed_roles",
            "*",
            "connection_url",
            "postgresql://{{username}}:{{password}}@%s:%d/postgres?sslmode=disable"
                .formatted(postgres.host(), postgres.port()),
            "username",
            admin,
            "password",
            password));
  }

  /**
   * Lets a mount of {@link #enableDatabase} create users who can log in while their lease lasts.
   * Who is revoked is logged out, too.
   */
  public void databaseRole(String mount, String role, Duration defaultTtl, Duration maxTtl) {
    write(
        mount + "/roles/" + role,
        Map.of(
            "db_name",
            "postgres",
            "default_ttl",
            seconds(defaultTtl),
            "max_ttl",
            seconds(maxTtl),
            "creation_statements",
            List.of(
                "CREATE ROLE \"{{name}}\" LOGIN PASSWORD '{{password}}'"
                    + " VALID UNTIL '{{expiration}}'"),
            "revocation_statements",
            List.of(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    + " WHERE usename = '{{name}}'",
                "DROP ROLE IF EXISTS \"{{name}}\"")));
  }

  /**
   * Enables the auth method {@code kubernetes}: this Vault asks a control plane whose a token is.
   */
  public void enableKubernetesAuth(String mount, ControlPlane plane) {
    String namespace = plane.createNamespace("vault");
    plane.apply(
        """
        apiVersion: v1
        kind: ServiceAccount
        metadata: {name: vault, namespace: %1$s}
        ---
        apiVersion: rbac.authorization.k8s.io/v1
        kind: ClusterRoleBinding
        metadata: {name: %1$s-reviewer}
        roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: system:auth-delegator}
        subjects: [{kind: ServiceAccount, name: vault, namespace: %1$s}]
        """
            .formatted(namespace));
    // The authorizer learns of the binding by a watch.
    await("may review tokens", () -> mayReviewTokens(plane, namespace));
    write("sys/auth/" + mount, Map.of("type", "kubernetes"));
    write(
        "auth/" + mount + "/config",
        Map.of(
            "kubernetes_host", plane.url(),
            "kubernetes_ca_cert", readString(plane.directory().resolve("ca.crt")),
            "token_reviewer_jwt", plane.token(namespace, "vault"),
            "disable_iss_validation", true,
            "disable_local_ca_jwt", true));
  }

  private static boolean mayReviewTokens(ControlPlane plane, String namespace) {
    SubjectAccessReview review =
        new SubjectAccessReviewBuilder()
            .withNewSpec()
            .withUser("system:serviceaccount:%s:vault".formatted(namespace))
            .withNewResourceAttributes()
            .withGroup("authentication.k8s.io")
            .withResource("tokenreviews")
            .withVerb("create")
            .endResourceAttributes()
            .endSpec()
            .build();
    return plane
        .adminClient()
        .authorization()
        .v1()
        .subjectAccessReview()
        .create(review)
        .getStatus()
        .getAllowed();
  }

  /**
   * Lets a service account log in at a mount of {@link #enableKubernetesAuth}.
   *
   * @param audience whom its token must be for
   */
  public void kubernetesRole(
      String mount,
      String role,
      String namespace,
      String serviceAccount,
      String audience,
      Tokens tokens) {
    write(
        "auth/" + mount + "/role/" + role,
        tokens.and(
            Map.of(
                "bound_service_account_names", serviceAccount,
                "bound_service_account_namespaces", namespace,
                "audience", audience)));
  }

  /**
   * Enables the auth method {@code jwt}: this Vault knows the key by which a control plane signs
   * the tokens of service accounts, and asks nobody.
   */
  public void enableJwtAuth(String mount, ControlPlane plane) {
    write("sys/auth/" + mount, Map.of("type", "jwt"));
    write(
        "auth/" + mount + "/config",
        Map.of("jwt_validation_pubkeys", List.of(publicKey(plane.directory().resolve("sa.key")))));
  }

  /** Lets a service account log in at a mount of {@link #enableJwtAuth}. */
  public void jwtRole(
      String mount,
      String role,
      String namespace,
      String serviceAccount,
      String audience,
      Tokens tokens) {
    write(
        "auth/" + mount + "/role/" + role,
        tokens.and(
            Map.of(
                "role_type",
                "jwt",
                "user_claim",
                "sub",
                "bound_subject",
                "system:serviceaccount:%s:%s".formatted(namespace, serviceAccount),
                "bound_audiences",
                List.of(audience))));
  }

  /** Enables the auth method {@code approle}. */
  public void enableAppRoleAuth(String mount) {
    write("sys/auth/" + mount, Map.of("type", "approle"));
  }

  /** Makes a role of {@link #enableAppRoleAuth}, and a secret for it. */
  public AppRole appRole(String mount, String role, Tokens tokens) {
    String path = "auth/" + mount + "/role/" + role;
    write(path, tokens.and(Map.of()));
    return new AppRole(
        read(path + "/role-id").at("/data/role_id").asText(),
        write(path + "/secret-id", Map.of()).at("/data/secret_id").asText());
  }

  /** Enables the auth method {@code userpass}. */
  public void enableUserpassAuth(String mount) {
    write("sys/auth/" + mount, Map.of("type", "userpass"));
  }

  /** Makes a user of {@link #enableUserpassAuth}. */
  public void user(String mount, String name, String password, Tokens tokens) {
    write("auth/" + mount + "/users/" + name, tokens.and(Map.of("password", password)));
  }

  private static String seconds(Duration duration) {
    return duration.toSeconds() + "s";
  }

  private JsonNode send(String method, String path, Map<String, ?> body) {
    try {
      HttpRequest.Builder request =
          HttpRequest.newBuilder(URI.create(address() + "/v1/" + path))
              .timeout(REQUEST_TIMEOUT)
              .method(
                  method,
                  body == null
                      ? BodyPublishers.noBody()
                      : BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body)));
      if (rootToken != null) {
        request.header("X-Vault-Token", rootToken);
      }
      HttpResponse<byte[]> response = client.send(request.build(), BodyHandlers.ofByteArray());
      if (response.statusCode() / 100 != 2) {
        throw new Refused(path, response.statusCode());
      }
      return response.body().length == 0
          ? MissingNode.getInstance()
          : JSON.readTree(response.body());
    } catch (JsonProcessingException e) {
      // Without the cause: it quotes what it could not read.
      throw new IllegalStateException("no JSON for " + path);
    } catch (IOException e) {
      throw new UncheckedIOException("Vault does not answer for " + path, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while Vault was answering for " + path, e);
    }
  }

  private boolean succeeds(String path) {
    try {
      read(path);
      return true;
    } catch (Refused e) {
      return false;
    }
  }

  private void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + START_TIMEOUT.toNanos();
    while (!condition.getAsBoolean()) {
      if (!process.isAlive() || System.nanoTime() > deadline) {
        throw new IllegalStateException(
            "waited until Vault %s: %s".formatted(what, process.diagnosis()));
      }
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
    }
  }

  private static HttpClient trusting(TestAuthority authority) {
    try {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      trusted.setCertificateEntry("ca", authority.certificate());
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext tls = SSLContext.getInstance("TLS");
      tls.init(null, trust.getTrustManagers(), null);
      return HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).sslContext(tls).build();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK speaks TLS", e);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The other half of a private RSA key, as Vault reads it. */
  private static String publicKey(Path privateKey) {
    String base64 = readString(privateKey).replaceAll("-----[A-Z ]+-----|\\s", "");
    try {
      KeyFactory rsa = KeyFactory.getInstance("RSA");
      RSAPrivateCrtKey key =
          (RSAPrivateCrtKey)
              rsa.generatePrivate(new PKCS8EncodedKeySpec(Base64.getDecoder().decode(base64)));
      byte[] half =
          rsa.generatePublic(new RSAPublicKeySpec(key.getModulus(), key.getPublicExponent()))
              .getEncoded();
      return "-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n"
          .formatted(Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(half));
    } catch (GeneralSecurityException e) {
      // Without the cause, which may quote the key.
      throw new IllegalStateException(privateKey + " holds no RSA key");
    }
  }

  private static String readString(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int freePort() {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    } catch (IOException e) {
      throw new UncheckedIOException("no free port on loopback", e);
    }
  }

  /** Stops the server and deletes its data; the logs stay in a directory that a test named. */
  @Override
  public void close() {
    client.shutdownNow();
    if (process != null) {
      process.close();
    }
    ControlPlane.deleteTree(temporary ? directory : storage());
  }
}
