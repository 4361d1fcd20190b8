/** The safety invariants, for any history: one that is simulated, or one of a real cluster. */
package io.keyturn.invariant;
