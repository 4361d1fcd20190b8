package io.keyturn.store.spi;

import io.keyturn.api.v1alpha1.SecretBindingSpec.Overlap;

/**
 * What a store can do for a source.
 *
 * @param makesValues whether it makes a new value when asked; else it holds one, and a change of
 *     that is a reason to rotate
 * @param announces whether a change of what it holds is announced by an event of the cluster; else
 *     it is asked each refresh interval
 * @param overlap whether the old value stays valid beside the new one; never Auto
 * @param leases whether what it issues ends unless it is renewed
 * @param disable whether a credential can be disabled and enabled again
 * @param revoke whether a credential can be ended
 */
public record Capabilities(
    boolean makesValues,
    boolean announces,
    Overlap overlap,
    boolean leases,
    boolean disable,
    boolean revoke) {}
