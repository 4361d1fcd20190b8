package io.keyturn.store.spi;

import io.keyturn.secret.SecretData;
import java.util.Optional;
import java.util.OptionalLong;

/** What a store answers. */
public sealed interface Reading {

  /**
   * A value; whoever receives it closes its data.
   *
   * @param data its keys and values
   * @param credential what it is known by; empty: the store did not issue it
   * @param revision which of its versions it is, where the store counts them
   */
  record Value(SecretData data, Optional<Credential> credential, OptionalLong revision)
      implements Reading {

    /** One that the store holds and does not count. */
    public static Value of(SecretData data) {
      return new Value(data, Optional.empty(), OptionalLong.empty());
    }
  }

  /**
   * There is no value.
   *
   * @param reason one of {@link io.keyturn.api.v1alpha1.Reasons}
   * @param message a sentence without a byte of any value
   */
  record Missing(String reason, String message) implements Reading {}
}
