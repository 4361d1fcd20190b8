package io.keyturn.store;

import io.keyturn.store.Recorder.Access;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreType;
import java.time.Clock;
import java.time.Instant;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * A store as one namespace has it open. Identity, values and the judgement whether it answers are
 * of this namespace alone, even where others use the same server: what one of them asks for and
 * breaks is nothing to the others.
 */
final class OpenStore {

  private final Description description;
  private final StoreType type;
  private final Store store;
  private final Recorder recorder;
  private final Admission admission;
  private final Cadence cadence;
  private final Readings readings;
  private final Consumer<Boolean> answering;
  private int users;
  private boolean closing;

  /**
   * An open store.
   *
   * @param limit shared by all who ask the same store
   * @param answering is told when it has begun to answer those who use it, or does not any more
   */
  OpenStore(
      Description description,
      StoreType type,
      Store store,
      RequestLimit limit,
      Recorder recorder,
      Consumer<Boolean> answering,
      Clock clock) {
    this.description = description;
    this.type = type;
    this.store = store;
    this.recorder = recorder;
    this.answering = answering;
    this.admission = new Admission(description.words(), limit, clock);
    this.cadence = new Cadence(clock);
    this.readings =
        new Readings(description.refreshInterval(), description.uid(), admission, clock);
  }

  StoreType type() {
    return type;
  }

  Description description() {
    return description;
  }

  /**
   * Asks it.
   *
   * @param subject what is asked about: what fails about one says nothing of another
   */
  <T> T ask(Access access, Object subject, Function<Store, T> question) {
    if (access.operation() != Operation.RENEW) {
      requireTime(subject);
    }
    boolean failed = admission.failing();
    try {
      T answer = admission.admit(() -> recorded(access, question));
      cadence.worked(subject);
      return answer;
    } catch (StoreException e) {
      throw cadence.failed(subject, e);
    } finally {
      boolean fails = admission.failing();
      if (fails != failed) {
        answering.accept(!fails);
      }
    }
  }

  /**
   * Fails while it is too early to ask about something again. A renewal alone has a time of its
   * own, which the end of the lease sets.
   */
  void requireTime(Object subject) {
    cadence.requireTime(subject);
  }

  /** What a source holds: as it was read last, unless it is time to ask. */
  Reading read(Access access, Object source, Function<Store, Reading> question, Consumer<Via> via) {
    return readings.read(source, () -> ask(access, source, question), via);
  }

  /** When it is time to look at a source again. */
  Instant nextRead(Object source) {
    return readings.next(source);
  }

  /** Whether it lets the identity in, left alone or not. */
  void check(Access access) {
    try {
      admission.probe(() ->
          recorded(
              access,
              s -> {
                s.check();
                return null;
              }));
    } catch (StoreException e) {
      throw cadence.failed(Operation.CHECK, e);
    }
    if (cadence.worked(Operation.CHECK)) {
      readings.forgetFailures();
      cadence.forget();
    }
  }

  private <T> T recorded(Access access, Function<Store, T> question) {
    return recorder.recorded(type, description, access, () -> question.apply(store));
  }

  /** Keeps it open until {@link #leave}; false if it is too late for that. */
  synchronized boolean enter() {
    if (!closing) {
      users++;
    }
    return !closing;
  }

  synchronized void leave() {
    users--;
    closeIfUnused();
  }

  /** Closes it when nobody uses it. */
  synchronized void close() {
    closing = true;
    closeIfUnused();
  }

  private void closeIfUnused() {
    if (closing && users == 0) {
      readings.clear();
      store.close();
    }
  }
}
