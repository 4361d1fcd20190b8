package io.keyturn.secret;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Key;
import io.keyturn.api.v1alpha1.SecretBindingSpec.SecretType;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Target;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class SecretDataTest {

  private static SecretData data(String... pairs) {
    Map<String, byte[]> values = new java.util.HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      values.put(pairs[i], pairs[i + 1].getBytes(StandardCharsets.UTF_8));
    }
    return SecretData.takeOwnershipOf(values);
  }

  private static Target target(SecretType type, Key... keys) {
    return new Target(null, type, List.of(keys), null, null, null);
  }

  @Test
  void itSaysNothingOfItsValues() {
    assertThat(data("user", "hidden-value")).hasToString("SecretData[1 keys]");
    assertThatThrownBy(() -> SecretData.decode(Map.of("user", "hidden*value")))
        .hasMessageContaining("user")
        .hasMessageNotContaining("hidden")
        .hasNoCause();
  }

  @Test
  void itIsOverwrittenWhenClosed() {
    SecretData data = data("user", "hidden-value");
    byte[] value = data.get("user");

    data.close();

    assertThat(value).containsOnly(0);
  }

  @Test
  void equalDataAreEqualAndOthersAreNot() {
    assertThat(data("a", "1", "b", "2").sameAs(data("b", "2", "a", "1"))).isTrue();
    assertThat(data("a", "1").sameAs(data("a", "2"))).isFalse();
    assertThat(data("a", "1").sameAs(data("a", "1", "b", "2"))).isFalse();
    assertThat(data("a", "1").sameAs(data("b", "1"))).isFalse();
  }

  @Test
  void fingerprintsTellDataAndInstallationsApart() {
    Fingerprint one = new Fingerprint(new byte[Fingerprint.KEY_LENGTH]);
    byte[] key = new byte[Fingerprint.KEY_LENGTH];
    key[0] = 1;

    assertThat(one.of(data("a", "bc"))).isEqualTo(one.of(data("a", "bc"))).matches("[0-9a-f]{8}");
    assertThat(one.of(data("a", "bc"))).isNotEqualTo(one.of(data("ab", "c")));
    assertThat(one.of(data("a", "bc"))).isNotEqualTo(new Fingerprint(key).of(data("a", "bc")));
    assertThatThrownBy(() -> new Fingerprint(new byte[3]))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void withoutKeysEverythingIsDeliveredUnchanged() {
    assertThat(Delivery.of(data("a", "1"), target(SecretType.OPAQUE)))
        .isInstanceOfSatisfying(
            Delivery.Data.class, d -> assertThat(d.data().sameAs(data("a", "1"))).isTrue());
  }

  @Test
  void keysAreRenamedAndTemplatesFilledIn() {
    Delivery delivery =
        Delivery.of(
            data("user", "u", "password", "p"),
            target(
                SecretType.OPAQUE,
                new Key("PASSWORD", "password", null),
                new Key("URL", null, "x://{user}:{password}@db")));

    assertThat(delivery)
        .isInstanceOfSatisfying(
            Delivery.Data.class,
            d -> assertThat(d.data().sameAs(data("PASSWORD", "p", "URL", "x://u:p@db"))).isTrue());
  }

  @Test
  void whatCannotBeDeliveredIsRefusedWithAReason() {
    assertThat(refusal(data("a", "1"), target(SecretType.OPAQUE, new Key("x", "b", null))))
        .isEqualTo(Reasons.SOURCE_KEY_MISSING);
    assertThat(refusal(data("a", "1"), target(SecretType.OPAQUE, new Key("x", null, "{b}"))))
        .isEqualTo(Reasons.SOURCE_KEY_MISSING);
    assertThat(refusal(data("a", "1"), target(SecretType.OPAQUE, new Key("x", null, "{a"))))
        .isEqualTo(Reasons.TEMPLATE_INVALID);
    assertThat(
            refusal(
                data("a", "1"),
                target(SecretType.OPAQUE, new Key("x", "a", null), new Key("x", "a", null))))
        .isEqualTo(Reasons.KEY_CLASH);
    assertThat(refusal(data("tls.crt", "1"), target(SecretType.TLS)))
        .isEqualTo(Reasons.SECRET_TYPE_MISMATCH);
    assertThat(refusal(data("a", "x".repeat(1024 * 1024 + 1)), target(SecretType.OPAQUE)))
        .isEqualTo(Reasons.SECRET_TOO_LARGE);
  }

  private static String refusal(SecretData source, Target target) {
    return Delivery.of(source, target) instanceof Delivery.Refused(String reason, String _)
        ? reason
        : "delivered";
  }
}
