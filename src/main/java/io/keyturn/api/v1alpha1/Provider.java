package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.or;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/**
 * The server that a SecretStore stands for; exactly one member is set.
 *
 * @param vault a Vault or OpenBao
 * @param postgresql a PostgreSQL whose login roles are rotated
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
@ValidationRule(
    value = "has(self.vault) != has(self.postgresql)",
    message = "spec.provider takes exactly one member: write either vault or postgresql")
public record Provider(
    @JsonPropertyDescription("A HashiCorp Vault or an OpenBao, which speaks the same protocol.")
        Vault vault,
    @JsonPropertyDescription("A PostgreSQL server whose login roles are rotated in turn.")
        Postgresql postgresql) {

  private static final String URL_PATH = "^[a-zA-Z0-9_.~-]+(/[a-zA-Z0-9_.~-]+)*$";

  /**
   * A Vault or OpenBao.
   *
   * @param address its URL
   * @param namespace the Vault namespace; null: the root
   * @param caBundle the CAs that may sign its certificate, as PEM; null: those of the system
   * @param auth how the tenant logs in
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Vault(
      @Required
          @Size(min = 1, max = 253)
          @ValidationRule(
              value =
                  "self.matches('^https://[a-zA-Z0-9\\\\[][^[:space:]/?#@]*/?$') ||"
                      + " self.matches('^http://(127[.]0[.]0[.]1|localhost)(:[0-9]+)?/?$')",
              message =
                  "write the address as https://host:port, without user, path and query: tokens are"
                      + " never sent in the clear")
          @JsonPropertyDescription("Its URL, such as https://vault.example.org:8200.")
          String address,
      @Size(min = 1, max = 253)
          @Pattern(URL_PATH)
          @JsonPropertyDescription("The Vault namespace. Default: the root namespace.")
          String namespace,
      @Size(min = 1, max = 65536)
          @JsonPropertyDescription(
              "The CAs that may sign its certificate, as PEM. Default: those of the system.")
          String caBundle,
      @Required @JsonPropertyDescription("How to log in: exactly one member.") VaultAuth auth) {}

  /**
   * How a tenant logs in to Vault; exactly one member is set.
   *
   * @param kubernetes as a ServiceAccount that Vault asks the cluster about
   * @param jwt as a ServiceAccount whose token Vault verifies by itself
   * @param appRole as an AppRole
   * @param token with a token
   * @param userpass with a user name and a password
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value =
          "[has(self.kubernetes), has(self.jwt), has(self.appRole), has(self.token),"
              + " has(self.userpass)].filter(m, m).size() == 1",
      message =
          "auth takes exactly one member: write one of kubernetes, jwt, appRole, token and userpass")
  public record VaultAuth(
      @JsonPropertyDescription("As a ServiceAccount, of which Vault asks the cluster.")
          ServiceAccountLogin kubernetes,
      @JsonPropertyDescription("As a ServiceAccount, whose token Vault verifies by itself.")
          ServiceAccountLogin jwt,
      @JsonPropertyDescription("As an AppRole.") AppRole appRole,
      @JsonPropertyDescription("With a token that a Secret holds.") Token token,
      @JsonPropertyDescription("With a user name and a password that a Secret holds.")
          Userpass userpass) {}

  /**
   * A login with a token that is made for it.
   *
   * @param mountPath of the auth method; null: its kind
   * @param role of it
   * @param serviceAccountName of the namespace of the binding
   * @param audience that the token is made for
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record ServiceAccountLogin(
      @Size(min = 1, max = 253)
          @Pattern(URL_PATH)
          @JsonPropertyDescription(
              "Where the auth method is mounted, without auth/. Default: kubernetes or jwt.")
          String mountPath,
      @Required @Size(min = 1, max = 253) @JsonPropertyDescription("The role of the auth method.")
          String role,
      @Required
          @Size(min = 1, max = 253)
          @Pattern("^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$")
          @JsonPropertyDescription(
              "The ServiceAccount that logs in. It is one of the namespace of the SecretBinding.")
          String serviceAccountName,
      @Size(min = 1, max = 253)
          @ValidationRule(
              value = "!self.matches('^https?://kubernetes([.]default)?([./:]|$)')",
              message =
                  "a token with this audience opens the API server and must not leave the cluster:"
                      + " choose another one, such as vault")
          @JsonPropertyDescription(
              "The audience of the token that is made for each login; the role has to ask for the"
                  + " same. Default: vault.")
          String audience) {

    /** Fills in what the user left out. */
    public ServiceAccountLogin {
      audience = or(audience, "vault");
    }
  }

  /**
   * An AppRole.
   *
   * @param mountPath of the auth method
   * @param roleId of the role
   * @param secretIdRef where the secret id lies
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record AppRole(
      @Size(min = 1, max = 253)
          @Pattern(URL_PATH)
          @JsonPropertyDescription(
              "Where the auth method is mounted, without auth/. Default: approle.")
          String mountPath,
      @Required @Size(min = 1, max = 253) @JsonPropertyDescription("The role id.") String roleId,
      @Required @JsonPropertyDescription("Where the secret id lies.") KeyRef secretIdRef) {

    /** Fills in what the user left out. */
    public AppRole {
      mountPath = or(mountPath, "approle");
    }
  }

  /**
   * A token.
   *
   * @param secretRef where it lies
   */
  public record Token(
      @JsonProperty("secretRef") @Required @JsonPropertyDescription("Where the token lies.")
          KeyRef secretRef) {}

  /**
   * A user name and a password.
   *
   * @param mountPath of the auth method
   * @param username of the user
   * @param passwordRef where the password lies
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Userpass(
      @Size(min = 1, max = 253)
          @Pattern(URL_PATH)
          @JsonPropertyDescription(
              "Where the auth method is mounted, without auth/. Default: userpass.")
          String mountPath,
      @Required @Size(min = 1, max = 253) @JsonPropertyDescription("The user name.")
          String username,
      @Required @JsonPropertyDescription("Where the password lies.") KeyRef passwordRef) {

    /** Fills in what the user left out. */
    public Userpass {
      mountPath = or(mountPath, "userpass");
    }
  }

  /**
   * A key of a Secret.
   *
   * @param name of the Secret
   * @param key of it
   */
  public record KeyRef(
      @Required
          @Size(min = 1, max = 253)
          @JsonPropertyDescription("Name of the Secret, in the namespace of the SecretBinding.")
          String name,
      @Required @Size(min = 1, max = 253) @JsonPropertyDescription("The key with the value.")
          String key) {}

  /**
   * A PostgreSQL server.
   *
   * @param host its name, which its certificate must have
   * @param port of it
   * @param database to connect to
   * @param sslMode how its certificate is verified
   * @param caBundle the CAs that may sign its certificate, as PEM; null: those of the system
   * @param adminSecretRef who changes the roles
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Postgresql(
      @Required
          @Size(min = 1, max = 253)
          @ValidationRule(value = Api.HOST_RULE, message = Api.HOST_MESSAGE)
          @JsonPropertyDescription("Its host name, which its certificate must have.")
          String host,
      @Min(1) @Max(65535) @JsonPropertyDescription("Its port. Default: 5432.") Integer port,
      @Required @Size(min = 1, max = 63) @JsonPropertyDescription("The database to connect to.")
          String database,
      @JsonPropertyDescription(
              "verify-full: its certificate must have its name and be signed by a CA that is"
                  + " trusted. There is no weaker mode. Default: verify-full.")
          SslMode sslMode,
      @Size(min = 1, max = 65536)
          @JsonPropertyDescription(
              "The CAs that may sign its certificate, as PEM. Default: those of the system.")
          String caBundle,
      @Required
          @JsonPropertyDescription(
              "The Secret of the namespace of the SecretBinding with the keys username and password"
                  + " of a role that may change the rotated ones.")
          SecretRef adminSecretRef) {

    /** Fills in what the user left out. */
    public Postgresql {
      port = or(port, 5432);
      sslMode = or(sslMode, SslMode.VERIFY_FULL);
    }
  }

  /** How the certificate of a server is verified. */
  public enum SslMode {
    /** Its name and its signatures. */
    @JsonProperty("verify-full")
    VERIFY_FULL
  }

  /**
   * A Secret.
   *
   * @param name of it
   */
  public record SecretRef(
      @Required
          @Size(min = 1, max = 253)
          @JsonPropertyDescription("Name of the Secret, in the namespace of the SecretBinding.")
          String name) {}
}
