package io.keyturn.api.v1alpha1;

import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn;
import io.fabric8.crd.generator.annotation.AdditionalPrinterColumn.Type;
import io.fabric8.kubernetes.client.CustomResource;
import io.fabric8.kubernetes.model.annotation.Categories;
import io.fabric8.kubernetes.model.annotation.Group;
import io.fabric8.kubernetes.model.annotation.Plural;
import io.fabric8.kubernetes.model.annotation.ShortNames;
import io.fabric8.kubernetes.model.annotation.Version;

/** A server that the bindings of the namespaces which it allows take secrets from. */
@Group(Api.GROUP)
@Version(Api.VERSION)
@Plural("clustersecretstores")
@ShortNames("csstore")
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
public class ClusterSecretStore extends CustomResource<ClusterSecretStoreSpec, SecretStoreStatus> {

  @Override
  protected SecretStoreStatus initStatus() {
    return SecretStoreStatus.EMPTY;
  }
}
