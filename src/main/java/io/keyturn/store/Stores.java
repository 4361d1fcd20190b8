package io.keyturn.store;

import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.kubernetes.ApiServer;
import io.keyturn.store.Recorder.Access;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.OwnLogin;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreType;
import io.quarkus.arc.All;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * The only way from the controllers to the stores. Each method that asks one fails with a {@link
 * StoreException} alone, which says after which time to try again. Upstream Secrets and generated
 * values have no store outside of the cluster: they are neither limited nor kept.
 */
@ApplicationScoped
public class Stores {

  private static final Capabilities ANYTHING =
      new Capabilities(true, false, Overlap.Full, true, true, true);

  private final List<StoreType> types;
  private final ApiServer api;
  private final OpenStores open;

  /** The kinds of stores that are part of the application. */
  @Inject
  public Stores(@All List<StoreType> types, ApiServer api, OpenStores open) {
    this.types = List.copyOf(types);
    this.api = api;
    this.open = open;
  }

  /** What the store of a source can do for it. */
  public Capabilities capabilities(Source source) {
    return typeOf(source).capabilities(source);
  }

  /**
   * What the store of a provider can do at most.
   *
   * @throws StoreException if there is no such kind of store
   */
  public Capabilities capabilities(Provider provider) {
    return open.typeOf(provider).capabilities();
  }

  /**
   * The name of the kind of store of a provider.
   *
   * @throws StoreException if there is no such kind of store
   */
  public String typeName(Provider provider) {
    return open.typeOf(provider).name();
  }

  /** What a store can do at most; one that cannot be found is asked, and says so then. */
  public Capabilities capabilities(String namespace, StoreRef store) {
    try {
      return capabilities(open.provider(namespace, store));
    } catch (StoreException e) {
      return ANYTHING;
    }
  }

  /** The name of the kind of store that serves a source, as metrics call it. */
  public String typeName(Source source) {
    return typeOf(source).name();
  }

  /**
   * The value that the source of a binding holds. One of a SecretStore is read once each refresh
   * interval, for all who look.
   *
   * @param via is told from where the answer comes, or would have come; not called where that is
   *     the store itself, because none keeps anything of it
   */
  public Reading read(SecretBinding binding, Consumer<Via> via) {
    Source source = binding.getSpec().source();
    if (source.storeRef() == null) {
      return timed(() -> inCluster(binding).read(source));
    }
    Access access = access(Operation.READ, binding);
    return use(binding, store -> store.read(access, subject(source), s -> s.read(source), via));
  }

  /**
   * When the next look at the source of a binding makes sense; empty if a change is announced, or
   * it makes its values when asked.
   */
  public Optional<Instant> nextRead(SecretBinding binding) {
    Source source = binding.getSpec().source();
    Capabilities can = capabilities(source);
    return source.storeRef() == null || can.announces() || can.makesValues()
        ? Optional.empty()
        : Optional.of(
            open.nextRead(
                binding.getMetadata().getNamespace(), source.storeRef(), subject(source)));
  }

  /**
   * Makes a value for a binding, and proves that it works where the store can tell.
   *
   * @param intent is told, before it is made, of the login that it will end with, see {@link
   *     OwnLogin#owner}; where it fails nothing is made. Not called where there is no such login.
   */
  public Reading.Value issue(SecretBinding binding, Order order, Consumer<String> intent) {
    Source source = binding.getSpec().source();
    if (source.storeRef() == null) {
      return timed(() -> inCluster(binding).issue(source, order));
    }
    return use(
        binding, store -> issue(store, binding, order.to(login(store, binding, order, intent))));
  }

  private static Optional<OwnLogin> login(
      OpenStore store, SecretBinding binding, Order order, Consumer<String> intent) {
    Source source = binding.getSpec().source();
    if (!store.type().capabilities(source).leases()) {
      return Optional.empty();
    }
    store.requireTime(subject(source));
    Access access = access(Operation.LOGIN, binding).about(order.version());
    List<Object> subject = List.of(Operation.LOGIN, subject(source));
    Optional<OwnLogin> login = store.ask(access, subject, s -> s.login(source));
    login.flatMap(OwnLogin::owner).ifPresent(intent);
    return login;
  }

  private Reading.Value issue(OpenStore store, SecretBinding binding, Order order) {
    Source source = binding.getSpec().source();
    Access issue = access(Operation.ISSUE, binding).about(order.version());
    Reading.Value made =
        open.give(
            issue.namespace(),
            store,
            () -> store.ask(issue, subject(source), s -> s.issue(source, order)));
    try {
      Access verify =
          made.credential()
              .map(access(Operation.VERIFY, binding)::about)
              .orElse(access(Operation.VERIFY, binding))
              .about(order.version());
      store.ask(verify, subject(source), act(s -> s.verify(source, made.data())));
      return made;
    } catch (RuntimeException e) {
      made.data().close();
      // Nobody will know of it, so nobody would renew or revoke it: it ends now or with its lease.
      made.credential()
          .filter(_ -> store.type().capabilities(source).leases())
          .ifPresent(c -> end(store, access(Operation.REVOKE, binding), c));
      throw e;
    }
  }

