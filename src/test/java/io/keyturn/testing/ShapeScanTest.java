package io.keyturn.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.testing.ShapeScan.Hit;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.UUID;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class ShapeScanTest {

  private static final SecureRandom RANDOM = new SecureRandom();

  private final ShapeScan scan = ShapeScan.forAll();

  private static String random(int bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes(bytes));
  }

  private static byte[] bytes(int count) {
    byte[] bytes = new byte[count];
    RANDOM.nextBytes(bytes);
    return bytes;
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
  }

  private static String jwt() {
    Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
    return encoder.encodeToString("{\"alg\":\"RS256\",\"kid\":\"a\"}".getBytes(UTF_8))
        + "."
        + encoder.encodeToString("{\"aud\":[\"vault\"],\"exp\":1}".getBytes(UTF_8))
        + "."
        + random(256);
  }

  private static String verifier() {
    return "SCRAM-SHA-256$4096:"
        + Base64.getEncoder().encodeToString(bytes(16))
        + "$"
        + Base64.getEncoder().encodeToString(bytes(32))
        + ":"
        + Base64.getEncoder().encodeToString(bytes(32));
  }

  private static String example(LeakShape shape) {
    return switch (shape) {
      case VAULT_TOKEN -> "hvs.CAES" + random(60);
      case JWT -> jwt();
      case SCRAM_VERIFIER -> verifier();
      case ADDRESS_WITH_PASSWORD -> "postgresql://payments:" + random(12) + "@db:5432/payments";
      case PASSWORD_PROPERTY -> "jdbc:postgresql://db/payments?user=a&password=" + random(12);
      case PRIVATE_KEY -> "-----BEGIN EC PRIVATE KEY-----\n" + random(45);
    };
  }

  @ParameterizedTest
  @EnumSource
  void findsEachShapeAndSaysWhereAndWhatButNotTheValue(LeakShape shape) {
    String value = example(shape);

    var hits = scan.search("a log", "first\n{\"message\": \"got " + value + "\"}\n" + value);

    assertThat(hits).containsExactly(new Hit("a log", 2, "as it is", shape));
    assertThat(hits.getFirst().toString())
        .contains("a log, line 2", shape.toString())
        .doesNotContain(value.substring(value.length() - 8));
  }

  @ParameterizedTest
  @EnumSource
  void findsEachShapeInBase64ThatBeganAnyNumberOfBytesBefore(LeakShape shape) {
    String value = example(shape);
    for (int before = 0; before < 7; before++) {
      String text = " ".repeat(before) + value;
      String unpadded =
          Base64.getUrlEncoder().withoutPadding().encodeToString(text.getBytes(UTF_8));

      assertThat(scan.search("", "data: " + base64(text) + "\n").contains(in64(shape)))
          .as("after %d bytes", before)
          .isTrue();
      assertThat(scan.search("", unpadded).contains(in64(shape)))
          .as("for a URL, after %d bytes", before)
          .isTrue();
    }
  }

  private static Hit in64(LeakShape shape) {
    return new Hit("", 1, "in Base64", shape);
  }

  @ParameterizedTest
  @ValueSource(strings = {"hvs.", "hvb.", "hvr."})
  void findsTokensOfAnyKind(String prefix) {
    assertThat(scan.search("", "token=" + prefix + random(18))).hasSize(1);
    assertThat(scan.search("", "token=" + prefix + "short")).isEmpty();
    assertThat(scan.search("", "token=x" + prefix + random(18))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "RSA ", "EC ", "ENCRYPTED ", "OPENSSH "})
  void findsPrivateKeysOfAnyKind(String kind) {
    assertThat(scan.search("", "\"-----BEGIN " + kind + "PRIVATE KEY-----\\nMII")).hasSize(1);
  }

  @Test
  void findsPasswordsOfAddressesWithoutAUser() {
    assertThat(scan.search("", "redis://:" + random(12) + "@cache:6379")).hasSize(1);
  }

  @Test
  void whatHasNoValueInItIsNoHit() {
    String token = jwt();
    String claims = token.substring(0, token.lastIndexOf('.'));
    for (String harmless :
        new String[] {
          "https://127.0.0.1:8200/v1/kv, mailto:somebody@example.org",
          "{\"url\":\"https://127.0.0.1:8200\",\"mail\":\"a@b\"}",
          "postgresql://payments@db:5432/payments",
          "Invalid value: \"https://user:word@app/\"",
          "postgresql://payments:xxxxx@db:5432/payments",
          "template: postgresql://{username}:{password}@db/payments",
          "postgresql://{{username}}:{{password}}@db/payments?password={password}",
          "the claims " + claims,
          "SCRAM-SHA-256$4096:" + Base64.getEncoder().encodeToString(bytes(16)),
          "-----BEGIN PUBLIC KEY-----",
          "-----BEGIN CERTIFICATE-----",
          "password=",
          base64("https://127.0.0.1:8200/v1/kv"),
        }) {
      assertThat(scan.search("", harmless)).as(harmless).isEmpty();
    }
  }

  @Test
  void whatIsThereByChanceIsNoHit() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 20_000; i++) {
      text.append(UUID.randomUUID())
          .append(" https://127.0.0.1:8200 {\"data\": \"")
          .append(base64("{\"name\": \"" + random(30)))
          .append("\", \"message\": \"the value of payments-db was rotated\"}\n")
          .append(HexFormat.of().formatHex(bytes(20)));
    }

    assertThat(scan.search("", text.toString())).isEmpty();
    assertThat(scan.search("", "")).isEmpty();
  }

  @Test
  void aShapeThatIsLeftOutIsNotFoundAndTheOthersAre() {
    String text = verifier() + " " + example(LeakShape.VAULT_TOKEN);

    assertThat(ShapeScan.forAllBut(LeakShape.SCRAM_VERIFIER).search("", text))
        .extracting(Hit::shape)
        .containsExactly(LeakShape.VAULT_TOKEN);
  }

  @Test
  void aFileIsSearchedToItsEndWhateverItsBytesAre(@TempDir Path directory) throws IOException {
    byte[] noise = bytes(300_000);
    byte[] token = ("\n" + example(LeakShape.VAULT_TOKEN)).getBytes(UTF_8);
    byte[] all = Arrays.copyOf(noise, noise.length + token.length);
    System.arraycopy(token, 0, all, noise.length, token.length);
    Path file = Files.write(directory.resolve("log"), all);

    assertThat(scan.search("the file", file))
        .extracting(Hit::shape)
        .containsExactly(LeakShape.VAULT_TOKEN);
  }
}
