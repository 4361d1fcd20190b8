package io.keyturn.simulation;

/** What an application does with a value that it was given. */
enum Behaviour {
  /** It becomes Ready and stays so. */
  WORKS,
  /** It never becomes Ready. */
  NEVER_READY,
  /** It ends soon after it has started, again and again. */
  CRASHES,
  /** It becomes Ready, and restarts a few seconds later. */
  FAILS_LATER,
  /** It works in canary pods and nowhere else. */
  WORKS_IN_CANARIES_ALONE
}
