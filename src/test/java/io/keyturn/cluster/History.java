package io.keyturn.cluster;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;

/**
 * Everything that happens to some objects while a test runs, in the order of the API server: what
 * holds at each moment can be asserted, not only what holds at the end.
 */
final class History<T extends HasMetadata> implements AutoCloseable {

  /**
   * A change of an object.
   *
   * @param object as it is, or as it was when it went, with the revision of its deletion
   */
  record Event<T extends HasMetadata>(boolean deleted, T object) {

    /** Its place in the history of all objects of all kinds. */
    long revision() {
      return Long.parseLong(object.getMetadata().getResourceVersion());
    }
  }

  private final List<Event<T>> events = new CopyOnWriteArrayList<>();
  private final Map<String, T> now = new ConcurrentHashMap<>();
  private final Map<String, Long> revisions = new ConcurrentHashMap<>();
  private final Supplier<? extends KubernetesResourceList<T>> list;
  private volatile boolean broken;
  private final Watch watch;

  private <L extends KubernetesResourceList<T>> History(FilterWatchListDeletable<T, L, ?> objects) {
    list = objects::list;
    watch =
        objects.watch(
            new Watcher<T>() {
              @Override
              public void eventReceived(Action action, T object) {
                if (action == Action.ADDED || action == Action.MODIFIED) {
                  now.put(object.getMetadata().getName(), object);
                  happened(new Event<>(false, object));
                } else if (action == Action.DELETED) {
                  now.remove(object.getMetadata().getName());
                  happened(new Event<>(true, object));
                }
              }

              @Override
              public void onClose(WatcherException cause) {
                broken = true;
              }
            });
  }

  private void happened(Event<T> event) {
    events.add(event);
    revisions.put(event.object().getMetadata().getName(), event.revision());
  }

  static <T extends HasMetadata, L extends KubernetesResourceList<T>, R extends Resource<T>>
      History<T> of(FilterWatchListDeletable<T, L, R> objects) {
    return new History<>(objects);
  }

  /** The last state of an object; empty if there is none. */
  Optional<T> latest(String name) {
    requireWhole();
    return Optional.ofNullable(now.get(name));
  }

  /** Everything that happened. */
  List<Event<T>> events() {
    requireWhole();
    return List.copyOf(events);
  }

  /**
   * Waits until it has heard of everything that has happened by now.
   *
   * @return the revision up to which nothing is missing
   */
  long catchUp() {
    KubernetesResourceList<T> there = list.get();
    long revision = Long.parseLong(there.getMetadata().getResourceVersion());
    Awaitility.await("the watch tells of what there is")
        .pollInterval(Duration.ofMillis(20))
        .until(() -> hasHeardOf(there.getItems(), revision));
    return revision;
  }

  private boolean hasHeardOf(List<T> there, long revision) {
    Set<String> names =
        there.stream().map(o -> o.getMetadata().getName()).collect(Collectors.toSet());
    boolean changes =
        there.stream()
            .allMatch(o ->
                revisions.getOrDefault(o.getMetadata().getName(), -1L)
                    >= new Event<>(false, o).revision());
    boolean deletions =
        now.keySet().stream().allMatch(n -> names.contains(n) || revisions.get(n) > revision);
    return changes && deletions;
  }

  /** Each state of each object. */
  List<T> states() {
    requireWhole();
    return events.stream().filter(e -> !e.deleted()).map(Event::object).toList();
  }

  /** Each object as it was when it went. */
  List<T> deletions() {
    requireWhole();
    return events.stream().filter(Event::deleted).map(Event::object).toList();
  }

  /** What a function of each state says, without repetitions in a row. */
  <V> List<V> changesOf(Function<T, V> what) {
    List<V> changes = new CopyOnWriteArrayList<>();
    for (T state : states()) {
      V value = what.apply(state);
      if (changes.isEmpty() || !java.util.Objects.equals(changes.getLast(), value)) {
        changes.add(value);
      }
    }
    return changes;
  }

  /** What a function of all objects says at each moment. */
  <V> List<V> moments(Function<List<T>, V> what) {
    requireWhole();
    Map<String, T> now = new TreeMap<>();
    return events.stream()
        .map(e -> {
          String name = e.object().getMetadata().getName();
          if (e.deleted()) {
            now.remove(name);
          } else {
            now.put(name, e.object());
          }
          return what.apply(List.copyOf(now.values()));
        })
        .toList();
  }

  private void requireWhole() {
    if (broken) {
      throw new IllegalStateException("the watch broke, so the history has a gap");
    }
  }

  @Override
  public void close() {
    watch.close();
  }
}
