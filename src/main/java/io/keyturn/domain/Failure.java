package io.keyturn.domain;

import java.time.Duration;

/**
 * Why an effect was not done: the API server or a store does not do it.
 *
 * @param reason one of {@link io.keyturn.api.v1alpha1.Reasons}
 * @param message a sentence for people
 * @param lasting whether it will not work until somebody changes something
 * @param retryIn when to try again
 */
public record Failure(String reason, String message, boolean lasting, Duration retryIn) {}
