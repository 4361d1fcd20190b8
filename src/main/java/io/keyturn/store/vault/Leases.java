package io.keyturn.store.vault;

import static io.keyturn.store.vault.Failures.failure;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Method;
import io.keyturn.api.v1alpha1.SecretBindingSpec.VaultLease;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.OwnLogin;
import io.keyturn.store.spi.Reading;
import io.keyturn.store.spi.Store.Refusal;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * Leased credentials of any engine.
 *
 * <p>Vault revokes a lease when the token that it was issued to ends. So each is issued to a token
 * of its own, and both are renewed, by the shared token.
 */
final class Leases {

  /** What the id of a credential begins with if it is a lease. */
  static final String PREFIX = "lease:";

  /** A renewal that is shorter than asked by less than this was rounded and not cut. */
  private static final Duration ROUNDING = Duration.ofSeconds(2);

  /** More than any lease may live. */
  private static final Duration LONGEST = Duration.ofDays(3650);

  private final Connection connection;
  private final Session session;
  private final InstantSource clock;

  Leases(Connection connection, Session session, InstantSource clock) {
    this.connection = connection;
    this.session = session;
    this.clock = clock;
  }

  OwnLogin login() {
    return new LeaseLogin(session.own(Deadline.fromNow()), session.isNamed());
  }

  /** Vault ends all leases of a token with it. */
  void logout(Owner owner) {
    Answer answer =
        session.ask(
            Call.post("auth/token/revoke-accessor", Map.of("accessor", owner.accessor())),
            Deadline.fromNow());
    if (!unknown(answer)) {
      answer.orFail();
    }
  }

  Reading.Value issue(VaultLease source, Optional<OwnLogin> login) {
    Deadline deadline = Deadline.fromNow();
    Token token =
        login.map(own -> ((LeaseLogin) own).token()).orElseGet(() -> session.own(deadline));
    Instant before = clock.instant();
    Answer answer = connection.ask(call(source), token.value(), deadline);
    if (!answer.isSuccess()) {
      throw Failures.ofIssue(answer);
    }
    Reply reply = answer.reply();
    String lease = reply.text("lease_id").orElseThrow(() -> noLease(source));
    Duration ttl = reply.seconds("lease_duration");
    SecretData data = Values.issued(reply.required("data"));
    if (ttl.isZero() || data.keys().isEmpty()) {
      throw reply.invalid("it has a lease, but no time that it lasts, or no values.");
    }
    return new Reading.Value(
        data,
        Optional.of(credential(lease, ttl, reply.flag("renewable"), token, before)),
        OptionalLong.empty());
  }

  private static Call call(VaultLease source) {
    return source.method() == Method.GET
        ? Call.get(source.path(), source.parameters())
        : Call.put(source.path(), source.parameters());
  }

  private static StoreException noLease(VaultLease source) {
    return failure(
        Kind.PERMANENT,
        "The path %s issues no lease, so nothing could be renewed or revoked: name one that does, or"
            + " use vaultKv or vaultPki.",
        source.path());
  }

  /** A lease ends with its token, so its times are the shorter ones of both. */
  private static Credential credential(
      String lease, Duration ttl, boolean renewable, Token token, Instant now) {
    Instant leaseEnds = now.plus(ttl);
    Instant ends = token.endsAt().map(end -> earlier(end, leaseEnds)).orElse(leaseEnds);
    Optional<Instant> tokenEndsFirmly = token.renewable() ? Optional.empty() : token.endsAt();
    Optional<Instant> leaseEndsFirmly = renewable ? Optional.empty() : Optional.of(leaseEnds);
    return new Credential(
        PREFIX + lease,
        Owner.of(token).map(Owner::text),
        now,
        Optional.of(Duration.ofSeconds(Math.max(1, Duration.between(now, ends).toSeconds()))),
        Optional.of(ends),
        renewable,
        earlier(tokenEndsFirmly, leaseEndsFirmly));
  }

  Credential renew(Credential issued) {
    Deadline deadline = Deadline.fromNow();
    Instant before = clock.instant();
    Credential credential = withLongest(issued, before, deadline);
    Duration asked = credential.ttl().orElseThrow(Leases::withoutTimes);
    Optional<Renewal> lease =
        credential.renewable() ? renewLease(credential, asked, before, deadline) : Optional.empty();
    if (lease.isEmpty()) {
      Instant end = credential.expiresAt().orElseThrow(Leases::withoutTimes);
      return credential.until(end, false, earlier(credential.hardExpiry(), Optional.of(end)));
    }
    Optional<Renewal> owner =
        credential.owner().map(text -> renewOwner(Owner.parse(text), before, deadline));
    return renewed(credential, lease.get(), owner, before.plus(asked).minus(ROUNDING));
  }

  /**
   * Vault says nowhere how long a lease can live at most, but gives no more than that to whoever
   * asks for more. So it is asked once, at the first renewal; the time asked for next replaces
   * that.
   */
  private Credential withLongest(Credential credential, Instant now, Deadline deadline) {
    boolean first =
        credential
            .expiresAt()
            .filter(at -> credential.ttl().map(credential.issuedAt()::plus).equals(Optional.of(at)))
            .isPresent();
    if (!first || !credential.renewable() || credential.hardExpiry().isPresent()) {
      return credential;
    }
    Answer answer = session.ask(renewal(leaseOf(credential), LONGEST), deadline);
    return answer.isSuccess()
        ? credential.until(
            credential.expiresAt().orElseThrow(),
            true,
            Optional.of(answer.reply().seconds("lease_duration"))
                .filter(given -> given.compareTo(LONGEST.minus(ROUNDING)) < 0)
                .map(now::plus))
        : credential;
  }

