package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.list;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import java.util.List;

/**
 * What is known of a store.
 *
 * @param observedGeneration the generation of the spec that this status is about
 * @param conditions see {@link Conditions}
 * @param provider which kind of server it is
 * @param capabilities what it can do
 */
@JsonInclude(JsonInclude.Include.NON_EMPTY)
public record SecretStoreStatus(
    @JsonPropertyDescription("The generation of the spec that this status is about.")
        Long observedGeneration,
    @JsonPropertyDescription("What is observed of the store.") List<Condition> conditions,
    @JsonPropertyDescription("Which kind of server it is.") String provider,
    @JsonPropertyDescription("What it can do.") Capabilities capabilities) {

  /** The status of a store that nobody has looked at yet. */
  public static final SecretStoreStatus EMPTY = new SecretStoreStatus(null, null, null, null);

  /** Copies the list. */
  public SecretStoreStatus {
    conditions = list(conditions);
  }

  /**
   * What a store can do, at most: a source of it may do less.
   *
   * @param overlap whether the old value stays valid beside the new one
   * @param leases whether what it issues ends unless it is renewed
   * @param disable whether a credential can be disabled and enabled again
   * @param revoke whether a credential can be ended
   */
  public record Capabilities(
      @JsonPropertyDescription("Whether the old value stays valid beside the new one.")
          SecretBindingSpec.Overlap overlap,
      @JsonPropertyDescription("Whether what it issues ends unless Keyturn renews it.")
          boolean leases,
      @JsonPropertyDescription("Whether a credential can be disabled and enabled again.")
          boolean disable,
      @JsonPropertyDescription("Whether a credential can be ended.") boolean revoke) {}
}
