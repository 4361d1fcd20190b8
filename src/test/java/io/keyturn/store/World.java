package io.keyturn.store;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Namespace;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.ClusterSecretStore;
import io.keyturn.api.v1alpha1.Provider;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.api.v1alpha1.SecretStore;
import io.keyturn.audit.AuditObserver;
import io.keyturn.audit.AuditRecord;
import io.keyturn.audit.AuditSink;
import io.keyturn.audit.AuditTrail;
import io.keyturn.secret.Fingerprint;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import io.keyturn.testing.ManualClock;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/** Stores as the application has them, over a fake kind of store, a fake API server and a clock. */
final class World {

  private static final KubernetesSerialization YAML = new KubernetesSerialization();

  final ManualClock clock = new ManualClock(Instant.parse("2026-11-25T10:00:00Z"));
  final Objects objects = new Objects();
  final FakeVault vault = new FakeVault();
  final Queue<AuditRecord> audited = new ConcurrentLinkedQueue<>();
  final Queue<String> counted = new ConcurrentLinkedQueue<>();
  final Queue<Via> via = new ConcurrentLinkedQueue<>();
  final Queue<String> heard = new ConcurrentLinkedQueue<>();
  final Fingerprint fingerprint = new Fingerprint(new byte[Fingerprint.KEY_LENGTH]);
  final OpenStores open;
  final Stores stores;

  World() {
    List<StoreType> types = List.of(vault, new Postgresql());
    open =
        new OpenStores(
            types,
            objects,
            clock,
            (type, store, operation, outcome, _) ->
                counted.add(String.join(" ", type, store, operation.label(), outcome)),
            listener(),
            new AuditTrail(List.of(sink()), AuditObserver.NONE),
            fingerprint);
    stores = new Stores(types, objects, open);
  }

  /** A kind of store that does nothing. */
  private static final class Postgresql implements StoreType {

    @Override
    public String name() {
      return "postgresql";
    }

    @Override
    public boolean serves(Source source) {
      return source.postgresql() != null;
    }

    @Override
    public boolean provides(Provider provider) {
      return provider.postgresql() != null;
    }

    @Override
    public Capabilities capabilities(Source source) {
      return capabilities();
    }

    @Override
    public Capabilities capabilities() {
      return new Capabilities(true, false, Overlap.Slots, false, true, true);
    }

    @Override
    public Store open(Tenant tenant) {
      return new Store() {};
    }
  }

  private StoreListener listener() {
    return new StoreListener() {
      @Override
      public void answering(String namespace, StoreRef store, boolean answers) {
        heard.add("%s %s answers: %s".formatted(namespace, store.name(), answers));
      }

      @Override
      public void exhausted(String namespace, StoreRef store, boolean exhausted) {
        heard.add("%s %s exhausted: %s".formatted(namespace, store.name(), exhausted));
      }
    };
  }

  private AuditSink sink() {
    return new AuditSink() {
      @Override
      public String name() {
        return "test";
      }

      @Override
      public void write(AuditRecord accessed) {
        audited.add(accessed);
      }
    };
  }

  /** A SecretStore with 10,000 requests a second, at an address of its own. */
  SecretStore store(String namespace, String name) {
    return store(namespace, name, 1, "{requestsPerSecond: 10000}");
  }

  SecretStore store(String namespace, String name, long generation, String limits) {
    SecretStore store =
        YAML.unmarshal(
            """
            apiVersion: keyturn.io/v1alpha1
            kind: SecretStore
            metadata: {namespace: %s, name: %s, uid: uid-%s-%s, generation: %d}
            spec:
              provider: {vault: {address: "https://%s", auth: {kubernetes: {role: app, serviceAccountName: app}}}}
              limits: %s
            """
                .formatted(namespace, name, namespace, name, generation, name, limits),
            SecretStore.class);
    return put(store);
  }

  SecretStore postgresql(String namespace, String name) {
    return put(
        YAML.unmarshal(
            """
            apiVersion: keyturn.io/v1alpha1
            kind: SecretStore
            metadata: {namespace: %s, name: %s, uid: uid-%s, generation: 1}
            spec: {provider: {postgresql: {host: db, database: app, adminSecretRef: {name: admin}}}}
            """
                .formatted(namespace, name, name),
            SecretStore.class));
  }

  ClusterSecretStore clusterStore(String name, String allowedNamespaces) {
    return put(
        YAML.unmarshal(
            """
            apiVersion: keyturn.io/v1alpha1
            kind: ClusterSecretStore
            metadata: {name: %s, uid: uid-%s, generation: 1}
            spec:
              provider: {vault: {address: "https://%s", auth: {kubernetes: {role: app, serviceAccountName: app}}}}
              limits: {requestsPerSecond: 10000}
              %s
            """
                .formatted(name, name, name, allowedNamespaces),
            ClusterSecretStore.class));
  }

  Namespace namespace(String name, Map<String, String> labels) {
    return put(
        new NamespaceBuilder()
            .withNewMetadata()
            .withName(name)
            .withLabels(labels)
            .endMetadata()
            .build());
  }

  <T extends HasMetadata> T put(T object) {
    objects.put(object);
    return object;
  }

  /** A binding to a value of a KV engine. */
  static SecretBinding kv(String namespace, String store, String path) {
    return binding(
        namespace, "storeRef: {name: %s}, vaultKv: {mount: kv, path: %s}".formatted(store, path));
  }

  static SecretBinding clusterKv(String namespace, String store, String path) {
    return binding(
        namespace,
        "storeRef: {kind: ClusterSecretStore, name: %s}, vaultKv: {mount: kv, path: %s}"
            .formatted(store, path));
  }

  static SecretBinding lease(String namespace, String store, String path) {
    return binding(
        namespace, "storeRef: {name: %s}, vaultLease: {path: %s}".formatted(store, path));
  }

  static SecretBinding binding(String namespace, String source) {
    return YAML.unmarshal(
        """
        apiVersion: keyturn.io/v1alpha1
        kind: SecretBinding
        metadata: {namespace: %s, name: app-secret, uid: u}
        spec: {source: {%s}, workloads: [{kind: Deployment, name: app}]}
        """
            .formatted(namespace, source),
        SecretBinding.class);
  }

  /** What a binding reads, as text. */
  String read(SecretBinding binding) {
    try (SecretData data = ((Reading.Value) stores.read(binding, via::add)).data()) {
      return new String(data.get("password"), StandardCharsets.UTF_8);
    }
  }

  /** The failure of something. */
  static StoreException failure(Runnable action) {
    try {
      action.run();
    } catch (StoreException e) {
      return e;
    }
    throw new AssertionError("it did not fail");
  }
}
