package io.keyturn.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Tells the news of a watch from what this process has written itself. Whoever writes looks again
 * afterwards, at what is there then; so neither a write of its own nor anything that a watch brings
 * of the same object meanwhile asks for another look. A later write of somebody else has another
 * resource version, and is news.
 */
@ApplicationScoped
public class OwnWrites {

  /** Those whose news has not come. It comes within moments, or came before the answer. */
  private static final int REMEMBERED = 1000;

  private final Map<String, Integer> underWay = new ConcurrentHashMap<>();

  private final Map<String, Boolean> unseen =
      Collections.synchronizedMap(
          new LinkedHashMap<>() {
            @Override
            protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
              return size() > REMEMBERED;
            }
          });

  /** Writes an object; the request returns it as the API server answers. */
  void write(HasMetadata object, Supplier<? extends HasMetadata> request) {
    underWay.merge(name(object), 1, Integer::sum);
    try {
      unseen.put(version(request.get()), true);
    } finally {
      underWay.computeIfPresent(name(object), (name, writes) -> writes == 1 ? null : writes - 1);
    }
  }

  /** Whether an object that a watch brings asks for a look. */
  public boolean isNews(HasMetadata seen) {
    return !underWay.containsKey(name(seen)) && unseen.remove(version(seen)) == null;
  }

  private static String name(HasMetadata object) {
    return object.getMetadata().getNamespace() + "/" + object.getMetadata().getName();
  }

  private static String version(HasMetadata object) {
    return object.getMetadata().getUid() + "/" + object.getMetadata().getResourceVersion();
  }
}
