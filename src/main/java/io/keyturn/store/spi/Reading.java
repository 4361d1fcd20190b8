package io.keyturn.store.spi;

import io.keyturn.secret.SecretData;

/** What a store answers. */
public sealed interface Reading {

  /**
   * A value; whoever receives it closes it.
   *
   * @param data its keys and values
   */
  record Value(SecretData data) implements Reading {}

  /**
   * There is no value.
   *
   * @param reason one of {@link io.keyturn.api.v1alpha1.Reasons}
   * @param message a sentence without a byte of any value
   */
  record Missing(String reason, String message) implements Reading {}
}
