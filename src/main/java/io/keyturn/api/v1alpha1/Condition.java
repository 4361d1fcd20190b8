package io.keyturn.api.v1alpha1;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.time.Instant;

/**
 * One observation of an object's state: {@code metav1.Condition} (KEP-1623).
 *
 * @param type what is observed, see {@link Conditions}
 * @param status whether it is so
 * @param reason one word for it, see {@link Reasons}
 * @param message a sentence for people
 * @param observedGeneration the generation of the spec that the observation is about
 * @param lastTransitionTime when the status last changed; a new reason or message does not move it
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Condition(
    @Required @Size(max = 316) @Pattern("^[A-Za-z]+$") @JsonPropertyDescription("What is observed.")
        String type,
    @Required @JsonPropertyDescription("Whether it is so.") Status status,
    @Required
        @Size(min = 1, max = 1024)
        @Pattern("^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$")
        @JsonPropertyDescription("One word for why.")
        String reason,
    @Required @Size(max = 32768) @JsonPropertyDescription("A sentence for people.") String message,
    @JsonPropertyDescription("The generation of the spec that the observation is about.")
        Long observedGeneration,
    @Required @JsonPropertyDescription("When the status last changed.")
        Instant lastTransitionTime) {

  /** Whether it is so. */
  public enum Status {
    /** It is. */
    True,
    /** It is not. */
    False,
    /** Nobody knows yet. */
    Unknown
  }
}
