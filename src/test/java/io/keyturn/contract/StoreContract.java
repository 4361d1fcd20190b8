package io.keyturn.contract;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import io.keyturn.api.v1alpha1.Reasons;
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
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.store.spi.Tenant;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What each store has to hold, one row for each operation. A store that cannot do something, as its
 * capabilities say, has to refuse it. Each failure that a row sees is searched for values.
 */
public abstract class StoreContract {

  /** What an operation may take, and what the machine of the test may add. */
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  /** A value shows in a text where this many characters of it do. */
  private static final int FRAGMENT = 8;

  private final List<String> values = new ArrayList<>();

  private StoreFixture fixture;
  private Store store;
  private Capabilities can;

  /** The store with its server. */
  protected abstract StoreFixture fixture() throws Exception;

  @BeforeEach
  final void open() throws Exception {
    fixture = fixture();
    values.addAll(fixture.confidential());
    store = fixture.type().open(fixture.tenant());
    can = fixture.type().capabilities(fixture.source());
  }

  @AfterEach
  final void close() {
    if (store != null) {
      store.close();
    }
    if (fixture != null) {
      fixture.close();
    }
  }

  @Test
  final void saysWhatItCanDo() {
    assertThat(fixture.type().serves(fixture.source())).isTrue();
    assertThat(fixture.type().name()).matches("[a-z]+");
    assertThat(can.overlap()).isNotEqualTo(Overlap.Auto);
    Capabilities most = fixture.type().capabilities();
    assertThat(!can.leases() || most.leases()).isTrue();
    assertThat(!can.disable() || most.disable()).isTrue();
    assertThat(!can.revoke() || most.revoke()).isTrue();
    if (fixture.tenant().provider() != null) {
      assertThat(fixture.type().provides(fixture.tenant().provider())).isTrue();
    }
  }

  @Test
  final void letsItsTenantIn() {
    store.check();
    store.check();
  }

  @Test
  final void readsTheSameWhileNothingChanges() {
    if (can.makesValues()) {
      assertUnsupported(() -> store.read(fixture.source()));
      return;
    }
    Reading.Value first = readValue();
    Reading.Value second = readValue();
    assertThat(first.data().keys()).isNotEmpty();
    assertThat(first.data().sameAs(second.data())).isTrue();
    assertThat(first.revision()).isEqualTo(second.revision());
    assertThat(first.credential()).isEmpty();
  }

  @Test
  final void saysThatThereIsNothing() {
    Optional<Source> missing = fixture.missing();
    if (missing.isEmpty()) {
      return;
    }
    if (can.makesValues()) {
      StoreException e = failure(() -> store.issue(missing.get(), order(1, Optional.empty())));
      assertThat(e.kind()).isIn(Kind.NOT_FOUND, Kind.PERMANENT, Kind.DENIED);
      return;
    }
    assertThat(store.read(missing.get()))
        .isInstanceOfSatisfying(
            Reading.Missing.class,
            nothing -> {
              assertThat(nothing.reason()).isEqualTo(Reasons.SOURCE_NOT_FOUND);
              assertThat(nothing.message()).endsWith(".");
            });
  }

  @Test
  final void issuesWhatWorks() {
    if (!can.makesValues()) {
      assertUnsupported(() -> store.issue(fixture.source(), order(1, Optional.empty())));
      return;
    }
    Instant before = Instant.now();
    Reading.Value issued = issue(1, Optional.empty());
    assertThat(issued.data().keys()).isNotEmpty();
    assertThat(issued.data().keys()).allMatch(k -> issued.data().get(k).length > 0);
    store.verify(fixture.source(), issued.data());
    if (!can.leases() && !can.revoke() && !can.disable()) {
      return;
    }
    Credential credential = issued.credential().orElseThrow();
    assertThat(credential.id()).isNotEmpty();
    assertThat(credential.toString()).doesNotContain(credential.id());
    assertThat(credential.issuedAt())
        .isBetween(before.minusSeconds(5), Instant.now().plusSeconds(5));
    assertThat(fixture.accepts(credential, issued.data())).isTrue();
    if (can.leases()) {
      assertThat(credential.ttl().orElseThrow()).isPositive();
      assertThat(credential.expiresAt().orElseThrow()).isAfter(before);
    }
  }

  @Test
  final void takesAnOrderTwice() {
    if (!can.makesValues()) {
      return;
    }
    Reading.Value first = issue(1, Optional.empty());
    Reading.Value second = issue(1, Optional.empty());
    second.credential().ifPresent(c -> assertThat(fixture.accepts(c, second.data())).isTrue());
    if (!first.data().sameAs(second.data())) {
      assertThat(first.credential().flatMap(Credential::expiresAt).isPresent() || !can.revoke())
          .as("what the first order made is what the second made, or ends by itself")
          .isTrue();
    }
  }

