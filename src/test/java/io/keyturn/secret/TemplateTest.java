package io.keyturn.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class TemplateTest {

  private static SecretData data(String key, String value) {
    return SecretData.takeOwnershipOf(Map.of(key, value.getBytes(StandardCharsets.UTF_8)));
  }

  private static String render(String template, SecretData data) throws Template.Malformed {
    return new String(Template.parse(template).render(data), StandardCharsets.UTF_8);
  }

  @Test
  void placeholdersBecomeValues() throws Template.Malformed {
    assertThat(render("postgresql://{user.urlEncoded}@db", data("user", "a b/c@d~")))
        .isEqualTo("postgresql://a%20b%2Fc%40d~@db");
    assertThat(render("{ user.trim }", data("user", " x\n"))).isEqualTo("x");
    assertThat(render("{user.base64}", data("user", "x"))).isEqualTo("eA==");
    assertThat(render("{{\"a\": \"{user.json}\"}}", data("user", "\"")))
        .isEqualTo("{\"a\": \"\\\"\"}");
  }

  @Test
  void aKeyWithDotsWinsOverAFunction() throws Template.Malformed {
    assertThat(render("{tls.crt}", data("tls.crt", "cert"))).isEqualTo("cert");
    assertThat(render("{tls.crt.trim}", data("tls.crt", " cert "))).isEqualTo("cert");
  }

  @Test
  void whatIsWrongIsSaidWithoutAValue() {
    String value = "very-secret-value";
    assertThatThrownBy(() -> render("{user.reverse}", data("user", value)))
        .hasMessageContaining("no function reverse")
        .hasMessageNotContaining(value);
    assertThatThrownBy(() -> render("{other}", data("user", value)))
        .isInstanceOf(Template.MissingKey.class)
        .hasMessage("the source has no key other");
    assertThatThrownBy(() -> render("a{user", data("user", value)))
        .hasMessageContaining("position 2");
    assertThatThrownBy(() -> render("a}b", data("user", value))).hasMessageContaining("position 2");
    assertThatThrownBy(() ->
            Template.parse("{user}")
                .render(SecretData.takeOwnershipOf(Map.of("user", new byte[] {(byte) 0xff}))))
        .hasMessageContaining("is no text");
  }

  @Test
  void theResultIsBounded() {
    assertThatThrownBy(() -> render("{a}".repeat(1200), data("a", "x".repeat(1024))))
        .hasMessageContaining("1 MiB");
  }

  @Property(tries = 300)
  void anyTextIsEitherReadOrRefused(@ForAll @StringLength(max = 60) String template) {
    try {
      render(template, data("key", "value"));
    } catch (Template.Malformed e) {
      assertThat(e.getMessage()).isNotBlank();
    }
  }

  @Property(tries = 300)
  void anUrlTakesAnyValue(@ForAll @StringLength(max = 40) String value) throws Template.Malformed {
    // A lone surrogate is no text, so it never comes out of a Secret.
    String text = new String(value.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    String url = render("x://{key.urlEncoded}:p@db/", data("key", text));

    assertThat(URI.create(url).getUserInfo()).isEqualTo(text + ":p");
  }

  @Property(tries = 300)
  void aJsonTextTakesAnyValue(@ForAll @StringLength(max = 40) String value)
      throws Template.Malformed, JsonProcessingException {
    String text = new String(value.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8);
    String json = render("\"{key.json}\"", data("key", text));

    assertThat(new ObjectMapper().readValue(json, String.class)).isEqualTo(text);
  }
}
