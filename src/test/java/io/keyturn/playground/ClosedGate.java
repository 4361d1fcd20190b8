package io.keyturn.playground;

import com.sun.net.httpserver.HttpServer;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.api.v1alpha1.Stage;
import io.keyturn.cluster.Team;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;

/** Scene 4: pods are content, and a gate is not. */
final class ClosedGate implements Scene {

  /** What the service of the scene answers: no. */
  private static final int TEAPOT = 418;

  private final Cast cast;
  private final Payments payments;

  ClosedGate(Cast cast, Payments payments) {
    this.cast = cast;
    this.payments = payments;
  }

  @Override
  public String title() {
    return "A gate says no";
  }

  @Override
  public void play() {
    Team team = payments.team();
    AtomicInteger asked = new AtomicInteger();
    HttpServer service = service(asked);
    try {
      Policy.applyGated(team, cast.pace(), url(service));
      cast.terminal()
          .say(
              "A password may work and still be wrong. The policy now has a gate: it asks a service"
                  + " whether the canary does its work. This password works, the canary is Ready –"
                  + " and the service says no.");
      cast.terminal().blank();
      Tally before = cast.tally(team);
      Team.Login kept = payments.login();
      Team.Login refused = team.newLogin();
      try (RotationView view = cast.view(team, Team.SECRET)) {
        team.writeUpstream(refused);
        SecretRotation rotation = view.follow(Stage::terminal);

        String name = rotation.getMetadata().getName();
        cast.kubectl(team).get("srot");
        cast.kubectl(team).describe("srot/" + name, Set.of("Gates", "Message"));
        Tally since = cast.tally(team).since(before);
        boolean contained = !team.seenOutsideCanary(refused.password());
        cast.promises()
            .judge(
                Promise.GATED,
                rotation.getStatus().stage() == Stage.Failed
                    && asked.get() > 0
                    && payments.canarySaw(refused.password())
                    && contained
                    && team.holds(Team.SECRET, kept)
                    && since.failed() == 0,
                "the service was asked %d times, the rotation is %s, %s of the other pods had the value"
                    .formatted(
                        asked.get(), rotation.getStatus().stage(), contained ? "none" : "some"));
      }
    } finally {
      service.stop(0);
      Policy.apply(team, cast.pace());
    }
  }

  private static HttpServer service(AtomicInteger asked) {
    try {
      HttpServer service = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
      service.createContext(
          "/",
          exchange -> {
            asked.incrementAndGet();
            exchange.sendResponseHeaders(TEAPOT, -1);
            exchange.close();
          });
      service.start();
      return service;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String url(HttpServer service) {
    return "http://127.0.0.1:%d/orders".formatted(service.getAddress().getPort());
  }
}
