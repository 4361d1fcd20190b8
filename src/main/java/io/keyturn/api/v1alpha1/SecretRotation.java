package io.keyturn.api.v1alpha1;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn.Type;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;
import java.util.stream.Stream;

/** One attempt to move a bound secret from one version to the next; its status is the journal. */
@Group(Api.GROUP)
@Version(Api.VERSION)
@Plural("secretrotations")
@ShortNames("srot")
@Categories("keyturn")
@AdditionalPrinterColumn(name = "Binding", jsonPath = ".spec.bindingRef.name", type = Type.STRING)
@AdditionalPrinterColumn(name = "Trigger", jsonPath = ".spec.trigger", type = Type.STRING)
@AdditionalPrinterColumn(name = "Stage", jsonPath = ".status.stage", type = Type.STRING)
@AdditionalPrinterColumn(name = "Workloads", jsonPath = ".status.progress", type = Type.STRING)
@AdditionalPrinterColumn(
    name = "Succeeded",
    jsonPath = ".status.conditions[?(@.type==\"Succeeded\")].status",
    type = Type.STRING)
@AdditionalPrinterColumn(
    name = "Reason",
    jsonPath = ".status.conditions[?(@.type==\"Succeeded\")].reason",
    type = Type.STRING)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
@AdditionalPrinterColumn(
    name = "From",
    jsonPath = ".status.from.version",
    type = Type.INTEGER,
    priority = 1)
@AdditionalPrinterColumn(
    name = "To",
    jsonPath = ".status.to.version",
    type = Type.INTEGER,
    priority = 1)
@AdditionalPrinterColumn(
    name = "Proof",
    jsonPath = ".status.proof",
    type = Type.STRING,
    priority = 1)
@AdditionalPrinterColumn(
    name = "Message",
    jsonPath = ".status.message",
    type = Type.STRING,
    priority = 1)
@ValidationRule(
    value = "self.spec.bindingRef.name == oldSelf.spec.bindingRef.name",
    message =
        "spec.bindingRef cannot change: a rotation belongs to one binding for good; to rotate"
            + " another, change its spec.rotate.nonce")
@ValidationRule(
    value =
        "!has(self.spec.approvals) || (has(oldSelf.spec.approvals) && self.spec.approvals =="
            + " oldSelf.spec.approvals) || !has(self.status) || !has(self.status.policy) ||"
            + " self.spec.approvals.all(a, has(self.status.policy.gates) &&"
            + " self.status.policy.gates.exists(g, g.name == a.gate && has(g.manual)))",
    message =
        "an approval names a gate that the policy of this rotation does not have as a manual one:"
            + " status.policy.gates lists them")
public class SecretRotation extends CustomResource<SecretRotationSpec, SecretRotationStatus>
    implements Namespaced {

  /** Whether Keyturn made it: a binding controls it, or did when it was admitted. */
  public boolean startedByKeyturn() {
    return controllers().findAny().isPresent()
        || getMetadata().getUid().equals(getStatus().token());
  }

  /** Whether it is a rotation of the binding of that UID, and not of a namesake. */
  public boolean controlledBy(String uid) {
    return controllers().anyMatch(uid::equals);
  }

  private Stream<String> controllers() {
    return getMetadata().getOwnerReferences().stream()
        .filter(o -> Boolean.TRUE.equals(o.getController()))
        .map(OwnerReference::getUid);
  }

  @Override
  protected SecretRotationStatus initStatus() {
    return SecretRotationStatus.EMPTY;
  }
}
