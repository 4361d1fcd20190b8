package io.keyturn.cluster;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.ManagedFieldsEntry;
import io.fabric8.kubernetes.api.model.Secret;
import io.keyturn.api.v1alpha1.Names;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Whose work a change is, by the fields that an object says are managed by whom, and since when.
 */
final class Author {

  private Author() {}

  /**
   * Whether a change is not Keyturn's. Times are of a second: in doubt, Keyturn has changed what is
   * its own, and the users' Deployments.
   *
   * @param before null if it was created
   * @param after null if it was deleted, which leaves no trace of who did it
   */
  static boolean isSomebodyElse(HasMetadata before, HasMetadata after) {
    if (after == null || wrote(Author::isKeyturn, before, after)) {
      return false;
    }
    return wrote(e -> !isKeyturn(e), before, after) || after instanceof Secret s && !isOurs(s);
  }

  private static boolean wrote(
      Predicate<ManagedFieldsEntry> who, HasMetadata before, HasMetadata after) {
    return entries(after).stream()
        .filter(who)
        .filter(e -> !"status".equals(e.getSubresource()))
        .anyMatch(e -> before == null || entries(before).stream().noneMatch(b -> same(b, e)));
  }

  private static boolean same(ManagedFieldsEntry before, ManagedFieldsEntry after) {
    return before.getManager().equals(after.getManager())
        && before.getOperation().equals(after.getOperation())
        && before.getTime().equals(after.getTime());
  }

  private static boolean isKeyturn(ManagedFieldsEntry entry) {
    return entry.getManager().equals(Names.KEYTURN);
  }

  private static boolean isOurs(Secret secret) {
    Map<String, String> labels = secret.getMetadata().getLabels();
    return labels != null && Names.KEYTURN.equals(labels.get(Names.MANAGED_BY));
  }

  private static List<ManagedFieldsEntry> entries(HasMetadata object) {
    return object.getMetadata().getManagedFields();
  }
}
