package io.keyturn.playground;

import io.keyturn.api.v1alpha1.Names;
import io.keyturn.testing.HollowKubelet;
import io.keyturn.testing.LoginCount;
import java.util.List;

/**
 * Logins until now, as PostgreSQL answered them.
 *
 * @param accepted it said yes
 * @param failed it said no to a pod that is no canary, or did not answer it
 * @param failedInCanary the same, to a canary
 */
record Tally(long accepted, long failed, long failedInCanary) {

  static Tally of(HollowKubelet kubelet, String namespace) {
    List<LoginCount> logins = kubelet.logins(namespace);
    return new Tally(
        logins.stream().mapToLong(LoginCount::accepted).sum(),
        logins.stream().filter(l -> !isCanary(l)).mapToLong(Tally::failed).sum(),
        logins.stream().filter(Tally::isCanary).mapToLong(Tally::failed).sum());
  }

  /** What happened since. */
  Tally since(Tally before) {
    return new Tally(
        accepted - before.accepted, failed - before.failed, failedInCanary - before.failedInCanary);
  }

  private static boolean isCanary(LoginCount login) {
    return login.labels().containsKey(Names.CANARY_FOR);
  }

  private static long failed(LoginCount login) {
    return login.refused() + login.unreachable();
  }
}
