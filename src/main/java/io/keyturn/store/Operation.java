package io.keyturn.store;

import java.util.Locale;

/** What a store is asked. */
public enum Operation {
  /** Whether it answers, and lets the identity in. */
  CHECK,
  /** What it holds. */
  READ,
  /** To log in for one value that is to be made. */
  LOGIN,
  /** To make a value. */
  ISSUE,
  /** Whether what it made works, or what was revoked is refused. */
  VERIFY,
  /** To let a credential live longer. */
  RENEW,
  /** To keep a credential from being used. */
  DISABLE,
  /** To let it be used again. */
  ENABLE,
  /** To end a credential. */
  REVOKE;

  /** The value of a metric label. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }
}
