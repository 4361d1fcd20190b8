package io.keyturn.playground;

/** One part of the demo. */
interface Scene {

  /** What it is about, in a few words. */
  String title();

  /** Plays it, and judges its promises. */
  void play();
}
