package io.keyturn.store.generated;

import io.keyturn.api.v1alpha1.SecretBindingSpec;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Alphabet;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Random;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import jakarta.enterprise.context.ApplicationScoped;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.HashMap;
import java.util.Map;

/** Values that Keyturn makes from the JDK's cryptographic random source. */
@ApplicationScoped
public class GeneratedStore implements StoreType, Store {

  private static final String ALPHANUMERIC =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  private static final String HEX = "0123456789abcdef";
  private static final String ASCII = ALPHANUMERIC + "!#$%&()*+,-./:;<=>?@[]^_{|}~";

  private final SecureRandom random = new SecureRandom();

  @Override
  public String name() {
    return "generated";
  }

  @Override
  public boolean serves(SecretBindingSpec.Source source) {
    return source.generated() != null;
  }

  @Override
  public Capabilities capabilities(SecretBindingSpec.Source source) {
    return capabilities();
  }

  @Override
  public Capabilities capabilities() {
    return new Capabilities(true, false, Overlap.Full, false, false, false);
  }

  @Override
  public Store open(Tenant tenant) {
    return this;
  }

  @Override
  public Reading.Value issue(SecretBindingSpec.Source source, Order order) {
    Map<String, byte[]> values = new HashMap<>();
    source.generated().keys().forEach((key, wanted) -> values.put(key, value(wanted)));
    source
        .generated()
        .fixed()
        .forEach((key, text) -> values.put(key, text.getBytes(StandardCharsets.UTF_8)));
    return Reading.Value.of(SecretData.takeOwnershipOf(values));
  }

  private byte[] value(Random wanted) {
    String alphabet = characters(wanted.alphabet());
    byte[] value = new byte[wanted.length()];
    for (int i = 0; i < value.length; i++) {
      value[i] = (byte) alphabet.charAt(random.nextInt(alphabet.length()));
    }
    return value;
  }

  private static String characters(Alphabet alphabet) {
    return switch (alphabet) {
      case alphanumeric -> ALPHANUMERIC;
      case hex -> HEX;
      case ascii -> ASCII;
    };
  }
}
