package io.keyturn.store.spi;

import io.keyturn.api.v1alpha1.SecretBindingSpec;

/** What holds or makes the values of one kind of source. A store keeps no state. */
public interface Store {

  /** Its type, as metrics call it. */
  String type();

  /** Whether it serves the source of a binding. */
  boolean serves(SecretBindingSpec.Source source);

  /**
   * Whether each call of {@link #obtain} makes a new value. Otherwise it tells the value that there
   * is, and a change of that is a reason to rotate.
   */
  boolean makesValues();

  /**
   * The value of a source.
   *
   * @param namespace of the binding, outside of which nothing is read
   * @throws io.fabric8.kubernetes.client.KubernetesClientException if the API server cannot be
   *     asked now, which says nothing about the source
   */
  Reading obtain(String namespace, SecretBindingSpec.Source source);
}
