package io.keyturn.store;

import java.time.Duration;

/** Counts what stores are asked. */
@FunctionalInterface
public interface StoreObserver {

  /** Counts nothing. */
  StoreObserver NONE = (type, store, operation, outcome, took) -> {};

  /**
   * A store was asked.
   *
   * @param storeType the name of its kind, such as {@code vault}
   * @param store name of the ClusterSecretStore, or namespace and name of the SecretStore
   * @param outcome ok, not_found, denied, throttled, timeout, error or integrity
   * @param took how long, without waiting for a turn
   */
  void asked(String storeType, String store, Operation operation, String outcome, Duration took);
}
