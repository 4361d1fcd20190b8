package io.keyturn.simulation;

/** The process of an operator dies. */
final class Crash extends Error {

  private static final long serialVersionUID = 1L;

  Crash() {
    super("simulated", null, false, false);
  }
}
