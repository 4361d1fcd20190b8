package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.list;
import static io.keyturn.api.v1alpha1.Api.map;
import static io.keyturn.api.v1alpha1.Api.or;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * What a user wants of a bound secret.
 *
 * @param source where the value comes from
 * @param secret the Secret that the workloads read
 * @param workloads who receives it
 * @param delivery how it reaches them
 * @param rotationPolicyRef how a rotation is rolled out; null: the built-in policy
 * @param rotate a request to rotate now; null: none
 * @param suspend whether rotations rest
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SecretBindingSpec(
    @Required @JsonPropertyDescription("Where the value comes from.") Source source,
    @JsonPropertyDescription("The Secret that the workloads read.") Target secret,
    @Required
        @Size(min = 1, max = 64)
        @JsonPropertyDescription("Who receives the secret: at least one entry, at most 64.")
        List<Workload> workloads,
    @JsonPropertyDescription("How the secret reaches the workloads.") Delivery delivery,
    @JsonPropertyDescription(
            "The RotationPolicy of this namespace that says how a rotation is rolled out."
                + " Default: the built-in policy, which has the defaults of each of its fields.")
        PolicyRef rotationPolicyRef,
    @JsonPropertyDescription("A request to rotate now.") Rotate rotate,
    @Default("false")
        @JsonPropertyDescription(
            "Starts no rotation, and lets the one under way take no further step, while true.")
        Boolean suspend) {

  /**
   * Segments of letters, digits and a few signs: nothing that a URL or a server would interpret.
   */
  private static final String VAULT_PATH =
      "^[a-zA-Z0-9_~-][a-zA-Z0-9_.~-]*(/[a-zA-Z0-9_~-][a-zA-Z0-9_.~-]*)*$";

  /** Fills in what the user left out. */
  public SecretBindingSpec {
    secret = or(secret, new Target(null, null, null, null, null, null));
    workloads = list(workloads);
    delivery = or(delivery, new Delivery(null, null));
    suspend = or(suspend, false);
  }

  /**
   * Where the value comes from; exactly one member is set, beside storeRef and overlap.
   *
   * @param storeRef the store; null for an upstream Secret and for generated values
   * @param secret an upstream Secret
   * @param generated a value that Keyturn makes
   * @param vaultKv a value of a KV engine of Vault
   * @param vaultLease a leased credential of any engine of Vault
   * @param vaultPki a certificate of a PKI engine of Vault
   * @param postgresql two login roles, rotated in turn
   * @param overlap whether the old value stays valid beside the new one
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value =
          "[has(self.secret), has(self.generated), has(self.vaultKv), has(self.vaultLease),"
              + " has(self.vaultPki), has(self.postgresql)].filter(m, m).size() == 1",
      message =
          "spec.source takes exactly one member: write one of secret, for a Secret that something"
              + " else keeps current, generated, for a value that Keyturn makes, vaultKv, vaultLease,"
              + " vaultPki and postgresql")
  @ValidationRule(
      value = "has(self.storeRef) == !(has(self.secret) || has(self.generated))",
      message =
          "vaultKv, vaultLease, vaultPki and postgresql need a storeRef to the SecretStore that they"
              + " are of; secret and generated take none")
  public record Source(
      @JsonPropertyDescription(
              "The store that vaultKv, vaultLease, vaultPki and postgresql are of.")
          StoreRef storeRef,
      @JsonPropertyDescription(
              "A Secret of this namespace that something else keeps current. Keyturn only reads"
                  + " it.")
          Upstream secret,
      @JsonPropertyDescription("A value that Keyturn makes.") Generated generated,
      @JsonPropertyDescription(
              "A value of a KV engine, version 2, of Vault. Keyturn only reads it.")
          VaultKv vaultKv,
      @JsonPropertyDescription(
              "A credential that Vault issues with a lease, from any engine. Keyturn renews it while"
                  + " anybody uses it, and revokes it then.")
          VaultLease vaultLease,
      @JsonPropertyDescription("A certificate that a PKI engine of Vault issues.")
          VaultPki vaultPki,
      @JsonPropertyDescription(
              "Two login roles of one PostgreSQL, which get new passwords in turn.")
          PostgresqlRoles postgresql,
      @JsonPropertyDescription(
              "Whether the old value stays valid beside the new one. Full: it does. Slots: it does"
                  + " until its slot is needed for another one. None: the new value ends the old one,"
                  + " so nothing can be tried out, and the policy must say"
                  + " cutover.acknowledgeOutage. Auto: as the source is known to be; Full for an"
                  + " upstream Secret, vaultKv and generated values. Default: Auto.")
          Overlap overlap) {

    /** Fills in what the user left out. */
    public Source {
      overlap = or(overlap, Overlap.Auto);
    }

    /**
     * The member that is set, beside storeRef and overlap.
     *
     * @throws IllegalStateException if there is none, which the schema does not let through
     */
    public Member member() {
      return Stream.of(
              new Member("secret", secret),
              new Member("generated", generated),
              new Member("vaultKv", vaultKv),
              new Member("vaultLease", vaultLease),
              new Member("vaultPki", vaultPki),
              new Member("postgresql", postgresql))
          .filter(m -> m.value() != null)
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("a source without a member"));
    }

    /**
     * A member of a source.
     *
     * @param name as manifests have it
     * @param value what it says
     */
    public record Member(String name, Object value) {}

    /** An upstream Secret of that name. */
    public static Source of(Upstream secret, Overlap overlap) {
      return new Source(null, secret, null, null, null, null, null, overlap);
    }
  }

  /** Whether the old value of a source stays valid beside the new one. */
  public enum Overlap {
    /** As the source is known to be. */
    Auto,
    /** It does. */
    Full,
    /** It does until its slot is needed for another one. */
    Slots,
    /** It ends when the new one is made. */
    None
  }

  /**
   * Refers to a store.
   *
   * @param kind of it
   * @param name of it
   */
  public record StoreRef(
      @JsonPropertyDescription(
              "SecretStore, of the namespace of the binding, or ClusterSecretStore. Default:"
                  + " SecretStore.")
          StoreKind kind,
      @Required @Size(min = 1, max = 253) @JsonPropertyDescription("Name of the store.")
          String name) {

    /** Fills in what the user left out. */
    public StoreRef {
      kind = or(kind, StoreKind.SecretStore);
    }
  }

  /** The kinds of stores. */
  public enum StoreKind {
    /** One of the namespace of the binding. */
    SecretStore,
    /** One of the cluster, that allows the namespace of the binding. */
    ClusterSecretStore
  }

  /**
   * A value of a KV engine, version 2.
   *
   * @param mount where the engine is
   * @param path of the value
   */
  public record VaultKv(
      @Required
          @Size(min = 1, max = 253)
          @Pattern(VAULT_PATH)
          @JsonPropertyDescription("Where the KV engine, version 2, is mounted, such as kv.")
          String mount,
      @Required
          @Size(min = 1, max = 512)
          @Pattern(VAULT_PATH)
          @JsonPropertyDescription("The path of the value in it, such as payments/db.")
          String path) {}

  /**
   * A leased credential.
   *
   * @param path that issues it
   * @param method of the request
   * @param parameters of the request
   */
  public record VaultLease(
      @Required
          @Size(min = 1, max = 512)
          @Pattern(VAULT_PATH)
          @JsonPropertyDescription("The path that issues it, such as database/creds/payments.")
          String path,
      @JsonPropertyDescription("GET, or PUT where the path takes parameters. Default: GET.")
          Method method,
      @Size(max = 32)
          @JsonPropertyDescription(
              "Parameters of the request. They are not secret: they stand here.")
          Map<String, String> parameters) {

    /** Fills in what the user left out. */
    public VaultLease {
      method = or(method, Method.GET);
      parameters = map(parameters);
    }
  }

  /** How a leased credential is asked for. */
  public enum Method {
    /** Parameters stand in the query. */
    GET,
    /** Parameters stand in the body. */
    PUT
  }

  /**
   * A certificate.
   *
   * @param mount where the engine is
   * @param role of the engine
   * @param commonName of the certificate
   * @param altNames other names of it
   * @param ttl how long it is valid; null: as the role says
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record VaultPki(
      @Required
          @Size(min = 1, max = 253)
          @Pattern(VAULT_PATH)
          @JsonPropertyDescription("Where the PKI engine is mounted, such as pki.")
          String mount,
      @Required
          @Size(min = 1, max = 253)
          @Pattern("^[a-zA-Z0-9_.~-]+$")
          @JsonPropertyDescription("The role of the engine that issues it.")
          String role,
      @Required
          @Size(min = 1, max = 253)
          @JsonPropertyDescription("The common name of the certificate.")
          String commonName,
      @Size(max = 32) @JsonPropertyDescription("Other DNS names of the certificate.")
          List<String> altNames,
      @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @JsonPropertyDescription("How long it is valid. Default: as the role says.")
          String ttl) {

    /** Copies the list. */
    public VaultPki {
      altNames = list(altNames);
    }
  }

  /**
   * Login roles that are rotated in turn.
   *
   * @param roles their names
   */
  public record PostgresqlRoles(
      @Required
          @Size(min = 2, max = 2)
          @ValidationRule(
              value = "self.size() != 2 || self[0] != self[1]",
              message =
                  "both roles are the same: while pods use one of them the other one gets a new"
                      + " password, so there must be two")
          @JsonPropertyDescription(
              "Two login roles of one group role. One is in use, the other gets the next password.")
          List<String> roles) {

    /** Copies the list. */
    public PostgresqlRoles {
      roles = list(roles);
    }
  }

  /**
   * A Secret that something else keeps current.
   *
   * @param name its name
   */
  public record Upstream(
      @Required
          @Size(min = 1, max = 253)
          @JsonPropertyDescription("Name of the Secret, in the namespace of the binding.")
          String name) {}

  /**
   * A value that Keyturn makes.
   *
   * @param keys the random ones
   * @param fixed those that are the same in each version
   */
  @ValidationRule(
      value = "!has(self.static) || self.static.all(k, !(k in self.keys))",
      message =
          "a name stands under both keys and static: a key is either random or fixed, so remove"
              + " it from one of them")
  @ValidationRule(
      value =
          "self.keys.all(k, k.matches('^[-._a-zA-Z0-9]{1,253}$')) && (!has(self.static) ||"
              + " self.static.all(k, k.matches('^[-._a-zA-Z0-9]{1,253}$')))",
      message =
          "a key name consists of letters, digits, '-', '_' and '.', and has at most 253"
              + " characters, as in every Secret")
  public record Generated(
      @Required
          @Size(min = 1, max = 64)
          @JsonPropertyDescription("The random values, by key. Each version gets new ones.")
          Map<String, Random> keys,
      @JsonProperty("static")
          @Size(max = 64)
          @JsonPropertyDescription(
              "Values that are the same in each version, such as a user name. They are not"
                  + " secret: they stand here.")
          Map<String, String> fixed) {

    /** Copies the maps. */
    public Generated {
      keys = map(keys);
      fixed = map(fixed);
    }
  }

  /**
   * A random value.
   *
   * @param length number of characters
   * @param alphabet the characters it is made of
   */
  public record Random(
      @Min(8) @Max(4096) @JsonPropertyDescription("Number of characters. Default: 32.")
          Integer length,
      @JsonPropertyDescription(
              "The characters to choose from: alphanumeric (A-Z, a-z, 0-9), hex (0-9, a-f), ascii"
                  + " (each printable character but space, quotes and backslash). Default:"
                  + " alphanumeric.")
          Alphabet alphabet) {

    /** Fills in what the user left out. */
    public Random {
      length = or(length, 32);
      alphabet = or(alphabet, Alphabet.alphanumeric);
    }
  }

  /** The characters that a random value is made of. */
  public enum Alphabet {
    /** A-Z, a-z and 0-9. */
    alphanumeric,
    /** 0-9 and a-f. */
    hex,
    /** Printable ASCII without space, quotes and backslash. */
    ascii
  }

  /**
   * The Secret that the workloads read.
   *
   * @param name its name; null: that of the binding
   * @param type its type
   * @param keys its keys; empty: those of the source
   * @param labels more labels for it
   * @param adopt whether an existing Secret may be taken over
   * @param deletionPolicy what becomes of it when the binding goes
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Target(
      @Size(min = 1, max = 230)
          @Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
          @JsonPropertyDescription(
              "Name of the Secret, to which the workloads refer. Default: the name of the"
                  + " binding. Immutable.")
          String name,
      @JsonPropertyDescription("Type of the Secret. Default: Opaque. Immutable.") SecretType type,
      @Size(max = 64)
          @JsonPropertyDescription(
              "The keys of the Secret. Default: every key of the source, unchanged.")
          List<Key> keys,
      @JsonPropertyDescription("More labels for the Secret and its snapshots.")
          @Size(max = 32)
          @ValidationRule(
              value =
                  "self.all(k, !k.contains('keyturn.io/') && !k.startsWith('app.kubernetes.io/managed-by'))",
              message =
                  "the labels under keyturn.io/ and app.kubernetes.io/managed-by are Keyturn's own:"
                      + " choose other names")
          Map<String, String> labels,
      @JsonPropertyDescription(
              "Never leaves an existing Secret of that name alone. IfIdentical takes it over if"
                  + " nobody controls it and its data equal what would be written; no pod"
                  + " restarts. Default: Never.")
          Adopt adopt,
      @JsonPropertyDescription(
              "What becomes of the Secret and its snapshots when the binding is deleted. Default:"
                  + " Retain.")
          DeletionPolicy deletionPolicy) {

    /** Fills in what the user left out. */
    public Target {
      type = or(type, SecretType.OPAQUE);
      keys = list(keys);
      labels = map(labels);
      adopt = or(adopt, Adopt.Never);
      deletionPolicy = or(deletionPolicy, DeletionPolicy.Retain);
    }
  }

  /** The types that a delivered Secret may have; never a token that the cluster itself trusts. */
  public enum SecretType {
    /** Any keys. */
    @JsonProperty("Opaque")
    OPAQUE("Opaque", List.of()),
    /** A certificate and its key. */
    @JsonProperty("kubernetes.io/tls")
    TLS("kubernetes.io/tls", List.of("tls.crt", "tls.key")),
    /** Credentials of an image registry. */
    @JsonProperty("kubernetes.io/dockerconfigjson")
    DOCKER_CONFIG_JSON("kubernetes.io/dockerconfigjson", List.of(".dockerconfigjson")),
    /** User name and password. */
    @JsonProperty("kubernetes.io/basic-auth")
    BASIC_AUTH("kubernetes.io/basic-auth", List.of()),
    /** A private key for SSH. */
    @JsonProperty("kubernetes.io/ssh-auth")
    SSH_AUTH("kubernetes.io/ssh-auth", List.of("ssh-privatekey"));

    private final String value;
    private final List<String> requiredKeys;

    SecretType(String value, List<String> requiredKeys) {
      this.value = value;
      this.requiredKeys = requiredKeys;
    }

    /** The value of a Secret's {@code type}. */
    public String value() {
      return value;
    }

    /** The keys without which the API server refuses a Secret of this type. */
    public List<String> requiredKeys() {
      return requiredKeys;
    }
  }

  /**
   * A key of the delivered Secret.
   *
   * @param name its name
   * @param from key of the source with its value
   * @param template text with placeholders
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "has(self.from) != has(self.template)",
      message =
          "a key takes its value either from a key of the source or from a template: write exactly"
              + " one of from and template")
  public record Key(
      @Required
          @Size(min = 1, max = 253)
          @ValidationRule(
              value = "self.matches('^[-._a-zA-Z0-9]+$')",
              message =
                  "a key name consists of letters, digits, '-', '_' and '.', as in every Secret")
          @JsonPropertyDescription("Name of the key in the delivered Secret.")
          String name,
      @Size(min = 1, max = 253) @JsonPropertyDescription("The key of the source with its value.")
          String from,
      @Size(min = 1, max = 4096)
          @JsonPropertyDescription(
              "Text with placeholders: {key} is the value of a key of the source, {key.urlEncoded},"
                  + " {key.base64}, {key.json} and {key.trim} transform it, {{ and }} are braces.")
          String template) {}

  /** Whether an existing Secret may be taken over. */
  public enum Adopt {
    /** An existing Secret is left alone. */
    Never,
    /** It is taken over if nobody controls it and its data equal what would be written. */
    IfIdentical
  }

  /** What becomes of alias and snapshots when the binding goes. */
  public enum DeletionPolicy {
    /** They stay. */
    Retain,
    /** They are deleted. */
    Delete
  }

  /**
   * Who receives the secret.
   *
   * @param kind kind of the workload
   * @param name its name
   * @param selector or the labels of several
   * @param wave when it follows a new version: lower ones first
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "has(self.name) != has(self.selector)",
      message =
          "a workload is named either by name or by selector: write exactly one of name and"
              + " selector")
  public record Workload(
      @Required @JsonPropertyDescription("Kind of the workload.") WorkloadKind kind,
      @Size(min = 1, max = 253)
          @JsonPropertyDescription("Name of the workload, in the namespace of the binding.")
          String name,
      @JsonPropertyDescription("Labels of the workloads, in the namespace of the binding.")
          Selector selector,
      @Min(0)
          @Max(99)
          @JsonPropertyDescription(
              "When it follows a new version: the workloads of a wave only once each of a lower one"
                  + " runs on it. Default: 0.")
          Integer wave) {

    /** Fills in what the user left out. */
    public Workload {
      wave = or(wave, 0);
    }
  }

  /** The kinds of workloads that can receive a secret. */
  public enum WorkloadKind {
    /** {@code apps/v1} Deployment. */
    Deployment
  }

  /**
   * Selects workloads by their labels.
   *
   * @param matchLabels labels that they carry, all of them
   */
  public record Selector(
      @Required
          @Size(min = 1, max = 16)
          @JsonPropertyDescription("Labels that the workloads carry, all of them.")
          Map<String, String> matchLabels) {

    /** Copies the map. */
    public Selector {
      matchLabels = map(matchLabels);
    }
  }

  /**
   * How the secret reaches the workloads.
   *
   * @param mode who refers to what
   * @param reload how pods take up a new version
   */
  public record Delivery(
      @JsonPropertyDescription(
              "Alias: the workloads refer to the Secret by its name. Default: Alias.")
          Mode mode,
      @JsonPropertyDescription("How pods take up a new version.") Reload reload) {

    /** Fills in what the user left out. */
    public Delivery {
      mode = or(mode, Mode.Alias);
      reload = or(reload, new Reload(null));
    }
  }

  /** Who refers to what. */
  public enum Mode {
    /** Workloads refer to the alias; one annotation on the pod template starts the new pods. */
    Alias
  }

  /**
   * How pods take up a new version.
   *
   * @param type by which means
   */
  public record Reload(
      @JsonPropertyDescription(
              "Restart: pods are replaced as the workload's own strategy says. Default: Restart.")
          ReloadType type) {

    /** Fills in what the user left out. */
    public Reload {
      type = or(type, ReloadType.Restart);
    }
  }

  /** By which means pods take up a new version. */
  public enum ReloadType {
    /** They are replaced, as the workload's own strategy says. */
    Restart
  }

  /**
   * Refers to a RotationPolicy of the namespace.
   *
   * @param name its name
   */
  public record PolicyRef(
      @Required
          @Size(min = 1, max = 253)
          @JsonPropertyDescription("Name of the RotationPolicy, in the namespace of the binding.")
          String name) {}

  /**
   * A request to rotate now.
   *
   * @param nonce a text that was not used before
   * @param reason why
   * @param reportedAt when a compromise was found; null: when the request is seen
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "!has(self.reportedAt) || (has(self.reason) && self.reason == 'Compromise')",
      message =
          "rotate.reportedAt is the time at which a compromise was found: set reason to Compromise,"
              + " or remove it")
  public record Rotate(
      @Required
          @Size(min = 1, max = 128)
          @JsonPropertyDescription("Any text; a change of it rotates once.")
          String nonce,
      @JsonPropertyDescription(
              "Why. Manual: because somebody wants to. Compromise: the current value is known to"
                  + " others, and has to be replaced everywhere as soon as possible. Default:"
                  + " Manual.")
          RotateReason reason,
      @JsonPropertyDescription(
              "When the compromise was found. Default: when Keyturn sees the request.")
          Instant reportedAt) {

    /** Fills in what the user left out. */
    public Rotate {
      reason = or(reason, RotateReason.Manual);
    }
  }

  /** Why a person asks for a rotation. */
  public enum RotateReason {
    /** Because they want one. */
    Manual,
    /** Because the current value is known to others. */
    Compromise
  }
}
