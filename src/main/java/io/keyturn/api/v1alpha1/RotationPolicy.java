package io.keyturn.api.v1alpha1;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn.Type;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/** Says how rotations are rolled out; many bindings of a namespace may share one. */
@Group(Api.GROUP)
@Version(Api.VERSION)
@Plural("rotationpolicies")
@ShortNames("rpol")
@Categories("keyturn")
@AdditionalPrinterColumn(
    name = "Ready",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].status",
    type = Type.STRING)
@AdditionalPrinterColumn(name = "Canary", jsonPath = ".spec.canary.strategy", type = Type.STRING)
@AdditionalPrinterColumn(name = "Bake", jsonPath = ".spec.canary.bake", type = Type.STRING)
@AdditionalPrinterColumn(name = "Bindings", jsonPath = ".status.bindings", type = Type.INTEGER)
@AdditionalPrinterColumn(name = "Rotating", jsonPath = ".status.rotating", type = Type.INTEGER)
@AdditionalPrinterColumn(name = "Next", jsonPath = ".status.nextRotationTime", type = Type.STRING)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
public class RotationPolicy extends CustomResource<RotationPolicySpec, RotationPolicyStatus>
    implements Namespaced {

  @Override
  protected RotationPolicyStatus initStatus() {
    return RotationPolicyStatus.EMPTY;
  }
}
