package io.keyturn.testing;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.LabelSelector;
import io.keyturn.kubernetes.ApiServer;
import java.time.Duration;
import java.util.List;

/** An API server that must not be asked anything but what a test lets it be asked. */
public abstract class NoApiServer implements ApiServer {

  @Override
  public <T extends HasMetadata> T read(Class<T> kind, String namespace, String name) {
    throw new UnsupportedOperationException();
  }

  @Override
  public <T extends HasMetadata> List<T> list(
      Class<T> kind, String namespace, LabelSelector selector) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void create(HasMetadata object) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void update(HasMetadata seen) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void updateStatus(HasMetadata seen) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void delete(HasMetadata seen) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void apply(HasMetadata fields) {
    throw new UnsupportedOperationException();
  }

  @Override
  public String token(String namespace, String serviceAccount, String audience, Duration valid) {
    throw new UnsupportedOperationException();
  }
}
