package io.keyturn.controller;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.controller.Candidates.Candidate;
import io.keyturn.domain.Failure;
import io.keyturn.secret.SecretWriter;
import io.keyturn.store.Stores;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.StoreException;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.net.HttpURLConnection;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The logins that leases are about to be issued to, each written down before and deleted when the
 * lease is recorded. So a lease that was issued to a process which died is found, ended and counted
 * by the next that issues for the same binding. Of two processes that issue at once the later ends
 * what the earlier got, which then records nothing.
 */
@ApplicationScoped
public class Intents {

  /** How soon to look again at a Secret of somebody else. */
  private static final Duration AGAIN = Duration.ofMinutes(1);

  private final Stores stores;
  private final SecretWriter secrets;
  private final Telemetry telemetry;

  /** Acts through the given parts. */
  @Inject
  public Intents(Stores stores, SecretWriter secrets, Telemetry telemetry) {
    this.stores = stores;
    this.secrets = secrets;
    this.telemetry = telemetry;
  }

  /**
   * Has a candidate made, and its login noted before.
   *
   * @param ask makes it, and tells of its login before
   */
  Candidate noted(SecretBinding binding, Function<Consumer<String>, Candidate> ask) {
    AtomicReference<String> noted = new AtomicReference<>();
    Candidate candidate =
        ask.apply(owner -> {
          note(binding, owner);
          noted.set(owner);
        });
    if (noted.get() == null) {
      return candidate;
    }
    if (candidate.credential().isEmpty()) {
      withdraw(binding, noted.get());
      return candidate;
    }
    return candidate.withNote();
  }

  /** Whether nobody else has begun to issue since, so that a candidate may be recorded. */
  boolean stands(SecretBinding binding, Candidate candidate) {
    return !candidate.noted() || own(binding, owner(candidate)).isPresent();
  }

  /** What was issued is recorded, or was ended. */
  void done(SecretBinding binding, Candidate candidate) {
    if (candidate.noted()) {
      own(binding, owner(candidate)).ifPresent(secrets::delete);
    }
  }

  private static String owner(Candidate candidate) {
    return candidate.credential().flatMap(Credential::owner).orElseThrow();
  }

  /** The intent, unless it is that of another process by now. */
  private Optional<Secret> own(SecretBinding binding, String owner) {
    return Optional.ofNullable(secrets.readIntent(binding))
        .filter(i -> owner(i).equals(Optional.of(owner)));
  }

  private void note(SecretBinding binding, String owner) {
    try {
      create(binding, owner);
    } catch (KubernetesClientException e) {
      if (e.getCode() != HttpURLConnection.HTTP_CONFLICT) {
        throw e;
      }
      settle(binding);
      create(binding, owner);
    }
  }

  private void create(SecretBinding binding, String owner) {
    secrets.createIntent(
        binding,
        Map.of(
            Names.STORE,
            Credentials.text(binding.getSpec().source().storeRef()),
            Names.CREDENTIAL_OWNER,
            owner));
  }

  /** What another process noted, and may have got. */
  private void settle(SecretBinding binding) {
    Secret intent = secrets.readIntent(binding);
    if (intent == null) {
      throw new NotDone(
          new Failure(
              Reasons.SECRET_NOT_OWNED,
              "The Secret %s is in the way, which Keyturn keeps while a credential is issued and did not make: delete or rename it."
                  .formatted(Names.intent(binding.alias())),
              false,
              AGAIN));
    }
    if (!secrets.isRecorded(binding, owner(intent).orElse(""))) {
      end(binding, intent);
    }
    secrets.delete(intent);
  }

  private void end(SecretBinding binding, Secret intent) {
    try {
      logout(binding, intent);
      telemetry.abandoned(true);
    } catch (StoreException e) {
      if (e.kind() == StoreException.Kind.TRANSIENT || e.kind() == StoreException.Kind.THROTTLED) {
        throw NotDone.of(e);
      }
      ReconcileLog.orphaned(binding, e.reason());
      telemetry.abandoned(false);
    }
  }

  /** Nothing was issued, or none of it arrived. */
  private void withdraw(SecretBinding binding, String owner) {
    own(binding, owner)
        .ifPresent(intent -> {
          try {
            logout(binding, intent);
          } catch (StoreException e) {
            // It stays for the next attempt.
            return;
          }
          secrets.delete(intent);
        });
  }

  /** One that somebody has edited so that nobody can tell ends with its time. */
  private void logout(SecretBinding binding, Secret intent) {
    Optional<StoreRef> store = Credentials.store(intent.getMetadata());
    Optional<String> owner = owner(intent);
    if (store.isPresent() && owner.isPresent()) {
      stores.logout(binding.getMetadata().getNamespace(), store.get(), owner.get());
    }
  }

  private static Optional<String> owner(Secret intent) {
    return Optional.ofNullable(intent)
        .map(i -> SecretWriter.annotations(i).get(Names.CREDENTIAL_OWNER));
  }
}
