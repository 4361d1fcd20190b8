package io.keyturn.api.v1alpha1;

import static io.keyturn.api.v1alpha1.Api.list;
import static io.keyturn.api.v1alpha1.Api.or;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.generator.annotation.Size;
import io.fabric8.generator.annotation.ValidationRule;
import java.util.List;

/**
 * A store that several namespaces may use, each with an identity of its own.
 *
 * @param provider the server
 * @param refreshInterval how often each of its values is read
 * @param limits of what it is asked
 * @param allowedNamespaces who may use it; null: nobody
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record ClusterSecretStoreSpec(
    @Required @JsonPropertyDescription("The server: exactly one member.") Provider provider,
    @Default("1m")
        @Pattern(Durations.PATTERN)
        @Size(max = Durations.MAX_LENGTH)
        @ValidationRule(value = Api.POSITIVE_RULE, message = SecretStoreSpec.REFRESH_MESSAGE)
        @JsonPropertyDescription(
            "How often each value that it holds is read: a change is seen after this time at the"
                + " latest. Default: 1m.")
        String refreshInterval,
    @JsonPropertyDescription("Limits of what it is asked.") SecretStoreSpec.Limits limits,
    @JsonPropertyDescription(
            "The namespaces whose SecretBindings may use it. Absent: none. Identities and Secrets"
                + " are always those of the namespace of the SecretBinding.")
        AllowedNamespaces allowedNamespaces) {

  /** Fills in what the user left out. */
  public ClusterSecretStoreSpec {
    refreshInterval = or(refreshInterval, "1m");
    limits = or(limits, new SecretStoreSpec.Limits(null, null));
  }

  /** The same without who may use it. */
  public SecretStoreSpec store() {
    return new SecretStoreSpec(provider, refreshInterval, limits);
  }

  /**
   * Who may use a store: whom the names or the selector choose.
   *
   * @param names of namespaces
   * @param selector by labels of namespaces; null: none
   */
  @JsonInclude(JsonInclude.Include.NON_NULL)
  @ValidationRule(
      value = "has(self.names) || has(self.selector)",
      message =
          "allowedNamespaces chooses nobody: write names, a selector, or leave it out, which means"
              + " the same")
  public record AllowedNamespaces(
      @Size(min = 1, max = 1000) @JsonPropertyDescription("Names of namespaces.")
          List<String> names,
      @JsonPropertyDescription("Chooses namespaces by their labels.")
          SecretBindingSpec.Selector selector) {

    /** Copies the list. */
    public AllowedNamespaces {
      names = list(names);
    }
  }
}
