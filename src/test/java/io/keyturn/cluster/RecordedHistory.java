package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Pod;
import io.fabric8.kubernetes.api.model.Secret;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.invariant.Invariants;
import io.keyturn.invariant.Values;
import io.keyturn.invariant.World;
import io.keyturn.testing.HollowKubelet;
import io.keyturn.testing.SharedControlPlane;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Everything that happens in a namespace while a test runs, held against the invariants. One etcd
 * counts the changes of all kinds, so that each state between two of them is known exactly.
 *
 * <p>A process holds a value from when its kubelet says that it runs, which is a moment later than
 * it read it; files that change under it are not known. Whose a change is the managed fields tell,
 * but of a deletion nobody can: it is taken for Keyturn's, so this is for tests in which no person
 * deletes a Secret or a Deployment. The eleventh invariant is not judged: what a request did not
 * change no watch tells.
 */
final class RecordedHistory implements AutoCloseable {

  private final String namespace;
  private final History<SecretRotation> rotations;
  private final History<Secret> secrets;
  private final List<History<? extends HasMetadata>> all;

  private RecordedHistory(Team team) {
    var client = team.client();
    namespace = team.namespace();
    rotations = History.of(client.resources(SecretRotation.class).inNamespace(namespace));
    secrets = History.of(client.secrets().inNamespace(namespace));
    all =
        List.of(
            rotations,
            secrets,
            History.of(client.resources(SecretBinding.class).inNamespace(namespace)),
            History.of(client.apps().deployments().inNamespace(namespace)),
            History.of(client.pods().inNamespace(namespace)),
            History.of(client.events().v1().events().inNamespace(namespace)));
  }

  /** Begins to record, best before there is anything. */
  static RecordedHistory of(Team team) {
    return new RecordedHistory(team);
  }

  History<SecretRotation> rotations() {
    return rotations;
  }

  /** Asserts that the invariants hold on each state until now. */
  void assertInvariants() {
    replay();
  }

  /** Asserts the same, and that each rotation has ended, and each pod runs on what is current. */
  void assertInvariantsAtRest() {
    replay().atRest();
  }

  /** Asserts that nothing was made a second time: no name is ever used twice. */
  void assertMadeOnce() {
    Map<String, Set<String>> made =
        all.stream()
            .flatMap(h -> h.states().stream())
            .map(o -> (HasMetadata) o)
            .filter(o -> !(o instanceof Pod))
            .collect(
                Collectors.groupingBy(
                    o -> o.getKind() + " " + o.getMetadata().getName(),
                    Collectors.mapping(o -> o.getMetadata().getUid(), Collectors.toSet())));
    assertThat(made).allSatisfy((name, uids) -> assertThat(uids).as(name).hasSize(1));
  }

  private Invariants replay() {
    long end = all.stream().mapToLong(History::catchUp).min().orElseThrow();
    assertKeyturnIsKnown();
    Replay replay = new Replay(namespace, valuesOfSecrets());
    Invariants invariants = new Invariants(replay);
    all.stream()
        .flatMap(h -> h.events().stream())
        .filter(e -> e.revision() <= end)
        .sorted(Comparator.comparingLong(History.Event::revision))
        .forEach(e -> replay.play(e, invariants));
    System.out.printf("%s: %d recorded states checked%n", namespace, invariants.checked());
    return invariants;
  }

  /** If nothing were known to be Keyturn's work, nothing would be held against it. */
  private void assertKeyturnIsKnown() {
    assertThat(secrets.states())
        .filteredOn(s -> Boolean.TRUE.equals(s.getImmutable()))
        .filteredOn(s -> Author.isSomebodyElse(null, s))
        .extracting(s -> s.getMetadata().getName())
        .isEmpty();
  }

  private Set<String> valuesOfSecrets() {
    return secrets.states().stream()
        .flatMap(s -> Values.of(s).stream())
        .collect(Collectors.toSet());
  }

  /** The namespace at one moment after the other. */
  private static final class Replay implements World {

    private final HollowKubelet kubelet = SharedControlPlane.kubelet();
    private final String namespace;
    private final Map<Class<?>, Map<String, HasMetadata>> objects = new HashMap<>();
    private final Map<List<String>, Set<String>> held = new HashMap<>();
    private final Set<String> known;
    private long revision;

    Replay(String namespace, Set<String> known) {
      this.namespace = namespace;
      this.known = known;
    }

    void play(History.Event<?> event, Invariants invariants) {
      HasMetadata object = event.object();
      String name = object.getMetadata().getName();
      revision = event.revision();
      HasMetadata before =
          event.deleted() ? kind(object).remove(name) : kind(object).put(name, object);
      HasMetadata after = event.deleted() ? null : object;
      if (Author.isSomebodyElse(before, after)) {
        invariants.byPerson(() -> invariants.observe(before, after));
      } else {
        invariants.observe(before, after);
      }
    }

    private Map<String, HasMetadata> kind(HasMetadata object) {
      return objects.computeIfAbsent(object.getClass(), _ -> new HashMap<>());
    }

    @Override
    public <T extends HasMetadata> Stream<T> look(Class<T> kind) {
      return objects.getOrDefault(kind, Map.of()).values().stream().map(kind::cast);
    }

    @Override
    public <T extends HasMetadata> T look(Class<T> kind, String name) {
      return kind.cast(objects.getOrDefault(kind, Map.of()).get(name));
    }

    /** By the numbers of its containers, as asking the kubelet takes its time. */
    @Override
    public Set<String> valuesOf(Pod pod) {
      List<String> running =
          pod.getStatus() == null
              ? List.of()
              : pod.getStatus().getContainerStatuses().stream()
                  .filter(c -> c.getState().getRunning() != null)
                  .map(c -> c.getContainerID())
                  .toList();
      return held.computeIfAbsent(running, _ -> kubelet.heldBy(pod, known));
    }

    @Override
    public boolean mayBeLate() {
      return false;
    }

    @Override
    public String moment() {
      return "resourceVersion %d of %s".formatted(revision, namespace);
    }
  }

  @Override
  public void close() {
    all.forEach(History::close);
  }
}
