/**
 * The world to test in: a real control plane, simulated nodes, and real servers that refuse what
 * they should refuse. Each class has one job and is closed after use.
 */
package io.keyturn.testing;
