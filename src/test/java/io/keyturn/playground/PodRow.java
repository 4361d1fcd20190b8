package io.keyturn.playground;

import io.fabric8.kubernetes.api.model.Pod;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.playground.Terminal.Style;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Pods as one line: {@code v1 v1 v1 v1 v1 canary v2}. */
final class PodRow {

  private final Terminal terminal;
  private final String annotation;
  private final String untouched;
  private final String newest;

  /**
   * For the pods that read one Secret.
   *
   * @param secret the alias
   * @param untouched the version of pods that Keyturn never restarted
   * @param newest the version that is on its way
   */
  PodRow(Terminal terminal, String secret, long untouched, long newest) {
    this.terminal = terminal;
    this.annotation = Names.versionAnnotation(secret);
    this.untouched = "v" + untouched;
    this.newest = "v" + newest;
  }

  String of(List<Pod> pods) {
    List<Pod> living =
        pods.stream()
            .filter(p -> p.getMetadata().getDeletionTimestamp() == null)
            .sorted(Comparator.comparing(PodRow::isCanary).thenComparing(p -> number(version(p))))
            .toList();
    StringBuilder row = new StringBuilder();
    for (Pod pod : living) {
      row.append(row.isEmpty() ? "" : " ").append(cell(pod));
    }
    return row.toString();
  }

  private String cell(Pod pod) {
    String version = version(pod);
    String text = isReady(pod) ? version : "(" + version + ")";
    if (isCanary(pod)) {
      return terminal.paint(Style.YELLOW, " canary " + text);
    }
    return terminal.paint(version.equals(newest) ? Style.GREEN : Style.BLUE, text);
  }

  /** The version that a pod runs on, such as v2. */
  String version(Pod pod) {
    Map<String, String> annotations = pod.getMetadata().getAnnotations();
    String id = annotations == null ? null : annotations.get(annotation);
    return id == null ? untouched : id.substring(0, id.indexOf('-'));
  }

  /** How many pods outside the canary run, Ready, on the newest version. */
  long onNewest(List<Pod> pods) {
    return pods.stream()
        .filter(p -> !isCanary(p) && isReady(p) && version(p).equals(newest))
        .count();
  }

  private static long number(String version) {
    return Long.parseLong(version.substring(1));
  }

  static boolean isCanary(Pod pod) {
    return pod.getMetadata().getLabels().containsKey(Names.CANARY_FOR);
  }

  private static boolean isReady(Pod pod) {
    return Optional.ofNullable(pod.getStatus().getConditions()).orElse(List.of()).stream()
        .anyMatch(c -> "Ready".equals(c.getType()) && "True".equals(c.getStatus()));
  }
}
