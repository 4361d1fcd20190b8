package io.keyturn.testing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.keyturn.testing.LeakScan.Hit;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class LeakScanTest {

  private static final SecureRandom RANDOM = new SecureRandom();
  private static final String LETTERS =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

  private final String value = random(32);
  private final LeakScan scan = new LeakScan().add("the owner", value);

  private static String random(int length) {
    return RANDOM
        .ints(length, 0, LETTERS.length())
        .mapToObj(i -> LETTERS.substring(i, i + 1))
        .collect(Collectors.joining());
  }

  private static String base64(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(UTF_8));
  }

  private static String hex(String text) {
    return HexFormat.of().formatHex(text.getBytes(UTF_8));
  }

  private static String url(String text) {
    return URLEncoder.encode(text, UTF_8);
  }

  @Test
  void findsAValueAsItIsAndSaysWhereAndWhoseAndHowButNotWhat() {
    List<Hit> hits = scan.search("a log", "first\nsecond: password=" + value + ";\n" + value);

    assertThat(hits).containsExactly(new Hit("a log", 2, "as it is", "the owner"));
    assertThat(hits.getFirst().toString())
        .contains("a log, line 2", "the owner")
        .doesNotContain(value.substring(0, 4));
    assertThat(LeakScan.anonymous(value)).doesNotContain(value.substring(0, 4));
  }

  @Test
  void findsEightCharactersOfTheMiddleAndNotSeven() {
    assertThat(scan.search("", "<" + value.substring(11, 19) + ">")).hasSize(1);
    assertThat(scan.search("", "<" + value.substring(11, 18) + ">")).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5})
  void findsBase64ThatBeganAnyNumberOfBytesBefore(int before) {
    String text = "x".repeat(before) + value + "y".repeat(before);
    String fragment = "x".repeat(before) + value.substring(5, 13) + "y";

    assertThat(scan.search("", "data: " + base64(text) + "\n"))
        .containsExactly(new Hit("", 1, "in Base64", "the owner"));
    assertThat(scan.search("", "data: " + base64(fragment) + "\n"))
        .containsExactly(new Hit("", 1, "in Base64", "the owner"));
  }

  @Test
  void findsHexOfEitherCase() {
    String hex = hex("<" + value.substring(7, 15) + ">");

    assertThat(scan.search("", hex)).extracting(Hit::form).containsExactly("in hex");
    assertThat(scan.search("", hex.toUpperCase(Locale.ROOT)))
        .extracting(Hit::form)
        .containsExactly("in hex");
  }

  static Stream<String> escapes() {
    // Each has fewer than eight characters in a row that need no escape.
    return Stream.of("&", "\"", "\\", "/", "<", " ", "é", "~", "?", "\n")
        .map(special ->
            Stream.generate(() -> random(5)).limit(6).collect(Collectors.joining(special)));
  }

  @ParameterizedTest
  @MethodSource("escapes")
  void findsWhatJsonAndUrlsEscape(String special) throws IOException {
    LeakScan specials = new LeakScan().add("the owner", special);
    String goLike =
        new ObjectMapper()
            .writeValueAsString(special)
            .replace("<", "\\u003c")
            .replace(">", "\\u003e")
            .replace("&", "\\u0026");
    for (String text :
        List.of(
            special,
            new ObjectMapper().writeValueAsString(special),
            goLike,
            url(special),
            url(special).replace("+", "%20"),
            hex(special),
            base64("z" + special),
            Base64.getUrlEncoder().encodeToString(special.getBytes(UTF_8)))) {
      assertThat(specials.search("", "a" + text + "z")).isNotEmpty();
    }
  }

  @Test
  void aTextWithoutAValueHasNoHit() {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < 20_000; i++) {
      text.append(UUID.randomUUID())
          .append(" {\"data\": \"")
          .append(base64(random(30)))
          .append("\", \"message\": \"the value of payments-db was rotated\"}\n")
          .append(hex(random(20)));
    }

    assertThat(scan.search("", text.toString())).isEmpty();
    assertThat(scan.search("", "")).isEmpty();
  }

  @Test
  void hexDigitsAreToldFromUidsByTheirNumber() {
    String digits = "0123456789abcdef0123";
    LeakScan ofHex = new LeakScan().add("the owner", digits);

    assertThat(ofHex.search("", "01234567-89ab-cdef-0123-456789abcdef")).isEmpty();
    assertThat(ofHex.search("", "pin=" + digits.substring(2, 18))).hasSize(1);
    assertThat(ofHex.search("", base64("p" + digits))).hasSize(1);
  }

  @Test
  void aFileOfAnySizeIsSearchedToItsEnd(@TempDir Path directory) throws IOException {
    byte[] text = new byte[300_000];
    Arrays.fill(text, (byte) '.');
    Path file = directory.resolve("log");
    for (int at : List.of(0, 65_530, 65_536 + 90, 131_000, text.length - value.length())) {
      byte[] planted = text.clone();
      System.arraycopy(value.getBytes(UTF_8), 0, planted, at, value.length());
      Files.write(file, planted);

      assertThat(scan.search("the file", file)).as("at " + at).hasSize(1);
    }
  }

  @Test
  void shortValuesAreLeftOutAndEqualOnesCountOnce() {
    assertThat(new LeakScan().add("", "1234xyz").add("", "12345xyz").add("", "12345xyz").size())
        .isEqualTo(1);
    assertThat(new LeakScan().add("", "12345678").size()).as("half a UID").isZero();
    assertThat(new LeakScan().add("", "admin").search("", "the admin")).isEmpty();
  }
}
