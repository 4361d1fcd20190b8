package io.keyturn.api.v1alpha1;

/** What a check or a gate says of a version. */
public enum Verdict {
  /** It was asked, and the answer is good. */
  Passed,
  /** It was asked, and the answer is bad: the version is taken back. */
  Failed,
  /**
   * There is no answer: what should ask could not start, the answer is late, empty, no number or
   * cannot be understood. It is neither good nor bad, so nothing is promoted and nothing is taken
   * back for it.
   */
  Inconclusive
}
