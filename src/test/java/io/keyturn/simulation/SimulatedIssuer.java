package io.keyturn.simulation;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;
import io.keyturn.api.v1alpha1.SecretBindingSpec.Source;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Capabilities;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.Order;
import io.keyturn.store.spi.OwnLogin;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreType;
import io.keyturn.store.spi.Tenant;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Consumer;

/**
 * A server that issues credentials, either as leases, each of its own and living for a while, or to
 * two roles in turn, as a database does. It is one server, whichever operator asks.
 */
final class SimulatedIssuer implements StoreType, Store {

  /** How long a lease lives from each renewal on. */
  static final Duration TTL = Duration.ofMinutes(4);

  private static final List<String> ROLES = List.of("one", "two");

  /** What it knows of a value that it has issued. */
  private static final class Line {
    private final String id;
    private final String value;
    private final Optional<String> owner;
    private Instant expiresAt;
    private boolean disabled;
    private boolean ended;

    Line(String id, String value, Optional<String> owner, Instant expiresAt) {
      this.id = id;
      this.value = value;
      this.owner = owner;
      this.expiresAt = expiresAt;
    }
  }

  private final Clock clock;
  private final Map<String, Line> lines = new LinkedHashMap<>();
  private final Map<String, Line> slots = new HashMap<>();
  private final Set<String> logins = new HashSet<>();
  private Consumer<String> ending = _ -> {};
  private Consumer<String> issued = _ -> {};
  private int number;

  SimulatedIssuer(Clock clock) {
    this.clock = clock;
  }

  /** Is told of each value when it is issued, and of each before it is disabled or ended. */
  void observe(Consumer<String> onIssue, Consumer<String> onEnd) {
    issued = onIssue;
    ending = onEnd;
  }

  /** Whether a server takes a value; those that were not issued here are none of its business. */
  boolean takes(String value) {
    return lines.values().stream()
        .filter(l -> l.value.equals(value))
        .findFirst()
        .map(l -> !l.ended && !l.disabled && alive(l))
        .orElse(true);
  }

  /** Somebody ends what was issued, without Keyturn. */
  void endByOthers(String value) {
    lines.values().stream().filter(l -> l.value.equals(value)).forEach(l -> l.ended = true);
  }

  /** Whether what has this id has not been ended, and would not end by itself soon. */
  boolean lives(String id) {
    Line line = lines.get(id);
    return line != null && !line.ended;
  }

  /** The logins of what has not been ended, and has not ended by itself. */
  List<String> owners() {
    return lines.values().stream()
        .filter(l -> !l.ended && alive(l))
        .flatMap(l -> l.owner.stream())
        .toList();
  }

  private boolean alive(Line line) {
    return line.expiresAt == null || clock.instant().isBefore(line.expiresAt);
  }

  @Override
  public String name() {
    return "simulated";
  }

  @Override
  public boolean serves(Source source) {
    return source.vaultLease() != null || source.postgresql() != null;
  }

  @Override
  public Capabilities capabilities(Source source) {
    return source.postgresql() == null
        ? capabilities()
        : new Capabilities(true, false, Overlap.Slots, false, true, true);
  }

  @Override
  public Capabilities capabilities() {
    return new Capabilities(true, false, Overlap.Full, true, false, true);
  }

  /** What a store of that name can do: there are two, one of each kind. */
  Capabilities capabilitiesOf(StoreRef store) {
    return store.name().equals(Scenario.Kind.SLOTS.name().toLowerCase(Locale.ROOT))
        ? new Capabilities(true, false, Overlap.Slots, false, true, true)
        : capabilities();
  }

  @Override
  public Store open(Tenant tenant) {
    return this;
  }

  @Override
  public Optional<OwnLogin> login(Source source) {
    if (source.postgresql() != null) {
      return Optional.empty();
    }
    String login = "login-" + ++number;
    logins.add(login);
    return Optional.of(() -> Optional.of(login));
  }

