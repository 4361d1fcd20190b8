package io.keyturn.testing;

import java.util.Map;

/** A pod that a {@link HollowKubelet} runs or ran, as it was last seen. */
public record HollowPod(
    String namespace,
    String name,
    String uid,
    Map<String, String> labels,
    Map<String, String> annotations) {}
