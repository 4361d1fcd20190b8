package io.keyturn.contract;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.Tenant;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.function.BinaryOperator;

/**
 * A tenant without a cluster.
 *
 * @param secrets the data of Secrets by their names
 * @param tokens makes a token for a ServiceAccount and an audience
 */
public record TestTenant(
    String namespace,
    Provider provider,
    Map<String, Map<String, String>> secrets,
    BinaryOperator<String> tokens)
    implements Tenant {

  /** One in the namespace {@code payments} that has nothing. */
  public static TestTenant of(Provider provider) {
    return new TestTenant(
        "payments",
        provider,
        Map.of(),
        (account, audience) -> {
          throw new StoreException(
              StoreException.Kind.NOT_FOUND,
              "The ServiceAccount %s is missing.".formatted(account));
        });
  }

  /** The same with one more Secret. */
  public TestTenant withSecret(String name, Map<String, String> data) {
    Map<String, Map<String, String>> more = new HashMap<>(secrets);
    more.put(name, data);
    return new TestTenant(namespace, provider, more, tokens);
  }

  /** The same with ServiceAccounts. */
  public TestTenant withTokens(BinaryOperator<String> made) {
    return new TestTenant(namespace, provider, secrets, made);
  }

  @Override
  public String token(String serviceAccount, String audience) {
    return tokens.apply(serviceAccount, audience);
  }

  @Override
  public SecretData secret(String name) {
    Map<String, String> data = secrets.get(name);
    if (data == null) {
      throw new StoreException(
          StoreException.Kind.NOT_FOUND, "The Secret %s is missing.".formatted(name));
    }
    Map<String, byte[]> values = new HashMap<>();
    data.forEach((key, text) -> values.put(key, text.getBytes(StandardCharsets.UTF_8)));
    return SecretData.takeOwnershipOf(values);
  }
}
