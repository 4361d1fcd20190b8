/**
 * What should happen next, and why: pure functions over what was observed and the time. Nothing
 * here calls a client, reads a clock, draws a random number or sees a secret value.
 */
package io.keyturn.domain;
