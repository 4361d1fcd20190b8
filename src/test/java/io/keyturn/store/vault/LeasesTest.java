package io.keyturn.store.vault;

import static io.keyturn.store.vault.ScriptedVault.auth;
import static io.keyturn.store.vault.ScriptedVault.says;
import static io.keyturn.store.vault.VaultWorld.failure;
import static io.keyturn.store.vault.VaultWorld.lease;
import static io.keyturn.store.vault.VaultWorld.order;
import static io.keyturn.store.vault.VaultWorld.provider;
import static io.keyturn.store.vault.VaultWorld.tenant;
import static io.keyturn.store.vault.VaultWorld.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.Provider.KeyRef;
import io.keyturn.api.v1alpha1.Provider.VaultAuth;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Method;
import io.keyturn.contract.TestTenant;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.OwnLogin;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.Store.Refusal;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class LeasesTest {

  private static final int AS_LONG_AS_ASKED = 3650 * 24 * 3600;
  private static final String LOGIN = "POST auth/kubernetes/login";
  private static final String ISSUE = "GET database/creds/app";
  private static final String RENEW = "PUT sys/leases/renew";
  private static final String RENEW_OWNER = "POST auth/token/renew-accessor";
  private static final String REVOKE = "PUT sys/leases/revoke";
  private static final String LOOKUP = "PUT sys/leases/lookup";
  private static final String END_LOGIN = "POST auth/token/revoke-accessor";
  private static final String LEASE = "database/creds/app/abc";
  private static final String GONE = "{\"errors\": [\"invalid lease\"]}";

  private final ManualClock clock = new ManualClock(Instant.parse("2026-11-25T12:00:00Z"));
  private final Instant start = clock.instant();
  private ScriptedVault vault;
  private Store store;

  @BeforeEach
  void open() throws IOException {
    vault = ScriptedVault.start();
    vault.on(ISSUE, says(200, issued(600, true)));
    vault.on(RENEW, says(200, renewed(600, true)));
    vault.on(RENEW_OWNER, says(200, auth("", "accessor-1", 3600, true)));
    store = new VaultStore(clock).open(tenant(vault.address()));
  }

  @AfterEach
  void close() {
    store.close();
    vault.close();
  }

  private static String issued(int seconds, boolean renewable) {
    return """
    {"lease_id": "%s", "lease_duration": %d, "renewable": %s, "warnings": null,
      "data": {"username": "v-app-1", "password": "correct-horse", "security_token": null}}\
    """
        .formatted(LEASE, seconds, renewable);
  }

  private static String renewed(int seconds, boolean renewable) {
    return "{\"lease_id\": \"%s\", \"lease_duration\": %d, \"renewable\": %s}"
        .formatted(LEASE, seconds, renewable);
  }

  private Credential issue() {
    return store.issue(lease("database/creds/app"), order()).credential().orElseThrow();
  }

  private void login(int seconds, boolean renewable) {
    vault.on(LOGIN, says(200, auth("t", "accessor-1", seconds, renewable)));
  }

  @Test
  void issuesWithALoginOfItsOwn() {
    Reading.Value value = store.issue(lease("database/creds/app"), order());
    store.issue(lease("database/creds/app"), order());

    assertThat(vault.asked(LOGIN)).hasSize(2);
    assertThat(vault.asked(ISSUE)).extracting(ScriptedVault.Asked::token).doesNotHaveDuplicates();
    assertThat(value.data().keys()).containsExactly("password", "username");
    assertThat(text(value.data(), "username")).isEqualTo("v-app-1");
    Credential credential = value.credential().orElseThrow();
    assertThat(credential.id()).isEqualTo("lease:" + LEASE);
    assertThat(credential.owner())
        .contains("accessor-1 " + start.plusSeconds(3600).getEpochSecond());
    assertThat(credential.ttl()).contains(Duration.ofSeconds(600));
    assertThat(credential.expiresAt()).contains(start.plusSeconds(600));
    assertThat(credential.renewable()).isTrue();
    assertThat(credential.hardExpiry()).isEmpty();
  }

  @Test
  void issuesToTheLoginThatWasNotedAndEndsItLater() {
    OwnLogin login = store.login(lease("database/creds/app")).orElseThrow();
    Credential credential =
        store
            .issue(lease("database/creds/app"), order().to(Optional.of(login)))
            .credential()
            .orElseThrow();

    assertThat(vault.asked(LOGIN)).hasSize(1);
    assertThat(credential.owner()).isPresent().isEqualTo(login.owner());

    vault.on(END_LOGIN, says(204, ""), says(400, "{\"errors\": [\"invalid accessor\"]}"));
    store.logout(login.owner().orElseThrow());
    store.logout(login.owner().orElseThrow());
    assertThat(vault.asked(END_LOGIN).getFirst().body()).isEqualTo("{\"accessor\":\"accessor-1\"}");
  }

  @Test
  void doesNotSayThatALoginHasGoneThatItMayNotEnd() {
    String owner = issue().owner().orElseThrow();
    vault.on(END_LOGIN, says(403, "{}"));

    assertThat(failure(() -> store.logout(owner)).kind()).isEqualTo(Kind.DENIED);
  }

  @Test
  void passesParametersAsTheMethodWants() {
    vault.on("PUT transit/lease", says(200, issued(60, true)));

    store.issue(lease("database/creds/app", Method.GET, Map.of("ttl", "1 h&x")), order());
    store.issue(lease("transit/lease", Method.PUT, Map.of("role", "a\"b")), order());

    assertThat(vault.asked(ISSUE).getFirst().query()).isEqualTo("ttl=1+h&x");
    assertThat(vault.asked("PUT transit/lease").getFirst().body())
        .isEqualTo("{\"role\":\"a\\\"b\"}");
  }

  @Test
  void endsWithItsToken() {
    login(120, true);
    Credential credential = issue();

    assertThat(credential.expiresAt()).contains(start.plusSeconds(120));
    assertThat(credential.ttl()).contains(Duration.ofSeconds(120));
    assertThat(credential.hardExpiry()).isEmpty();
  }

  @Test
  void endsForGoodWithATokenThatCannotBeRenewed() {
    login(120, false);
    assertThat(issue().hardExpiry()).contains(start.plusSeconds(120));
    assertThat(issue().owner()).isEmpty();

    vault.on(
        LOGIN,
        says(
            200,
            """
            {"auth": {"client_token": "hvb.x", "accessor": "", "lease_duration": 300,
              "renewable": true, "token_type": "batch"}}\
            """));
    assertThat(issue().hardExpiry()).contains(start.plusSeconds(300));
    assertThat(issue().owner()).isEmpty();
  }

  @Test
  void endsForGoodWhereTheLeaseCannotBeRenewed() {
    vault.on(ISSUE, says(200, issued(600, false)));
    Credential credential = issue();

    assertThat(credential.hardExpiry()).contains(start.plusSeconds(600));
    assertThat(store.renew(credential)).isEqualTo(credential);
    assertThat(vault.asked(RENEW)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"data\": {\"password\": \"correct-horse\"}, \"lease_id\": \"\"}",
        "{\"data\": {\"password\": \"correct-horse\"}}"
      })
  void refusesAPathThatIssuesNoLease(String body) {
    vault.on(ISSUE, says(200, body));

    StoreException e = failure(this::issue);

    assertThat(e.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(e).hasMessageContaining("no lease").hasMessageNotContaining("horse");
    assertThat(vault.asked(REVOKE)).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"lease_id\": \"a\", \"lease_duration\": 0, \"data\": {\"p\": \"correct-horse\"}}",
        "{\"lease_id\": \"a\", \"lease_duration\": 60, \"data\": {}}",
        "{\"lease_id\": \"a\", \"lease_duration\": 60, \"data\": null}",
        "{\"lease_id\": \"a\", \"lease_duration\": \"60\", \"data\": {\"p\": \"correct-horse\"}}",
        "{\"lease_id\": \"a\", \"lease_duration\": 999999999999, \"data\": {\"p\": \"x\"}}",
        "{\"lease_id\": 7, \"lease_duration\": 60, \"data\": {\"p\": \"correct-horse\"}}",
        "{\"lease_id\": \"a\", \"lease_duration\": 60, \"renewable\": 1, \"data\": {\"p\": \"x\"}}"
      })
  void refusesALeaseThatContradictsItself(String body) {
    vault.on(ISSUE, says(200, body));

    StoreException e = failure(this::issue);

    assertThat(e.kind()).isEqualTo(Kind.INTEGRITY);
    assertThat(e).hasMessageNotContaining("horse");
  }

  @Test
  void saysThatAQuotaIsUsedUp() {
    vault.on(ISSUE, says(429, ""), says(429, "Retry-After", "5"));

    assertThat(failure(this::issue).reason()).isEqualTo(Reasons.QUOTA_EXCEEDED);
    assertThat(failure(this::issue).reason()).isEqualTo(Reasons.STORE_THROTTLED);
  }

  @Test
  void renewsTheLeaseAndItsToken() {
    Credential credential = issue();
    vault.on(RENEW, says(200, renewed(AS_LONG_AS_ASKED, true)), says(200, renewed(600, true)));
    clock.advance(Duration.ofSeconds(400));

    Credential renewed = store.renew(credential);

    assertThat(renewed.id()).isEqualTo(credential.id());
    assertThat(renewed.expiresAt()).contains(start.plusSeconds(1000));
    assertThat(renewed.hardExpiry()).isEmpty();
    assertThat(renewed.renewable()).isTrue();
    assertThat(renewed.owner()).contains("accessor-1 " + start.plusSeconds(4000).getEpochSecond());
    assertThat(vault.asked(RENEW).getLast().body())
        .contains("\"lease_id\":\"" + LEASE + "\"", "\"increment\":600");
    assertThat(vault.asked(RENEW_OWNER).getFirst().body())
        .isEqualTo("{\"accessor\":\"accessor-1\"}");
    assertThat(vault.asked(RENEW).getFirst().token())
        .isNotEqualTo(vault.asked(ISSUE).getFirst().token());
  }

  @Test
  void asksOnceHowLongALeaseCanLiveAtMost() {
    Credential credential = issue();
    vault.on(RENEW, says(200, renewed(3600, true)), says(200, renewed(600, true)));

    Credential renewed = store.renew(credential);

    assertThat(renewed.hardExpiry()).contains(start.plusSeconds(3600));
    assertThat(renewed.expiresAt()).contains(start.plusSeconds(600));
    clock.advance(Duration.ofSeconds(400));
    store.renew(renewed);
    assertThat(vault.asked(RENEW)).hasSize(3);
    assertThat(vault.asked(RENEW).getLast().body()).contains("\"increment\":600");
  }

  @Test
  void learnsTheHardExpiryFromARenewalThatWasCut() {
    Credential credential = issue();
    vault.on(
        RENEW,
        says(200, renewed(AS_LONG_AS_ASKED, true)),
        says(200, renewed(598, true)),
        says(200, renewed(100, true)));

    assertThat(store.renew(credential).hardExpiry()).isEmpty();
    Credential cut = store.renew(credential);
    assertThat(cut.hardExpiry()).contains(start.plusSeconds(100));
    assertThat(cut.expiresAt()).contains(start.plusSeconds(100));
  }

  @Test
  void learnsTheHardExpiryFromATokenThatWasCut() {
    Credential credential = issue();
    vault.on(RENEW_OWNER, says(200, auth("", "accessor-1", 90, true)));

    Credential renewed = store.renew(credential);

    assertThat(renewed.hardExpiry()).contains(start.plusSeconds(90));
    assertThat(renewed.expiresAt()).contains(start.plusSeconds(90));
  }

  @Test
  void endsWithItsTokenWhereNobodyMayRenewThat() {
    Credential credential = issue();
    vault.on(RENEW, says(200, renewed(AS_LONG_AS_ASKED, true)), says(200, renewed(600, true)));
    vault.on(RENEW_OWNER, says(403, "{}"));
    clock.advance(Duration.ofSeconds(400));

    Credential renewed = store.renew(credential);

    assertThat(renewed.expiresAt()).contains(start.plusSeconds(1000));
    assertThat(renewed.hardExpiry()).contains(start.plusSeconds(3600));
    assertThat(renewed.owner()).isEmpty();
    clock.advance(Duration.ofSeconds(3100));
    Credential last = store.renew(renewed);
    assertThat(last.expiresAt()).contains(start.plusSeconds(3600));
    assertThat(last.hardExpiry()).contains(start.plusSeconds(3600));
  }

  @Test
  void triesAgainWhereTheTokenCannotBeRenewedNow() {
    Credential credential = issue();
    vault.on(RENEW_OWNER, says(500, "{}"));

    assertThat(failure(() -> store.renew(credential)).kind()).isEqualTo(Kind.TRANSIENT);
  }

  @ParameterizedTest
  @CsvSource({"400, 400", "400, 404", "404, 404"})
  void saysThatALeaseIsLost(int renewal, int lookup) {
    Credential credential = issue();
    vault.on(RENEW, says(renewal, GONE)).on(LOOKUP, says(lookup, GONE));

    StoreException e = failure(() -> store.renew(credential));

    assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND);
    assertThat(e.reason()).isEqualTo(Reasons.LEASE_LOST);
    assertThat(e).hasMessageNotContaining(LEASE);
  }

  @ParameterizedTest
  @CsvSource({"403, DENIED", "429, THROTTLED", "500, TRANSIENT", "503, TRANSIENT"})
  void neitherLosesNorEndsALeaseThatItMayNotLookUp(int lookup, Kind kind) {
    Credential credential = issue();
    vault.on(RENEW, says(400, GONE)).on(REVOKE, says(400, GONE)).on(LOOKUP, says(lookup, "{}"));

    StoreException notRenewed = failure(() -> store.renew(credential));
    StoreException notRevoked = failure(() -> store.revoke(credential, true));

    assertThat(notRenewed.kind()).isEqualTo(kind);
    assertThat(notRenewed.isLeaseLost()).isFalse();
    assertThat(notRevoked.kind()).isEqualTo(kind);
  }

  @Test
  void doesNotTakeALeaseForLostThatItCannotRenewNow() {
    Credential credential = issue();
    vault.on(RENEW, says(400, "{\"errors\": [\"failed to renew entry\"]}"));
    vault.on(
        LOOKUP,
        says(200, "{\"data\": {\"renewable\": true}}"),
        says(200, "{\"data\": {\"renewable\": false}}"));

    assertThat(failure(() -> store.renew(credential)).kind()).isEqualTo(Kind.TRANSIENT);
    Credential last = store.renew(credential);
    assertThat(last.renewable()).isFalse();
    assertThat(last.hardExpiry()).isEqualTo(credential.expiresAt());
  }

  @Test
  void revokesAtOnce() {
    Credential credential = issue();
    vault.on(REVOKE, says(204, ""));

    store.revoke(credential, true);

    assertThat(vault.asked(REVOKE).getFirst().body())
        .contains("\"lease_id\":\"" + LEASE + "\"", "\"sync\":true");
  }

  @Test
  void isDoneWithALeaseThatIsNotThere() {
    Credential credential = issue();
    vault.on(REVOKE, says(400, GONE), says(404, GONE)).on(LOOKUP, says(400, GONE));

    store.revoke(credential, false);
    store.revoke(credential, false);
  }

  @Test
  void isNotDoneWithALeaseThatIsStillThere() {
    Credential credential = issue();
    vault.on(REVOKE, says(400, "{\"errors\": [\"failed to revoke entry\"]}"));
    vault.on(LOOKUP, says(200, "{\"data\": {\"renewable\": true}}"));

    assertThat(failure(() -> store.revoke(credential, false)).kind()).isEqualTo(Kind.TRANSIENT);
  }

  @ParameterizedTest
  @CsvSource({"200, STILL_TAKEN", "400, PROVEN", "404, PROVEN", "403, UNKNOWN", "500, UNKNOWN"})
  void looksUpWhetherALeaseIsRefused(int status, Refusal refusal) {
    Credential credential = issue();
    vault.on(LOOKUP, says(status, "{}"));

    assertThat(store.refusal(credential, order())).isEqualTo(refusal);
  }

  @Test
  void renewsATokenThatTheStoreNamesByItself() {
    VaultAuth auth =
        new VaultAuth(null, null, null, new Provider.Token(new KeyRef("creds", "value")), null);
    vault.on(
        "GET auth/token/lookup-self",
        says(200, "{\"data\": {\"accessor\": \"mine\", \"ttl\": 1000, \"renewable\": true}}"));
    vault.on("POST auth/token/renew-self", says(200, auth("", "mine", 1000, true)));
    TestTenant named =
        TestTenant.of(provider(vault.address(), null, auth))
            .withSecret("creds", Map.of("value", "hvs.named"));
    try (Store own = new VaultStore(clock).open(named)) {
      Optional<OwnLogin> login = own.login(lease("database/creds/app"));
      assertThat(login.flatMap(OwnLogin::owner)).as("nobody else's to end").isEmpty();
      Credential credential =
          own.issue(lease("database/creds/app"), order().to(login)).credential().orElseThrow();
      clock.advance(Duration.ofSeconds(300));
      assertThat(own.renew(credential).owner())
          .contains("mine " + start.plusSeconds(1300).getEpochSecond());
      assertThat(vault.asked("POST auth/token/renew-self")).hasSize(1);
      assertThat(vault.asked(RENEW_OWNER)).isEmpty();
    }
  }

  @Test
  void knowsNoOtherCredentials() {
    Credential foreign = Credential.lasting("role:payments_a", start);

    assertThat(failure(() -> store.renew(foreign)).kind()).isEqualTo(Kind.PERMANENT);
    assertThat(failure(() -> store.revoke(foreign, true)).kind()).isEqualTo(Kind.PERMANENT);
    assertThat(store.refusal(foreign, order())).isEqualTo(Refusal.UNKNOWN);
    assertThat(vault.asked()).isEmpty();
  }
}
