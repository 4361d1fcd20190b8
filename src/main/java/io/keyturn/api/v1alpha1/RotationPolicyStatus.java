package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.list;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.time.Instant;
import java.util.List;

/**
 * What is known of a policy.
 *
 * @param observedGeneration the generation of the spec that this status is about
 * @param conditions see {@link Conditions}
 * @param bindings how many bindings refer to it
 * @param rotating how many of them rotate
 * @param nextRotationTime when the next of them starts to
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record RotationPolicyStatus(
    @JsonPropertyDescription("The generation of the spec that this status is about.")
        Long observedGeneration,
    @JsonPropertyDescription("What is observed of the policy.") List<Condition> conditions,
    @JsonPropertyDescription("How many SecretBindings refer to it.") Integer bindings,
    @JsonPropertyDescription("How many of them rotate.") Integer rotating,
    @JsonPropertyDescription("When the next of them starts to rotate, where that is known.")
        Instant nextRotationTime) {

  /** The status of a policy that nobody has looked at yet. */
  public static final RotationPolicyStatus EMPTY =
      new RotationPolicyStatus(null, null, null, null, null);

  /** Copies the list. */
  public RotationPolicyStatus {
    conditions = list(conditions);
  }
}
