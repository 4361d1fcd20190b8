package io.keyturn.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.LabelSelectorBuilder;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * All that Keyturn asks of an API server besides watches. Each call is one request. Objects that
 * are returned belong to the caller, who may change them.
 *
 * <p>Every call throws {@link io.fabric8.kubernetes.client.KubernetesClientException}, whose code
 * is the HTTP status of the answer; 0 or less if there was none, and then a write may have taken
 * effect.
 */
public interface ApiServer {

  /**
   * The object as it is now; null if there is none.
   *
   * @param namespace null for kinds that belong to the whole cluster
   */
  <T extends HasMetadata> T read(Class<T> kind, String namespace, String name);

  /**
   * The objects of a namespace.
   *
   * @param selector of their labels; null: all of them
   */
  <T extends HasMetadata> List<T> list(Class<T> kind, String namespace, LabelSelector selector);

  /** Creates an object; code 409 if there is one of that name. */
  void create(HasMetadata object);

  /** Replaces all of an object but its status; code 409 if it has changed since it was read. */
  void update(HasMetadata seen);

  /** Replaces the status of an object; code 409 if it has changed since it was read. */
  void updateStatus(HasMetadata seen);

  /** Deletes an object; code 409 if it has changed since it was read. */
  void delete(HasMetadata seen);

  /**
   * Applies the fields that are set, as the field manager {@code keyturn} and never by force
   * (KEP-555); code 409 if another one owns one of them, or if a resourceVersion is set and is not
   * that of the object.
   */
  void apply(HasMetadata fields);

  /**
   * Makes a token of a ServiceAccount (TokenRequest API); code 404 if there is no such account.
   *
   * @param audience the only one that is to accept it
   * @param valid for how long
   */
  String token(String namespace, String serviceAccount, String audience, Duration valid);

  /** Selects what carries a label with a value. */
  static LabelSelector labelled(Map<String, String> labels) {
    return new LabelSelectorBuilder().withMatchLabels(labels).build();
  }
}
