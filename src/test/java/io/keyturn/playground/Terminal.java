package io.keyturn.playground;

import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/**
 * Writes to the watcher: colours and a line that changes in place where there is a terminal, plain
 * lines where there is none. It remembers what it wrote, to be searched for secrets.
 */
final class Terminal {

  enum Style {
    BOLD("1"),
    DIM("2"),
    RED("31"),
    GREEN("32"),
    YELLOW("33"),
    BLUE("34"),
    CYAN("36");

    private final String code;

    Style(String code) {
      this.code = code;
    }
  }

  private static final String INDENT = "  ";

  private final PrintStream out;
  private final boolean cursor;
  private final boolean colours;
  private final int columns;
  private final int width;
  private final StringBuilder written = new StringBuilder();
  private boolean live;
  private boolean muted;

  /**
   * A terminal, or what stands in for one.
   *
   * @param cursor whether a line can be overwritten
   * @param colours whether text can be coloured
   * @param width in characters
   */
  Terminal(PrintStream out, boolean cursor, boolean colours, int width) {
    this.out = out;
    this.cursor = cursor;
    this.colours = colours;
    this.columns = width;
    this.width = Math.clamp(width, 60, 110);
  }

  /** Whether a line can be overwritten. */
  boolean hasCursor() {
    return cursor;
  }

  /** Text in a colour, if there are any. */
  String paint(Style style, String text) {
    return colours ? "\033[" + style.code + "m" + text + "\033[0m" : text;
  }

  /** The beginning of a scene. */
  void title(String text) {
    String rule = "─".repeat(Math.max(3, width - text.length() - 6));
    line(paint(Style.BOLD, "── " + text + " ") + paint(Style.DIM, rule));
    blank();
  }

  /** Plain sentences for the watcher. */
  void say(String text) {
    wrap(text, width - INDENT.length()).forEach(part -> line(INDENT + part));
  }

  /** Words of others, in the background. */
  void quote(String text, int indent) {
    wrap(text, width - indent).forEach(part -> line(" ".repeat(indent) + paint(Style.DIM, part)));
  }

  /** A command that was run. */
  void command(String text) {
    blank();
    line(INDENT + paint(Style.CYAN, "$ " + text));
  }

  /** A text to copy, or the output of a program, as it is. */
  void output(String text) {
    text.stripTrailing().lines().forEach(part -> line(INDENT + INDENT + part));
  }

  /** A table: its lines are cut where the terminal ends. */
  void table(String text) {
    text.stripTrailing()
        .lines()
        .map(part -> INDENT + INDENT + part)
        .forEach(part ->
            line(cursor && part.length() > columns ? part.substring(0, columns - 1) + "…" : part));
  }

  /** Whether a promise was kept. */
  void verdict(boolean kept, String text) {
    blank();
    List<String> parts = wrap(text, width - 4);
    line(INDENT + mark(kept) + " " + paint(Style.BOLD, parts.getFirst()));
    parts.stream().skip(1).forEach(part -> line("    " + paint(Style.BOLD, part)));
  }

  /** A line of the summary, with its numbers below. */
  void row(boolean kept, String promise, String evidence) {
    line(INDENT + mark(kept) + " " + promise);
    quote(evidence, 4);
  }

  private String mark(boolean kept) {
    return kept ? paint(Style.GREEN, "✓") : paint(Style.RED, "✗");
  }

  void blank() {
    line("");
  }

  /** A whole line. */
  synchronized void line(String text) {
    clearLive();
    write(text + "\n");
  }

  /** A line that the next one replaces; nothing where no line can be overwritten. */
  synchronized void live(String text) {
    if (cursor && !muted) {
      clearLive();
      out.print(fitted(text));
      out.flush();
      live = true;
    }
  }

  /** Says one last thing: whatever other threads still say is nobody's concern. */
  synchronized void mute(String last) {
    line(last);
    muted = true;
  }

  /** Everything that was written. */
  synchronized String written() {
    return written.toString();
  }

  private void clearLive() {
    if (live) {
      out.print("\r\033[2K");
      live = false;
    }
  }

  private void write(String text) {
    if (!muted) {
      written.append(text);
      out.print(text);
      out.flush();
    }
  }

  /** A line that wraps could not be overwritten; colours take no room. */
  private String fitted(String text) {
    int visible = 0;
    for (int at = 0; at < text.length(); at++) {
      if (text.charAt(at) == '\033') {
        at = text.indexOf('m', at);
      } else if (++visible == columns) {
        return text.substring(0, at) + "\033[0m";
      }
    }
    return text;
  }

  private static List<String> wrap(String text, int width) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.strip().split("\\s+")) {
      if (!line.isEmpty() && line.length() + 1 + word.length() > width) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }
}
