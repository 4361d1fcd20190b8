package io.keyturn.testing;

import java.time.Instant;
import java.util.Arrays;

/**
 * One request that the API server answered, as its audit log has it. A watch counts once, when it
 * begins.
 *
 * @param user who asked; {@code system:serviceaccount:<namespace>:<name>} for a service account
 * @param userAgent how the client calls itself; empty if it does not say
 * @param verb the verb of RBAC: get, list, watch, create, update, patch, delete, deletecollection
 * @param resource the plural, such as {@code secrets}; empty for a path that is no resource
 * @param subresource such as {@code status}; empty if none
 * @param namespace empty if none
 * @param name empty for lists and creations
 * @param query what follows the question mark in the address; empty if nothing does
 * @param code the HTTP status
 * @param at when the request came in
 */
public record AuditedRequest(
    String user,
    String userAgent,
    String verb,
    String resource,
    String subresource,
    String namespace,
    String name,
    String query,
    int code,
    Instant at) {

  /** Whether the request would have changed something. */
  public boolean isWrite() {
    return switch (verb) {
      case "create", "update", "patch", "delete", "deletecollection" -> true;
      default -> false;
    };
  }

  /** The field manager of a write: the one that it names, or else the client's own name. */
  public String fieldManager() {
    return Arrays.stream(query.split("&"))
        .filter(parameter -> parameter.startsWith("fieldManager="))
        .map(parameter -> parameter.substring("fieldManager=".length()))
        .findFirst()
        .orElse(userAgent.replaceFirst("/.*", ""));
  }

  /** Whether this is {@code verb} on {@code resource} itself, not on a subresource. */
  public boolean is(String verb, String resource) {
    return this.verb.equals(verb) && this.resource.equals(resource) && subresource.isEmpty();
  }
}
