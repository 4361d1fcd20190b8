package io.keyturn.testing;

/**
 * Something a container needs is not there yet, in the words of the kubelet. It never has a value
 * in it.
 */
final class MissingInput extends Exception {
  private static final long serialVersionUID = 1;

  private final String reason;

  private MissingInput(String reason, String message) {
    super(message);
    this.reason = reason;
  }

  /** For a variable: the container waits for its configuration, and says for what. */
  static MissingInput variable(String message) {
    return new MissingInput("CreateContainerConfigError", message);
  }

  /**
   * For a volume: the kubelet says nothing in the status but that it is still creating the
   * container.
   */
  static MissingInput volume() {
    return new MissingInput("ContainerCreating", null);
  }

  String reason() {
    return reason;
  }
}
