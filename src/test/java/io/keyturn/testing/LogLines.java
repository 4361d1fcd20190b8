package io.keyturn.testing;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.logging.Logger;
import org.jboss.logmanager.ExtHandler;
import org.jboss.logmanager.ExtLogRecord;
import org.jboss.logmanager.formatters.PatternFormatter;

/** Keeps what a logger logs, with the fields that it had at that moment, until it is closed. */
public final class LogLines implements AutoCloseable {

  private final Logger logger;
  private final List<ExtLogRecord> lines = new CopyOnWriteArrayList<>();
  private final ExtHandler handler =
      new ExtHandler() {
        @Override
        protected void doPublish(ExtLogRecord line) {
          line.copyMdc();
          lines.add(line);
        }
      };

  private LogLines(String name) {
    logger = Logger.getLogger(name);
    logger.addHandler(handler);
  }

  /** Those of a logger, from now on. */
  public static LogLines of(String logger) {
    return new LogLines(logger);
  }

  /** All of them. */
  public List<ExtLogRecord> all() {
    return List.copyOf(lines);
  }

  /** The one that there is. */
  public ExtLogRecord only() {
    assertThat(lines).hasSize(1);
    return lines.getFirst();
  }

  /** The sentence of a line. */
  public static String message(ExtLogRecord line) {
    return new PatternFormatter("%s").format(line);
  }

  /** All that a reader of a line sees: its sentence, its fields and its stack trace. */
  public static String text(ExtLogRecord line) {
    return line.getMdcCopy() + " " + new PatternFormatter("%s%e").format(line);
  }

  @Override
  public void close() {
    logger.removeHandler(handler);
  }
}
