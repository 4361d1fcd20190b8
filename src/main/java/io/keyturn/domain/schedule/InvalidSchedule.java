package io.keyturn.domain.schedule;

/** A schedule that cannot be followed; the message is a sentence for whoever wrote it. */
public final class InvalidSchedule extends RuntimeException {

  InvalidSchedule(String message) {
    super(message, null, false, false);
  }
}
