package io.keyturn.controller.binding;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import java.util.List;

/** What belongs to a binding, as the caches know it: it may be old. */
interface BindingIndex {

  /** The bindings that deliver to a Secret of that name. */
  List<SecretBinding> bindingsOf(String namespace, String alias);

  /** Metadata of the snapshots of a binding. */
  List<GenericKubernetesResource> snapshots(SecretBinding binding);

  /** The rotations of a binding. */
  List<SecretRotation> rotations(SecretBinding binding);
}
