package io.keyturn.config;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.rbac.ClusterRole;
import io.fabric8.kubernetes.api.model.rbac.PolicyRule;
import io.fabric8.kubernetes.api.model.rbac.Role;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What the operator may do is decided in review: whoever changes a role also changes {@code
 * rbac.golden}.
 */
class RbacTest {

  private static final KubernetesSerialization YAML = new KubernetesSerialization();
  private static final Path CONFIG = Path.of("config");
  private static final Path GOLDEN = Path.of("src/test/resources/rbac.golden");

  /** A role as it is shipped. */
  private record Shipped(String title, List<PolicyRule> rules) {}

  @Test
  void theRolesGrantWhatTheGoldenFileListsAndNoMore() throws IOException {
    assertThat(roles().map(RbacTest::lines).collect(Collectors.joining("\n")))
        .as("%s lists what the roles under %s grant", GOLDEN, CONFIG)
        .isEqualTo(Files.readString(GOLDEN));
  }

  @Test
  void nothingIsGrantedByAWildcard() {
    assertThat(rules())
        .allSatisfy(rule -> {
          assertThat(rule.getApiGroups()).doesNotContain("*");
          assertThat(rule.getResources()).isNotEmpty().noneMatch(r -> r.contains("*"));
          assertThat(rule.getVerbs()).doesNotContain("*");
          assertThat(rule.getNonResourceURLs()).isEmpty();
        });
  }

  /**
   * Tenants log in to stores as their own ServiceAccounts, so tokens of those are made; by this
   * rule and no other.
   */
  private static boolean makesTokensOfServiceAccounts(PolicyRule rule) {
    return rule.getApiGroups().equals(List.of(""))
        && rule.getResources().equals(List.of("serviceaccounts/token"))
        && rule.getVerbs().equals(List.of("create"));
  }

  @Test
  void tokensAreMadeByOneRuleAlone() {
    assertThat(rules()).filteredOn(RbacTest::makesTokensOfServiceAccounts).hasSize(1);
  }

  @Test
  void noPodIsEnteredAndNoRightIsHandedOn() {
    assertThat(rules())
        .filteredOn(rule -> !makesTokensOfServiceAccounts(rule))
        .allSatisfy(rule -> {
          assertThat(rule.getResources())
              .noneMatch(r ->
                  Set.of("exec", "attach", "portforward", "proxy", "token")
                      .contains(r.substring(r.indexOf('/') + 1)));
          assertThat(rule.getApiGroups()).doesNotContain("rbac.authorization.k8s.io");
          assertThat(rule.getVerbs()).doesNotContain("escalate", "bind", "impersonate");
        });
  }

  private static List<PolicyRule> rules() {
    List<PolicyRule> rules = roles().flatMap(role -> role.rules().stream()).toList();
    assertThat(rules).isNotEmpty();
    return rules;
  }

  /** Every Role and ClusterRole anywhere under config/. */
  private static Stream<Shipped> roles() {
    try (Stream<Path> files = Files.walk(CONFIG)) {
      return files
          .filter(file -> file.toString().endsWith(".yaml"))
          .filter(file -> !file.endsWith("kustomization.yaml"))
          .sorted()
          .flatMap(RbacTest::objects)
          .flatMap(object ->
              switch (object) {
                case ClusterRole role -> Stream.of(shipped(role, role.getRules()));
                case Role role -> Stream.of(shipped(role, role.getRules()));
                default -> Stream.empty();
              })
          .toList()
          .stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Stream<HasMetadata> objects(Path file) {
    try {
      Object parsed = YAML.unmarshal(Files.readString(file));
      return (parsed instanceof List<?> several ? several.stream() : Stream.of(parsed))
          .map(HasMetadata.class::cast);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Shipped shipped(HasMetadata role, List<PolicyRule> rules) {
    return new Shipped(role.getKind() + " " + role.getMetadata().getName(), rules);
  }

  private static String lines(Shipped role) {
    TreeMap<String, TreeSet<String>> verbs = new TreeMap<>();
    for (PolicyRule rule : role.rules()) {
      for (String group : rule.getApiGroups()) {
        for (String resource : rule.getResources()) {
          verbs
              .computeIfAbsent(
                  (group.isEmpty() ? "core" : group) + "/" + resource, _ -> new TreeSet<>())
              .addAll(rule.getVerbs());
        }
      }
    }
    return "# "
        + role.title()
        + "\n"
        + verbs.entrySet().stream()
            .map(e -> e.getKey() + ": " + String.join(", ", e.getValue()) + "\n")
            .collect(Collectors.joining());
  }
}
