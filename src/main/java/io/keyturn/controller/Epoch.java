package io.keyturn.controller;

import java.util.function.Supplier;

/**
 * The generation of the leader that this process is. Winning an election does not stop the process
 * that led before: it may stand still and go on later. So a journal says in which generation it was
 * written last, and whoever finds a later one than its own lets go of it.
 */
public final class Epoch {

  /**
   * What the Lease says.
   *
   * @param number how often the lead has changed
   * @param mine whether this process holds it
   */
  public record Term(long number, boolean mine) {}

  /** Without an election there is one process, and no generations. */
  public static final Epoch NONE = new Epoch(null);

  private final Supplier<Term> lease;
  private Long current;

  /**
   * The generation that a Lease tells.
   *
   * @param lease reads it now
   */
  public Epoch(Supplier<Term> lease) {
    this.lease = lease;
  }

  /** The generation of this process; null: there are none, or it was not asked for yet. */
  public synchronized Long current() {
    return current;
  }

  /**
   * Whether another leader has written since this process was elected, or was elected before this
   * one did anything. If this one holds the Lease all the same, the Lease was made anew and counts
   * from the start: then this one goes on from what was written.
   *
   * @param written the generation in a journal; null: none
   */
  public synchronized boolean superseded(Long written) {
    boolean later = written != null && current != null && written > current;
    if (lease == null || (current != null && !later)) {
      return false;
    }
    Term now = lease.get();
    if (now.mine()) {
      boolean behind = written != null && written > now.number();
      current = behind ? written + 1 : now.number();
    }
    return !now.mine();
  }
}
