package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.or;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;

/**
 * Where secrets come from, and how gently it is asked.
 *
 * @param provider the server
 * @param refreshInterval how often each of its values is read
 * @param limits of what it is asked
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record SecretStoreSpec(
    @Required @JsonPropertyDescription("The server: exactly one member.") Provider provider,
    @Default("1m")
        @Pattern(Durations.PATTERN)
        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(value = Api.POSITIVE_RULE, message = REFRESH_MESSAGE)
        @JsonPropertyDescription(
            "How often each value that it holds is read: a change is seen after this time at the"
                + " latest. Default: 1m.")
        String refreshInterval,
    @JsonPropertyDescription("Limits of what it is asked.") Limits limits) {

  static final String REFRESH_MESSAGE =
      "refreshInterval must be longer than zero: write for example 1m";

  /** Fills in what the user left out. */
  public SecretStoreSpec {
    refreshInterval = or(refreshInterval, "1m");
    limits = or(limits, new Limits(null, null));
  }

  /**
   * Limits of what a store is asked.
   *
   * @param requestsPerSecond of Keyturn, logins included
   * @param maxConcurrentRotations how many rotations with this store move pods at once, in all
   *     namespaces together; null: as many as policies let
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  public record Limits(
      @Default("10")
          @Min(1)
          @Max(10000)
          @JsonPropertyDescription(
              "How many requests Keyturn makes a second, logins included. Default: 10.")
          Integer requestsPerSecond,
      @Min(1)
          @Max(1000)
          @JsonPropertyDescription(
              "How many rotations whose sources are of this store move pods at once, in all"
                  + " namespaces together. Absent: as many as the RotationPolicies let.")
          Integer maxConcurrentRotations) {

    /** Fills in what the user left out. */
    public Limits {
      requestsPerSecond = or(requestsPerSecond, 10);
    }
  }
}
