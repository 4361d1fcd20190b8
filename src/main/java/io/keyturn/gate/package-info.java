/**
 * Asks whether a version is good: with the candidate itself before any pod sees it, by a pod of the
 * user's own, and while it is tried.
 *
 * <p>No message has a value of the candidate, a part of an answer or the text of an exception:
 * drivers, decoders and parsers quote what they were given. Each sentence is made here, from codes.
 */
package io.keyturn.gate;
