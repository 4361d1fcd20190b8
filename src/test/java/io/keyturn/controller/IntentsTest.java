package io.keyturn.controller;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.fabric8.kubernetes.client.utils.KubernetesSerialization;
import io.keyturn.api.v1alpha1.Names;
import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBinding;
import io.keyturn.api.v1alpha1.SecretBindingSpec.StoreRef;
import io.keyturn.controller.Candidates.Candidate;
import io.keyturn.secret.Delivery;
import io.keyturn.secret.Fingerprint;
import io.keyturn.secret.SecretWriter;
import io.keyturn.store.Stores;
import io.keyturn.store.spi.Credential;
import io.keyturn.store.spi.StoreException;
import io.keyturn.store.spi.StoreException.Kind;
import io.keyturn.testing.NoApiServer;
import io.keyturn.testing.SilentTelemetry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What becomes of logins that leases were, or may have been, issued to. */
class IntentsTest {

  private static final String INTENT = "payments-db-issuing";

  private final Secrets secrets = new Secrets();
  private final Logins logins = new Logins();
  private final List<Boolean> abandoned = new ArrayList<>();
  private final Intents intents =
      new Intents(
          logins,
          new SecretWriter(secrets, new Fingerprint(new byte[Fingerprint.KEY_LENGTH])),
          new Counted());
  private final SecretBinding binding =
      new KubernetesSerialization()
          .unmarshal(
              """
              apiVersion: keyturn.io/v1alpha1
              kind: SecretBinding
              metadata: {name: payments-db, namespace: payments, uid: b-1}
              spec:
                source: {storeRef: {name: vault}, vaultLease: {path: database/creds/app}}
                workloads: [{kind: Deployment, name: api}]
              """,
              SecretBinding.class);

  @Test
  void aLoginIsNotedBeforeSomethingIsIssuedAndForgottenWhenThatIsRecorded() {
    Candidate candidate = issue("one");

    Secret noted = secrets.byName.get(INTENT);
    assertThat(noted.getData()).isNullOrEmpty();
    assertThat(noted.getMetadata().getAnnotations())
        .containsEntry(Names.STORE, "SecretStore/vault")
        .containsEntry(Names.CREDENTIAL_OWNER, "one");
    assertThat(noted.getMetadata().getOwnerReferences()).extracting("uid").containsExactly("b-1");
    assertThat(intents.stands(binding, candidate)).isTrue();

    intents.done(binding, candidate);
    assertThat(secrets.byName).isEmpty();
    assertThat(logins.ended).isEmpty();
    assertThat(abandoned).isEmpty();
  }

  @Test
  void whatAProcessGotThatDiedIsEndedAndCountedByTheNext() {
    Candidate lost = issue("one");

    Candidate candidate = issue("two");

    assertThat(logins.ended).containsExactly("one");
    assertThat(abandoned).containsExactly(true);
    assertThat(intents.stands(binding, candidate)).isTrue();
    assertThat(intents.stands(binding, lost)).as("the one before may not be recorded").isFalse();
    intents.done(binding, lost);
    assertThat(secrets.byName).as("nor does it take the note of the next").containsKey(INTENT);
  }

  @Test
  void whatWasRecordedIsNeverEnded() {
    issue("one");
    secrets.create(
        new SecretBuilder()
            .withNewMetadata()
            .withNamespace("payments")
            .withName("payments-db-v1-0123abcd")
            .addToLabels(Names.BINDING, "payments-db")
            .addToLabels(Names.MANAGED_BY, Names.KEYTURN)
            .addToAnnotations(Names.CREDENTIAL_OWNER, "one")
            .endMetadata()
            .build());

    issue("two");

    assertThat(logins.ended).isEmpty();
    assertThat(abandoned).isEmpty();
  }