  private static void end(OpenStore store, Access access, Credential credential) {
    try {
      store.ask(access.about(credential), credential.id(), act(s -> s.revoke(credential, false)));
    } catch (StoreException e) {
      // It ends by itself.
    }
  }

  /** Lets a credential live longer. */
  public Credential renew(String namespace, StoreRef store, Credential credential) {
    return ask(Operation.RENEW, namespace, store, credential, s -> s.renew(credential));
  }

  /** Keeps a credential from being used, until {@link #enable}. */
  public void disable(String namespace, StoreRef store, Credential credential) {
    ask(Operation.DISABLE, namespace, store, credential, act(s -> s.disable(credential)));
  }

  /** Lets a disabled credential be used again. */
  public void enable(String namespace, StoreRef store, Credential credential) {
    ask(Operation.ENABLE, namespace, store, credential, act(s -> s.enable(credential)));
  }

  /** Ends a credential for good. */
  public void revoke(
      String namespace, StoreRef store, Credential credential, boolean terminateSessions) {
    ask(
        Operation.REVOKE,
        namespace,
        store,
        credential,
        act(s -> s.revoke(credential, terminateSessions)));
  }

  /**
   * Ends the login of a value, and whatever was issued to it.
   *
   * @param owner see {@link OwnLogin#owner}
   */
  public void logout(String namespace, StoreRef store, String owner) {
    Access access = Access.to(Operation.REVOKE, namespace);
    List<Object> subject = List.of(Operation.REVOKE, owner);
    open.use(namespace, store, s -> s.ask(access, subject, act(o -> o.logout(owner))));
  }

  /** Whether a credential that was revoked is refused. */
  public Store.Refusal refusal(
      String namespace, StoreRef store, Credential credential, Order order) {
    return ask(Operation.VERIFY, namespace, store, credential, s -> s.refusal(credential, order));
  }

  /** Whether a SecretStore lets the identity of its own namespace in; fails if not. */
  public void check(SecretStore store) {
    open.check(store);
  }

  /** Whether a ClusterSecretStore answers; fails if not. It has no identity of its own. */
  public void reach(ClusterSecretStore store) {
    open.reach(store);
  }

  /** What a store said that has given as much as it may; empty if it has not. */
  public Optional<StoreException> quotaExceeded(String uid) {
    return open.exhausted(uid);
  }

  /** Forgets how a store was described, because somebody has changed or deleted it. */
  public void changed(StoreRef store) {
    open.changed(store);
  }

  private <T> T ask(
      Operation operation,
      String namespace,
      StoreRef store,
      Credential credential,
      Function<Store, T> question) {
    Access access = Access.to(operation, namespace).about(credential);
    List<Object> subject = List.of(operation, credential.id());
    return open.use(namespace, store, s -> s.ask(access, subject, question));
  }

  private static Function<Store, Void> act(Consumer<Store> action) {
    return store -> {
      action.accept(store);
      return null;
    };
  }

  /** Uses the store of a binding, which must be of the kind that its source needs. */
  private <T> T use(SecretBinding binding, Function<OpenStore, T> use) {
    Source source = binding.getSpec().source();
    return open.use(
        binding.getMetadata().getNamespace(),
        source.storeRef(),
        store -> {
          if (!store.type().serves(source)) {
            throw Cadence.first(misfit(source, store));
          }
          return use.apply(store);
        });
  }

  private StoreException misfit(Source source, OpenStore store) {
    return new StoreException(
        StoreException.Kind.PERMANENT,
        Reasons.STORE_MISCONFIGURED,
        "%s needs a store with provider %s; %s has %s."
            .formatted(
                source.member().name(),
                typeName(source),
                store.description().words(),
                store.type().name()),
        Optional.empty());
  }

  /** What is asked about: how the binding uses it is nothing to the store. */
  private static Object subject(Source source) {
    return source.member().value();
  }

  private static Access access(Operation operation, SecretBinding binding) {
    return Access.to(operation, binding.getMetadata().getNamespace())
        .of(binding.getMetadata().getName());
  }

  private StoreType typeOf(Source source) {
    return types.stream()
        .filter(t -> t.serves(source))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException("the schema lets no other source through"));
  }

  private Store inCluster(SecretBinding binding) {
    String namespace = binding.getMetadata().getNamespace();
    return typeOf(binding.getSpec().source())
        .open(new NamespaceTenant(api, namespace, null, () -> {}));
  }

  private static <T> T timed(Supplier<T> ask) {
    try {
      return ask.get();
    } catch (StoreException e) {
      throw Cadence.firstInCluster(e);
    }
  }
}
