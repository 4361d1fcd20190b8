package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.or;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.crd.generator.annotation.PreserveUnknownFields;
import io.fabric8.crd.generator.annotation.SchemaFrom;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A check of a new version before any pod sees it; exactly one of the members after {@code timeout}
 * is set.
 *
 * @param name unique within the policy
 * @param timeout how long the check may take
 * @param job a pod of the user's own that judges the version by its exit code
 * @param tcp whether a port can be reached
 * @param http whether a request with the version is answered as expected
 * @param tls whether a certificate is in order
 * @param postgresql whether a PostgreSQL takes the login
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value =
        "[has(self.job), has(self.tcp), has(self.http), has(self.tls),"
            + " has(self.postgresql)].exists_one(set, set)",
    message =
        "a check does exactly one thing: write one of job, tcp, http, tls and postgresql, and add"
            + " another entry for another check")
public record Preflight(
    @Required
        @Size(min = 1, max = Api.MAX_LABEL)
        @Pattern(Api.LABEL)
        @JsonPropertyDescription(
            "Name of the check, unique within the policy: lower-case letters, digits and '-'.")
        String name,
    @Pattern(Durations.PATTERN)
        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(
            value = Api.POSITIVE_RULE,
            message =
                "a check needs time: write for example 30s, or leave timeout out for its default"
                    + " of 2m")
        @JsonPropertyDescription(
            "How long the check may take. A check that Keyturn makes itself takes at most 30s, a"
                + " Job as long as this says. Default: 2m.")
        String timeout,
    @JsonPropertyDescription("A pod of your own, which judges the version by its exit code.")
        Job job,
    @JsonPropertyDescription("Whether a port can be reached from where Keyturn runs.") Tcp tcp,
    @JsonPropertyDescription(
            "Whether a GET request, with the version as its credentials if you name keys, is"
                + " answered as expected. Redirects are not followed.")
        Http http,
    @JsonPropertyDescription("Whether the certificate of the version is in order.") Tls tls,
    @JsonPropertyDescription("Whether a PostgreSQL takes the login of the version.")
        Postgresql postgresql) {

  /** Fills in what the user left out. */
  public Preflight {
    timeout = or(timeout, "2m");
  }

  /**
   * A pod of the user's own.
   *
   * @param template its template as it was written; what is wrong in it is found when it is used,
   *     because an object that cannot be read would keep all others from being read
   */
  public record Job(
      @Required
          @PreserveUnknownFields
          @SchemaFrom(type = Object.class)
          @JsonPropertyDescription(
              "Template of the pod, as in a Job. Each container finds the version as files under"
                  + " /keyturn/secret and as environment variables, and what refers to the Secret"
                  + " of the binding refers to the version. It runs once and never restarts: exit"
                  + " code 0 passes, another fails, and a pod that cannot start is no verdict.")
          Map<String, Object> template) {

    /** Copies the map. */
    public Job {
      // Map.copyOf would refuse null values, and people write them.
      template =
          template == null ? Map.of() : Collections.unmodifiableMap(new LinkedHashMap<>(template));
    }
  }

  /**
   * A port to reach.
   *
   * @param host its name or address
   * @param port its number
   */
  public record Tcp(
      @Required
          @Size(min = 1, max = 253)
          @ValidationRule(value = Api.HOST_RULE, message = Api.HOST_MESSAGE)
          @JsonPropertyDescription("Name or address of the host.")
          String host,
      @Required @Min(1) @Max(65535) @JsonPropertyDescription("Number of the port.") Integer port) {}

  /**
   * A request.
   *
   * @param url where to
   * @param expectStatus the status that passes; null: any 2xx
   * @param usernameKey key of the user name for basic authentication; null: none
   * @param passwordKey key of the password for it; null: none
   * @param bearerKey key of a bearer token; null: none
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "has(self.usernameKey) == has(self.passwordKey)",
      message = "basic authentication takes both usernameKey and passwordKey: write the other, too")
  @ValidationRule(
      value = "!has(self.bearerKey) || !has(self.passwordKey)",
      message =
          "a request carries one kind of credentials: write either bearerKey, or usernameKey and"
              + " passwordKey")
  public record Http(
      @Required
          @Size(min = 1, max = 2048)
          @ValidationRule(value = Api.URL_RULE, message = Api.URL_MESSAGE)
          @JsonPropertyDescription(
              "Absolute URL. The credentials travel as it says, so write https where the network"
                  + " is not yours.")
          String url,
      @Min(200)
          @Max(599)
          @JsonPropertyDescription("The status that passes. Default: any from 200 to 299.")
          Integer expectStatus,
      @Size(min = 1, max = 253)
          @JsonPropertyDescription("Key of the user name, for basic authentication.")
          String usernameKey,
      @Size(min = 1, max = 253)
          @JsonPropertyDescription("Key of the password, for basic authentication.")
          String passwordKey,
      @Size(min = 1, max = 253) @JsonPropertyDescription("Key of a bearer token.")
          String bearerKey) {}

  /**
   * A certificate, and a server where it has to prove itself.
   *
   * @param host name that the certificate is for, or, with a port, of the server
   * @param port of the server; null: no connection is made
   * @param certificateKey key of the certificate and its chain; null: see {@link
   *     #DEFAULT_CERTIFICATE}
   * @param privateKeyKey key of the private key; null: see {@link #DEFAULT_PRIVATE_KEY}
   * @param caKey key of the certificates to trust; null: {@link #DEFAULT_CA} where there is one,
   *     else those of the system
   * @param minValidity how long the certificate must remain valid
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Tls(
      @Required
          @Size(min = 1, max = 253)
          @ValidationRule(value = Api.HOST_RULE, message = Api.HOST_MESSAGE)
          @JsonPropertyDescription(
              "Without a port: the name that the certificate must be for. With one: the server"
                  + " that a connection is made to.")
          String host,
      @Min(1)
          @Max(65535)
          @JsonPropertyDescription(
              "Port of a server that a connection is made to, with the certificate of the version"
                  + " as that of the client, and trusting the CA of the version. Default: the"
                  + " certificate is looked at, and no connection is made.")
          Integer port,
      @Size(min = 1, max = 253)
          @JsonPropertyDescription(
              "Key of the certificate, followed by its chain, as PEM. Default: tls.crt.")
          String certificateKey,
      @Size(min = 1, max = 253)
          @JsonPropertyDescription("Key of the private key, as PEM. Default: tls.key.")
          String privateKeyKey,
      @Size(min = 1, max = 253)
          @JsonPropertyDescription(
              "Key of the CA certificates to trust, as PEM. Default: ca.crt where the version has"
                  + " one, else those of the system.")
          String caKey,
      @Pattern(Durations.PATTERN)
          @Size(max = Durations.MAX_LENGTH)
          @ValidationRule(
              value = Api.POSITIVE_RULE,
              message =
                  "a certificate that is about to expire is of no use: write for example 1h, or"
                      + " leave minValidity out for its default of 24h")
          @JsonPropertyDescription(
              "How long the certificate and its chain must remain valid. Default: 24h.")
          String minValidity) {

    /** Where the certificate is unless a key is named. */
    public static final String DEFAULT_CERTIFICATE = "tls.crt";

    /** Where the private key is unless a key is named. */
    public static final String DEFAULT_PRIVATE_KEY = "tls.key";

    /** Where CA certificates may be unless a key is named. */
    public static final String DEFAULT_CA = "ca.crt";

    /** Fills in what the user left out, but keys: whether one was named makes a difference. */
    public Tls {
      minValidity = or(minValidity, "24h");
    }
  }

  /**
   * A login to PostgreSQL.
   *
   * @param host of the server
   * @param port of the server
   * @param database to log in to
   * @param usernameKey key of the user name
   * @param passwordKey key of the password
   * @param sslMode how the connection is protected
   * @param caKey key of the CA certificates to trust; null: those of the system
   * @param query a question to ask after the login; null: none
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "!has(self.caKey) || !has(self.sslMode) || self.sslMode == 'verify-full'",
      message =
          "caKey says whom to trust, and only the sslMode verify-full asks: leave out one of them")
  public record Postgresql(
      @Required
          @Size(min = 1, max = 253)
          @ValidationRule(value = Api.HOST_RULE, message = Api.HOST_MESSAGE)
          @JsonPropertyDescription("Name or address of the server.")
          String host,
      @Min(1) @Max(65535) @JsonPropertyDescription("Port of the server. Default: 5432.")
          Integer port,
      @Required @Size(min = 1, max = 63) @JsonPropertyDescription("The database to log in to.")
          String database,
      @Size(min = 1, max = 253) @JsonPropertyDescription("Key of the user name. Default: username.")
          String usernameKey,
      @Size(min = 1, max = 253) @JsonPropertyDescription("Key of the password. Default: password.")
          String passwordKey,
      @JsonPropertyDescription(
              "disable: no TLS. prefer: TLS if the server offers it. require: TLS with whichever"
                  + " server answers. verify-full: TLS with a server whose certificate is trusted"
                  + " and for this host. Default: verify-full.")
          SslMode sslMode,
      @Size(min = 1, max = 253)
          @JsonPropertyDescription(
              "Key of the CA certificates to trust, as PEM. Default: those of the system.")
          String caKey,
      @Size(min = 1, max = 4096)
          @JsonPropertyDescription(
              "One statement that reads, asked after the login, in a transaction that cannot"
                  + " write. It must not fail and must return a row, for example: SELECT 1 WHERE"
                  + " has_table_privilege('orders', 'INSERT').")
          String query) {

    /** Fills in what the user left out. */
    public Postgresql {
      port = or(port, 5432);
      usernameKey = or(usernameKey, "username");
      passwordKey = or(passwordKey, "password");
      sslMode = or(sslMode, SslMode.VERIFY_FULL);
    }
  }

  /** How a connection to PostgreSQL is protected; libpq's words. */
  public enum SslMode {
    /** Not at all. */
    @JsonProperty("disable")
    DISABLE("disable"),
    /** By TLS if the server offers it. */
    @JsonProperty("prefer")
    PREFER("prefer"),
    /** By TLS, whoever answers. */
    @JsonProperty("require")
    REQUIRE("require"),
    /** By TLS with a server that proves to be the one that was meant. */
    @JsonProperty("verify-full")
    VERIFY_FULL("verify-full");

    private final String value;

    SslMode(String value) {
      this.value = value;
    }

    /** The word that users write. */
    public String value() {
      return value;
    }
  }
}
