package io.keyturn.store;

/** From where an answer came. */
public enum Via {
  /** The store was asked. */
  STORE,
  /** Somebody else was asking the store already. */
  SHARED,
  /** The store had been asked before. */
  CACHE
}
