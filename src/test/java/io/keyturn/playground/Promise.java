package io.keyturn.playground;

/** What the demo promises; it fails when one of these does not come true. */
enum Promise {
  /** Scene 1. */
  ADOPTED("Taking over an existing Secret restarts nobody"),
  /** Scene 2. */
  CANARY_FIRST("A new value reaches one canary before anybody else"),
  /** Scene 2. */
  PROMOTED("A good value reaches every pod without a failed login"),
  /** Scene 3. */
  REJECTED("A bad value is taken back by itself"),
  /** Scene 3. */
  CONTAINED("No pod but the canary ever has the bad value"),
  /** Scene 4. */
  GATED("A value that works is taken back when a gate says no"),
  /** Scene 5. */
  RESUMED("A killed operator goes on where it was"),
  /** Scene 6. */
  HURRIED("A leaked value is replaced on every pod without a bake, and no login fails"),
  /** Scene 6. */
  REFUSED("The leaked value opens nothing any more, and nothing goes back to it"),
  /** Scene 7. */
  GENERATED("A generated value goes the same way"),
  /** Scene 8. */
  LEASED("A credential that Vault issued ends when nobody uses it, and not before"),
  /** All scenes. */
  SILENT("No value is shown, logged or reported");

  private final String sentence;

  Promise(String sentence) {
    this.sentence = sentence;
  }

  String sentence() {
    return sentence;
  }
}
