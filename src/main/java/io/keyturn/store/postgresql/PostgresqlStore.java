package io.keyturn.store.postgresql;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.store.spi.Tenant;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Two login roles in turn: the one that is not in use gets the next password. A password and the
 * {@link Mark} that says whose it is change in one transaction.
 */
final class PostgresqlStore implements Store {

  private final Tenant tenant;
  private final Server server;
  private final Clock clock;

  PostgresqlStore(Tenant tenant, Server server, Clock clock) {
    this.tenant = tenant;
    this.server = server;
    this.clock = clock;
  }

  /** Logs in as the admin, and out again. */
  @Override
  public void check() {
    admin().close();
  }

  /**
   * Gives the idle role the password of the order's seed. An order that was carried out already
   * leads to the same password again. One is refused if either role has gone on to a newer version,
   * and so is one of the same version and of another attempt: whoever made the other attempt may
   * have handed its password out.
   */
  @Override
  public Reading.Value issue(Source source, Order order) {
    List<String> roles = source.postgresql().roles();
    Optional<Slot> current = order.current().map(Slot::of);
    String idle = current.map(c -> c.other(roles)).orElse(roles.getFirst());
    Slot slot = Slot.of(idle, Mark.of(order));
    SeededPassword password = SeededPassword.of(order.seed().get());
    try (AdminSession admin = admin()) {
      Turn turn = new Turn(admin, idle, slot.other(roles));
      admin.locked(idle, rightToChange(idle), () -> turn.take(order, password));
    }
    return new Reading.Value(
        new Login(idle, password.text()).data(server),
        Optional.of(Credential.lasting(slot.id(), clock.instant())),
        OptionalLong.empty());
  }

  /** Logs in with it, and out again. */
  @Override
  public void verify(Source source, SecretData data) {
    Login login = Login.of(data, "what was issued");
    try (Connection _ = server.login(login.username(), login.password())) {
      // That it works is all there is to know.
    } catch (SQLException e) {
      StoreException failure = SqlFailure.ofLogin(e, server, "the role " + login.username());
      throw SqlFailure.state(e).startsWith("28")
          ? new StoreException(Kind.INTEGRITY, failure.getMessage())
          : failure;
    }
  }

  /** Nobody logs in with it any more; sessions stay. */
  @Override
  public void disable(Credential credential) {
    change(Slot.of(credential), "NOLOGIN", false);
  }

  /** One that has ended is not there: it stays so. */
  @Override
  public void enable(Credential credential) {
    Slot slot = Slot.of(credential);
    if (!change(slot, "LOGIN", false)) {
      throw new StoreException(
          Kind.NOT_FOUND,
          "Version %d of the role %s has ended and cannot be enabled."
              .formatted(slot.version(), slot.role()));
    }
  }

  /** The role stays, without a password, for its next turn. */
  @Override
  public void revoke(Credential credential, boolean terminateSessions) {
    Slot slot = Slot.of(credential);
    // Committed first: who is thrown out comes back at once.
    boolean ended = change(slot, "NOLOGIN PASSWORD NULL", true);
    if (ended && terminateSessions) {
      terminate(slot);
    }
  }

  private void terminate(Slot slot) {
    try (AdminSession admin = admin()) {
      admin.locked(
          slot.role(),
          "pg_signal_backend, or to be a member of the role %s, to end its sessions"
              .formatted(slot.role()),
          () -> {
            Standing standing = new Standing(admin, slot);
            if (standing.change("NOLOGIN PASSWORD NULL", true)) {
              standing.terminateSessions();
            }
            return null;
          });
    }
  }

  private boolean change(Slot slot, String options, boolean forGood) {
    try (AdminSession admin = admin()) {
      return admin.locked(
          slot.role(),
          rightToChange(slot.role()),
          () -> new Standing(admin, slot).change(options, forGood));
    }
  }

  /**
   * Tries it, and looks at the role: a password that was made again after the key of the
   * installation was lost is another one, and its refusal says nothing.
   */
  @Override
  public Refusal refusal(Credential credential, Order order) {
    Slot slot = Slot.of(credential);
    boolean refused = false;
    if (slot.isMarked(Mark.of(order))) {
      String password = SeededPassword.of(order.seed().get()).text();
      try (Connection _ = server.login(slot.role(), password)) {
        return Refusal.STILL_TAKEN;
      } catch (SQLException e) {
        // 28000 is said of a role without LOGIN, and of one that may not log in from here.
        refused = SqlFailure.state(e).equals("28P01");
      } catch (StoreException e) {
        return Refusal.UNKNOWN;
      }
    }
    return lookedUp(slot, refused);
  }

  private Refusal lookedUp(Slot slot, boolean refused) {
    try (AdminSession admin = admin()) {
      return admin.locked(
          slot.role(), "to read roles", () -> new Standing(admin, slot).refusal(refused));
    } catch (StoreException e) {
      return Refusal.UNKNOWN;
    }
  }

  private AdminSession admin() {
    String name = server.adminSecret();
    try (SecretData data = tenant.secret(name)) {
      return AdminSession.open(server, Login.of(data, "the Secret " + name));
    }
  }

  private static String rightToChange(String role) {
    return "CREATEROLE, and the role %s WITH ADMIN OPTION".formatted(role);
  }
}