  @Override
  public void logout(String owner) {
    lines.values().stream().filter(l -> l.owner.equals(Optional.of(owner))).forEach(this::end);
    logins.remove(owner);
  }

  @Override
  public Reading.Value issue(Source source, Order order) {
    Line line = source.postgresql() == null ? lease(order) : slot(order);
    issued.accept(line.value);
    Instant now = clock.instant().truncatedTo(ChronoUnit.SECONDS);
    Credential credential =
        line.expiresAt == null
            ? Credential.lasting(line.id, now)
            : new Credential(
                line.id,
                line.owner,
                now,
                Optional.of(TTL),
                Optional.of(line.expiresAt),
                true,
                Optional.empty());
    Map<String, byte[]> data = new HashMap<>();
    data.put(Simulation.KEY, line.value.getBytes(StandardCharsets.UTF_8));
    return new Reading.Value(
        SecretData.takeOwnershipOf(data), Optional.of(credential), OptionalLong.empty());
  }

  private Line lease(Order order) {
    Optional<String> owner = order.login().flatMap(OwnLogin::owner);
    if (!owner.map(logins::contains).orElse(true)) {
      throw new StoreException(StoreException.Kind.DENIED, "This login has ended.");
    }
    String id = "lease-" + ++number;
    Line line = new Line(id, value(order, id), owner, now().plus(TTL));
    lines.put(id, line);
    return line;
  }

  /** The same order again sets the same password; one that comes late sets none. */
  private Line slot(Order order) {
    String used = order.current().map(c -> role(c.id())).orElse(ROLES.get(1));
    String role = ROLES.get(0).equals(used) ? ROLES.get(1) : ROLES.get(0);
    Line before = slots.get(role);
    String id = role + "@" + order.version();
    if (slots.values().stream().anyMatch(l -> version(l.id) > order.version())) {
      throw new StoreException(StoreException.Kind.CONFLICT, "A newer version has been issued.");
    }
    if (before != null && before.id.equals(id)) {
      before.ended = false;
      return before;
    }
    if (before != null) {
      end(before);
    }
    String seed = HexFormat.of().formatHex(order.seed().get(), 0, 6);
    Line line = new Line(id, value(order, role + "-" + seed), Optional.empty(), null);
    lines.put(id, line);
    slots.put(role, line);
    return line;
  }

  private static String value(Order order, String text) {
    return (order.version() == 1 ? Simulation.FIRST : Scenarios.SECOND) + "-" + text;
  }

  private static String role(String id) {
    return id.substring(0, id.indexOf('@'));
  }

  private static long version(String id) {
    return Long.parseLong(id.substring(id.indexOf('@') + 1));
  }

  private void end(Line line) {
    if (!line.ended && !line.disabled && alive(line)) {
      ending.accept(line.value);
    }
    line.ended = true;
  }

  @Override
  public Credential renew(Credential credential) {
    Line line = lines.get(credential.id());
    if (line == null || line.ended || !alive(line)) {
      throw StoreException.leaseLost("There is no such lease.");
    }
    line.expiresAt = now().plus(TTL);
    return credential.until(line.expiresAt, true, Optional.empty());
  }

  @Override
  public void disable(Credential credential) {
    Line line = lines.get(credential.id());
    if (line != null && !line.ended && !line.disabled) {
      ending.accept(line.value);
      line.disabled = true;
    }
  }

  @Override
  public void enable(Credential credential) {
    Line line = lines.get(credential.id());
    if (line != null) {
      line.disabled = false;
    }
  }

  @Override
  public void revoke(Credential credential, boolean terminateSessions) {
    Line line = lines.get(credential.id());
    if (line != null) {
      end(line);
    }
  }

  @Override
  public Refusal refusal(Credential credential, Order order) {
    Line line = lines.get(credential.id());
    return line == null || line.ended ? Refusal.PROVEN : Refusal.STILL_TAKEN;
  }

  private Instant now() {
    return clock.instant().truncatedTo(ChronoUnit.SECONDS);
  }
}
