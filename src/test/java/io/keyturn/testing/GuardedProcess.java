package io.keyturn.testing;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * A server process that ends with this JVM, however this JVM ends.
 *
 * <p>A shell stands between: it holds the reading end of a pipe of which only this JVM has the
 * other end, and kills the server when that pipe closes. The kernel closes it even after {@code
 * kill -9}, which no shutdown hook survives. (Linux's parent-death signal would do, too, but it is
 * tied to the thread that started the process, and there is none on macOS.)
 */
final class GuardedProcess implements AutoCloseable {
  // The shell is the parent, so the server's pid cannot be taken by another process before `wait`
  // has seen it end. Background jobs of a shell read /dev/null, hence the copy of stdin on 3.
  private static final String GUARD =
      """
      exec 3<&0
      "$@" 3<&- </dev/null &
      server=$!
      { read -r _ <&3; kill -KILL "$server" 2>/dev/null; } &
      watch=$!
      wait "$server"
      code=$?
      kill "$watch" 2>/dev/null
      exit "$code"
      """;

  // An existing process that is nobody's child here. It ends when it is told so or when we end.
  private static final String GUARD_FOREIGN = "read -r _; kill -%s %d 2>/dev/null";

  private static final int TAIL_LINES = 30;

  private final String name;
  private final Process shell;
  private final Path log;

  private GuardedProcess(String name, Process shell, Path log) {
    this.name = name;
    this.shell = shell;
    this.log = log;
  }

  /**
   * Starts a program whose output goes to a file.
   *
   * @param name what to call it in messages
   * @param log receives stdout and stderr
   * @throws UncheckedIOException if there is no shell to start it with
   */
  static GuardedProcess start(String name, List<String> command, Path log) {
    List<String> guarded = new ArrayList<>(List.of("/bin/sh", "-c", GUARD, name));
    guarded.addAll(command);
    try {
      Process shell =
          new ProcessBuilder(guarded)
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      return new GuardedProcess(name, shell, log);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot start " + name, e);
    }
  }

  /**
   * Watches over a process that somebody else started: it gets a signal when this JVM ends or when
   * the result is closed, whichever comes first.
   *
   * @param signal the name of a signal, such as {@code QUIT}
   */
  static GuardedProcess guard(String name, long pid, String signal, Path log) {
    try {
      Process shell =
          new ProcessBuilder("/bin/sh", "-c", GUARD_FOREIGN.formatted(signal, pid))
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      return new GuardedProcess(name, shell, log);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot watch over " + name, e);
    }
  }

  /**
   * Stops watching over a {@linkplain #guard foreign} process without ending it: it has ended
   * otherwise.
   */
  void release() {
    shell.destroyForcibly();
  }

  boolean isAlive() {
    return shell.isAlive();
  }

  /** How the server ended; 128 and the number of the signal that ended it. */
  int exitCode() {
    return shell.exitValue();
  }

  /** The processes that stand behind this one: the shell, its watch and the server. */
  List<Long> pids() {
    List<Long> pids = new ArrayList<>(List.of(shell.pid()));
    shell.descendants().map(ProcessHandle::pid).forEach(pids::add);
    return List.copyOf(pids);
  }

  /**
   * What went wrong, for an exception's message: the exit code, if there is one, and the last lines
   * of the log.
   */
  String diagnosis() {
    String state =
        isAlive() ? name + " is running" : name + " ended with code " + shell.exitValue();
    try {
      List<String> lines = Files.readAllLines(log);
      List<String> tail = lines.subList(Math.max(0, lines.size() - TAIL_LINES), lines.size());
      return state + "; the end of " + log + ":\n" + String.join("\n", tail);
    } catch (IOException e) {
      return state + "; its log " + log + " cannot be read";
    }
  }

  /**
   * Ends the server at once. What these servers keep is thrown away, so nobody waits for them to
   * save it.
   */
  @Override
  public void close() {
    try {
      shell.getOutputStream().close();
      if (!shell.waitFor(10, TimeUnit.SECONDS)) {
        shell.descendants().forEach(ProcessHandle::destroyForcibly);
        shell.destroyForcibly();
      }
    } catch (IOException e) {
      shell.destroyForcibly();
    } catch (InterruptedException e) {
      shell.descendants().forEach(ProcessHandle::destroyForcibly);
      Thread.currentThread().interrupt();
    }
  }
}
