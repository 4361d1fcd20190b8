/** Runs the operator: configuration, clients, leadership, health and metrics. */
package io.keyturn.ops;
