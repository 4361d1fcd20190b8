package io.keyturn.testing;

import io.fabric8.kubernetes.client.utils.Serialization;
import io.keyturn.api.v1alpha1.RotationPolicySpec;

/** Policies as users write them. */
public final class Policies {

  private Policies() {}

  /** The spec of a policy, as YAML; what it leaves out has its default. */
  public static RotationPolicySpec policy(String yaml) {
    return yaml.isBlank()
        ? RotationPolicySpec.BUILT_IN
        : Serialization.unmarshal("---\n" + yaml, RotationPolicySpec.class);
  }
}
