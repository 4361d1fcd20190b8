package io.keyturn.domain.binding;

import io.keyturn.api.v1alpha1.SecretBindingStatus;
import io.keyturn.domain.Effect;
import io.keyturn.domain.Finding;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The next step for a binding. Each of its effects can be taken back, so no intent is written
 * first; the status is written when there is nothing left to do.
 *
 * @param effect what to do
 * @param findings what to tell people once it is done
 * @param status what the status should be if there is nothing to do
 * @param wakeAt when to look again even if nothing happens
 */
public record BindingPlan(
    Optional<Effect> effect,
    List<Finding> findings,
    SecretBindingStatus status,
    Optional<Instant> wakeAt) {}