  private static Call renewal(String lease, Duration time) {
    return Call.put("sys/leases/renew", Map.of("lease_id", lease, "increment", time.toSeconds()));
  }

  /**
   * The credential with its new times.
   *
   * @param whole when it ends at the earliest if nothing was cut
   */
  private static Credential renewed(
      Credential credential, Renewal lease, Optional<Renewal> owner, Instant whole) {
    Optional<Instant> hard =
        earlier(
            credential.hardExpiry(),
            earlier(lease.endFor(whole), owner.flatMap(o -> o.endFor(whole))));
    Instant ends = owner.map(o -> earlier(o.ends(), lease.ends())).orElse(lease.ends());
    return new Credential(
        credential.id(),
        // Once nobody can renew it, its end is the hard expiry, and nothing else is to be known.
        owner.filter(Renewal::again).map(o -> new Owner(o.name(), o.ends()).text()),
        credential.issuedAt(),
        credential.ttl(),
        Optional.of(hard.map(h -> earlier(h, ends)).orElse(ends)),
        lease.again(),
        hard);
  }

  /**
   * What a renewal came to.
   *
   * @param again whether there can be another
   */
  private record Renewal(String name, Instant ends, boolean again) {

    /** When it ends for good, if that shows: it cannot be renewed, or came back shorter. */
    Optional<Instant> endFor(Instant whole) {
      return again && !ends.isBefore(whole) ? Optional.empty() : Optional.of(ends);
    }
  }

  /** None if the lease lives and cannot be renewed. */
  private Optional<Renewal> renewLease(
      Credential credential, Duration asked, Instant before, Deadline deadline) {
    String id = leaseOf(credential);
    Answer answer = session.ask(renewal(id, asked), deadline);
    if (answer.status() == 400 || answer.status() == 404) {
      return stillThere(id, deadline);
    }
    Reply reply = answer.orFail().reply();
    Duration left = reply.seconds("lease_duration");
    return Optional.of(new Renewal(id, before.plus(left), reply.flag("renewable")));
  }

  /**
   * Vault answers in the same way for a lease that has ended, for one that it does not renew, and
   * where the engine behind it fails.
   */
  private Optional<Renewal> stillThere(String lease, Deadline deadline) {
    Answer answer = lookup(lease, deadline);
    if (unknown(answer)) {
      throw StoreException.leaseLost(
          "Vault knows no such lease any more: it was revoked, or has ended.");
    }
    if (answer.orFail().reply().required("data").flag("renewable")) {
      throw failure(
          Kind.TRANSIENT,
          "Vault could not renew the lease now: check that what is behind it answers.");
    }
    return Optional.empty();
  }

  /** Where the policy does not let the tenant renew it, it ends when it would have ended. */
  private Renewal renewOwner(Owner owner, Instant before, Deadline deadline) {
    Answer answer = session.ask(renewal(owner, deadline), deadline);
    return switch (answer.status()) {
      case 400, 403, 404 -> new Renewal(owner.accessor(), owner.endsAt(), false);
      default -> {
        Reply auth = answer.orFail().reply().required("auth");
        Duration left = auth.seconds("lease_duration");
        yield new Renewal(owner.accessor(), before.plus(left), auth.flag("renewable"));
      }
    };
  }

  /** A token that a store names may renew itself by Vault's default policy. */
  private Call renewal(Owner owner, Deadline deadline) {
    return session.token(deadline).accessor().filter(owner.accessor()::equals).isPresent()
        ? Call.post("auth/token/renew-self", Map.of())
        : Call.post("auth/token/renew-accessor", Map.of("accessor", owner.accessor()));
  }

  void revoke(Credential credential) {
    Deadline deadline = Deadline.fromNow();
    String lease = leaseOf(credential);
    Answer answer =
        session.ask(
            Call.put("sys/leases/revoke", Map.of("lease_id", lease, "sync", true)), deadline);
    if (answer.status() == 400 || answer.status() == 404) {
      // So Vault answers, too, when the engine could not do it: then the lease is still there.
      Answer still = lookup(lease, deadline);
      if (!unknown(still)) {
        still.orFail();
        throw failure(
            Kind.TRANSIENT,
            "Vault could not revoke the lease now: check that what is behind it answers.");
      }
      return;
    }
    answer.orFail();
  }

  Refusal refusal(Credential credential) {
    Answer answer = lookup(leaseOf(credential), Deadline.fromNow());
    if (answer.isSuccess()) {
      return Refusal.STILL_TAKEN;
    }
    return unknown(answer) ? Refusal.PROVEN : Refusal.UNKNOWN;
  }

  /** Whether Vault says that there is no such lease or token; else that says nothing of it. */
  private static boolean unknown(Answer answer) {
    return answer.status() == 400 || answer.status() == 404;
  }

  private Answer lookup(String lease, Deadline deadline) {
    return session.ask(Call.put("sys/leases/lookup", Map.of("lease_id", lease)), deadline);
  }

  private static String leaseOf(Credential credential) {
    return credential.id().substring(PREFIX.length());
  }

  private static StoreException withoutTimes() {
    return failure(Kind.PERMANENT, "What is written down of the lease has no times.");
  }

  private static Instant earlier(Instant one, Instant other) {
    return one.isBefore(other) ? one : other;
  }

  private static Optional<Instant> earlier(Optional<Instant> one, Optional<Instant> other) {
    return one.map(o -> other.map(p -> earlier(o, p)).orElse(o)).or(() -> other);
  }
}
