package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.list;
import static io.keyturn.api.v1alpha1.Api.or;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import java.time.Instant;
import java.util.List;

/**
 * What one attempt is about, and what people ask of it.
 *
 * @param bindingRef whose secret is rotated
 * @param trigger why
 * @param reportedAt when a compromise was found; null: it is none
 * @param hold whether it waits before its next step
 * @param abort whether it is taken back
 * @param approvals which gates people have opened
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SecretRotationSpec(
    @Required @JsonPropertyDescription("The SecretBinding whose secret is rotated. Immutable.")
        BindingRef bindingRef,
    @Required @JsonPropertyDescription("Why the secret is rotated.") Trigger trigger,
    @JsonPropertyDescription("When the compromise was found that is the reason.")
        Instant reportedAt,
    @Default("false")
        @JsonPropertyDescription(
            "Takes no further step while true. What has begun is watched, and taken back if it"
                + " fails.")
        Boolean hold,
    @Default("false")
        @JsonPropertyDescription(
            "Takes the rotation back. It has no effect once the new version is promoted.")
        Boolean abort,
    @Size(max = 16) @JsonPropertyDescription("The manual gates that people have opened.")
        List<Approval> approvals) {

  /** Fills in what was left out. */
  public SecretRotationSpec {
    hold = or(hold, false);
    abort = or(abort, false);
    approvals = list(approvals);
  }

  /**
   * Refers to a SecretBinding of the namespace.
   *
   * @param name its name
   */
  public record BindingRef(
      @Required
          @Size(min = 1, max = 230)
          @JsonPropertyDescription("Name of the SecretBinding, in the namespace of the rotation.")
          String name) {}

  /**
   * Opens a manual gate.
   *
   * @param gate its name
   * @param by who says so
   * @param comment what they want to say
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Approval(
      @Required
          @Size(min = 1, max = 63)
          @JsonPropertyDescription("Name of a manual gate of the policy.")
          String gate,
      @Size(max = 128) @JsonPropertyDescription("Who approves.") String by,
      @Size(max = 1024) @JsonPropertyDescription("What they want to say.") String comment) {}

  /** Why a secret is rotated. */
  public enum Trigger {
    /** Its policy says that it is time. */
    Scheduled,
    /** The upstream Secret has a new value. */
    SourceChanged,
    /** A person asked for it. */
    Manual,
    /** The current value is known to others. */
    Compromise,
    /** The current credential ends for good, or has ended. */
    Expiring
  }
}
