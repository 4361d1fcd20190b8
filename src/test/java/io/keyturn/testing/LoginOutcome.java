package io.keyturn.testing;

/** What came of an attempt to log in. */
public enum LoginOutcome {
  /** The server knows the user, and the password is right. */
  ACCEPTED,
  /** The server answered, and said no to the user or the password. */
  REFUSED,
  /**
   * There was no answer, or one that says nothing about the credentials, such as "too many
   * clients".
   */
  UNREACHABLE
}
