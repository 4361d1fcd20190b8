package io.keyturn.store;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.testing.NoApiServer;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;

/** An API server that has the objects which a test puts there. */
final class Objects extends NoApiServer {

  private record Key(Class<?> kind, String namespace, String name) {}

  /** A token that was asked for. */
  record Token(String namespace, String serviceAccount, String audience, Duration valid) {}

  private final Map<Key, HasMetadata> objects = new ConcurrentHashMap<>();
  final AtomicInteger reads = new AtomicInteger();
  volatile Token lastToken;
  volatile int refusal;

  void put(HasMetadata object) {
    objects.put(key(object), object);
  }

  void remove(HasMetadata object) {
    objects.remove(key(object));
  }

  private static Key key(HasMetadata object) {
    return new Key(
        object.getClass(),
        String.valueOf(object.getMetadata().getNamespace()),
        object.getMetadata().getName());
  }

  @Override
  public <T extends HasMetadata> T read(Class<T> kind, String namespace, String name) {
    reads.incrementAndGet();
    refuse();
    return kind.cast(objects.get(new Key(kind, String.valueOf(namespace), name)));
  }

  private void refuse() {
    if (refusal != 0) {
      throw new KubernetesClientException("words that nobody may repeat", refusal, null);
    }
  }

  @Override
  public String token(String namespace, String serviceAccount, String audience, Duration valid) {
    refuse();
    lastToken = new Token(namespace, serviceAccount, audience, valid);
    return "token-of-" + namespace + "/" + serviceAccount;
  }
}
