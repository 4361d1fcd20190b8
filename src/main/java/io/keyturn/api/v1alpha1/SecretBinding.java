package io.keyturn.api.v1alpha1;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn.Type;
import io.fabric8.generator.annotation.ValidationRule;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/** Says which workloads receive which secret, and from where it comes. */
@Group(Api.GROUP)
@Version(Api.VERSION)
@Plural("secretbindings")
@ShortNames("sbind")
@Categories("keyturn")
@AdditionalPrinterColumn(name = "Secret", jsonPath = ".status.secretName", type = Type.STRING)
@AdditionalPrinterColumn(
    name = "Version",
    jsonPath = ".status.current.version",
    type = Type.INTEGER)
@AdditionalPrinterColumn(
    name = "Ready",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].status",
    type = Type.STRING)
@AdditionalPrinterColumn(
    name = "Rotating",
    jsonPath = ".status.conditions[?(@.type==\"Rotating\")].status",
    type = Type.STRING)
@AdditionalPrinterColumn(name = "Expires", jsonPath = ".status.expiresAt", type = Type.STRING)
@AdditionalPrinterColumn(name = "Next", jsonPath = ".status.nextRotationTime", type = Type.STRING)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
@ValidationRule(
    value = "self.metadata.name.size() <= 230",
    message =
        "metadata.name has more than 230 characters: rotations are named after the binding and"
            + " need room for their number, so give it a shorter name")
@ValidationRule(
    value =
        "(has(self.spec.secret) && has(self.spec.secret.name) ? self.spec.secret.name :"
            + " self.metadata.name) == (has(oldSelf.spec.secret) && has(oldSelf.spec.secret.name) ?"
            + " oldSelf.spec.secret.name : oldSelf.metadata.name)",
    message =
        "spec.secret.name cannot change, because pods refer to it: create a second SecretBinding"
            + " with the new name, move the workloads to it, then delete this one")
@ValidationRule(
    value =
        "(has(self.spec.secret) && has(self.spec.secret.type) ? self.spec.secret.type : 'Opaque')"
            + " == (has(oldSelf.spec.secret) && has(oldSelf.spec.secret.type) ?"
            + " oldSelf.spec.secret.type : 'Opaque')",
    message =
        "spec.secret.type cannot change, because the type of a Secret cannot: create a second"
            + " SecretBinding with another spec.secret.name and the new type")
public class SecretBinding extends CustomResource<SecretBindingSpec, SecretBindingStatus>
    implements Namespaced {

  /** Name of the Secret that the workloads refer to: {@code spec.secret.name} or our own. */
  public String alias() {
    String name = getSpec().secret().name();
    return name == null ? getMetadata().getName() : name;
  }

  @Override
  protected SecretBindingStatus initStatus() {
    return SecretBindingStatus.EMPTY;
  }
}
