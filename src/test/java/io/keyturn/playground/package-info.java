/**
 * What {@code ./demo} plays: an application team and its secrets in the world that the tests run
 * in, scene by scene, with promises that are counted. Each class has one job.
 */
package io.keyturn.playground;
