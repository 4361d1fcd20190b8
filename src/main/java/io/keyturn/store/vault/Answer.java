package io.keyturn.store.vault;

import java.time.Duration;
import java.util.Optional;

/**
 * What Vault answers.
 *
 * @param path that was asked
 * @param status the status of HTTP
 * @param retryAfter when it wants to be asked again
 */
record Answer(String path, int status, Optional<Duration> retryAfter, byte[] body) {

  boolean isSuccess() {
    return status / 100 == 2;
  }

  /** What it says. */
  Reply reply() {
    return Reply.parse(path, body);
  }

  /** The same if it is a success; else it is thrown as what it means. */
  Answer orFail() {
    if (isSuccess()) {
      return this;
    }
    throw Failures.of(this);
  }

  /** Its status alone: the body holds values. */
  @Override
  public String toString() {
    return path + " " + status;
  }
}
