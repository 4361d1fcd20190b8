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

/** A server that the bindings of its namespace take secrets from. */
@Group(Api.GROUP)
@Version(Api.VERSION)
@Plural("secretstores")
@ShortNames("sstore")
@Categories("keyturn")
@AdditionalPrinterColumn(name = "Provider", jsonPath = ".status.provider", type = Type.STRING)
@AdditionalPrinterColumn(
    name = "Ready",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].status",
    type = Type.STRING)
@AdditionalPrinterColumn(
    name = "Reason",
    jsonPath = ".status.conditions[?(@.type==\"Ready\")].reason",
    type = Type.STRING)
@AdditionalPrinterColumn(name = "Age", jsonPath = ".metadata.creationTimestamp", type = Type.DATE)
public class SecretStore extends CustomResource<SecretStoreSpec, SecretStoreStatus>
    implements Namespaced {

  @Override
  protected SecretStoreStatus initStatus() {
    return SecretStoreStatus.EMPTY;
  }
}
