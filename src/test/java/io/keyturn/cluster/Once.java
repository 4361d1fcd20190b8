package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * Whether anything happened twice in a namespace, by every state of every object in it.
 *
 * @param deployments all of them, the clones of canaries too
 */
record Once(
    History<SecretRotation> rotations, History<Deployment> deployments, History<Secret> secrets)
    implements AutoCloseable {

  static Once watch(Team team) {
    var client = team.client();
    return new Once(
        History.of(client.resources(SecretRotation.class).inNamespace(team.namespace())),
        History.of(client.apps().deployments().inNamespace(team.namespace())),
        History.of(client.secrets().inNamespace(team.namespace())));
  }

  /** Where each rotation stands that there ever was. */
  Map<String, Stage> ends() {
    Map<String, Stage> ends = new TreeMap<>();
    rotations.states().forEach(r -> ends.put(r.getMetadata().getName(), r.getStatus().stage()));
    return ends;
  }

  void assertNothingHappenedTwice() {
    assertOneObjectEach(
        rotations.states().stream().filter(r -> r.getMetadata().getName() != null).toList(),
        r -> r.getMetadata().getName());
    assertOneObjectEach(clones(), Once::canary);
    assertOneObjectEach(
        snapshots(),
        s ->
            s.getMetadata().getLabels().get(Names.BINDING)
                + " "
                + s.getMetadata().getLabels().get(Names.VERSION));
  }

  private static <T extends HasMetadata> void assertOneObjectEach(
      List<T> states, java.util.function.Function<T, String> what) {
    Map<String, Set<String>> uids =
        states.stream()
            .collect(
                Collectors.groupingBy(
                    what,
                    TreeMap::new,
                    Collectors.mapping(s -> s.getMetadata().getUid(), Collectors.toSet())));
    assertThat(uids).allSatisfy((name, made) -> assertThat(made).as(name).hasSize(1));
  }

  private List<Deployment> clones() {
    return deployments.states().stream().filter(Once::isClone).toList();
  }

  private static boolean isClone(Deployment deployment) {
    return deployment.getMetadata().getLabels() != null
        && deployment.getMetadata().getLabels().containsKey(Names.CANARY_FOR);
  }

  /** Of which rotation and for which workload. */
  private static String canary(Deployment clone) {
    return clone.getMetadata().getOwnerReferences().stream()
            .map(OwnerReference::getName)
            .collect(Collectors.joining())
        + " for "
        + clone.getMetadata().getLabels().get(Names.CANARY_FOR);
  }

  private List<Secret> snapshots() {
    return secrets.states().stream()
        .filter(s -> Boolean.TRUE.equals(s.getImmutable()))
        .filter(s -> s.getMetadata().getLabels() != null)
        .filter(s -> s.getMetadata().getLabels().containsKey(Names.VERSION))
        .toList();
  }

  /**
   * Asserts that a pod template moved on to each version once at most, and back from it once at
   * most, and that nothing else changed of the Deployment.
   */
  void assertMovedOnce(String workload, String alias) {
    List<Deployment> states =
        deployments.states().stream()
            .filter(d -> d.getMetadata().getName().equals(workload))
            .toList();
    String key = Names.versionAnnotation(alias);
    List<Long> versions = new ArrayList<>();
    for (Deployment state : states) {
      var annotations = state.getSpec().getTemplate().getMetadata().getAnnotations();
      String id = annotations == null ? null : annotations.get(key);
      long version = id == null ? 1 : Long.parseLong(id.substring(1, id.indexOf('-')));
      if (versions.isEmpty() || versions.getLast() != version) {
        versions.add(version);
      }
    }
    assertMovesOnce(workload, versions);
    assertThat(states.stream().map(d -> d.getMetadata().getGeneration()).distinct().count())
        .as("generations of %s for the versions %s", workload, versions)
        .isLessThanOrEqualTo(versions.size() + 1L);
  }

  /**
   * Asserts that an alias held one version, whole, at each moment; and that it moved to each
   * version once at most, and back from it once at most.
   */
  void assertWhole(String alias, Set<Long> promoted) {
    Map<Long, Map<String, String>> values = new HashMap<>();
    for (Secret s : snapshots()) {
      if (alias.equals(s.getMetadata().getLabels().get(Names.BINDING))) {
        values.put(Names.number(s.getMetadata().getLabels().get(Names.VERSION)), s.getData());
      }
    }
    List<Long> versions = new ArrayList<>();
    for (Secret state : secrets.states()) {
      if (state.getMetadata().getName().equals(alias)) {
        long version = Names.number(state.getMetadata().getLabels().get(Names.VERSION));
        boolean whole = Objects.equals(state.getData(), values.get(version));
        assertThat(whole).as("%s holds version %d, whole", alias, version).isTrue();
        if (versions.isEmpty() || versions.getLast() != version) {
          versions.add(version);
        }
      }
    }
    assertMovesOnce(alias, versions);
    assertThat(versions).as("versions of " + alias).containsAll(promoted);
  }

  private static void assertMovesOnce(String what, List<Long> versions) {
    Set<String> moves = new HashSet<>();
    for (int i = 1; i < versions.size(); i++) {
      long from = versions.get(i - 1);
      long to = versions.get(i);
      String move = to > from ? "to " + to : "back from " + from;
      assertThat(moves.add(move)).as("%s moves %s once: %s", what, move, versions).isTrue();
    }
  }

  @Override
  public void close() {
    rotations.close();
    deployments.close();
    secrets.close();
  }
}
