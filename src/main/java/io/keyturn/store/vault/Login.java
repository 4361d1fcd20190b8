package io.keyturn.store.vault;

import static io.keyturn.store.vault.Failures.failure;

import io.keyturn.api.v1alpha1.Provider.AppRole;
import io.keyturn.api.v1alpha1.Provider.KeyRef;
import io.keyturn.api.v1alpha1.Provider.ServiceAccountLogin;
import io.keyturn.api.v1alpha1.Provider.Userpass;
import io.keyturn.api.v1alpha1.Provider.VaultAuth;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.store.spi.Tenant;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/** Gets tokens for a tenant, by the auth method that its store names. */
final class Login {

  /** What a header takes; Vault's tokens have nothing else. */
  private static final Pattern TOKEN = Pattern.compile("[!-~]{1,8192}");

  private static final Pattern WRONG_CREDENTIALS =
      Pattern.compile(
          "\\s*\\{\"errors\":\\[\"invalid (role ID|secret id|role or secret ID|username or password)\"]}\\s*");

  private final Connection connection;
  private final Tenant tenant;
  private final InstantSource clock;

  Login(Connection connection, Tenant tenant, InstantSource clock) {
    this.connection = connection;
    this.tenant = tenant;
    this.clock = clock;
  }

  /**
   * A new token; where the store names one, that one.
   *
   * @throws StoreException of kind DENIED if Vault does not let the tenant in
   */
  Token token(Deadline deadline) {
    VaultAuth auth = tenant.provider().vault().auth();
    if (auth.kubernetes() != null) {
      return serviceAccount(auth.kubernetes(), "kubernetes", deadline);
    }
    if (auth.jwt() != null) {
      return serviceAccount(auth.jwt(), "jwt", deadline);
    }
    if (auth.appRole() != null) {
      return appRole(auth.appRole(), deadline);
    }
    if (auth.userpass() != null) {
      return userpass(auth.userpass(), deadline);
    }
    return named(auth.token().secretRef(), deadline);
  }

  /** Whether the store names a token. */
  boolean isNamed() {
    return tenant.provider().vault().auth().token() != null;
  }

  private Token serviceAccount(ServiceAccountLogin login, String method, Deadline deadline) {
    String mount = login.mountPath() == null ? method : login.mountPath();
    String jwt = known(() -> tenant.token(login.serviceAccountName(), login.audience()));
    return post(
        "auth/" + mount + "/login",
        Map.of("role", login.role(), "jwt", jwt),
        "the role %s at auth/%s with the ServiceAccount %s of the namespace %s and the audience %s"
            .formatted(
                login.role(),
                mount,
                login.serviceAccountName(),
                tenant.namespace(),
                login.audience()),
        deadline);
  }

  private Token appRole(AppRole login, Deadline deadline) {
    return post(
        "auth/" + login.mountPath() + "/login",
        Map.of("role_id", login.roleId(), "secret_id", secret(login.secretIdRef())),
        "the AppRole of the store at auth/%s with the secret id of the Secret %s"
            .formatted(login.mountPath(), login.secretIdRef().name()),
        deadline);
  }

  private Token userpass(Userpass login, Deadline deadline) {
    String user = URLEncoder.encode(login.username(), StandardCharsets.UTF_8).replace("+", "%20");
    return post(
        "auth/" + login.mountPath() + "/login/" + user,
        Map.of("password", secret(login.passwordRef())),
        "the user %s at auth/%s with the password of the Secret %s"
            .formatted(login.username(), login.mountPath(), login.passwordRef().name()),
        deadline);
  }

  private Token post(String path, Map<String, String> body, String who, Deadline deadline) {
    Instant before = clock.instant();
    Answer answer = connection.ask(Call.post(path, body), deadline);
    if (isNotLetIn(answer)) {
      throw failure(
          Kind.DENIED,
          "Vault does not let in %s (code %s): check that the role exists and is bound to them.",
          who,
          answer.status());
    }
    if (answer.status() == 404 || answer.status() == 405) {
      throw failure(
          Kind.PERMANENT,
          "Vault has no such auth method for %s (code %s): check mountPath.",
          who,
          answer.status());
    }
    Reply auth = answer.orFail().reply().required("auth");
    String value = auth.requiredText("client_token");
    if (!TOKEN.matcher(value).matches()) {
      throw auth.invalid("its token has characters that no token has.");
    }
    boolean batch = auth.text("token_type").filter("batch"::equals).isPresent();
    return new Token(
        value,
        auth.text("accessor"),
        before,
        end(before, auth.seconds("lease_duration")),
        auth.flag("renewable") && !batch);
  }

  /** Vault 1.13 says of a wrong password that it has an error of its own. */
  private static boolean isNotLetIn(Answer answer) {
    return switch (answer.status()) {
      case 400, 401, 403 -> true;
      case 500 ->
          WRONG_CREDENTIALS.matcher(new String(answer.body(), StandardCharsets.UTF_8)).matches();
      default -> false;
    };
  }

  private Token named(KeyRef ref, Deadline deadline) {
    String value = secret(ref);
    if (!TOKEN.matcher(value).matches()) {
      throw failure(
          Kind.PERMANENT,
          "The key %s of the Secret %s holds no token: it is empty, or has characters that no token"
              + " has.",
          ref.key(),
          ref.name());
    }
    Instant before = clock.instant();
    Answer answer = connection.ask(Call.get("auth/token/lookup-self"), value, deadline);
    if (answer.status() == 403) {
      // It may be good all the same: its policy need not let it look at itself.
      return new Token(value, Optional.empty(), before, Optional.empty(), true);
    }
    Reply data = answer.orFail().reply().required("data");
    return new Token(
        value,
        data.text("accessor"),
        before,
        end(before, data.seconds("ttl")),
        data.flag("renewable"));
  }

  private static Optional<Instant> end(Instant start, Duration ttl) {
    return ttl.isZero() ? Optional.empty() : Optional.of(start.plus(ttl));
  }

  /** People end files with line breaks that are no part of what they mean. */
  private String secret(KeyRef ref) {
    try (SecretData data = known(() -> tenant.secret(ref.name()))) {
      byte[] value = data.get(ref.key());
      if (value == null) {
        throw failure(
            Kind.PERMANENT,
            "The Secret %s of the namespace %s has no key %s, which the store names.",
            ref.name(),
            tenant.namespace(),
            ref.key());
      }
      return new String(value, StandardCharsets.UTF_8).replaceFirst("[\r\n]+$", "");
    }
  }

  /** What the login lacks is no matter of the source, which "not found" would be. */
  private static <T> T known(Supplier<T> asked) {
    try {
      return asked.get();
    } catch (StoreException e) {
      throw e.kind() == Kind.NOT_FOUND ? new StoreException(Kind.PERMANENT, e.getMessage()) : e;
    }
  }
}
