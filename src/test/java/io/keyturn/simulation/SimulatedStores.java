package io.keyturn.simulation;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.store.Stores;
import io.keyturn.store.generated.GeneratedStore;
import io.keyturn.store.secret.UpstreamSecretStore;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.OwnLogin;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store.Refusal;
import io.keyturn.store.spi.StoreException;
import java.net.HttpURLConnection;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** The stores as one process reaches them: what goes wrong with requests goes wrong with these. */
final class SimulatedStores extends Stores {

  private static final int THROTTLED = 429;

  private final SimulatedIssuer issuer;
  private final SimulatedOperator operator;
  private final Weather weather;

  SimulatedStores(
      ApiServer api, SimulatedIssuer issuer, SimulatedOperator operator, Weather weather) {
    super(List.of(new UpstreamSecretStore(), new GeneratedStore(), issuer), api, null);
    this.issuer = issuer;
    this.operator = operator;
    this.weather = weather;
  }

  private <T> T call(String verb, Supplier<T> action) {
    Call call = new Call(operator, verb, "Store");
    try {
      weather.before(call);
      T result = action.get();
      weather.after(call);
      return result;
    } catch (KubernetesClientException e) {
      throw new StoreException(
          switch (e.getCode()) {
            case HttpURLConnection.HTTP_FORBIDDEN -> StoreException.Kind.DENIED;
            case HttpURLConnection.HTTP_CONFLICT -> StoreException.Kind.CONFLICT;
            case THROTTLED -> StoreException.Kind.THROTTLED;
            default -> StoreException.Kind.TRANSIENT;
          },
          "The store did not answer.");
    }
  }

  private void act(String verb, Runnable action) {
    call(
        verb,
        () -> {
          action.run();
          return null;
        });
  }

  @Override
  public Capabilities capabilities(String namespace, StoreRef store) {
    return issuer.capabilitiesOf(store);
  }

  @Override
  public Reading.Value issue(SecretBinding binding, Order order, Consumer<String> intent) {
    Optional<OwnLogin> login = call("login", () -> issuer.login(binding.getSpec().source()));
    login.flatMap(OwnLogin::owner).ifPresent(intent);
    return call("issue", () -> issuer.issue(binding.getSpec().source(), order.to(login)));
  }

  @Override
  public void logout(String namespace, StoreRef store, String owner) {
    act("logout", () -> issuer.logout(owner));
  }

  @Override
  public Credential renew(String namespace, StoreRef store, Credential credential) {
    return call("renew", () -> issuer.renew(credential));
  }

  @Override
  public void disable(String namespace, StoreRef store, Credential credential) {
    act("disable", () -> issuer.disable(credential));
  }

  @Override
  public void enable(String namespace, StoreRef store, Credential credential) {
    act("enable", () -> issuer.enable(credential));
  }

  @Override
  public void revoke(
      String namespace, StoreRef store, Credential credential, boolean terminateSessions) {
    act("revoke", () -> issuer.revoke(credential, terminateSessions));
  }

  @Override
  public Refusal refusal(String namespace, StoreRef store, Credential credential, Order order) {
    return call("get", () -> issuer.refusal(credential, order));
  }
}
