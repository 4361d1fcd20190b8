package io.keyturn.cluster;

import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Records what happens to each team of a class, and asserts in the end that no invariant broke. */
final class HeldInvariants implements BeforeAllCallback, AfterAllCallback {

  @Override
  public void beforeAll(ExtensionContext context) {
    SharedWorld.recordTeams();
  }

  @Override
  public void afterAll(ExtensionContext context) {
    SharedWorld.assertInvariants();
  }
}
