package io.keyturn.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every rotation of secrets must survive, and the tests that show it. Each is shown by a test
 * of a class, by a scenario of the simulation, under each of its faults, or needs something that
 * Keyturn does not have yet.
 */
class FortyScenariosTest {

  private static final String TABLE =
      """
      1 | crash after the store made a version, before it is written down | sim a good value | later: stores that issue
      2 | crash after the snapshot, before the status | sim a good value
      3 | crash between the alias and the workload | sim a good value for two workloads, cluster.SafetyIT#killsAtAnyMomentOfARotationCostNothingButTime
      4 | two that believe they lead | sim a good value, cluster.SafetyIT#twoOperatorsWithoutElectionDoNoHarm, cluster.SafetyIT#aLeaderThatStandsStillWhileAnotherActsRepeatsNothingAndEnds, controller.EpochTest#whatALaterLeaderWroteIsLetGoOf
      5 | an old cache shows the stage before | simulation.SimulationTest#noRandomStormBreaksAnInvariant
      6 | a container of a stable pod restarts in the canary | sim pods that restart in the promotion | later: Inject and Admission
      7 | a node is drained under a canary pod | cluster.CanaryIT#aCanaryPodThatIsDrainedSaysNothingAndIsMadeAnew
      8 | the workload is scaled in the canary | cluster.InterferenceIT#podsThatAreAddedWhileADeploymentRollsAreOnTheNewVersion
      9 | a partitioned StatefulSet is scaled up | later: StatefulSets
      10 | an ordered canary is never Ready | later: StatefulSets
      11 | a node restarts in the canary of a DaemonSet | later: DaemonSets
      12 | the clone finds no room | domain.rotation.RotationPlannerTest#aCanaryThatFindsNoNodeIsNoVerdict
      13 | workloads that allow no clone | cluster.CloneIT#aDeploymentThatMustNotRunTwiceIsPromotedWithoutACanaryAndTheRotationSaysSo, cluster.CloneIT#aPolicyThatDemandsACanaryDoesNotRotateWhereNoneIsPossible
      14 | nobody else prunes the clone, and it goes with its record | cluster.CloneIT#aCloneIsACopyThatNeitherToolsNorSelectorsOfTheOriginalTakeForTheirs
      15 | Argo CD sets back what Inject writes | later: Inject
      16 | somebody takes the annotation off the template | cluster.PromotionIT#aRolloutThatAPersonUndoesIsNotFoughtOverAndEndsWhenTheyAbort
      17 | Flux strips the request to rotate | cluster.GeneratedIT#eachNewRequestRotatesOnceAndTheSameOneNeverAgain
      18 | field managers beside ours | cluster.InterferenceIT#aVersionAnnotationThatSomebodyEditsIsNotFoughtOver | later: Inject
      19 | a rollout is undone | sim a rollout that is undone, cluster.PromotionIT#aRolloutThatAPersonUndoesGoesOnWhenTheyPutTheAnnotationBack
      20 | the workload is edited in the canary, again and again | sim a workload that is edited in the canary, cluster.CanaryIT#aDeploymentThatIsEditedAgainAndAgainIsNotTriedForEver
      21 | the workload rolls already; an emergency goes on | cluster.InterferenceIT#aRolloutThatIsPausedIsWaitedForAndGoesOnWhenItIsResumed, domain.rotation.EmergencyTest#windowsBudgetsUnstableWorkloadsAndTheBakeAreSkipped
      22 | two bindings of one workload | cluster.RotationIT#twoBindingsOfOneDeploymentRotateOneAfterTheOther
      23 | a second trigger: queued, replacing, an emergency | sim two changes, sim a newer value that replaces one in the bake, sim a compromise during another rotation
      24 | a Job still uses the slot that is to be reused | later: slots
      25 | no overlap | sim a source without overlap, cluster.CutoverIT#withoutOverlapNothingHappensUntilSomebodyAcceptsTheOutageAndThenAllAtOnce
      26 | a login that works and has no grants | gate.PostgresqlLoginTest#aMissingRightFails, cluster.GatesIT#aLoginThatDoesNotWorkIsFoundBeforeAnyPodSeesIt
      27 | canary and baseline fail together | domain.rotation.GatesTest#aCanaryThatFailsWithItsBaselineIsNoVerdictAndIsTriedAgain
      28 | Prometheus says nothing | sim a gate that cannot tell for a while, cluster.GatesIT#aGateThatCannotTellHoldsUntilItCan
      29 | the fourth of five waves fails | domain.rotation.WavesTest#whatFailsInTheFourthWaveGoesBackInReverseAndTheCandidateLast, cluster.WavesIT#aFailureInALaterWaveTakesTheEarlierOnesBackAndTheSnapshotGoesLast
      30 | back to a version that has ended | domain.rotation.CutoverTest#nothingGoesBackToAValueThatHasEnded, cluster.InterferenceIT#aVersionToGoBackToThatIsDeletedIsAskedForUntilSomebodyLetsGoOfTheRotation
      31 | a straggler; an emergency does not wait for it | cluster.EmergencyIT#aPodThatKeepsTheOldValueIsNamedAndKeepsTheEmergencyOpenUntilItsDeadlineAlone
      32 | another namespace uses the credential | later: stores that revoke
      33 | a session outlives the credential | later: terminateSessions
      34 | Vault is away when a lease is to be renewed | later: leases
      35 | a lease that ends, and five hundred at once | later: leases
      36 | no window before the deadline; one that closes meanwhile | cluster.ScheduleIT#theAgeOutranksTheWindowAndTheEventsSaySo, domain.rotation.AdmissionTest#aWindowThatClosesStopsNothing
      37 | summer time, unknown zones, clocks that step, missed runs | domain.schedule.CronTest#aTimeThatSummerTimeSkipsComesAnHourLater, domain.schedule.TimetableTest#aClockThatStepsLeadsToOneCatchUpAtMost, domain.schedule.TimetableTest#aMissedRunIsMadeUpForOnceOrSkipped
      38 | Flagger and Argo Rollouts | later: Delegate
      39 | binding and namespace go in every stage | sim a binding that is deleted in the canary, sim a binding that is deleted in the promotion, cluster.DeletionIT#aNamespaceThatIsDeletedIsNotHeldUp
      40 | an emergency, with one workload stuck | sim a compromise before the source has another value, domain.rotation.EmergencyTest#aPromotionThatFailsNeverGoesBackAndEndsAtTheDeadline, cluster.EmergencyIT#aCompromisedValueIsReplacedAsSoonAsTheSourceHoldsAnotherOneAndNeverComesBack
      """;

