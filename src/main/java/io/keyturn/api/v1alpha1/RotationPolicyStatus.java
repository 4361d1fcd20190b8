package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.list;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.List;

/**
 * What is known of a policy.
 *
 * @param observedGeneration the generation of the spec that this status is about
 * @param conditions see {@link Conditions}
 * @param bindings how many bindings refer to it
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record RotationPolicyStatus(
    @JsonPropertyDescription("The generation of the spec that this status is about.")
        Long observedGeneration,
    @JsonPropertyDescription("What is observed of the policy.") List<Condition> conditions,
    @JsonPropertyDescription("How many SecretBindings refer to it.") Integer bindings) {

  /** The status of a policy that nobody has looked at yet. */
  public static final RotationPolicyStatus EMPTY = new RotationPolicyStatus(null, null, null);

  /** Copies the list. */
  public RotationPolicyStatus {
    conditions = list(conditions);
  }
}