  @Test
  void aStoreThatDoesNotAnswerIsAskedAgainBeforeAnythingIsIssued() {
    issue("one");
    logins.failure = new StoreException(Kind.TRANSIENT, "It is sealed.");

    assertThatThrownBy(() -> issue("two")).isInstanceOf(NotDone.class).hasMessage("It is sealed.");

    assertThat(secrets.byName.get(INTENT).getMetadata().getAnnotations())
        .containsEntry(Names.CREDENTIAL_OWNER, "one");
    assertThat(abandoned).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(
      value = Kind.class,
      names = {"DENIED", "NOT_FOUND", "PERMANENT"})
  void whatMayNotBeEndedIsCountedAndLeftToItsTime(Kind kind) {
    issue("one");
    logins.failure = new StoreException(kind, "It may not.");

    issue("two");

    assertThat(abandoned).containsExactly(false);
    assertThat(secrets.byName.get(INTENT).getMetadata().getAnnotations())
        .containsEntry(Names.CREDENTIAL_OWNER, "two");
  }

  @Test
  void anIssueThatFailsTakesItsLoginWithIt() {
    intents.noted(
        binding,
        note -> {
          note.accept("one");
          return refused();
        });

    assertThat(logins.ended).containsExactly("one");
    assertThat(secrets.byName).isEmpty();
    assertThat(abandoned).as("nothing was issued").isEmpty();
  }

  @Test
  void anIssueThatFailsLeavesTheLoginOfAProcessThatHasTakenOver() {
    intents.noted(
        binding,
        note -> {
          note.accept("one");
          issue("two");
          return refused();
        });

    assertThat(logins.ended).containsExactly("one");
    assertThat(secrets.byName.get(INTENT).getMetadata().getAnnotations())
        .containsEntry(Names.CREDENTIAL_OWNER, "two");
  }

  @Test
  void anIssueWhoseLoginCannotBeEndedNowIsLeftForTheNext() {
    logins.failure = new StoreException(Kind.TRANSIENT, "It does not answer.");

    intents.noted(
        binding,
        note -> {
          note.accept("one");
          return refused();
        });

    assertThat(secrets.byName).containsKey(INTENT);
  }

  @Test
  void aSecretOfSomebodyElseIsLeftAlone() {
    secrets.create(
        new SecretBuilder()
            .withNewMetadata()
            .withNamespace("payments")
            .withName(INTENT)
            .endMetadata()
            .build());

    assertThatThrownBy(() -> issue("one"))
        .isInstanceOfSatisfying(
            NotDone.class,
            e -> {
              assertThat(e.failure().reason()).isEqualTo(Reasons.SECRET_NOT_OWNED);
              assertThat(e).hasMessageContaining(INTENT);
            });
    assertThat(secrets.byName).containsKey(INTENT);
  }

  @Test
  void whatHasNoLoginOfItsOwnIsNotNoted() {
    Candidate candidate = intents.noted(binding, _ -> issued(Optional.empty()));

    assertThat(secrets.byName).isEmpty();
    assertThat(intents.stands(binding, candidate)).isTrue();
    intents.done(binding, candidate);
  }

  private Candidate issue(String owner) {
    return intents.noted(
        binding,
        note -> {
          note.accept(owner);
          return issued(Optional.of(owner));
        });
  }

  private static Candidate issued(Optional<String> owner) {
    return new Candidate(
        new Delivery.Refused("", ""),
        Optional.of(
            new Credential(
                "lease:a",
                owner,
                Instant.EPOCH,
                Optional.empty(),
                Optional.empty(),
                true,
                Optional.empty())),
        OptionalLong.empty(),
        Optional.empty(),
        true,
        false);
  }

  private static Candidate refused() {
    return new Candidate(
        new Delivery.Refused(Reasons.STORE_DENIED, "It may not."),
        Optional.empty(),
        OptionalLong.empty(),
        Optional.empty(),
        true,
        false);
  }

  /** A store that ends logins. */
  private static final class Logins extends Stores {

    private final List<String> ended = new ArrayList<>();
    private StoreException failure;

    Logins() {
      super(List.of(), null, null);
    }

    @Override
    public void logout(String namespace, StoreRef store, String owner) {
      assertThat(namespace).isEqualTo("payments");
      assertThat(store.name()).isEqualTo("vault");
      if (failure != null) {
        throw failure;
      }
      ended.add(owner);
    }
  }

  /** An API server that has Secrets. */
  private static final class Secrets extends NoApiServer {

    private final Map<String, Secret> byName = new HashMap<>();

    @Override
    public <T extends HasMetadata> T read(Class<T> kind, String namespace, String name) {
      return kind.cast(byName.get(name));
    }

    @Override
    public <T extends HasMetadata> List<T> list(
        Class<T> kind, String namespace, LabelSelector selector) {
      return byName.values().stream()
          .filter(s ->
              SecretWriter.labels(s).entrySet().containsAll(selector.getMatchLabels().entrySet()))
          .map(kind::cast)
          .toList();
    }

    @Override
    public void create(HasMetadata object) {
      if (byName.putIfAbsent(object.getMetadata().getName(), (Secret) object) != null) {
        throw new KubernetesClientException("it exists", 409, null);
      }
    }

    @Override
    public void delete(HasMetadata seen) {
      byName.remove(seen.getMetadata().getName(), seen);
    }
  }

  /** Counts what was abandoned. */
  private final class Counted extends SilentTelemetry {

    @Override
    public void abandoned(boolean ended) {
      abandoned.add(ended);
    }
  }
}