  /** One line: what happens, what shows it, and what is missing to show all of it. */
  record Line(int number, String what, List<String> shownBy, boolean later) {
    @Override
    public String toString() {
      return number + " " + what;
    }
  }

  static List<Line> lines() {
    return TABLE.lines().map(FortyScenariosTest::line).toList();
  }

  private static Line line(String text) {
    List<String> cells = Stream.of(text.split("\\|")).map(String::strip).toList();
    return new Line(
        Integer.parseInt(cells.get(0)),
        cells.get(1),
        cells.stream()
            .skip(2)
            .filter(c -> !c.startsWith("later: "))
            .flatMap(c -> Stream.of(c.split(", ")))
            .toList(),
        cells.stream().anyMatch(c -> c.startsWith("later: ")));
  }

  @Test
  void noneIsLeftOut() {
    assertThat(lines())
        .extracting(Line::number)
        .containsExactlyElementsOf(IntStream.rangeClosed(1, 40).boxed().toList());
  }

  @ParameterizedTest
  @MethodSource("lines")
  void whatShowsItExists(Line line) throws ClassNotFoundException {
    assertThat(line.later() || !line.shownBy().isEmpty()).isTrue();
    for (String test : line.shownBy()) {
      if (test.startsWith("sim ")) {
        assertThat(Scenarios.all())
            .extracting(Scenario::name)
            .contains(test.substring("sim ".length()));
      } else {
        String[] parts = test.split("#");
        assertThat(Class.forName("io.keyturn." + parts[0]).getDeclaredMethods())
            .extracting(Method::getName)
            .contains(parts[1]);
      }
    }
  }
}
