package io.keyturn.store;

import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.OwnLogin;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/** A kind of store that does what a test says, and counts what it is asked. */
final class FakeVault implements StoreType {

  /** What is done at each operation, by the address of the store; it may fail, or wait. */
  final Map<String, Runnable> weather = new ConcurrentHashMap<>();

  /** Calls by operation and subject, such as {@code read payments/db}. */
  final Map<String, AtomicInteger> calls = new ConcurrentHashMap<>();

  final List<Opened> opened = new CopyOnWriteArrayList<>();
  final List<SecretData> handedOut = new CopyOnWriteArrayList<>();
  volatile RuntimeException badAtOpen;

  int calls(String what) {
    return calls.getOrDefault(what, new AtomicInteger()).get();
  }

  int allCalls() {
    return calls.values().stream().mapToInt(AtomicInteger::get).sum();
  }

  @Override
  public String name() {
    return "vault";
  }

  @Override
  public boolean serves(Source source) {
    return source.vaultKv() != null || source.vaultLease() != null;
  }

  @Override
  public boolean provides(Provider provider) {
    return provider.vault() != null;
  }

  @Override
  public Optional<String> identity(Provider provider) {
    return Optional.of(
        "ServiceAccount " + provider.vault().auth().kubernetes().serviceAccountName());
  }

  @Override
  public Capabilities capabilities(Source source) {
    boolean leases = source.vaultLease() != null;
    return new Capabilities(leases, false, Overlap.Full, leases, false, leases);
  }

  @Override
  public Capabilities capabilities() {
    return new Capabilities(true, false, Overlap.Full, true, false, true);
  }

  @Override
  public Store open(Tenant tenant) {
    if (badAtOpen != null) {
      throw badAtOpen;
    }
    Opened store = new Opened(tenant);
    opened.add(store);
    return store;
  }

  @Override
  public void reach(Provider provider) {
    count("reach", "", provider.vault().address());
  }

  private void count(String operation, String subject, String address) {
    calls
        .computeIfAbsent((operation + " " + subject).strip(), _ -> new AtomicInteger())
        .incrementAndGet();
    weather.getOrDefault(address, () -> {}).run();
  }

  /** A store as a namespace has it open. */
  final class Opened implements Store {

    final Tenant tenant;
    volatile boolean closed;
    volatile RuntimeException notProven;

    private Opened(Tenant tenant) {
      this.tenant = tenant;
    }

    private void asked(String operation, String subject) {
      if (closed) {
        throw new AssertionError("it is closed");
      }
      count(operation, subject, tenant.provider().vault().address());
    }

    @Override
    public void check() {
      asked("check", "");
    }

    @Override
    public Reading read(Source source) {
      String path = source.vaultKv().path();
      asked("read", path);
      return new Reading.Value(data(path), Optional.empty(), OptionalLong.of(1));
    }

    private SecretData data(String text) {
      Map<String, byte[]> values = new HashMap<>();
      values.put("password", text.getBytes(StandardCharsets.UTF_8));
      SecretData data = SecretData.takeOwnershipOf(values);
      handedOut.add(data);
      return data;
    }

    @Override
    public Optional<OwnLogin> login(Source source) {
      calls
          .computeIfAbsent("login " + source.vaultLease().path(), _ -> new AtomicInteger())
          .incrementAndGet();
      return Optional.of(() -> Optional.of("login-for-" + source.vaultLease().path()));
    }

    @Override
    public void logout(String owner) {
      asked("logout", owner);
    }

    @Override
    public Reading.Value issue(Source source, Order order) {
      asked("issue", source.vaultLease().path());
      return new Reading.Value(
          data(order.token()),
          Optional.of(Credential.lasting("lease-" + order.token(), Instant.EPOCH)),
          OptionalLong.empty());
    }

    @Override
    public void verify(Source source, SecretData data) {
      asked("verify", source.vaultLease().path());
      if (notProven != null) {
        throw notProven;
      }
    }

    @Override
    public Credential renew(Credential credential) {
      asked("renew", credential.id());
      return credential;
    }

    @Override
    public void revoke(Credential credential, boolean terminateSessions) {
      asked("revoke", credential.id());
    }

    @Override
    public void close() {
      closed = true;
    }
  }

  static StoreException down() {
    return new StoreException(StoreException.Kind.TRANSIENT, "It is down.");
  }
}
