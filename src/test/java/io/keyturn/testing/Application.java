package io.keyturn.testing;

import java.time.Duration;
import java.util.Optional;

/** The program in a simulated container. It runs until it ends by itself or is told to stop. */
@FunctionalInterface
interface Application {
  /** Where files with a user's name and password are mounted. */
  String CREDENTIALS = "/var/run/secrets/db/";

  /**
   * Runs; the result is the exit code.
   *
   * @throws InterruptedException if the kubelet is closed
   */
  int run(Context context) throws InterruptedException;

  /** What an application has to do with the world. */
  interface Context {
    ContainerInputs inputs();

    PodOptions options();

    /** Says whether it is ready. The first call also says that it runs. */
    void report(boolean ready);

    /** Waits, and returns true as soon as the application is to stop. */
    boolean stopsWithin(Duration time) throws InterruptedException;

    /** Counts a login. */
    void count(LoginOutcome outcome);
  }

  /** Long enough to call it forever. */
  Duration FOREVER = Duration.ofDays(365);

  int SUCCESS = 0;
  int FAILURE = 1;

  /**
   * The application of an image. Images that are not ours stand for software that simply works.
   *
   * @return empty for an image of ours that does not exist
   */
  static Optional<Application> of(String image) {
    int at = image.indexOf("hollow/");
    if (at < 0) {
      return Optional.of(Application::ready);
    }
    String name = image.substring(at + "hollow/".length()).replaceFirst("[:@].*", "");
    return switch (name) {
      case "ready" -> Optional.of(Application::ready);
      case "never-ready" -> Optional.of(Application::neverReady);
      case "crash" ->
          Optional.of(context -> exit(context, context.options().crashAfter(), FAILURE));
      case "complete" ->
          Optional.of(context -> exit(context, context.options().exitAfter(), SUCCESS));
      case "postgres-client" -> Optional.of(Application::logInAgainAndAgain);
      case "postgres-check" -> Optional.of(Application::logInOnce);
      default -> Optional.empty();
    };
  }

  private static int ready(Context context) throws InterruptedException {
    Duration readyAfter = context.options().readyAfter();
    if (!readyAfter.isZero()) {
      context.report(false);
      if (context.stopsWithin(readyAfter)) {
        return SUCCESS;
      }
    }
    context.report(true);
    context.stopsWithin(FOREVER);
    return SUCCESS;
  }

  private static int neverReady(Context context) throws InterruptedException {
    context.report(false);
    context.stopsWithin(FOREVER);
    return SUCCESS;
  }

  private static int exit(Context context, Duration after, int code) throws InterruptedException {
    if (!after.isZero()) {
      context.report(true);
      if (context.stopsWithin(after)) {
        return SUCCESS;
      }
    }
    return code;
  }

  private static int logInAgainAndAgain(Context context) throws InterruptedException {
    PodOptions options = context.options();
    if (!options.readyAfter().isZero()) {
      context.report(false);
      if (context.stopsWithin(options.readyAfter())) {
        return SUCCESS;
      }
    }
    if (!options.loginAfter().isZero()) {
      context.report(true);
      if (context.stopsWithin(options.loginAfter())) {
        return SUCCESS;
      }
    }
    do {
      LoginOutcome outcome = logIn(context);
      context.count(outcome);
      if (outcome == LoginOutcome.REFUSED && options.exitsWhenRefused()) {
        return FAILURE;
      }
      context.report(outcome == LoginOutcome.ACCEPTED);
    } while (!context.stopsWithin(options.loginEvery()));
    return SUCCESS;
  }

  private static int logInOnce(Context context) {
    LoginOutcome outcome = logIn(context);
    context.count(outcome);
    return outcome == LoginOutcome.ACCEPTED ? SUCCESS : FAILURE;
  }

  private static LoginOutcome logIn(Context context) {
    ContainerInputs inputs = context.inputs();
    boolean files = context.options().readsFiles();
    String user =
        (files ? inputs.file(CREDENTIALS + "username") : inputs.variable("DB_USER")).orElse("");
    String password =
        (files ? inputs.file(CREDENTIALS + "password") : inputs.variable("DB_PASSWORD")).orElse("");
    try {
      return PostgresLogin.attempt(
          inputs.variable("DB_HOST").orElse("127.0.0.1"),
          Integer.parseInt(inputs.variable("DB_PORT").orElse("5432").strip()),
          user,
          password);
    } catch (NumberFormatException e) {
      return LoginOutcome.UNREACHABLE;
    }
  }
}
