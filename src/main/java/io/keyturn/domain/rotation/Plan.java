package io.keyturn.domain.rotation;

import io.keyturn.api.v1alpha1.SecretRotationStatus;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Finding;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The next step of a rotation: either a journal to write, or, where the journal says already what
 * is meant to be done, an effect to perform. So no effect ever precedes its intent.
 *
 * @param journal what the status should be
 * @param effect what to do once the journal is as it should be
 * @param findings what to tell people when the journal is written
 * @param wakeAt when to look again even if nothing happens
 */
public record Plan(
    SecretRotationStatus journal,
    Optional<Effect> effect,
    List<Finding> findings,
    Optional<Instant> wakeAt) {}
