package io.keyturn.controller.binding;

import io.fabric8.kubernetes.api.model.GenericKubernetesResource;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.kubernetes.ApiServer;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The caches, but for the rotations that Keyturn started: those are listed now.
 *
 * @param caches what else belongs to a binding
 */
record LiveRotations(BindingIndex caches, ApiServer api) implements BindingIndex {

  @Override
  public List<SecretBinding> bindingsOf(String namespace, String alias) {
    return caches.bindingsOf(namespace, alias);
  }

  @Override
  public List<GenericKubernetesResource> snapshots(SecretBinding binding) {
    return caches.snapshots(binding);
  }

  @Override
  public List<SecretRotation> rotations(SecretBinding binding) {
    Map<String, String> label = Map.of(Names.BINDING, Names.label(binding.getMetadata().getName()));
    Stream<SecretRotation> listed =
        api
            .list(
                SecretRotation.class,
                binding.getMetadata().getNamespace(),
                ApiServer.labelled(label))
            .stream()
            .filter(r -> r.getSpec().bindingRef().name().equals(binding.getMetadata().getName()));
    Stream<SecretRotation> unlabelled =
        caches.rotations(binding).stream().filter(r -> !labelled(r, label));
    return Stream.concat(listed, unlabelled).toList();
  }

  private static boolean labelled(SecretRotation rotation, Map<String, String> label) {
    Map<String, String> labels = rotation.getMetadata().getLabels();
    return labels != null && labels.entrySet().containsAll(label.entrySet());
  }
}
