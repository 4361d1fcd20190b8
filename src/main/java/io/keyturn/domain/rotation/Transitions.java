package io.keyturn.domain.rotation;

import static io.keyturn.api.v1alpha1.Stage.Aborted;
import static io.keyturn.api.v1alpha1.Stage.Baking;
import static io.keyturn.api.v1alpha1.Stage.Canary;
import static io.keyturn.api.v1alpha1.Stage.Complete;
import static io.keyturn.api.v1alpha1.Stage.Disabling;
import static io.keyturn.api.v1alpha1.Stage.Discarding;
import static io.keyturn.api.v1alpha1.Stage.Failed;
import static io.keyturn.api.v1alpha1.Stage.Pending;
import static io.keyturn.api.v1alpha1.Stage.Preflight;
import static io.keyturn.api.v1alpha1.Stage.Promoting;
import static io.keyturn.api.v1alpha1.Stage.Retiring;
import static io.keyturn.api.v1alpha1.Stage.Revoking;
import static io.keyturn.api.v1alpha1.Stage.RollingBack;
import static io.keyturn.api.v1alpha1.Stage.Staging;
import static io.keyturn.api.v1alpha1.Stage.Superseded;

import io.keyturn.api.v1alpha1.Stage;
import java.util.Map;
import java.util.Set;

/** The legal moves between stages. {@link Stage} says what each is for. */
public final class Transitions {

  private static final Map<Stage, Set<Stage>> LEGAL =
      Map.ofEntries(
          Map.entry(Pending, Set.of(Staging, RollingBack)),
          Map.entry(Staging, Set.of(Preflight, Canary, Promoting, RollingBack)),
          Map.entry(Preflight, Set.of(Canary, Promoting, RollingBack)),
          Map.entry(Canary, Set.of(Baking, Promoting, RollingBack)),
          Map.entry(Baking, Set.of(Promoting, Canary, RollingBack)),
          Map.entry(Promoting, Set.of(Retiring, RollingBack)),
          Map.entry(Retiring, Set.of(Disabling, Revoking, Complete)),
          Map.entry(Disabling, Set.of(Revoking, Retiring)),
          Map.entry(Revoking, Set.of(Complete)),
          Map.entry(RollingBack, Set.of(Discarding)),
          Map.entry(Discarding, Set.of(Failed, Aborted, Superseded)),
          Map.entry(Complete, Set.of()),
          Map.entry(Failed, Set.of()),
          Map.entry(Aborted, Set.of()),
          Map.entry(Superseded, Set.of()));

  private Transitions() {}

  /** Whether a rotation may move from one stage to another. */
  public static boolean legal(Stage from, Stage to) {
    return LEGAL.get(from).contains(to);
  }

  /**
   * The stage that is moved to.
   *
   * @throws IllegalStateException if the move is not in the table, which is a bug of the planner
   */
  static Stage move(Stage from, Stage to) {
    if (!legal(from, to)) {
      throw new IllegalStateException("no rotation moves from " + from + " to " + to);
    }
    return to;
  }
}
