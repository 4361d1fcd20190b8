package io.keyturn.store.vault;

import static io.keyturn.store.vault.ScriptedVault.says;
import static io.keyturn.store.vault.VaultWorld.failure;
import static io.keyturn.store.vault.VaultWorld.kv;
import static io.keyturn.store.vault.VaultWorld.tenant;
import static io.keyturn.store.vault.VaultWorld.text;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.io.IOException;
import java.time.Clock;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class KvTest {

  private static final String CALL = "GET kv/data/payments/db";
  private static final String VALUE = "correct-horse-battery-staple";

  private ScriptedVault vault;
  private Store store;

  @BeforeEach
  void start() throws IOException {
    vault = ScriptedVault.start();
    store = new VaultStore(Clock.systemUTC()).open(tenant(vault.address()));
  }

  @AfterEach
  void stop() {
    store.close();
    vault.close();
  }

  @Test
  void readsEachKindOfValueAsItWasWritten() {
    vault.on(
        CALL,
        says(
            200,
            """
            {"request_id": "x", "lease_id": "", "wrap_info": null, "data": {
              "data": {"text": "pässword", "empty": "", "number": 1e5, "long": 12345678901234567890,
                       "price": 1.10, "yes": true, "nested": {"a": [1.0, null, "b"]}},
              "metadata": {"version": 7, "destroyed": false, "deletion_time": "",
                           "custom_metadata": null}}}\
            """));

    Reading.Value value = (Reading.Value) store.read(kv("payments/db"));

    assertThat(text(value.data(), "text")).isEqualTo("pässword");
    assertThat(text(value.data(), "empty")).isEmpty();
    assertThat(text(value.data(), "number")).isEqualTo("1e5");
    assertThat(text(value.data(), "long")).isEqualTo("12345678901234567890");
    assertThat(text(value.data(), "price")).isEqualTo("1.10");
    assertThat(text(value.data(), "yes")).isEqualTo("true");
    assertThat(text(value.data(), "nested")).isEqualTo("{\"a\":[1.0,null,\"b\"]}");
    assertThat(value.revision()).hasValue(7);
    assertThat(value.credential()).isEmpty();
  }

  @Test
  void saysWhichVersionWasDeleted() {
    String deleted =
        """
        {"data": {"data": null, "metadata": {"version": 3, "destroyed": %s,
          "deletion_time": "2026-11-25T10:00:00Z"}}}\
        """;
    vault.on(CALL, says(404, deleted.formatted(false)), says(404, deleted.formatted(true)));

    assertMissing(Reasons.SOURCE_NOT_FOUND, "Version 3", "deleted");
    assertMissing(Reasons.SOURCE_NOT_FOUND, "Version 3", "destroyed");
  }

  @Test
  void saysThatThereIsNothing() {
    vault.on(CALL, says(404, "{\"errors\": []}"));

    assertMissing(Reasons.SOURCE_NOT_FOUND, "kv/data/payments/db", "KV version 2");
  }

  @Test
  void saysThatThereAreNoKeys() {
    vault.on(CALL, says(200, "{\"data\": {\"data\": {}, \"metadata\": {\"version\": 2}}}"));

    assertMissing(Reasons.SOURCE_EMPTY, "Version 2");
  }

  @Test
  void refusesANullAndNamesItsKey() {
    vault.on(CALL, says(200, data("{\"password\": null, \"user\": \"" + VALUE + "\"}")));

    StoreException e = failure(() -> store.read(kv("payments/db")));

    assertThat(e.kind()).isEqualTo(Kind.INTEGRITY);
    assertThat(e).hasMessageContaining("password").hasMessageNotContaining("correct");
  }

  @Test
  void refusesAKeyThatNoSecretCanHaveAndDoesNotQuoteIt() {
    vault.on(CALL, says(200, data("{\"" + VALUE + " \": \"x\"}")));

    StoreException e = failure(() -> store.read(kv("payments/db")));

    assertThat(e.kind()).isEqualTo(Kind.INTEGRITY);
    assertThat(e).hasMessageNotContaining("correct");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "<html><body>correct-horse-battery-staple</body></html>",
        "\"correct-horse-battery-staple\"",
        "[]",
        "null",
        "{\"data\": {\"data\": {\"password\": \"correct-horse-battery-staple\"",
        "{\"data\": {\"data\": {\"password\": \"correct-horse-battery-staple\"}}}",
        "{\"data\": {\"data\": \"correct-horse-battery-staple\", \"metadata\": {\"version\": 1}}}",
        "{\"data\": {\"data\": {\"p\": \"a\", \"p\": \"correct-horse-battery-staple\"},"
            + " \"metadata\": {\"version\": 1}}}",
        "{\"data\": {\"data\": {\"p\": \"a\"}, \"metadata\": {\"version\": 1}}} {}",
        "{\"data\": {\"data\": {\"p\": \"a\"}, \"metadata\": {\"version\": \"correct\"}}}",
        "{\"data\": {\"data\": {\"p\": \"a\"}, \"metadata\": {\"version\": 1.5}}}",
        "{\"data\": {\"data\": {\"p\": \"a\"}, \"metadata\": {\"version\": -1}}}",
        "{\"data\": {\"data\": {\"p\": \"a\"}, \"metadata\": {\"version\": 99999999999999999999}}}",
        "{\"data\": {\"data\": {\"p\": NaN}, \"metadata\": {\"version\": 1}}}",
        "{\"data\": []}",
      })
  void refusesWhatIsNoAnswerOfAVault(String body) {
    vault.on(CALL, says(200, body));

    StoreException e = failure(() -> store.read(kv("payments/db")));

    assertThat(e.kind()).isEqualTo(Kind.INTEGRITY);
    assertThat(e.reason()).isEqualTo(Reasons.STORE_ANSWER_INVALID);
    assertThat(e).hasMessageNotContaining("correct").hasMessageNotContaining("html");
  }

  @Test
  void refusesInvalidUtf8AndDeepNesting() {
    vault.on(
        CALL,
        exchange -> {
          byte[] bytes = {'{', '"', (byte) 0xc3, '(', '"', ':', '1', '}'};
          exchange.sendResponseHeaders(200, bytes.length);
          exchange.getResponseBody().write(bytes);
        },
        says(200, "{\"data\": " + "[".repeat(100_000)));

    assertThat(failure(() -> store.read(kv("payments/db"))).kind()).isEqualTo(Kind.INTEGRITY);
    assertThat(failure(() -> store.read(kv("payments/db"))).kind()).isEqualTo(Kind.INTEGRITY);
  }

  private static String data(String values) {
    return "{\"data\": {\"data\": %s, \"metadata\": {\"version\": 1}}}".formatted(values);
  }

  private void assertMissing(String reason, String... words) {
    assertThat(store.read(kv("payments/db")))
        .isInstanceOfSatisfying(
            Reading.Missing.class,
            missing -> {
              assertThat(missing.reason()).isEqualTo(reason);
              assertThat(missing.message()).contains(words).endsWith(".");
            });
  }
}
