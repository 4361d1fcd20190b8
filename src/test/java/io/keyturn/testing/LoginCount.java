package io.keyturn.testing;

import java.util.Map;

/**
 * How often the application of one pod has tried to log in, and what came of it. The pod may be
 * long gone.
 *
 * @param labels the pod's labels, as last seen
 * @param refused attempts to which the server said no: what no user of Keyturn should ever see
 * @param unreachable attempts without an answer about the credentials
 */
public record LoginCount(
    String namespace,
    String podUid,
    String podName,
    Map<String, String> labels,
    long accepted,
    long refused,
    long unreachable) {}
