package io.keyturn.store.postgresql;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.HashMap;
import java.util.Map;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;

class SeededPasswordTest {

  @Test
  void isTheSameForTheSameSeed() {
    SeededPassword password = SeededPassword.of(TestRoles.seed("one"));

    assertThat(password).isEqualTo(SeededPassword.of(TestRoles.seed("one")));
    assertThat(password.text()).matches("[A-Za-z0-9]{32}");
    assertThat(password.verifier())
        .matches("SCRAM-SHA-256\\$4096:[A-Za-z0-9+/]{22}==\\$[^:]{44}:.{44}")
        .doesNotContain(password.text());
    assertThat(SeededPassword.of(TestRoles.seed("two")).text()).isNotEqualTo(password.text());
    assertThat(password.toString()).doesNotContain(password.text().substring(0, 8));
  }

  /** Each of 62 signs is expected 1,032 times, with a standard deviation of 32. */
  @Test
  void isMadeOfEachSignAlike() throws Exception {
    Map<Character, Integer> counts = new HashMap<>();
    for (int i = 0; i < 2000; i++) {
      for (char sign : SeededPassword.text(TestRoles.seed("seed " + i)).toCharArray()) {
        counts.merge(sign, 1, Integer::sum);
      }
    }

    assertThat(counts).hasSize(62);
    assertThat(counts.values()).allMatch(n -> n > 850 && n < 1210);
  }

  /** The exchange of RFC 7677, section 3. */
  @Test
  void isProvenByScram() throws Exception {
    String nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
    String salt = "W22ZaJ0SNY7soEsUEjb6gQ==";
    String messages =
        "n=user,r=rOprNGfwEbeRWgbNEkqO,r=%1$s,s=%2$s,i=4096,c=biws,r=%1$s".formatted(nonce, salt);
    byte[] proof = decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");

    String[] keys =
        SeededPassword.verifier("pencil", decode(salt))
            .substring(("SCRAM-SHA-256$4096:" + salt + "$").length())
            .split(":");

    byte[] signature = hmac(decode(keys[0]), messages);
    byte[] clientKey = new byte[proof.length];
    for (int i = 0; i < proof.length; i++) {
      clientKey[i] = (byte) (proof[i] ^ signature[i]);
    }
    assertThat(MessageDigest.getInstance("SHA-256").digest(clientKey)).isEqualTo(decode(keys[0]));
    assertThat(hmac(decode(keys[1]), messages))
        .isEqualTo(decode("6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
  }

  private static byte[] decode(String base64) {
    return Base64.getDecoder().decode(base64);
  }

  private static byte[] hmac(byte[] key, String text) throws Exception {
    Mac mac = Mac.getInstance("HmacSHA256");
    mac.init(new SecretKeySpec(key, "HmacSHA256"));
    return mac.doFinal(text.getBytes(StandardCharsets.US_ASCII));
  }
}
