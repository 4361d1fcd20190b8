package io.keyturn.simulation;

import java.time.Duration;
import java.util.function.Consumer;

/** One thing that goes wrong at one request. */
enum Fault {
  /** The process dies before the request is sent. */
  CRASH_BEFORE("the process dies before the request"),
  /** The process dies when the request has taken effect. */
  CRASH_AFTER("the process dies after the request took effect"),
  /** The request does not arrive. */
  REQUEST_LOST("the request is lost"),
  /** The request takes effect, and nobody learns of it. */
  ANSWER_LOST("the request takes effect and its answer is lost"),
  /** Somebody else was faster, or so the server says. */
  CONFLICT("409"),
  /** A role or a policy of the cluster refuses it for now. */
  FORBIDDEN("403"),
  /** The server wants fewer requests. */
  THROTTLED("429"),
  /** The server fails. */
  ERROR("500"),
  /** The server is not there. */
  UNAVAILABLE("503"),
  /** The process stands still for a minute; another one acts; then it goes on with what it saw. */
  PAUSED("the process stands still for 60 s while another one acts"),
  /** Another process that believes to lead acts between what is read and what is written. */
  OVERTAKEN("another leader acts between reading and writing");

  private final String sentence;

  Fault(String sentence) {
    this.sentence = sentence;
  }

  /** What happens, for people. */
  String sentence() {
    return sentence;
  }

  private void before(Simulation simulation, Call call) {
    switch (this) {
      case CRASH_BEFORE -> throw new Crash();
      case REQUEST_LOST -> throw ObjectStore.failure(0);
      case CONFLICT -> throw ObjectStore.failure(409);
      case FORBIDDEN -> throw ObjectStore.failure(403);
      case THROTTLED -> throw ObjectStore.failure(429);
      case ERROR -> throw ObjectStore.failure(500);
      case UNAVAILABLE -> throw ObjectStore.failure(503);
      case PAUSED -> simulation.pause(call.operator(), Duration.ofSeconds(60));
      case OVERTAKEN -> simulation.pause(call.operator(), Duration.ofSeconds(1));
      case CRASH_AFTER, ANSWER_LOST -> {}
    }
  }

  private void after() {
    switch (this) {
      case CRASH_AFTER -> throw new Crash();
      case ANSWER_LOST -> throw ObjectStore.failure(0);
      default -> {}
    }
  }

  /**
   * Weather with this fault at one request.
   *
   * @param number of the request among those that write, from 0
   * @param struck is told when it happens
   */
  Weather atWrite(Simulation simulation, int number, Consumer<Call> struck) {
    return new Weather() {
      private int writes;
      private boolean strikes;

      @Override
      public void before(Call call) {
        if (call.write() && writes++ == number) {
          strikes = true;
          struck.accept(call);
          simulation.disturbed();
          Fault.this.before(simulation, call);
        }
      }

      @Override
      public void after(Call call) {
        if (strikes && call.write()) {
          strikes = false;
          Fault.this.after();
        }
      }
    };
  }

  /** Strikes a request now, for weather that decides by itself. */
  static void strikeBefore(Fault fault, Simulation simulation, Call call) {
    fault.before(simulation, call);
  }

  /** The same, when the request has taken effect. */
  static void strikeAfter(Fault fault) {
    fault.after();
  }
}
