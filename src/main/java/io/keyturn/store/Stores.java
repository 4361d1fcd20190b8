package io.keyturn.store;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import io.quarkus.arc.All;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.List;

/**
 * The only way from the controllers to the stores. Each method but the first two fails with a
 * {@link StoreException} alone.
 */
@ApplicationScoped
public class Stores {

  private final List<StoreType> types;
  private final ApiServer api;

  /** The kinds of stores that are part of the application. */
  @Inject
  public Stores(@All List<StoreType> types, ApiServer api) {
    this.types = List.copyOf(types);
    this.api = api;
  }

  /** What the store of a source can do for it. */
  public Capabilities capabilities(Source source) {
    return typeOf(source).capabilities(source);
  }

  /** What a store can do at most; one that does not exist is asked, and says so then. */
  public Capabilities capabilities(String namespace, StoreRef store) {
    throw new UnsupportedOperationException(namespace + store.name());
  }

  /** The name of the kind of store that serves a source, as metrics call it. */
  public String typeName(Source source) {
    return typeOf(source).name();
  }

  /** The value that the source of a binding holds. */
  public Reading read(SecretBinding binding) {
    return open(binding).read(binding.getSpec().source());
  }

  /** When the next look at what the source of a binding holds makes sense. */
  public Instant nextRead(SecretBinding binding) {
    throw new UnsupportedOperationException(binding.alias());
  }

  /** Makes a value for a binding, and proves that it works where the store can tell. */
  public Reading.Value issue(SecretBinding binding, Order order) {
    return open(binding).issue(binding.getSpec().source(), order);
  }

  /** Lets a credential live longer. */
  public Credential renew(String namespace, StoreRef store, Credential credential) {
    return open(namespace, store).renew(credential);
  }

  /** Keeps a credential from being used, until {@link #enable}. */
  public void disable(String namespace, StoreRef store, Credential credential) {
    open(namespace, store).disable(credential);
  }

  /** Lets a disabled credential be used again. */
  public void enable(String namespace, StoreRef store, Credential credential) {
    open(namespace, store).enable(credential);
  }

  /** Ends a credential for good. */
  public void revoke(
      String namespace, StoreRef store, Credential credential, boolean terminateSessions) {
    open(namespace, store).revoke(credential, terminateSessions);
  }

  /** Whether a credential that was revoked is refused. */
  public Store.Refusal refusal(
      String namespace, StoreRef store, Credential credential, Order order) {
    return open(namespace, store).refusal(credential, order);
  }

  private StoreType typeOf(Source source) {
    return types.stream()
        .filter(t -> t.serves(source))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the schema lets no other source through"));
  }

  private Store open(SecretBinding binding) {
    return typeOf(binding.getSpec().source())
        .open(new InCluster(binding.getMetadata().getNamespace()));
  }

  private Store open(String namespace, StoreRef store) {
    throw new UnsupportedOperationException(namespace + store.name());
  }

  private final class InCluster implements Tenant {
    private final String namespace;

    InCluster(String namespace) {
      this.namespace = namespace;
    }

    @Override
    public String namespace() {
      return namespace;
    }

    @Override
    public Provider provider() {
      return null;
    }

    @Override
    public String token(String serviceAccount, String audience) {
      throw new UnsupportedOperationException(serviceAccount + audience);
    }

    @Override
    public SecretData secret(String name) {
      try {
        Secret secret = api.read(Secret.class, namespace, name);
        if (secret == null) {
          throw new StoreException(
              StoreException.Kind.NOT_FOUND,
              "The Secret %s does not exist in this namespace.".formatted(name));
        }
        return SecretData.decode(secret.getData());
      } catch (KubernetesClientException e) {
        throw new StoreException(
            StoreException.Kind.TRANSIENT,
            "The API server does not answer (code %d).".formatted(e.getCode()));
      }
    }
  }
}
