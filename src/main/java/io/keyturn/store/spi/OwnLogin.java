package io.keyturn.store.spi;

import java.util.Optional;

/** A login that one value alone is issued to, and that the value ends with. */
public interface OwnLogin {

  /**
   * By what it can be ended later, see {@link Store#logout}; the {@link Credential#owner} of what
   * is issued to it. It is no value. Empty: nobody else can end it, so it ends with its time.
   */
  Optional<String> owner();
}