  @Test
  final void leavesTheCurrentValueAloneWhereBothMayBeValid() {
    if (!can.makesValues() || can.overlap() == Overlap.None) {
      return;
    }
    Reading.Value first = issue(1, Optional.empty());
    Reading.Value second = issue(2, first.credential());
    assertThat(first.data().sameAs(second.data())).isFalse();
    first.credential().ifPresent(c -> assertThat(fixture.accepts(c, first.data())).isTrue());
    second.credential().ifPresent(c -> assertThat(fixture.accepts(c, second.data())).isTrue());
  }

  @Test
  final void tellsAValueThatDoesNotWork() {
    if (!can.makesValues()) {
      return;
    }
    Reading.Value issued = issue(1, Optional.empty());
    Optional<SecretData> spoiled = fixture.spoiled(issued.data());
    if (spoiled.isPresent()) {
      assertThat(failure(() -> store.verify(fixture.source(), spoiled.get())).kind())
          .isEqualTo(Kind.INTEGRITY);
    }
  }

  @Test
  final void renewsAsLongAsItLives() {
    if (!can.leases()) {
      assertUnsupported(() -> store.renew(some()));
      return;
    }
    Reading.Value issued = issue(1, Optional.empty());
    Credential credential = issued.credential().orElseThrow();
    Credential renewed = store.renew(credential);
    assertThat(renewed.id()).isEqualTo(credential.id());
    assertThat(renewed.issuedAt()).isEqualTo(credential.issuedAt());
    assertThat(renewed.expiresAt().orElseThrow())
        .isAfterOrEqualTo(credential.expiresAt().orElseThrow().minusSeconds(2));
    assertThat(fixture.accepts(renewed, issued.data())).isTrue();

    store.revoke(renewed, true);
    assertThat(failure(() -> store.renew(renewed)).isLeaseLost()).isTrue();
  }

  @Test
  final void aLoginOfItsOwnTakesWithItWhatWasIssuedToIt() {
    Optional<OwnLogin> login = store.login(fixture.source());
    Optional<String> owner = login.flatMap(OwnLogin::owner);
    if (owner.isEmpty()) {
      assertUnsupported(() -> store.logout("nobody"));
      return;
    }
    Reading.Value issued = store.issue(fixture.source(), order(1, Optional.empty()).to(login));
    Credential credential = issued.credential().orElseThrow();
    assertThat(credential.owner()).isEqualTo(owner);
    assertThat(fixture.accepts(credential, issued.data())).isTrue();

    store.logout(owner.get());
    Awaitility.await("the server follows")
        .atMost(Duration.ofSeconds(10))
        .until(() -> !fixture.accepts(credential, issued.data()));
    store.logout(owner.get());
  }

  @Test
  final void disablesAndEnables() {
    if (!can.disable()) {
      assertUnsupported(() -> store.disable(some()));
      assertUnsupported(() -> store.enable(some()));
      return;
    }
    Reading.Value issued = issue(1, Optional.empty());
    Credential credential = issued.credential().orElseThrow();
    store.disable(credential);
    store.disable(credential);
    assertThat(fixture.accepts(credential, issued.data())).isFalse();
    store.enable(credential);
    store.enable(credential);
    assertThat(fixture.accepts(credential, issued.data())).isTrue();
  }

  @Test
  final void revokesForGood() {
    if (!can.revoke()) {
      assertUnsupported(() -> store.revoke(some(), true));
      return;
    }
    Reading.Value issued = issue(1, Optional.empty());
    Credential credential = issued.credential().orElseThrow();
    store.revoke(credential, true);
    assertThat(fixture.accepts(credential, issued.data())).isFalse();
    store.revoke(credential, true);
    store.revoke(credential, false);
    assertThat(fixture.accepts(credential, issued.data())).isFalse();
  }

  @Test
  final void revokesOneAndNotTheOther() {
    if (!can.revoke() || can.overlap() == Overlap.None) {
      return;
    }
    Reading.Value old = issue(1, Optional.empty());
    Reading.Value current = issue(2, old.credential());
    store.revoke(old.credential().orElseThrow(), true);
    assertThat(fixture.accepts(old.credential().orElseThrow(), old.data())).isFalse();
    assertThat(fixture.accepts(current.credential().orElseThrow(), current.data())).isTrue();
  }

  @Test
  final void tellsWhetherWhatWasRevokedIsRefused() {
    if (!can.revoke()) {
      return;
    }
    Reading.Value issued = issue(1, Optional.empty());
    Credential credential = issued.credential().orElseThrow();
    Order order = order(1, Optional.empty());
    assertThat(store.refusal(credential, order)).isNotEqualTo(Store.Refusal.PROVEN);
    store.revoke(credential, true);
    assertThat(store.refusal(credential, order)).isNotEqualTo(Store.Refusal.STILL_TAKEN);
  }

