package io.keyturn.store;

import static io.keyturn.store.World.clusterKv;
import static io.keyturn.store.World.failure;
import static io.keyturn.store.World.kv;
import static org.assertj.core.api.Assertions.assertThat;

import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which store a binding gets, and who may use which. */
class StoreReferenceTest {

  private final World world = new World();

  @Test
  void aStoreOfTheNamespaceIsUsed() {
    world.store("payments", "vault");

    assertThat(world.read(kv("payments", "vault", "db"))).isEqualTo("db");
    assertThat(world.vault.opened.getFirst().tenant.namespace()).isEqualTo("payments");
  }

  @Test
  void aStoreOfAnotherNamespaceIsNot() {
    world.store("others", "vault");

    StoreException e = failure(() -> world.read(kv("payments", "vault", "db")));

    assertThat(e.kind()).isEqualTo(Kind.NOT_FOUND);
    assertThat(e.reason()).isEqualTo("StoreNotFound");
    assertThat(e).hasMessageContaining("The SecretStore vault does not exist", "create it");
    assertThat(e.retryAfter()).hasValue(Duration.ofMinutes(1));
    assertThat(world.vault.opened).isEmpty();
  }

  @Test
  void aStoreOfTheClusterAllowsNobodyByDefault() {
    world.clusterStore("shared", "");

    assertNotAllowed("payments", "shared");
  }

  @Test
  void nobodyLearnsWhetherAStoreThatHeMayNotUseExists() {
    world.clusterStore("shared", "");

    assertThat(failure(() -> world.read(clusterKv("payments", "absent", "db"))))
        .hasMessage(
            failure(() -> world.read(clusterKv("payments", "shared", "db")))
                .getMessage()
                .replace("shared", "absent"));
  }

  @Test
  void aStoreOfTheClusterAllowsTheNamespacesThatItNames() {
    world.clusterStore("shared", "allowedNamespaces: {names: [billing, payments]}");

    assertThat(world.read(clusterKv("payments", "shared", "db"))).isEqualTo("db");
    assertNotAllowed("payments-2", "shared");
  }

  @Test
  void aStoreOfTheClusterAllowsTheNamespacesThatItSelects() {
    world.clusterStore("shared", "allowedNamespaces: {selector: {matchLabels: {team: a, env: p}}}");
    world.namespace("both", Map.of("team", "a", "env", "p", "more", "x"));
    world.namespace("one", Map.of("team", "a"));
    world.namespace("other", Map.of("team", "b", "env", "p"));
    world.namespace("none", null);

    assertThat(world.read(clusterKv("both", "shared", "db"))).isEqualTo("db");
    for (String namespace : new String[] {"one", "other", "none", "absent"}) {
      assertNotAllowed(namespace, "shared");
    }
  }

  @Test
  void whoIsNoLongerAllowedLosesWhatIsOpen() {
    var allowed = world.clusterStore("shared", "allowedNamespaces: {names: [payments]}");
    world.read(clusterKv("payments", "shared", "db"));
    world.clusterStore("shared", "");
    world.stores.changed(Description.of(allowed).ref());

    assertNotAllowed("payments", "shared");
    assertThat(world.vault.opened.getFirst().closed).isTrue();
    assertThat(world.vault.handedOut)
        .allSatisfy(data -> assertThat(data.get("password")).containsOnly(0));
  }

  @Test
  void withoutTheRightToReadThemStoresOfTheClusterAreNotServed() {
    world.objects.refusal = 403;

    StoreException e = failure(() -> world.read(clusterKv("payments", "shared", "db")));

    assertThat(e.kind()).isEqualTo(Kind.DENIED);
    assertThat(e.reason()).isEqualTo("StoreNotAllowed");
    assertThat(e).hasMessageContaining("ClusterSecretStores are not served here");
  }

  @Test
  void anApiServerThatIsAwayIsWaitedFor() {
    world.objects.refusal = 500;

    StoreException e = failure(() -> world.read(kv("payments", "vault", "db")));

    assertThat(e.kind()).isEqualTo(Kind.TRANSIENT);
    assertThat(e.retryAfter().orElseThrow()).isBetween(seconds(5), seconds(7));
    assertThat(e).hasMessageNotContaining("nobody may repeat");
  }

