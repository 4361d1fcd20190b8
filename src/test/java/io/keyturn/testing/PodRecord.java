package io.keyturn.testing;

import io.fabric8.kubernetes.api.model.Pod;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Collection;
import java.util.HexFormat;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What is remembered of a pod for the test that asks later, also when the pod is gone. Values only
 * as digests.
 */
final class PodRecord {
  private final Map<String, Set<String>> startedWith = new ConcurrentHashMap<>();
  private final AtomicLong accepted = new AtomicLong();
  private final AtomicLong refused = new AtomicLong();
  private final AtomicLong unreachable = new AtomicLong();
  private volatile HollowPod pod;

  PodRecord(Pod pod) {
    seen(pod);
  }

  void seen(Pod latest) {
    var metadata = latest.getMetadata();
    pod =
        new HollowPod(
            metadata.getNamespace(),
            metadata.getName(),
            metadata.getUid(),
            copy(metadata.getLabels()),
            copy(metadata.getAnnotations()));
  }

  HollowPod pod() {
    return pod;
  }

  /** One run of a container was given values. */
  void startedWith(String containerId, Stream<String> values) {
    startedWith.put(containerId, values.map(PodRecord::digest).collect(Collectors.toSet()));
  }

  boolean wasStartedWith(String value) {
    String digest = digest(value);
    return startedWith.values().stream().anyMatch(given -> given.contains(digest));
  }

  /** Which of some values one run of a container was given. */
  Set<String> given(String containerId, Collection<String> values) {
    Set<String> given = startedWith.getOrDefault(containerId, Set.of());
    return values.stream().filter(v -> given.contains(digest(v))).collect(Collectors.toSet());
  }

  void count(LoginOutcome outcome) {
    switch (outcome) {
      case ACCEPTED -> accepted.incrementAndGet();
      case REFUSED -> refused.incrementAndGet();
      case UNREACHABLE -> unreachable.incrementAndGet();
    }
  }

  LoginCount logins() {
    return new LoginCount(
        pod.namespace(),
        pod.uid(),
        pod.name(),
        pod.labels(),
        accepted.get(),
        refused.get(),
        unreachable.get());
  }

  private static Map<String, String> copy(Map<String, String> map) {
    return map == null ? Map.of() : Map.copyOf(map);
  }

  private static String digest(String value) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-256").digest(value.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}
