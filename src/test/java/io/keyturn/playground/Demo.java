package io.keyturn.playground;

import io.keyturn.playground.Terminal.Style;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Comparator;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;

/** The main class of {@code ./demo}: starts the world, plays the scenes, counts. */
public final class Demo {

  private static final int KEPT = 0;
  private static final int BROKEN = 1;
  private static final int NO_WORLD = 2;

  private static final Path DIRECTORY = Path.of("target", "demo-" + ProcessHandle.current().pid());

  private final Options options;
  private final Pace pace;
  private final Terminal terminal;
  private final World world = new World();
  private final Promises promises;

  private Demo(Options options, Terminal terminal) {
    this.options = options;
    this.pace = options.fast() ? Pace.FAST : Pace.NORMAL;
    this.terminal = terminal;
    this.promises = new Promises(terminal);
  }

  /** Plays. The exit code is 0 if every promise was kept. */
  public static void main(String[] arguments) {
    DemoLog.toFile(DIRECTORY.resolve("demo.log"));
    Options options;
    try {
      options = Options.parse(Arrays.asList(arguments));
    } catch (IllegalArgumentException e) {
      System.err.println(e.getMessage());
      System.exit(NO_WORLD);
      return;
    }
    System.exit(new Demo(options, terminal()).run());
  }

  private static Terminal terminal() {
    boolean tty = Boolean.getBoolean("demo.tty");
    String noColour = System.getenv("NO_COLOR");
    boolean plain = noColour != null && !noColour.isEmpty();
    return new Terminal(
        new PrintStream(System.out, false, StandardCharsets.UTF_8),
        tty && !plain,
        tty && !plain,
        Integer.getInteger("demo.width", 100));
  }

  private int run() {
    Thread ending = Thread.ofPlatform().unstarted(this::interrupted);
    Runtime.getRuntime().addShutdownHook(ending);
    int code = play();
    Runtime.getRuntime().removeShutdownHook(ending);
    world.close();
    if (code == KEPT) {
      delete(DIRECTORY);
    }
    return code;
  }

  private void interrupted() {
    terminal.mute("\n  Ending: everything that was started is being stopped.");
    world.close();
    delete(DIRECTORY);
  }

  private int play() {
    long started = System.nanoTime();
    try {
      open();
    } catch (RuntimeException e) {
      terminal.verdict(false, "The world did not start: " + e.getMessage());
      return NO_WORLD;
    }
    Play play = new Play(options, new Cast(world, pace, terminal, promises));
    try {
      play.all();
    } catch (RuntimeException | AssertionError e) {
      terminal.verdict(false, "The demo stopped here: " + e.getMessage());
    }
    promises.summary();
    return end(Duration.ofNanos(System.nanoTime() - started));
  }

  private void open() {
    terminal.blank();
    terminal.title("Keyturn rotates secrets canary-first");
    terminal.say(
        "What follows is real: a Kubernetes control plane, a PostgreSQL that refuses wrong"
            + " passwords, and the operator as a process of its own with the rights that it is"
            + " shipped with. Only the nodes exist on paper; their pods do log in.");
    terminal.blank();
    step("Control plane with three nodes, and PostgreSQL", () -> world.start(DIRECTORY));
    step("Keyturn, under its shipped roles", world::startOperator);
    terminal.blank();
    new LookYourself(terminal, world).tell();
    pace.breathe();
  }

  private void step(String what, Runnable start) {
    terminal.live("  … " + what);
    long begun = System.nanoTime();
    start.run();
    terminal.line(
        "  %s %s %s"
            .formatted(
                terminal.paint(Style.GREEN, "✓"),
                what,
                terminal.paint(
                    Style.DIM, "(%.1f s)".formatted((System.nanoTime() - begun) / 1e9))));
  }

  private int end(Duration took) {
    boolean kept = promises.broken().isEmpty() && promises.notReached().isEmpty();
    String time = "It took %d s.".formatted(took.toSeconds());
    if (kept) {
      terminal.say("Each promise was kept. " + time);
    } else {
      promises.broken().forEach(p -> terminal.say("Not kept: " + p.sentence() + "."));
      if (!promises.notReached().isEmpty()) {
        terminal.say("Not reached: the last %d.".formatted(promises.notReached().size()));
      }
      terminal.say(time + " The logs are in " + DIRECTORY + ".");
    }
    if (options.keep()) {
      terminal.blank();
      new LookYourself(terminal, world).tell();
      terminal.say("The world stays open. Enter or Ctrl-C ends it.");
      waitForEnter();
    }
    return kept ? KEPT : BROKEN;
  }

  /** Where there is nobody to press Enter, Ctrl-C or SIGTERM ends it. */
  private static void waitForEnter() {
    try {
      if (System.in.read() < 0) {
        new CountDownLatch(1).await();
      }
    } catch (IOException e) {
      // Nobody is there.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void delete(Path directory) {
    try (Stream<Path> files = Files.walk(directory)) {
      files.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(f -> f.delete());
    } catch (IOException e) {
      // Only rubbish is left, and under target.
    }
  }
}
