package io.keyturn.controller;

import java.time.Duration;

/**
 * How long after a change of a Secret a kubelet may still start containers with the value before
 * it.
 *
 * @param value zero or more
 */
public record KubeletLag(Duration value) {}
