package io.keyturn.controller.rotation;

import io.keyturn.api.v1alpha1.SecretRotation;

/** What belongs to a rotation, as the caches know it: it may be old. */
interface RotationIndex {

  /** Whether there is a clone of the rotation. */
  boolean hasClone(SecretRotation rotation);
}
