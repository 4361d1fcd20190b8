package io.keyturn.simulation;

/**
 * One request of an operator to the API server.
 *
 * @param operator who asks
 * @param verb the verb of RBAC
 * @param kind of the object
 */
record Call(SimulatedOperator operator, String verb, String kind) {

  /** Whether it would change something. */
  boolean write() {
    return !verb.equals("get") && !verb.equals("list");
  }
}
