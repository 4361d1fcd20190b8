package io.keyturn.controller;

import io.javaoperatorsdk.operator.processing.event.Event;
import io.javaoperatorsdk.operator.processing.event.ResourceID;
import io.javaoperatorsdk.operator.processing.event.source.AbstractEventSource;
import io.keyturn.api.v1alpha1.SecretRotation;
import io.keyturn.domain.binding.BindingObservation;
import jakarta.enterprise.context.ApplicationScoped;
import java.util.Set;

/**
 * Lets rotations under way look again when something has happened to their binding: its source, its
 * alias, its policy or itself.
 */
@ApplicationScoped
public class Nudge {

  private final Source source = new Source();

  /** The event source of the rotations' controller. */
  public Source source() {
    return source;
  }

  /** Lets a rotation look again. */
  public void send(String namespace, String rotation) {
    source.send(new ResourceID(rotation, namespace));
  }

  /** Lets a rotation look again, unless it has ended. */
  public void send(String namespace, BindingObservation.Rotation rotation) {
    if (!rotation.stage().terminal()) {
      source.send(new ResourceID(rotation.name(), namespace));
    }
  }

  /** Hands events on to a controller once it runs. */
  public static final class Source extends AbstractEventSource<Void, SecretRotation> {

    private Source() {
      super(Void.class, "nudge");
    }

    private void send(ResourceID rotation) {
      if (isRunning()) {
        getEventHandler().handleEvent(new Event(rotation));
      }
    }

    @Override
    public Set<Void> getSecondaryResources(SecretRotation primary) {
      return Set.of();
    }
  }
}