  @Test
  void aStoreOfAnotherProviderDoesNotFit() {
    world.postgresql("payments", "db");

    StoreException e = failure(() -> world.read(kv("payments", "db", "db")));

    assertThat(e.kind()).isEqualTo(Kind.PERMANENT);
    assertThat(e.reason()).isEqualTo("StoreMisconfigured");
    assertThat(e)
        .hasMessage("vaultKv needs a store with provider vault; SecretStore db has postgresql.");
    assertThat(e.retryAfter()).hasValue(Duration.ofMinutes(1));
  }

  @Test
  void aStoreIsLookedUpOnceForAllWhoLookAtOnce() {
    world.store("payments", "vault");
    for (int i = 0; i < 100; i++) {
      world.read(kv("payments", "vault", "db" + i));
    }
    assertThat(world.objects.reads).hasValue(1);

    world.clock.advance(seconds(10));
    world.read(kv("payments", "vault", "db"));
    assertThat(world.objects.reads).hasValue(2);
  }

  @Test
  void aStoreThatIsMadeAnewOrChangedIsOpenedAnew() {
    world.store("payments", "vault");
    world.read(kv("payments", "vault", "db"));

    SecretStore changed = world.store("payments", "vault", 2, "{requestsPerSecond: 5}");
    world.stores.changed(Description.of(changed).ref());
    world.read(kv("payments", "vault", "db"));
    changed.getMetadata().setUid("another");
    world.stores.changed(Description.of(changed).ref());
    world.read(kv("payments", "vault", "db"));

    assertThat(world.vault.opened).hasSize(3);
    assertThat(world.vault.opened.stream().map(o -> o.closed)).containsExactly(true, true, false);
    assertThat(world.vault.calls("read db")).isEqualTo(3);
  }

  @Test
  void aStoreThatWasDeletedIsClosed() {
    SecretStore store = world.store("payments", "vault");
    world.read(kv("payments", "vault", "db"));
    world.objects.remove(store);
    world.clock.advance(seconds(11));

    assertThat(failure(() -> world.read(kv("payments", "vault", "db"))).reason())
        .isEqualTo("StoreNotFound");
    assertThat(world.vault.opened.getFirst().closed).isTrue();
  }

  @Test
  void aStoreThatNobodyUsesIsClosedAfterHalfAnHour() {
    world.store("payments", "vault");
    world.read(kv("payments", "vault", "db"));
    world.clock.advance(Duration.ofMinutes(29));
    world.read(kv("payments", "vault", "db"));
    assertThat(world.vault.opened).hasSize(1);

    world.clock.advance(Duration.ofMinutes(31));
    world.read(kv("payments", "vault", "db"));

    assertThat(world.vault.opened).hasSize(2);
    assertThat(world.vault.opened.getFirst().closed).isTrue();
  }

  @Test
  void aStoreThatIsBadlyDescribedSaysSoEachTime() {
    world.store("payments", "vault");
    world.vault.badAtOpen = new StoreException(Kind.PERMANENT, "caBundle is no PEM.");

    for (int i = 0; i < 2; i++) {
      StoreException e = failure(() -> world.read(kv("payments", "vault", "db")));
      assertThat(e).hasMessage("caBundle is no PEM.");
      assertThat(e.retryAfter()).hasValue(Duration.ofMinutes(1));
    }
  }

  private void assertNotAllowed(String namespace, String store) {
    StoreException e = failure(() -> world.read(clusterKv(namespace, store, "db")));
    assertThat(e.kind()).isEqualTo(Kind.DENIED);
    assertThat(e.reason()).isEqualTo("StoreNotAllowed");
    assertThat(e).hasMessageContaining("spec.allowedNamespaces", namespace);
    assertThat(e.retryAfter()).hasValue(Duration.ofMinutes(1));
  }

  private static Duration seconds(long seconds) {
    return Duration.ofSeconds(seconds);
  }
}
