/**
 * Secret values: a type that does not give them away, what is delivered of them, and the snapshots
 * and aliases in which they lie.
 */
package io.keyturn.secret;
