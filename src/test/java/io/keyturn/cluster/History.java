package io.keyturn.cluster;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.KubernetesResourceList;
import io.fabric8.kubernetes.client.Watch;
import io.fabric8.kubernetes.client.Watcher;
import io.fabric8.kubernetes.client.WatcherException;
import io.fabric8.kubernetes.client.dsl.FilterWatchListDeletable;
import io.fabric8.kubernetes.client.dsl.Resource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;

/**
 * Everything that happens to some objects while a test runs, in the order of the API server: what
 * holds at each moment can be asserted, not only what holds at the end.
 */
final class History<T extends HasMetadata> implements AutoCloseable {

  private record Event<T>(boolean deleted, T object) {}

  private final List<Event<T>> events = new CopyOnWriteArrayList<>();
  private final Map<String, T> now = new ConcurrentHashMap<>();
  private volatile boolean broken;
  private final Watch watch;

  private History(FilterWatchListDeletable<T, ?, ?> objects) {
    watch =
        objects.watch(
            new Watcher<T>() {
              @Override
              public void eventReceived(Action action, T object) {
                if (action == Action.ADDED || action == Action.MODIFIED) {
                  events.add(new Event<>(false, object));
                  now.put(object.getMetadata().getName(), object);
                } else if (action == Action.DELETED) {
                  events.add(new Event<>(true, object));
                  now.remove(object.getMetadata().getName());
                }
              }

              @Override
              public void onClose(WatcherException cause) {
                broken = true;
              }
            });
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
