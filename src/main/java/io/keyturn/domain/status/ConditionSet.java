package io.keyturn.domain.status;

import io.keyturn.api.v1alpha1.Condition;
import io.keyturn.api.v1alpha1.Condition.Status;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The one place where conditions are made and merged (KEP-1623): the transition time moves only
 * when the status does, the order is that of the types, and what is not set again is gone.
 */
public final class ConditionSet {

  private final Map<String, Condition> previous;
  private final Map<String, Condition> next = new TreeMap<>();
  private final Long generation;
  private final Instant now;

  /**
   * A set that will replace another.
   *
   * @param previous the conditions of the object now
   * @param generation the generation of the spec that was observed
   * @param now the time of a transition
   */
  public ConditionSet(List<Condition> previous, Long generation, Instant now) {
    this.previous =
        previous.stream().collect(Collectors.toMap(Condition::type, Function.identity()));
    this.generation = generation;
    this.now = now.truncatedTo(ChronoUnit.SECONDS);
  }

  /** Says that a condition holds. */
  public ConditionSet isTrue(String type, String reason, String message) {
    return put(type, Status.True, reason, message);
  }

  /** Says that a condition does not hold. */
  public ConditionSet isFalse(String type, String reason, String message) {
    return put(type, Status.False, reason, message);
  }

  /** Says that nobody knows whether a condition holds. */
  public ConditionSet isUnknown(String type, String reason, String message) {
    return put(type, Status.Unknown, reason, message);
  }

  /** Says again what was said. */
  public ConditionSet keep(Condition said) {
    next.put(said.type(), said);
    return this;
  }

  private ConditionSet put(String type, Status status, String reason, String message) {
    Condition before = previous.get(type);
    Instant since = before != null && before.status() == status ? before.lastTransitionTime() : now;
    next.put(type, new Condition(type, status, reason, message, generation, since));
    return this;
  }

  /** The conditions, in the order of their types. */
  public List<Condition> toList() {
    return List.copyOf(next.values());
  }
}
