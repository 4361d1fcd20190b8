package io.keyturn.store.vault;

import static io.keyturn.store.vault.Failures.failure;

import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

/** The login of one open store. All threads share it; one of them logs in, the others wait. */
final class Session {

  /** A token is not used up to its end: it must outlive the request. */
  private static final Duration MARGIN = Duration.ofSeconds(30);

  private final Connection connection;
  private final Login login;
  private final InstantSource clock;
  private final ReentrantLock turn = new ReentrantLock();

  private Token shared;

  Session(Connection connection, Login login, InstantSource clock) {
    this.connection = connection;
    this.login = login;
    this.clock = clock;
  }

  /**
   * Asks with the shared token. If that is denied, it may have been revoked: then once more with a
   * new one.
   */
  Answer ask(Call call, Deadline deadline) {
    Token used = token(deadline);
    Answer answer = connection.ask(call, used.value(), deadline);
    return answer.status() == 403
        ? connection.ask(call, another(used, deadline).value(), deadline)
        : answer;
  }

  /** The shared token. */
  Token token(Deadline deadline) {
    return exclusively(
        deadline,
        () -> {
          if (shared == null || endsSoon(shared)) {
            shared = login.token(deadline);
          }
          return shared;
        });
  }

  /** Whether the store names the token, so that all requests share it. */
  boolean isNamed() {
    return login.isNamed();
  }

  /** A token that is not shared, so that it and what it owns live as long as somebody renews it. */
  Token own(Deadline deadline) {
    return login.token(deadline);
  }

  private Token another(Token refused, Deadline deadline) {
    return exclusively(
        deadline,
        () -> {
          if (shared == refused) {
            shared = login.token(deadline);
          }
          return shared;
        });
  }

  private boolean endsSoon(Token token) {
    if (token.endsAt().isEmpty()) {
      return false;
    }
    Instant end = token.endsAt().get();
    Duration fifth = Duration.between(token.issuedAt(), end).dividedBy(5);
    Duration margin = fifth.compareTo(MARGIN) < 0 ? fifth : MARGIN;
    return !clock.instant().isBefore(end.minus(margin));
  }

  private interface Work {
    Token run();
  }

  private Token exclusively(Deadline deadline, Work work) {
    try {
      if (!turn.tryLock(deadline.left().toNanos(), TimeUnit.NANOSECONDS)) {
        throw StoreException.late("The login to Vault takes too long.");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw failure(Kind.TRANSIENT, "Keyturn was stopped while it waited for Vault.");
    }
    try {
      return work.run();
    } finally {
      turn.unlock();
    }
  }
}
