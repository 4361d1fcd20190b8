package io.keyturn.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.apps.Deployment;
import io.fabric8.kubernetes.client.utils.Serialization;
import org.junit.jupiter.api.Test;

/** What is Keyturn's work and what is not decides what is held against it. */
class AuthorTest {

  private static final String KEYTURN = "{manager: keyturn, operation: Update, time: 12:00:%s}";
  private static final String KUBECTL = "{manager: kubectl, operation: Update, time: 12:00:%s}";
  private static final String STATUS =
      "{manager: kube-controller-manager, operation: Update, subresource: status, time: 12:00:%s}";

  private static Secret secret(String entries) {
    return Serialization.unmarshal(
        "---\nmetadata: {managedFields: [%s]}".formatted(entries), Secret.class);
  }

  private static Secret ours(String entries) {
    return Serialization.unmarshal(
        "---\nmetadata: {labels: {app.kubernetes.io/managed-by: keyturn}, managedFields: [%s]}"
            .formatted(entries),
        Secret.class);
  }

  private static Deployment deployment(String entries) {
    return Serialization.unmarshal(
        "---\nmetadata: {managedFields: [%s]}".formatted(entries), Deployment.class);
  }

  @Test
  void whoCreatedAnObjectIsItsOnlyManager() {
    assertThat(Author.isSomebodyElse(null, secret(KEYTURN.formatted("01")))).isFalse();
    assertThat(Author.isSomebodyElse(null, secret(KUBECTL.formatted("01")))).isTrue();
  }

  @Test
  void whoChangedAnObjectHasANewTime() {
    String both = KEYTURN + "," + KUBECTL;
    Secret before = ours(both.formatted("01", "01"));
    assertThat(Author.isSomebodyElse(before, ours(both.formatted("02", "01")))).isFalse();
    assertThat(Author.isSomebodyElse(before, ours(both.formatted("01", "02")))).isTrue();
  }

  @Test
  void whatIsChangedAgainWithinASecondIsItsOwners() {
    String both = (KEYTURN + "," + KUBECTL).formatted("01", "01");
    assertThat(Author.isSomebodyElse(ours(both), ours(both))).isFalse();
    assertThat(Author.isSomebodyElse(secret(both), secret(both))).isTrue();
    assertThat(Author.isSomebodyElse(deployment(both), deployment(both))).isFalse();
  }

  @Test
  void aStatusSaysNothingOfWhoChangedTheRest() {
    String both = KEYTURN + "," + STATUS;
    assertThat(
            Author.isSomebodyElse(
                deployment(both.formatted("01", "01")), deployment(both.formatted("01", "02"))))
        .isFalse();
  }

  @Test
  void whoDeletedAnObjectNobodyKnows() {
    assertThat(Author.isSomebodyElse(secret(KUBECTL.formatted("01")), null)).isFalse();
  }
}