  @Test
  final void revokesNothingWhenItIsClosed() {
    if (!can.makesValues()) {
      return;
    }
    Reading.Value issued = issue(1, Optional.empty());
    store.close();
    issued.credential().ifPresent(c -> assertThat(fixture.accepts(c, issued.data())).isTrue());
    store = fixture.type().open(fixture.tenant());
    if (can.revoke()) {
      store.revoke(issued.credential().orElseThrow(), true);
      assertThat(fixture.accepts(issued.credential().orElseThrow(), issued.data())).isFalse();
    }
  }

  @Test
  final void saysThatItsServerDoesNotAnswer() {
    Optional<Tenant> unreachable = fixture.unreachable();
    if (unreachable.isEmpty()) {
      return;
    }
    Tenant nobody = unreachable.get();
    if (nobody.provider() != null) {
      assertThat(failure(() -> fixture.type().reach(nobody.provider())).kind())
          .isEqualTo(Kind.TRANSIENT);
    }
    assertEachFails(nobody, e -> assertThat(e.kind()).isEqualTo(Kind.TRANSIENT));
  }

  @Test
  final void reachesItsServerWithoutAnIdentity() {
    if (fixture.tenant().provider() != null) {
      fixture.type().reach(fixture.tenant().provider());
    }
  }

  @Test
  final void saysThatAnIdentityIsNotLetIn() {
    fixture
        .denied()
        .ifPresent(stranger ->
            assertEachFails(stranger, e -> assertThat(e.kind()).isEqualTo(Kind.DENIED)));
  }

  @Test
  final void servesSeveralThreads() throws Exception {
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Callable<Void>> calls = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        calls.add(() -> {
          store.check();
          if (!can.makesValues()) {
            store.read(fixture.source());
          }
          return null;
        });
      }
      for (Future<Void> done : threads.invokeAll(calls)) {
        done.get();
      }
    }
  }

  private void assertEachFails(Tenant tenant, Consumer<StoreException> as) {
    try (Store closed = fixture.type().open(tenant)) {
      if (tenant.provider() != null) {
        as.accept(failure(closed::check));
      }
      as.accept(
          failure(() -> {
            if (can.makesValues()) {
              closed.issue(fixture.source(), order(1, Optional.empty()));
            } else {
              closed.read(fixture.source());
            }
          }));
      if (can.revoke()) {
        Credential credential = issue(1, Optional.empty()).credential().orElseThrow();
        as.accept(failure(() -> closed.revoke(credential, false)));
        if (can.leases()) {
          as.accept(failure(() -> closed.renew(credential)));
        }
        if (can.disable()) {
          as.accept(failure(() -> closed.disable(credential)));
        }
      }
    }
  }

  private Reading.Value readValue() {
    Reading reading = store.read(fixture.source());
    assertThat(reading).isInstanceOf(Reading.Value.class);
    return remember((Reading.Value) reading);
  }

  private Reading.Value issue(long version, Optional<Credential> beside) {
    return remember(store.issue(fixture.source(), order(version, beside)));
  }

  private Reading.Value remember(Reading.Value value) {
    for (String key : value.data().keys()) {
      if (fixture.written().contains(key)) {
        continue;
      }
      values.add(new String(value.data().get(key), StandardCharsets.ISO_8859_1));
    }
    return value;
  }

  /** An order of one binding: the same for the same version. */
  protected static Order order(long version, Optional<Credential> current) {
    return new Order(
        "9f1c6f7e-0000-4000-8000-000000000001",
        version,
        "token-of-" + version,
        current,
        () -> {
          byte[] seed = new byte[32];
          seed[0] = (byte) version;
          return seed;
        });
  }

  private static Credential some() {
    return Credential.lasting("none", Instant.now());
  }

  private void assertUnsupported(Runnable operation) {
    StoreException e = failure(operation);
    assertThat(e.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(e).hasMessageContaining("cannot");
  }

  /** How an operation fails: in time, with a sentence, and without a value. */
  protected final StoreException failure(Runnable operation) {
    Throwable thrown = assertTimeoutPreemptively(PATIENCE, () -> catchThrowable(operation::run));
    assertThat(thrown).isInstanceOf(StoreException.class).hasNoCause();
    assertThat(thrown.getSuppressed()).isEmpty();
    assertThat(thrown.getMessage()).matches("(?s)[A-Z].*\\.");
    for (String value : values) {
      for (int i = 0; i + FRAGMENT <= value.length(); i++) {
        // Not told which one: the report of a test is read by many.
        assertThat(thrown.getMessage().contains(value.substring(i, i + FRAGMENT)))
            .as("the sentence shows a part of a value")
            .isFalse();
      }
    }
    return (StoreException) thrown;
  }
}
