package io.keyturn.store.vault;

import io.keyturn.api.v1alpha1.Reasons;
import io.keyturn.api.v1alpha1.SecretBindingSpec.VaultKv;
import io.keyturn.secret.SecretData;
import io.keyturn.store.spi.Reading;
import java.util.Optional;
import java.util.OptionalLong;

/** Reads KV engines, version 2. */
final class Kv {

  private final Session session;

  Kv(Session session) {
    this.session = session;
  }

  Reading read(VaultKv source) {
    String path = source.mount() + "/data/" + source.path();
    Answer answer = session.ask(Call.get(path), Deadline.fromNow());
    if (answer.status() == 404) {
      return absent(answer);
    }
    Reply envelope = answer.orFail().reply().required("data");
    Reply metadata = envelope.required("metadata");
    Optional<Reply> written = envelope.object("data");
    if (written.isEmpty()) {
      return gone(path, metadata);
    }
    SecretData data = Values.written(written.get());
    return data.keys().isEmpty()
        ? new Reading.Missing(
            Reasons.SOURCE_EMPTY,
            "Version %d of %s in Vault has no keys.".formatted(metadata.number("version"), path))
        : new Reading.Value(data, Optional.empty(), OptionalLong.of(metadata.number("version")));
  }

  /** Vault says "not found" also of a version that was deleted, and then which one. */
  private static Reading absent(Answer answer) {
    return answer
        .reply()
        .object("data")
        .flatMap(envelope -> envelope.object("metadata"))
        .map(metadata -> gone(answer.path(), metadata))
        .orElseGet(() ->
            new Reading.Missing(
                Reasons.SOURCE_NOT_FOUND,
                "Vault has nothing at %s: check mount and path, and that the engine is KV version 2."
                    .formatted(answer.path())));
  }

  private static Reading gone(String path, Reply metadata) {
    return new Reading.Missing(
        Reasons.SOURCE_NOT_FOUND,
        "Version %d of %s in Vault was %s: write a new one, or undelete it."
            .formatted(
                metadata.number("version"),
                path,
                metadata.flag("destroyed") ? "destroyed" : "deleted"));
  }
}
