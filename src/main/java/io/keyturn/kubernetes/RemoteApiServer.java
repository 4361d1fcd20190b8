package io.keyturn.kubernetes;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.fabric8.kubernetes.api.model.Namespaced;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.authentication.TokenRequest;
import io.fabric8.kubernetes.api.model.authentication.TokenRequestBuilder;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.dsl.base.PatchContext;
import io.fabric8.kubernetes.client.dsl.base.PatchType;
import io.keyturn.api.v1alpha1.Names;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.inject.Inject;
import java.time.Duration;
import java.util.List;
import java.util.function.Supplier;

/**
 * The API server behind a client. It writes through the plain client: the framework's own helpers
 * keep what they write, values included.
 */
@ApplicationScoped
public class RemoteApiServer implements ApiServer {

  private static final PatchContext APPLY =
      new PatchContext.Builder()
          .withPatchType(PatchType.SERVER_SIDE_APPLY)
          .withFieldManager(Names.KEYTURN)
          .withForce(false)
          .build();

  private final KubernetesClient client;
  private final OwnWrites own;

  /** Asks through the given client. */
  @Inject
  public RemoteApiServer(KubernetesClient client, OwnWrites own) {
    this.client = client;
    this.own = own;
  }

  @Override
  public <T extends HasMetadata> T read(Class<T> kind, String namespace, String name) {
    return Namespaced.class.isAssignableFrom(kind)
        ? client.resources(kind).inNamespace(namespace).withName(name).get()
        : client.resources(kind).withName(name).get();
  }

  @Override
  public <T extends HasMetadata> List<T> list(
      Class<T> kind, String namespace, LabelSelector selector) {
    var objects = client.resources(kind).inNamespace(namespace);
    return (selector == null ? objects : objects.withLabelSelector(selector)).list().getItems();
  }

  @Override
  public void create(HasMetadata object) {
    write(object, client.resource(object)::create);
  }

  @Override
  public void update(HasMetadata seen) {
    write(seen, client.resource(seen)::update);
  }

  /** Of what is watched as metadata, Secrets are what Keyturn itself writes whole. */
  private void write(HasMetadata object, Supplier<HasMetadata> request) {
    if (object instanceof Secret) {
      own.write(object, request);
    } else {
      request.get();
    }
  }

  @Override
  public void updateStatus(HasMetadata seen) {
    client.resource(seen).updateStatus();
  }

  @Override
  public void delete(HasMetadata seen) {
    client.resource(seen).lockResourceVersion(seen.getMetadata().getResourceVersion()).delete();
  }

  @Override
  public void apply(HasMetadata fields) {
    client.resource(fields).patch(APPLY, fields);
  }

  @Override
  public String token(String namespace, String serviceAccount, String audience, Duration valid) {
    TokenRequest request =
        new TokenRequestBuilder()
            .withNewSpec()
            .withAudiences(audience)
            .withExpirationSeconds(valid.toSeconds())
            .endSpec()
            .build();
    return client
        .serviceAccounts()
        .inNamespace(namespace)
        .withName(serviceAccount)
        .tokenRequest(request)
        .getStatus()
        .getToken();
  }
}
